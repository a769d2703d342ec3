"""Fits of one data set, tested on another: features by name, scales by their ends, nobody who was read, no label seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from himoe import io
from himoe.config.sections import Execution, Splits
from himoe.data.tokens import write_tokens
from himoe.data.views import matching, shared
from himoe.evaluate.across import predict_across, rescaled
from himoe.splits.make import make_splits
from himoe.train.shard import fit_shard
from himoe.types import HimoeError, Layout, Tokens
from tests.conftest import make_tokens
from tests.train.fits import SETTINGS, spec_of

HERE = Execution(device="cpu")
SCALES = ((1.0, 9.0), (1.0, 5.0))
MODELS = [
    ("ridge", {}),
    ("stimulus_mean", {}),
    ("late_fusion", {"width": 16, "match_parameters": False}),
    ("himoe", {"width": 16}),
]


def layout(**features) -> Layout:
    return Layout(tuple(features), tuple(features.values()), ("valence",), 2.0, False)


def test_ends_meet_ends():
    """On 1 to 9 and on 1 to 5, 7 is three quarters of the way up: 4."""
    assert rescaled(pd.Series([1.0, 7.0, 9.0]), *SCALES).tolist() == [1, 4, 5]
    assert rescaled(pd.Series([0.5]), (0.0, 1.0), (-1.0, 1.0)).tolist() == [0]


def test_what_two_data_sets_share_goes_by_modality_and_name():
    one = layout(eeg=("Fp1/theta", "AF3/theta", "AF3/alpha"), gsr=("level",), bvp=("rate",))
    two = layout(ecg=("rate",), eeg=("AF3/alpha", "AF3/delta", "AF3/theta"))
    assert shared(one, two) == layout(eeg=("AF3/theta", "AF3/alpha"))
    with pytest.raises(HimoeError, match="no feature in common"):
        shared(layout(gsr=("level",)), two)


def test_columns_are_put_into_the_order_of_the_fit():
    """Five columns 0 to 4 of modalities a (x, y, z) and b (u, v), asked for as b: v, and a: z, x."""
    tokens = make_tokens(1, 1, features={"a": ("x", "y", "z"), "b": ("u", "v")})
    x = np.tile(np.arange(5, dtype=np.float32), (24, 1))
    tokens = replace(tokens, x=x, baseline=x[:1] + 10)
    got = matching(tokens, layout(b=("v",), a=("z", "x")))
    assert got.x[0].tolist() == [4, 2, 0]
    assert got.baseline[0].tolist() == [14, 12, 10]
    np.testing.assert_array_equal(got.mask, tokens.mask[:, ::-1])
    assert (got.layout.modalities, got.layout.features) == (("b", "a"), (("v",), ("z", "x")))
    with pytest.raises(HimoeError, match="a model reads a w, which these recordings do not have"):
        matching(tokens, layout(a=("w",)))


def written(folder, tokens: Tokens):
    """A file of each person."""
    folder.mkdir(exist_ok=True)
    files = []
    for subject in sorted({t.subject for t in tokens.trials}):
        files.append(folder / f"{subject}.npz")
        write_tokens(files[-1], tokens.select([i for i, t in enumerate(tokens.trials) if t.subject == subject]))
    return files


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """(folder, tokens' files) of the data set that is fitted: six people, two folds."""
    folder, tokens = tmp_path_factory.mktemp("home"), make_tokens(6, 6)
    files = written(folder, tokens)
    io.write_table(folder / "splits.csv", make_splits("subject_kfold", list(tokens.trials), Splits(n_folds=2)), sealed=True)
    return folder, files


def across(home, other: Tokens, folder, model="ridge", options=None):
    """What fits of the data set at home say of another."""
    at_home, files = home
    spec = spec_of(model, options, settings=SETTINGS.model_copy(update={"epochs": 2})).model_copy(update={"folds": (0, 1)})
    weights, record = at_home / f"{model}.weights", at_home / f"{model}.json"
    if not weights.exists():
        fit_shard(spec, HERE, files, at_home / "splits.csv", weights, record)
    others = written(folder, other)
    return predict_across(spec, HERE, files[0], at_home / "splits.csv", weights, record, "b", others, SCALES)


@pytest.mark.parametrize(("model", "options"), MODELS)
def test_every_fold_predicts_everybody_of_the_other_data_set(model, options, home, tmp_path):
    """People of the same names, s0 to s3, are other people; labels are theirs, as they rated them."""
    other = make_tokens(4, 6, seed=1)
    said = across(home, other, tmp_path, model, options)
    assert len(said) == 2 * 4 * 6 * 2  # folds, people, trials, targets
    assert set(said["subject"]) == {"s0", "s1", "s2", "s3"}
    assert set(said["tested_on"]) == {"b"}
    fold = said[(said["fold"] == 0) & (said["target"] == "valence")]
    np.testing.assert_allclose(fold["y_true"], other.y[other.offsets[:-1], 0], atol=1e-6)
    again = across(home, replace(other, y=-3 * other.y), tmp_path, model, options)
    pd.testing.assert_series_equal(again["y_pred"], said["y_pred"])


def test_what_was_learnt_is_found_again_on_the_other_scale(home, tmp_path):
    """Labels of both are of the same signal; half as wide a scale halves what is said about its end: 1 + (p - 1) / 2."""
    said = across(home, make_tokens(4, 6, seed=1), tmp_path)
    assert said["y_true"].corr(said["y_pred"]) > 0.8
    slope = said["y_pred"].std() / said["y_true"].std()
    assert slope == pytest.approx(0.5, abs=0.15)


def test_order_and_number_of_its_features_do_not_matter(home, tmp_path):
    """With a modality more, a feature more and everything in another order, the same is said."""
    other = make_tokens(4, 6, seed=1)
    plain = across(home, other, tmp_path / "plain")
    (a, b), (fa, fb) = other.layout.modalities, other.layout.features
    x = np.concatenate([other.x[:, [4, 3]], np.full((len(other.x), 2), 7, np.float32), other.x[:, [1, 0, 2]]], axis=1)
    mask = np.stack([other.mask[:, 1], np.ones(len(other.x), bool), other.mask[:, 0]], axis=1)
    mixed = replace(other.layout, modalities=(b, "more", a), features=((fb[1], fb[0]), ("p", "q"), (fa[1], fa[0], fa[2])))
    moved = across(home, replace(other, x=x, mask=mask, layout=mixed), tmp_path / "moved")
    pd.testing.assert_frame_equal(moved, plain)


def test_a_person_who_was_read_is_refused_under_whatever_name(home, tmp_path):
    """One of the people at home stands among the others."""
    with pytest.raises(HimoeError, match="has the content of s0"):
        across(home, make_tokens(6, 6).select([0, 1, 2]), tmp_path)


def test_features_that_are_not_there_are_named(home, tmp_path):
    other = make_tokens(4, 6, seed=1)
    fewer = matching(other, replace(other.layout, modalities=other.layout.modalities[:1], features=other.layout.features[:1]))
    with pytest.raises(HimoeError, match="which these recordings do not have"):
        across(home, fewer, tmp_path)
