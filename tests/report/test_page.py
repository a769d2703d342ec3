"""The page: what it reads is handed to it, what is missing is a card, and words are text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from himoe import io
from himoe.commands.shareable import read_run
from himoe.config.run import Config
from himoe.report import identity, page
from himoe.report.forest import Bar, panel
from himoe.types import HimoeError
from tests.conftest import ROOT

RECORD = {
    "name": "main", "kind": "table", "title": "Main comparison", "section": "comparison", "caption": "A caption.",
    "facts": "6 subjects.", "alt": "One is first.", "note": "", "synthetic": True, "columns": ["model", "CCC"],
    "rows": [["ridge", "0.400"]], "csv": "main.csv",
    "provenance": {"rule": "write_table", "code": "x", "inputs": {}, "seeds": [0]},
}  # fmt: skip


def render(folder, record=RECORD, config_files=(), compare=(), more=(), files=(), **config):
    """The page of a run that has made one table, and what ``more`` records, with ``files``, are of."""
    tables = folder / "results" / "tables"
    io.write_json(tables / "main.json", record, sealed=True)
    io.write_text(tables / "main.csv", "model,ccc\nridge,0.4\n")
    run = {"device": "cpu", "wall_seconds": 1.0}
    io.write_json(folder / "run.json", run)
    files = {
        "records": [tables / "main.json", *more], "files": [tables / "main.csv", *files],
        "runs": [folder / "run.json"], "cards": [], "lock": [ROOT / "envs/requirements.lock"],
        "templates": (ROOT / "report/templates").iterdir(), "static": (ROOT / "report/static").iterdir(),
        "citation": [ROOT / "CITATION.cff"], "schema": [ROOT / "report/results.schema.json"], "compare": compare,
    }  # fmt: skip
    settings = Config(**{"tables": ["claims", "main"], "datasets": ["deap_twin"], **config}).model_dump(mode="json")
    html, results = folder / "results" / "report.html", folder / "results" / "results.json"
    paths = {name: [str(path) for path in of] for name, of in files.items()}
    page.render(paths, settings, list(config_files), str(html), str(results))
    return html.read_text(), json.loads(results.read_text())


def test_it_holds_the_table_and_links_its_numbers(tmp_path):
    html, results = render(tmp_path)
    (main,) = [item for item in results["items"] if item["name"] == "main"]
    assert main["csv"] == "tables/main.csv"  # from the folder of results.json
    assert main["number"] == "Table 1"  # what is not made comes last
    assert "One is first." in html
    assert 'href="data:text/csv;base64,' in html


def test_what_is_missing_is_a_card_with_its_command(tmp_path):
    html, results = render(tmp_path, figures=["condition_curve", "subjects"], conditions={"shift": [0, 2]})
    assert "not made yet: <code>snakemake --cores all results/tables/claims.csv</code>" in html
    assert "not made yet: <code>snakemake --cores all results/figures/condition_curve/shift.svg</code>" in html
    assert html.count("Not in this run") == 3  # claims, comparison, async: one card a section
    assert [i["name"] for i in results["items"]] == ["claims", "main", "condition_curve-shift", "subjects"]
    html, _ = render(tmp_path, figures=["condition_curve", "routing"], conditions={})
    assert "this run does not contain conditions: <code>snakemake" in html
    assert "this run does not contain missing_rate: <code>snakemake" in html
    html, _ = render(tmp_path, tables=["main", "ablations", "planted"])
    assert "--configfile config/config.yaml config/ablations.yaml</code>" in html  # beside this run's own
    assert "--configfile config/planted.yaml</code>" in html  # a run of its own


HOSTILE = "<script>alert(1)</script>"
BARS = [Bar(HOSTILE, 0.1, 0.05, 0.2, "ahead"), Bar("none", float("nan"), float("nan"), float("nan"), "undecided")]
CELL = {"word": "supported", "sign": "✓", "why": HOSTILE, "design": HOSTILE, "lead": 0.1, "low": 0.05, "high": 0.2}
ANSWER = {
    "outcome": HOSTILE, "caution": HOSTILE, "more": 1, "box": [{"question": HOSTILE, "answers": [HOSTILE]}],
    "panels": [panel(HOSTILE, BARS, 0.02, (HOSTILE, HOSTILE))],
}  # fmt: skip
CLAIMS = {
    "settings": [{"key": "deap_twin", "title": HOSTILE, "synthetic": True}],
    "settle": [{"ids": ["C1"], "needs": HOSTILE, "config": "config/ablations.yaml"}],
    "claims": [
        {"id": "C1", "claim": HOSTILE, "hypothesis": HOSTILE, "smallest": 0.02, "fixed": HOSTILE, "overall": "supported",
         "cells": {"deap_twin": CELL}, "told": [{"titles": HOSTILE, "cell": CELL}], "elsewhere": [HOSTILE],
         "panel": panel(HOSTILE, BARS, 0.02)},
    ],
}  # fmt: skip
WIDE = {
    "groups": [{"title": HOSTILE, "targets": ["valence"]}], "columns": [{"setting": "deap_twin", "target": HOSTILE}],
    "metrics": [{"key": "ccc", "title": HOSTILE}], "studied": "himoe",
    "blocks": [
        {"kind": "model", "rows": [{"model": "himoe", "title": HOSTILE, "cells": [{"ccc": [0.4, 0.3, 0.5, "best"]}]}]},
        {"kind": "control", "rows": [{"model": "x", "title": "x", "cells": [{}]}, {"model": "y", "title": "y", "cells": [
            {"ccc": [None, None, None, ""]}]}]},
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", ["answer", "claims", "main", "ablations"])
def test_hostile_words_are_shown_as_text(tmp_path, name):
    page = {"page": {"answer": ANSWER, "claims": CLAIMS, "main": WIDE}.get(name)}
    words = dict.fromkeys(("alt", "title", "caption", "note"), HOSTILE) | {"columns": [HOSTILE] * 3, "rows": [[HOSTILE] * 3]}
    record = RECORD | words | {"name": name} | (page if page["page"] else {})
    section = {"answer": "answer", "claims": "claims", "ablations": "model"}.get(name, "comparison")
    html, _ = render(tmp_path, record | {"section": section}, title="</title><script>x</script>", tables=[name])
    assert html.count("<script>") == 1  # the page's own
    assert "&lt;script&gt;alert(1)" in html
    assert "<script" not in html.replace("<script>", "", 1)


def test_findings_of_several_data_sets_stand_below_one_another(tmp_path):
    finding = "DEAP twin (6 people): CCC 0.49 [0.35, 0.57]; ahead of 3. DREAMER twin: behind 2. No more."
    html, _ = render(tmp_path, RECORD | {"alt": finding})
    assert (
        "<li><b>DEAP twin (6 people):</b> CCC 0.49 [0.35, 0.57]; ahead of 3.</li><li><b>DREAMER twin:</b> behind 2.</li>"
        in html
    )
    assert "<li>No more.</li></ul>" in html
    assert '<p class="finding">One is first.</p>' in render(tmp_path)[0]  # one alone stays a paragraph


def test_no_id_stands_twice_and_every_way_leads_somewhere(tmp_path):
    html, _ = render(tmp_path, RECORD | {"page": WIDE}, tables=["claims", "main", "ladder"], figures=["routing", "ladder"])
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(ids)


def test_a_model_without_a_score_says_why(tmp_path):
    html, _ = render(tmp_path, RECORD | {"page": WIDE})
    assert "failed: diverged" in html
    assert '<span class="none">not run</span>' in html
    assert '<tr class="himoe" data-model=' in html
    assert '<span class="v ccc best"><span class="m">0.400</span> <span class="i">[0.300, 0.500]</span></span>' in html


def test_the_outcome_is_in_the_title(tmp_path):
    record = RECORD | {
        "name": "answer",
        "section": "answer",
        "page": ANSWER | {"outcome": "Hi-MoE: none of 7 claims supported"},
    }
    html, _ = render(
        tmp_path,
        record | {"columns": ["data set", "question", "answer"], "rows": [["DEAP", "Which?", "None."]]},
        tables=["answer"],
    )
    assert "<title>Hi-MoE: none of 7 claims supported · Hi-MoE replication</title>" in html
    assert "<h1>Hi-MoE: none of 7 claims supported</h1>" in html


def test_the_caveat_of_real_labels_stands_on_top(tmp_path):
    html, _ = render(tmp_path, datasets=["esports"])
    head = html.partition("</header>")[0]
    assert "targets are a vendor&#39;s estimates from the same EEG headset" in head
    assert "SYNTHETIC" not in html


def test_facts_stamp_and_hashes_stand_once(tmp_path):
    many = RECORD | {"provenance": RECORD["provenance"] | {"inputs": {"results/scores.csv": "ab" * 32}}}
    html, results = render(tmp_path, many)
    assert html.count(page.STAMP) == 1
    assert html.count("<dd><code>abababababab</code></dd>") == 1
    assert "ab" * 32 not in html
    assert results["items"][1]["provenance"]["inputs"] == {"results/scores.csv": "ab" * 32}  # whole, for machines


def test_what_it_writes_is_what_its_schema_says(tmp_path):
    _, results = render(tmp_path, RECORD | {"page": WIDE}, tables=["claims", "main"])
    schema = json.loads((ROOT / "report/results.schema.json").read_text())
    jsonschema.validate(results, schema)


def test_an_earlier_run_stands_beside_this_one(tmp_path):
    render(tmp_path / "then", RECORD | {"page": WIDE})
    shown, _ = render(tmp_path / "now", RECORD | {"page": WIDE}, compare=[tmp_path / "then/results/results.json"])
    assert "1 scores are in both runs; the largest difference of CCC is 0.000." in shown
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(HimoeError, match=r"other\.json: the file: \[\] is not of type 'object'; compare= takes"):
        render(tmp_path / "now", compare=[tmp_path / "other.json"])


def test_it_names_the_files_that_the_commit_does_not_hold(tmp_path):
    (tmp_path / "mine.yaml").write_text("seeds: [0]\n")
    html, results = render(tmp_path, config_files=[str(tmp_path / "mine.yaml")])
    of = results["identity"]
    if of["commit"] == "not a git checkout":
        pytest.skip("no git here")
    assert of["commit"].endswith("-dirty")
    assert "changed since" in of
    assert re.search(r"mine\.yaml|and \d+ more", of["changed since"])
    assert str(tmp_path) not in html
    assert identity.some_of([str(n) for n in range(8)]) == "0, 1, 2, 3, 4, 5 and 2 more"


def test_it_reads_nothing_but_what_it_is_given(tmp_path, monkeypatch):
    opened: list[Path] = []
    read = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda self, *a, **k: opened.append(self) or read(self, *a, **k))
    render(tmp_path)
    read_in_repository = [p.relative_to(ROOT) for p in opened if p.is_relative_to(ROOT)]
    assert {p.parts[0] for p in read_in_repository if "site-packages" not in p.parts} <= {
        "CITATION.cff",
        "report",
        "himoe",
    }  # titles
    assert tmp_path / "results/tables/main.json" in opened


def test_items_of_another_run_do_not_stand_beside_the_report(tmp_path):
    figures = tmp_path / "results/figures/condition_curve"
    io.write_json(
        figures / "shift.json", {"kind": "figure", "name": "condition_curve", "svg": "shift.svg", "dark": "../../a.svg"}
    )
    for mine in (figures / "shift.svg", figures / "mine.svg", figures / "mine.json", tmp_path / "results/a.svg"):
        io.write_text(mine, "{}")
    render(tmp_path)
    assert sorted(p.name for p in figures.iterdir()) == ["mine.json", "mine.svg"]  # nobody's record: somebody's own
    assert (tmp_path / "results/a.svg").is_file()
    assert sorted(p.name for p in (tmp_path / "results/tables").iterdir()) == ["main.csv", "main.json", "main.json.sha256"]


def test_a_table_that_was_edited_is_not_printed(tmp_path):
    render(tmp_path)
    record, results = tmp_path / "results/tables/main.json", tmp_path / "results/results.json"
    record.write_text(record.read_text().replace("0.400", "0.999"))
    with pytest.raises(HimoeError, match=r"main\.json: changed since it was written"):
        page.render({"records": [str(record)]}, {}, [], str(tmp_path / "results/report.html"), str(results))
    results.write_text(results.read_text().replace("0.400", "0.999"))
    with pytest.raises(HimoeError, match=r"results\.json: changed since it was written"):
        read_run(tmp_path / "results")


@pytest.mark.parametrize("content", ["null", "[]", "3", "{}", '{"title": 1, "identity": {}, "items": [], "config": {}}'])
def test_results_of_another_shape_are_one_line(tmp_path, content):
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(HimoeError, match=r"results\.json: not what render_report writes"):
        read_run(tmp_path)
