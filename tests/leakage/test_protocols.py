"""Who is parted from whom under each protocol, and what each keeps apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from himoe.config.protocols import PROTOCOLS, n_folds
from himoe.config.spec import View
from himoe.data.views import cut, prepare
from himoe.names import trial_of
from himoe.splits import guards, make
from himoe.splits.files import read_splits
from himoe.types import HimoeError
from tests.conftest import make_tokens
from tests.leakage.folds import SHORT
from tests.train.fits import SETTINGS, fit


def of(protocol, tokens):
    """(trials or windows, table of the folds)."""
    view = View(window=SHORT.window_seconds if PROTOCOLS[protocol].windows else 0.0)
    units = prepare(view, tokens)
    return units, make.make_splits(protocol, list(units.trials), SHORT)


def read(frame, tmp_path):
    frame.to_csv(tmp_path / "splits.csv", index=False)
    return read_splits(str(tmp_path / "splits.csv"))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_trial_is_tested_once(protocol, tmp_path):
    tokens = make_tokens(6, 8)
    units, frame = of(protocol, tokens)
    tested = frame[frame["part"] == "test"]
    assert sorted(tested["subject"] + tested["trial"]) == sorted(t.subject + t.trial for t in units.trials)
    assert frame["fold"].nunique() == n_folds(protocol, 6, SHORT)
    for split in read(frame, tmp_path):
        guards.check_split(split, protocol)
        assert split.train
        assert split.valid


def values(keys, split, what):
    at = {"subject": lambda k: k[0], "stimulus": lambda k: split.stimulus[k], "trial": lambda k: (k[0], trial_of(k[1]))}
    return {at[what](key) for key in keys}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_a_protocol_keeps_apart_and_what_it_does_not(protocol, tmp_path):
    _, frame = of(protocol, make_tokens(6, 8))
    shared = {"subject": 0, "stimulus": 0, "trial": 0}
    for split in read(frame, tmp_path):
        for what in shared:
            for other in (split.train, split.valid):
                shared[what] += len(values(split.test, split, what) & values(other, split, what))
    assert [what for what in shared if not shared[what]] == [
        what for what in ("subject", "stimulus", "trial") if what in PROTOCOLS[protocol].apart
    ]


def test_unseen_stimuli_leave_out_both_the_people_and_the_clips(tmp_path):
    """Six subjects in 4 folds (2, 2, 1, 1), eight clips in 2: the first fold tests 2 people on 4 clips and never uses the
    other 4 people's ratings of those clips."""
    _, frame = of("subject_stimulus", make_tokens(6, 8))
    first = frame[frame["fold"] == 0]
    assert (first["part"] == "test").sum() == 2 * 4
    clips = set(first.loc[first["part"] == "test", "stimulus"])
    assert not clips & set(first.loc[first["part"] != "test", "stimulus"])
    # of the other 4 people 1 is for validation, of the other 4 clips 1: 1 x 1 and 3 x 3 trials
    assert (first["part"] == "valid").sum() == 1
    assert (first["part"] == "train").sum() == 9


def test_windows_are_the_trial_in_pieces():
    """24 tokens at 2 Hz, 3 s: four windows of six tokens each, in order, with digests of their own."""
    tokens = make_tokens(2, 2)
    windows = cut(tokens, 3.0)
    assert [t.trial for t in windows.trials[:5]] == ["t0#000", "t0#001", "t0#002", "t0#003", "t1#000"]
    np.testing.assert_array_equal(windows.x, tokens.x)
    assert windows.offsets.tolist() == list(range(0, 97, 6))
    assert len({t.digest for t in windows.trials}) == 16
    assert cut(tokens, 5.0).offsets.tolist() == list(range(0, 81, 10))  # 4 tokens of each trial are left over


def test_a_stimulus_on_both_sides_is_refused(tmp_path):
    _, frame = of("subject_stimulus", make_tokens(6, 8))
    split = read(frame, tmp_path)[0]
    test, train = next(iter(split.test)), next(iter(split.train))
    leaking = replace(split, stimulus=split.stimulus | {train: split.stimulus[test]})
    with pytest.raises(HimoeError, match=r"subject_stimulus fold 0: leakage between train and test: stimulus t\d is in both"):
        guards.check_split(leaking, "subject_stimulus")


def test_windows_of_one_trial_on_both_sides_are_refused_where_trials_are_kept_apart(tmp_path):
    _, frame = of("window_random", make_tokens(6, 8))
    split = read(frame, tmp_path)[0]
    guards.check_split(split, "window_random")
    with pytest.raises(HimoeError, match=r"trial_kfold fold 0: leakage between .*: trial s\d t\d is in both"):
        guards.check_split(split, "trial_kfold")


@pytest.mark.parametrize("protocol", ["trial_kfold", "window_random", "subject_stimulus"])
@pytest.mark.parametrize(("model", "options"), [("ridge", {}), ("late_fusion", {"width": 16})])
def test_a_fit_under_each_protocol_reads_train_and_validation_alone(protocol, model, options, tmp_path):
    tokens = make_tokens(6, 8)
    units, frame = of(protocol, tokens)
    split = read(frame, tmp_path)[0]
    fitted = fit(model, units, split, options, settings=SETTINGS.model_copy(update={"epochs": 2}), protocol=protocol)
    assert set(fitted.read) == set(split.read)
    assert set(fitted.judged) == set(split.valid.values())
    other = replace(units, x=units.x.copy(), y=units.y.copy())
    for i, t in enumerate(units.trials):
        if (t.subject, t.trial) in split.test:
            rows = slice(units.offsets[i], units.offsets[i + 1])
            other.x[rows], other.y[rows] = 1000, -1000
    again = fit(model, other, split, options, settings=SETTINGS.model_copy(update={"epochs": 2}), protocol=protocol)
    assert all(np.array_equal(fitted.state[n], again.state[n]) for n in fitted.state)
    assert all(np.array_equal(fitted.calibration[n], again.calibration[n]) for n in ("scale", "offset"))
    np.testing.assert_array_equal(fitted.scaler.mean, again.scaler.mean)


def test_too_few_trials_for_subject_dependent_folds_is_one_line():
    with pytest.raises(HimoeError, match="subject-dependent splits: 3 trials of s0 are too few for 4 folds"):
        make.make_splits("trial_kfold", list(make_tokens(3, 3).trials), SHORT)


def test_every_protocol_has_its_maker():
    assert set(make.MAKERS) == set(PROTOCOLS)
