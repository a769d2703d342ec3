"""Rows laid out once for all folds: those of the plain path, and of its own trials alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from himoe import registry
from himoe.config.sections import Execution
from himoe.data import reader
from himoe.data.rows import Rows, to_rows
from himoe.data.tokens import read_tokens, write_tokens
from himoe.splits.guards import select
from himoe.train import row_bank
from himoe.train.row_bank import RowBank
from himoe.train.scaling import Scaler
from himoe.train.shard import fit_shard
from himoe.train.tuning import configure
from himoe.types import HimoeError, Split, Tokens
from tests.conftest import make_tokens
from tests.train.fits import SETTINGS, fits_of, folds, spec_of

ESTIMATORS = [name for name in registry.available("models") if not registry.is_network(name)]


def recorded(per_token: bool) -> Tokens:
    """Levels far from 0 and spreads far from 1, a baseline, a trial without the first modality, a person without a gap."""
    tokens = make_tokens(6, 4, per_token=per_token)
    x, mask = tokens.x * [3, 1e-6, 40, 0.1, 7] + [300, 2e-6, -5, 0, 12], tokens.mask.copy()
    mask[tokens.offsets[9] : tokens.offsets[10], 0] = False
    mask[: tokens.offsets[4]] = True
    x = np.where(np.repeat(mask, [3, 2], axis=1), x, 0).astype(np.float32)
    level = np.add.reduceat(x, tokens.offsets[:-1]) / 48  # half of each trial's mean, and something of its own
    level += np.random.default_rng(1).standard_normal(level.shape) * [1, 1e-7, 4, 0.01, 1]
    return replace(tokens, x=x, mask=mask, baseline=level.astype(np.float32))


def plain(tokens: Tokens, keys) -> tuple[Scaler, Rows]:
    """What a fit is given where every fold scales and lays out its own copy."""
    own = select(tokens, keys)
    scaler = Scaler.fit(own)
    return scaler, to_rows(scaler.transform(own))


def test_a_trial_of_two_worked_by_hand():
    """Features 1, gap, 4 and 3, 5, 7: means over the present tokens 2.5 and 5, filled 1, 2.5, 4 and so 2.5; training mean
    (1 + 4 + 3 + 5 + 7) / 5 = 4, variance (9 + 0 + 1 + 1 + 9) / 5 = 4: rows (2.5 - 4) / 2 and (5 - 4) / 2."""
    tokens = make_tokens(1, 2, 3)
    x, mask = np.zeros_like(tokens.x), np.ones_like(tokens.mask)
    x[:, 0], mask[1, 0] = [1, 0, 4, 3, 5, 7], False
    tokens = replace(tokens, x=x, mask=mask)
    split = Split(0, {("s0", t.trial): t.digest for t in tokens.trials}, {}, {})
    part = RowBank(tokens).part(split, split.train, "trial_kfold")
    rows = part.rows(part.scaler())
    np.testing.assert_allclose(rows.x[:, 0], [-0.75, 0.5])
    np.testing.assert_allclose(rows.filled[:, 0], [-0.75, 0.5])
    np.testing.assert_allclose(rows.presence[:, 0], [2 / 3, 1])


@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.parametrize("per_token", [False, True])
def test_rows_are_those_of_scaled_tokens(per_token, complete, tmp_path):
    tokens = recorded(per_token)
    if complete:
        tokens = replace(tokens, mask=np.ones_like(tokens.mask))
    bank = RowBank(tokens)
    for split in folds(tokens, tmp=tmp_path):
        for keys in (split.train, split.valid, split.train | split.valid):
            scaler, expected = plain(tokens, keys)
            part = bank.part(split, keys, "subject_kfold")
            for name in ("mean", "scale", "y_mean", "y_scale", "baseline"):
                np.testing.assert_array_equal(getattr(part.scaler(), name), getattr(scaler, name))
            rows = part.rows(scaler)
            for name in ("presence", "stimulus", "subject", "owner", "y", "offsets"):
                np.testing.assert_array_equal(getattr(rows, name), getattr(expected, name))
            assert rows.token_rate == expected.token_rate
            np.testing.assert_allclose(rows.x, expected.x, rtol=1e-6, atol=1e-6)
            np.testing.assert_allclose(rows.filled, expected.filled, rtol=1e-6, atol=1e-6)
            np.testing.assert_array_equal(rows.x == 0, expected.x == 0)


@pytest.mark.parametrize("per_token", [False, True])
@pytest.mark.parametrize("model", ESTIMATORS)
def test_states_are_those_of_the_plain_path(model, per_token, tmp_path):
    """Folds side by side on one bank, after a refit, against a fit of each fold's own scaled copy: equal but for rounding."""
    tokens, plugin = recorded(per_token), registry.load("models", model)
    splits, settings = folds(tokens, tmp=tmp_path), SETTINGS.model_copy(update={"refit": True})
    options = {"max_trees": 20} if model == "boosting" else {}
    fitted = [f for [f] in fits_of(model, tokens, options, settings=settings, n_folds=3).fit(splits)]
    assert len(fitted) == 3
    for split, got in zip(splits, fitted, strict=True):
        rows = plain(tokens, split.train | split.valid)[1]
        expected = plugin.fit(rows, configure(plugin, model, options), 0)
        assert got.read == split.read
        assert sorted(got.state) == sorted(expected)
        for name, value in expected.items():
            largest = np.abs(value).max(initial=0).astype(float)
            np.testing.assert_allclose(got.state[name], value, rtol=1e-6, atol=1e-6 * largest, err_msg=name)


