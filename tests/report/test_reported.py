"""Numbers entered by hand beside ours: no value ships, and what is entered is tested within the bound that it states."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml

from himoe.config.reported import Reported
from himoe.config.run import Config
from himoe.report.evidence import Evidence
from himoe.tables import reported
from himoe.types import HimoeError
from tests.conftest import ROOT
from tests.report.scores import scores

ENTRY = {"dataset": "deap", "target": "valence", "model": "himoe", "metric": "ccc", "table": 2, "page": 7, "read_by": "a test"}


def table(tmp_path, values, failed=None):
    """Of six people whose CCC under Hi-MoE is .5, give or take .01."""
    file = ROOT / "config/reported.yaml"
    if values is not None:
        file = tmp_path / "reported.yaml"
        file.write_text(yaml.safe_dump({"values": values}))
    run = Evidence({"reported": [str(file)]}, Config(datasets=["deap"], models=["himoe", "ridge"]))
    made: pd.DataFrame = scores({"himoe": 0.5, "ridge": 0.4}, failed).assign(setting="deap")
    run.__dict__.update(all_scores=made)
    return reported.make(run)


def test_as_shipped_it_says_that_nothing_was_read(tmp_path):
    made = table(tmp_path, None)
    assert made.data.empty
    assert made.finding == "0 reported values."
    assert "holds no values, so that nothing is tested" in made.note


@pytest.mark.parametrize(
    ("value", "within", "word"),
    [
        (0.5, 0.02, "equivalent"), (0.4, 0.02, "above the paper's"), (0.6, 0.02, "below the paper's"),
        (0.5, 0.001, "inconclusive"), (0.6, None, "below the paper's; no bound stated"),
    ],
)  # fmt: skip
def test_words(tmp_path, value, within, word):
    made = table(tmp_path, [ENTRY | {"value": value, "within": within}])
    assert made.data["word"].tolist() == [word]
    assert made.data["replicated"].item() == pytest.approx(0.5, abs=0.01)
    assert made.data["delta"].item() == pytest.approx(0.5 - value, abs=0.01)
    assert made.finding == f"1 reported values: 1 {word}."
    assert made.shown.columns.size <= 8


@pytest.mark.parametrize(("mean", "word"), [(0.25, "inconclusive"), (0.3, "above the paper's")])
def test_the_direction_needs_the_interval_at_95(mean, word):
    """Five people, SD .2236, standard error .1: t of 4 degrees of freedom is 2.132 at 90% and 2.776 at 95%."""
    values = mean + np.sqrt(0.02) * np.arange(-2.0, 3.0)[:, None]
    row = reported._compared(Reported(**ENTRY, value=0.0, within=0.02), values)
    assert row[-1] == word
    assert row[2:6] == pytest.approx((mean - 0.2776, mean + 0.2776, mean - 0.2132, mean + 0.2132), abs=1e-4)


def test_what_was_not_run_and_what_failed_are_no_difference(tmp_path):
    made = table(tmp_path, [ENTRY | {"value": 0.5, "model": "mult"}, ENTRY | {"value": 0.5}], ("himoe", 0, ("s1",)))
    assert made.data["word"].tolist() == ["not run", "failed: diverged"]
    assert made.shown["ours"].tolist() == ["–", "failed: diverged"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (ENTRY, "values.0.value: Field required"), (ENTRY | {"value": 0.5, "within": 0}, "values.0.within: "),
        (ENTRY | {"value": 0.5, "bound": 1}, "values.0.bound: "), (ENTRY | {"value": "?"}, "values.0.value: "),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_named(tmp_path, entry, said):
    with pytest.raises(HimoeError, match=f"config/reported.yaml: {said}"):
        table(tmp_path, [entry])
