"""The page: what it reads is handed to it, what is missing is a card, and words are text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from himoe import io
from himoe.commands.shareable import read_run
from himoe.config.run import Config
from himoe.report import page
from himoe.types import HimoeError
from tests.conftest import ROOT

RECORD = {
    "name": "main", "kind": "table", "title": "Main comparison", "section": "verdict", "caption": "A caption.",
    "facts": "6 subjects.", "alt": "One is first.", "note": "", "synthetic": True, "columns": ["model", "CCC"],
    "rows": [["ridge", "0.400"]], "csv": "main.csv",
    "provenance": {"rule": "write_table", "code": "x", "inputs": {}, "seeds": [0]},
}  # fmt: skip


def render(folder, record=RECORD, config_files=(), **config):
    """The page of a run that has made one table."""
    tables = folder / "results" / "tables"
    io.write_json(tables / "main.json", record, sealed=True)
    io.write_text(tables / "main.csv", "model,ccc\nridge,0.4\n")
    run = {"device": "cpu", "wall_seconds": 1.0}
    io.write_json(folder / "run.json", run)
    files = {
        "records": [tables / "main.json"], "files": [tables / "main.csv"], "runs": [folder / "run.json"], "cards": [],
        "lock": [ROOT / "envs/requirements.lock"], "templates": (ROOT / "report/templates").iterdir(),
        "static": (ROOT / "report/static").iterdir(),
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
    assert main["number"] == "Table 2"
    assert "One is first." in html
    assert 'href="data:text/csv;base64,' in html


def test_what_is_missing_is_a_card_with_its_command(tmp_path):
    html, results = render(tmp_path, figures=["condition_curve", "subjects"], conditions={"shift": [0, 2]})
    assert "Not made yet: snakemake --cores all results/tables/claims.csv" in html
    assert "Not made yet: snakemake --cores all results/figures/condition_curve/shift.svg" in html
    assert [i["name"] for i in results["items"]] == ["claims", "main", "condition_curve-shift", "subjects"]
    html, _ = render(tmp_path, figures=["condition_curve", "routing"], conditions={})
    assert "Not made: this run does not contain conditions." in html
    assert "Not made: this run does not contain missing_rate." in html


def test_hostile_words_are_shown_as_text(tmp_path):
    words = "<script>alert(1)</script>"
    html, _ = render(tmp_path, RECORD | {"alt": words, "title": words}, title="</title><script>x</script>")
    assert html.count("<script>") == 1  # the page's own
    assert "&lt;script&gt;alert(1)" in html


def test_it_names_the_files_that_the_commit_does_not_hold(tmp_path):
    (tmp_path / "mine.yaml").write_text("seeds: [0]\n")
    html, results = render(tmp_path, config_files=[str(tmp_path / "mine.yaml")])
    identity = results["identity"]
    if identity["commit"] == "not a git checkout":
        pytest.skip("no git here")
    assert identity["commit"].endswith("-dirty")
    assert "changed since" in identity
    assert re.search(r"mine\.yaml|and \d+ more", identity["changed since"])
    assert str(tmp_path) not in html
    assert page.some_of([str(n) for n in range(8)]) == "0, 1, 2, 3, 4, 5 and 2 more"


def test_it_reads_nothing_but_what_it_is_given(tmp_path, monkeypatch):
    opened: list[Path] = []
    read = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda self, *a, **k: opened.append(self) or read(self, *a, **k))
    render(tmp_path)
    read_in_repository = [p.relative_to(ROOT) for p in opened if p.is_relative_to(ROOT)]
    assert {p.parts[0] for p in read_in_repository if "site-packages" not in p.parts} <= {"report", "himoe"}  # plug-ins' titles
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