def test_other_test_rows_move_no_fold_of_a_shard(tmp_path):
    """The bank holds the test rows of every fold, for others are trained on them: fold 0 is the same to the last bit."""
    tokens = recorded(per_token=True)
    splits = folds(tokens, tmp=tmp_path)
    x, y = tokens.x.copy(), tokens.y.copy()
    for i, trial in enumerate(tokens.trials):
        if (trial.subject, trial.trial) in splits[0].test:
            rows = slice(tokens.offsets[i], tokens.offsets[i + 1])
            x[rows], y[rows] = x[rows] + 1000, -y[rows]
    first, other = (
        [f for [f] in fits_of("ridge", t, n_folds=3).fit(splits)] for t in (tokens, replace(tokens, x=x, y=y))
    )  # fmt: skip
    for part in ("state", "calibration"):
        for name, value in getattr(first[0], part).items():
            np.testing.assert_array_equal(value, getattr(other[0], part)[name])
    assert (first[1].state["coef"] != other[1].state["coef"]).any()


@pytest.mark.parametrize("protocol", ["subject_kfold", "trial_kfold"])
def test_a_fold_that_would_be_given_a_test_row_is_refused(protocol, tokens, tmp_path, monkeypatch):
    """A mutant that takes one trial more than the fold names, of those that the bank holds for other folds."""
    splits = folds(tokens, protocol, tmp=tmp_path)
    stray = next(i for i, t in enumerate(tokens.trials) if (t.subject, t.trial) in splits[0].test)
    honest = row_bank.positions
    monkeypatch.setattr(row_bank, "positions", lambda tokens, keys: sorted([*honest(tokens, keys), stray]))
    with pytest.raises(HimoeError, match=f"{protocol} fold 0: the weights were fitted on test trial s"):
        list(fits_of("ridge", tokens, protocol=protocol, n_folds=3).fit(splits))


def test_a_fold_that_would_be_given_another_trial_of_a_test_person_is_refused(tokens):
    by_subject = {s: {(t.subject, t.trial): t.digest for t in tokens.trials if t.subject == s} for s in ("s0", "s1")}
    first = dict(list(by_subject["s1"].items())[:1])
    split = Split(0, by_subject["s0"], {}, first)
    rest = {k: v for k, v in by_subject["s1"].items() if k not in first}
    bank = RowBank(tokens)
    with pytest.raises(HimoeError, match="leakage: loso fold 0 would be trained on test subject s1"):
        bank.part(split, rest, "loso")
    assert {tokens.trials[i].subject for i in bank.part(split, rest, "trial_kfold").trials} == {"s1"}


def test_tokens_are_read_and_laid_out_once_a_job(tokens, tmp_path, monkeypatch):
    files, read, laid_out = [], [], []
    for subject in sorted({t.subject for t in tokens.trials}):
        files.append(tmp_path / f"{subject}.npz")
        write_tokens(files[-1], tokens.select([i for i, t in enumerate(tokens.trials) if t.subject == subject]))
    folds(tokens, "loso", tmp=tmp_path)
    monkeypatch.setattr(reader, "read_tokens", lambda path: read.append(path) or read_tokens(path))
    monkeypatch.setattr(row_bank, "to_rows", lambda tokens: laid_out.extend(tokens.trials) or to_rows(tokens))
    spec = spec_of("ridge", protocol="loso").model_copy(update={"folds": tuple(range(6))})
    fit_shard(spec, Execution(device="cpu"), files, tmp_path / "splits.csv", tmp_path / "weights", tmp_path / "run.json")
    assert sorted(read) == files
    assert len(laid_out) == len(tokens.trials)


def test_a_shard_without_folds_fits_nothing(tokens):
    assert list(fits_of("ridge", tokens).fit([])) == []
