"""What a report contains: a condition has its curve by itself, and words count for what prints them."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from himoe import registry
from himoe.config.contents import Entry, contents, possible
from himoe.config.run import Config
from tests.conftest import ROOT


def names(**config):
    return [entry.name for entry in contents(Config(**config), "figures")]


def test_every_condition_of_a_run_has_its_curve():
    conditions = {name: [0, 1] for name in registry.available("conditions")}
    curves = [name for name in names(conditions=conditions) if name.startswith("condition_curve")]
    assert curves == [f"condition_curve-{name}" for name in conditions]


def test_without_a_condition_there_is_a_card():
    config = Config(conditions={}, figures=["condition_curve", "subjects"])
    assert contents(config, "figures")[0] == Entry("figures", "condition_curve")
    assert [entry.name for entry in possible(config, "figures")] == ["subjects"]


def test_a_condition_that_is_evaluated_nowhere_has_no_curve():
    """Windows are not perturbed."""
    config = Config(protocols=["window_random"], figures=["condition_curve"])
    assert contents(config, "figures") == [Entry("figures", "condition_curve")]
    planted = {"a": {"conditions": ["shift"]}}
    assert names(datasets=["planted-a"], planted=planted, figures=["condition_curve"]) == ["condition_curve-shift"]


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("missing_rate", "lost at a higher one too"),
        ("shift", "a flat curve is no sign of robustness"),
        ("shift_half", "no sign of"),
    ],
)
def test_a_curve_says_what_its_condition_does(condition, said):
    entry = Entry("figures", "condition_curve", condition)
    assert said in entry.caption
    assert "the band is Hi-MoE's 95% interval" in entry.caption
    assert registry.peek("conditions", condition)["TITLE"] in entry.title
    assert entry.stem == f"figures/condition_curve/{condition}"


def test_words_count_for_what_prints_them(tmp_path):
    """Titles of models, conditions, data sets and controls, and the words of a table itself; comments do not."""
    shutil.copytree(ROOT / "himoe", tmp_path / "himoe", ignore=shutil.ignore_patterns("__pycache__"))

    def code(path="", old="", new="", table="robustness"):
        file = tmp_path / "himoe" / path
        if path:
            text = file.read_text()
            assert old in text, path
            file.write_text(text.replace(old, new, 1))
        ask = "import sys; from himoe.config.contents import Entry; print(Entry('tables', sys.argv[1]).code)"
        return subprocess.run(
            [sys.executable, "-c", ask, table], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout

    seen = [code()]
    assert code("tables/robustness.py", "import pandas", "# a comment\nimport pandas") == seen[0]
    seen += [
        code("models/himoe.py", 'TITLE = "', 'TITLE = "a '),
        code("conditions/shift.py", 'UNIT = "', 'UNIT = "a '),
        code("controls/shuffled_labels.py", 'TITLE = "', 'TITLE = "a '),
        code("datasets/deap.py", 'title="', 'title="a '),
        code("tables/robustness.py", "is not in this run", "is absent"),
    ]
    assert len(set(seen)) == len(seen)
    before = code(), code(table="register")
    code("config/networks.py", '"width d', '"the width d')
    assert code() == before[0]
    assert code(table="register") != before[1]
