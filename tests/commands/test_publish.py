"""What of a run is committed, and that the README says nothing else."""

from __future__ import annotations

import json

import pytest

from himoe.commands import publish
from himoe.config.run import Config
from himoe.report.items import STAMP
from himoe.types import HimoeError
from tests.conftest import ROOT

ANSWER = (
    "setting,question,answer\nesports/loso,Which claims hold?,None is supported.\n"
    "esports/subject_stimulus,Which claims hold?,None.\nesports/subject_stimulus,Where does Hi-MoE stand?,Third.\n"
)


def run(folder, tables, datasets=("esports",), **items):
    (folder / "tables").mkdir(parents=True)
    for name, text in tables.items():
        (folder / f"tables/{name}.csv").write_text(text)
        (folder / f"tables/{name}.json").write_text(json.dumps({"rows": [text], "provenance": {}}))
    facts = {
        "title": "Open recordings",
        "identity": {"commit": "0123456789ab (changed)"},
        "config": Config(datasets=list(datasets), data_root="/home/someone").model_dump(mode="json"),
        "items": [
            {"kind": "table", "name": name, "csv": f"tables/{name}.csv", "rows": [text], "provenance": {}}
            for name, text in tables.items()
        ],
    }
    (folder / "results.json").write_text(json.dumps(facts))
    return folder


def test_means_are_published_without_folders_of_the_machine(tmp_path):
    written = publish.publish(
        run(tmp_path / "r", {"answer": ANSWER, "main": "model,ccc\nridge,0.3\n", "register": "x\n"}), tmp_path / "o"
    )
    assert [path.name for path in written] == ["answer.csv", "main.csv", "run.json"]
    assert "someone" not in (tmp_path / "o/run.json").read_text()


def test_rows_of_single_people_are_refused(tmp_path):
    source = run(tmp_path / "r", {"answer": ANSWER, "main": "model,subject,ccc\nridge,s1,0.3\n"})
    with pytest.raises(HimoeError, match=r"main\.csv: column subject: rows of single people"):
        publish.publish(source, tmp_path / "o")
    assert not (tmp_path / "o").exists()


def test_tables_of_another_run_are_refused(tmp_path):
    source = run(tmp_path / "r", {"answer": ANSWER})
    (source / "tables/answer.json").write_text(json.dumps({"rows": ["of a later run"], "provenance": {}}))
    with pytest.raises(HimoeError, match=r"answer\.csv: made after results\.json"):
        publish.publish(source, tmp_path / "o")


def test_a_table_of_an_earlier_run_goes(tmp_path):
    publish.publish(run(tmp_path / "a", {"answer": ANSWER, "main": "m\n"}), tmp_path / "o")
    publish.publish(run(tmp_path / "b", {"answer": ANSWER}), tmp_path / "o")
    assert not (tmp_path / "o/main.csv").exists()


def test_no_run_is_one_line(tmp_path):
    with pytest.raises(HimoeError, match="no finished run in it"):
        publish.publish(tmp_path, tmp_path / "o")


def test_the_block_stands_between_its_marks_real_recordings_first(tmp_path):
    twin = run(tmp_path / "a", {"answer": ANSWER.replace("esports", "deap_twin")}, ["deap_twin"])
    publish.publish(twin, tmp_path / "results/a")
    publish.publish(run(tmp_path / "b", {"answer": ANSWER}), tmp_path / "results/b")
    text = publish.block(tmp_path / "results")
    assert text.index("(b/)") < text.index("(a/)") < text.index("SYNTHETIC")
    assert "eSports Sensors, left-out person:\n\n- *Which claims hold?* None is supported." in text
    assert "\n- eSports Sensors, new people, clips: Third." in text  # the rest is in the tables
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- results -->\nold\n<!-- /results -->\nafter\n")
    publish.write_block(readme, text)
    assert readme.read_text() == f"before\n<!-- results -->\n{text}\n<!-- /results -->\nafter\n"
    with pytest.raises(HimoeError, match="no place for the results"):
        publish.write_block(tmp_path / "a/results.json", text)


def test_the_readme_has_a_verdict_for_each_claim_and_run_of_its_first_setting(tmp_path):
    """Of the second setting nothing is said; a claim that was judged nowhere there was not run."""
    claims = (
        "id,claim,setting,verdict\nC1,best,deap,not run\nC2,robust,esports/subject_stimulus,supported\n"
        "C2,robust,esports/loso,inconclusive\n"
    )
    answer = ANSWER.replace("loso,Which claims hold?,None is supported.", "loso,Where does Hi-MoE stand?,First of 2.")
    publish.publish(run(tmp_path / "a", {"answer": answer, "claims": claims}), tmp_path / "results/a")
    twin = run(tmp_path / "b", {"answer": ANSWER.replace("esports", "deap_twin")}, ["deap_twin"])
    publish.publish(twin, tmp_path / "results/b")
    assert publish.status(tmp_path / "results").splitlines() == [
        "| the paper's claim | Open recordings |",
        "|---|---|",
        "| C1: best | not run |",
        "| C2: robust | inconclusive |",
        "",
        "- **Open recordings** ([tables](docs/results/a/)), eSports Sensors, left-out person. First of 2.",
        f"- **Open recordings** ([tables](docs/results/b/)), DEAP twin, left-out person. *{STAMP}.*",
    ]


def test_pages_say_what_is_published():
    """Made again by ``python -m himoe publish NAME``; nobody types a number."""
    for page, text in (("README.md", publish.status), ("docs/results/README.md", publish.block)):
        between = (ROOT / page).read_text().partition(publish.BEGIN)[2].partition(publish.END)[0]
        assert between.strip() == text(ROOT / "docs/results").strip(), page
