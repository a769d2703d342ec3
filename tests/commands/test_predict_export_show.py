"""``predict``, ``export``, ``show``: a trained model used from the terminal."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from himoe.__main__ import main
from himoe.commands.picture import Shown, draw, traces_of
from himoe.commands.place import check_place
from himoe.commands.show import position
from himoe.types import HimoeError, Signal, Trial
from tests.library.trained import DATA, FIT, RIDGE, clean_predictions

pytestmark = pytest.mark.slow(60)


@pytest.fixture
def at(run, tmp_path, monkeypatch):
    """A folder of one's own, from which commands are called."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_export_then_predict(run, at, capsys):
    assert main(["export", str(run / FIT), "mine"]) == 0
    assert capsys.readouterr().out.split() == [
        "mine/README.md",
        "mine/bundle.json",
        "mine/inputs.schema.json",
        "mine/weights.safetensors",
    ]
    asked = ["predict", "mine", str(run / "recording.edf"), "--mapping", str(run / "mapping.yaml")]
    assert main([*asked, "--out", "said.csv", "--plot", "said.png"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "himoe: warning: 1 of 2 networks have learnt from it" in printed.err
    assert "SYNTHETIC" in printed.err
    assert "the first 4 of 6 trials" in printed.err
    said = pd.read_csv("said.csv").set_index("trial")
    rows = clean_predictions(run)
    expected = rows[rows["target"] == "valence"].set_index("trial")["y_pred"]
    np.testing.assert_allclose(said.loc[[f"trial {t}" for t in expected.index], "valence"], expected, atol=1e-5)
    assert matplotlib.image.imread("said.png").shape[0] > 2000
    assert main([*asked, "--out", "said.parquet"]) == 0
    capsys.readouterr()
    assert main(asked) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].startswith("trial,time,valence,arousal,present_eeg")
    assert len(table) == 7


@pytest.mark.parametrize("fit", [FIT, RIDGE])
def test_show_draws_a_trial_of_a_run(run, at, capsys, fit):
    asked = ["show", str(run / fit), "--subject", "s02", "--trial"]
    assert main([*asked, "3"]) == 0
    assert capsys.readouterr().out == "s02-3.png\n"
    assert main([*asked, "v03", "--out", "named.png"]) == 0
    np.testing.assert_array_equal(matplotlib.image.imread("s02-3.png"), matplotlib.image.imread("named.png"))
    assert main([*asked, "9"]) == 1
    assert "s02 has no trial '9'; trials: 1 to 6, or v01, v02" in capsys.readouterr().err
    assert main(["show", str(run / fit), "--subject", "s99", "--trial", "1"]) == 1
    assert "there is no subject 's99'; subjects: s01, s02" in capsys.readouterr().err


def test_none_of_them_writes_below_results(run, at, capsys):
    before = sorted(map(str, (run / "results").rglob("*")))
    below = str(run / DATA / "mine.csv")
    for asked in (
        ["predict", str(run / FIT), str(run / "recording.edf"), "--out", below],
        ["predict", str(run / FIT), str(run / "recording.edf"), "--plot", below],
        ["export", str(run / FIT), below],
        ["show", str(run / FIT), "--subject", "s01", "--trial", "1", "--out", below],
        ["predict", str(run / FIT), str(run / "recording.edf"), "--out", "results/mine.csv"],
    ):
        assert main(asked) == 1
        assert "below results/, where the workflow alone writes" in capsys.readouterr().err
    assert sorted(map(str, (run / "results").rglob("*"))) == before
    assert check_place("results-of-mine/x.csv", "bundle") == Path("results-of-mine/x.csv")


def test_a_wrong_suffix_is_refused_before_anything_is_read(at, capsys):
    assert main(["predict", "absent", "absent.edf", "--out", "said.xls"]) == 1
    assert "said.xls: a table ends in .csv or .parquet" in capsys.readouterr().err
    with pytest.raises(HimoeError, match=r"x\.gif: a picture ends in \.png"):
        draw("x.gif", [])


def test_a_trial_is_known_by_name_before_its_number():
    assert position(["b", "1", "a"], "1", "s01") == 1
    assert position(["b", "c", "a"], "3", "s01") == 2


def test_a_trace_begins_at_the_onset_and_may_be_of_nothing():
    signal = Signal(np.arange(10.0)[None], 2.0, -1.0)
    trial = Trial("s", "1", "t", "t", 4.0, {"gsr": signal}, np.zeros(1))
    traces = traces_of(trial, ["gsr", "eeg"])
    np.testing.assert_array_equal(traces["gsr"], [np.arange(8) / 2, np.arange(2.0, 10.0)])
    assert len(traces["eeg"][0]) == 0


def test_what_a_model_does_not_tell_is_said_in_the_picture(at):
    time = np.arange(5.0)
    shown = Shown(
        "one", {"a": (time, time)}, time, np.ones((5, 1), bool), {"valence": (time, time)}, {"valence": (time, time + 1)}
    )
    draw("one.svg", [shown])
    text = Path("one.svg").read_text()
    assert text.count("the model tells none") == 2
    assert "SYNTHETIC" not in text
    assert ">rated<" in text
