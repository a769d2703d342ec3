"""CASE: one trial per film, late ratings, gaps, and files that are not what they should be."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from himoe.config.run import Config
from himoe.data import prepare
from himoe.datasets import case
from himoe.types import HimoeError, Size
from tests.data.reading import reread, tokens_of, trials_of

CASE_SIZE = Size(("sub_1", "sub_2"), 8, 24.0)


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    root = tmp_path_factory.mktemp("case") / "source"
    return root, trials_of(case, "case", root, CASE_SIZE)


def test_case_has_one_trial_per_film_with_its_baseline(watched):
    _, trials = watched
    assert [t.stimulus for t in trials] == list(case.VIDEOS.values())
    for t in trials:
        assert t.seconds == pytest.approx(24.0)
        assert t.targets.shape == (480, 2)
        assert t.signals["ecg"].start == -10.0
        assert t.signals["ecg"].data.shape == (1, 34_000)
        assert all(np.isfinite(s.data).all() for s in t.signals.values())
        assert 1e-6 < t.signals["gsr"].data.mean() < 5e-5  # siemens


def test_case_ratings_stand_where_they_were_given(watched):
    """Against the files themselves: the rating of the token at time t is that of jstime = start of the film + t."""
    import pandas as pd

    root, trials = watched
    tokens = tokens_of(case, "case", trials)
    frame = pd.read_csv(root / "data/interpolated/annotations/sub_1.csv")
    rated = frame[frame["video"] == 3]
    at = rated["jstime"].to_numpy() / 1000
    first, last = tokens.offsets[2], tokens.offsets[3]
    expected = np.interp(at[0] + tokens.time[first:last], at, rated["valence"])
    np.testing.assert_allclose(tokens.y[first:last, 0], expected, atol=1e-4)


def test_the_annotators_lag_moves_ratings_back(watched):
    """The twin's ratings come 2 s late: zygomatic EMG, which follows valence at once, fits best when they are moved back."""
    _, trials = watched
    fits = {}
    for lag in (0.0, 2.0, 6.0):
        tokens = tokens_of(case, "case", trials, lag=lag)
        column = tokens.layout.slices["emg"].start
        known = np.isfinite(tokens.y[:, 0])
        fits[lag] = np.corrcoef(tokens.x[known, column], tokens.y[known, 0])[0, 1]
    assert fits[2.0] > fits[0.0] > fits[6.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.rename(columns={"valence": "val"}), r"sub_1\.csv: expected columns jstime, valence, arousal, video"),
        (lambda f: f.assign(valence=f["valence"].where(f["video"] != 4, 9.9)), r"film 4: a rating is outside 0\.5\.\.9\.5"),
        (lambda f: f[f["video"] != 5], "7 of 8 films rated"),
        (lambda f: f.iloc[::-1], "times are not in increasing order"),
        (lambda f: f.assign(arousal="x"), "expected columns"),
        (lambda f: f.assign(arousal=np.nan), "a rating is outside"),
    ],
    ids=["column", "range", "film", "order", "text", "nan"],
)
def test_what_is_wrong_in_case_is_named(watched, tmp_path, change, message):
    import pandas as pd

    shutil.copytree(watched[0], tmp_path / "source")
    path = tmp_path / "source/data/interpolated/annotations/sub_1.csv"
    change(pd.read_csv(path)).to_csv(path, index=False)
    with pytest.raises(HimoeError, match=message):
        reread(case, "case", tmp_path / "source", CASE_SIZE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.iloc[: len(f) // 2], r"film \d: recorded for \d+ of 24 s"),
        (lambda f: f.assign(daqtime=f["daqtime"] / 1000), "recorded for 0 of 24 s"),
        (lambda f: f.assign(daqtime=f["daqtime"].where(f.index != 5)), "times are not in increasing order"),
        (lambda f: f.iloc[::-1], "times are not in increasing order"),
        (lambda f: f.drop(columns="skt"), "expected columns daqtime, ecg"),
    ],
    ids=["cut", "seconds", "nan time", "order", "column"],
)
def test_what_is_wrong_in_cases_physiology_is_named(watched, tmp_path, change, message):
    import pandas as pd

    shutil.copytree(watched[0], tmp_path / "source")
    path = tmp_path / "source/data/interpolated/physiological/sub_1.csv"
    change(pd.read_csv(path)).to_csv(path, index=False)
    with pytest.raises(HimoeError, match=rf"sub_1\.csv: .*{message}"):
        reread(case, "case", tmp_path / "source", CASE_SIZE)


def test_the_gate_finds_no_fault_in_a_faultless_twin(watched):
    run = Config(datasets=["case_twin"])
    _, quality = prepare.prepare_subject(case.INFO, watched[1], case.INFO.targets, run.feature_options("case_twin"))
    for name, counts in quality.items():
        faults = {k: counts[k] for k in ("flat", "clipped", "dead", "too_short", "no_baseline", "not_recorded")}
        assert not any(faults.values()), (name, faults)


def test_dropped_samples_of_case_become_gaps(watched, tmp_path):
    import pandas as pd

    shutil.copytree(watched[0], tmp_path / "source")
    path = tmp_path / "source/data/interpolated/physiological/sub_1.csv"
    frame = pd.read_csv(path)
    first = frame.index[frame["video"] == 1][5000]
    frame.drop(index=range(first, first + 300)).to_csv(path, index=False)
    trial = reread(case, "case", tmp_path / "source", CASE_SIZE)[0]
    lost = np.flatnonzero(np.isnan(trial.signals["ecg"].data[0]))
    assert lost.tolist() == list(range(15_000, 15_300))  # ten seconds of baseline, then five of film


def test_a_row_of_no_video_is_named(tmp_path):
    """An empty field makes pandas' whole column numbers with a fraction: film 1.0 of none."""
    size = Size(("sub_1",), 1, 4.0)
    trials_of(case, "case", tmp_path / "c", size)
    path = tmp_path / "c/data/interpolated/annotations/sub_1.csv"
    rows = path.read_text().splitlines()
    path.write_text("\n".join([*rows[:5], rows[5].rpartition(",")[0] + ",", *rows[6:]]) + "\n")
    with pytest.raises(HimoeError, match=r"annotations/sub_1\.csv: 1 rows without a video's number"):
        reread(case, "case", tmp_path / "c", size)
