"""Hi-MoE as a scikit-learn regressor: scikit-learn's own checks, the workflow's trainer, nobody on both sides."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.utils.estimator_checks import parametrize_with_checks

import himoe
from himoe.config.sections import Execution
from himoe.evaluate.conditions import Conditions
from himoe.evaluate.predict import predict_shard
from himoe.train.results import StoredFold
from tests.conftest import ROOT, make_tokens

torch.set_num_threads(1)  # workers of a test run have the other cores
TINY = {"width": 8, "n_blocks": 1, "n_encoder_blocks": 0, "max_lag": 1}
FAST = {"epochs": 3, "crop_seconds": 8, "batch_size": 8}
NOT_RUN = ("check_array_api_input",)  # torch and numpy arrays alone; scikit-learn skips it itself without SCIPY_ARRAY_API


def regressor(**changes):
    return himoe.HiMoERegressor(**({"options": TINY, "training": FAST} | changes))


def split_off(tokens, subject):
    """Trials of the others, and of one person."""
    others = [t.subject != subject for t in tokens.trials]
    return (tokens.select(np.flatnonzero(np.array(others) == wanted).tolist()) for wanted in (True, False))


@pytest.mark.slow(60)
@parametrize_with_checks([himoe.HiMoERegressor(options=TINY | {"max_lag": 0}, training={"epochs": 2, "crop_seconds": 2})])
def test_scikit_learn_s_checks(estimator, check):
    if check.func.__name__ in NOT_RUN:
        pytest.skip("the array API is not supported")
    check(estimator)


def test_it_predicts_as_the_workflow_does():
    """The rule predict, given the same weights and trials that nobody was fitted on, writes the same numbers."""
    tokens = make_tokens(n_subjects=6, n_trials=3, n_times=30, per_token=True)
    known, new = split_off(tokens, "s5")
    model = regressor().fit(known)
    fold = model.fitted_
    stored = {0: StoredFold(fold.scaler, fold.state, fold.read, "", {}, fold.calibration)}
    split = himoe.Split(
        0, *({(t.subject, t.trial): t.digest for t in of} for of in (known.trials[:9], known.trials[9:], new.trials))
    )
    execution = Execution(device="cpu", stack=1)
    table, _ = predict_shard(model._spec, execution, [split], stored, lambda _: new, Conditions({}, 0), represents=False)
    expected = table["y_pred"].to_numpy().reshape(2, -1).T
    np.testing.assert_allclose(model.predict(new), expected, rtol=0, atol=1e-6)


def test_it_learns_what_is_in_the_features():
    """Ratings are two of the features under noise: on a person it has not seen, well above 0."""
    known, new = split_off(make_tokens(n_subjects=8, n_trials=3, n_times=30, per_token=True, signal=1.5), "s7")
    training = FAST | {"epochs": 15, "learning_rate": 3e-3, "modality_dropout": 0, "shift_chance": 0}
    said = regressor(training=training).fit(known).predict(new)
    assert min(himoe.metrics.ccc(new.y[:, k], said[:, k]) for k in (0, 1)) > 0.5


def test_people_are_on_one_side():
    tokens = make_tokens(n_subjects=5, n_trials=2)
    model = regressor(validation_fraction=0.4).fit(tokens)
    person = {t.digest: t.subject for t in tokens.trials}
    judged = {person[digest] for digest in model.fitted_.judged}
    trained = {person[digest] for digest in set(model.fitted_.read) - set(model.fitted_.judged)}
    assert len(judged) == 2
    assert len(trained) == 3
    assert not judged & trained


@pytest.mark.parametrize(("shape", "out"), [((8,), (3,)), ((8, 1), (3, 1)), ((8, 2), (3, 2)), ((8, 10, 2), (3, 10, 2))])
def test_predictions_have_the_shape_of_the_ratings(shape, out):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((8, 10, 4))
    x[2, 3:5, 2:] = np.nan
    model = regressor(modalities={"a": 2, "b": 2}).fit(x, rng.standard_normal(shape), groups=[0, 0, 1, 1, 2, 2, 3, 3])
    x[0, :, 2:] = np.nan  # a modality that is absent throughout
    said = model.predict(x[:3])
    assert said.shape == out
    assert np.isfinite(said).all()


def test_equal_seeds_give_equal_predictions_and_torch_is_left_as_it_was():
    tokens = make_tokens(n_subjects=4, n_trials=2)
    state, deterministic = torch.get_rng_state(), torch.are_deterministic_algorithms_enabled()
    first, again, other = (regressor(random_state=seed).fit(tokens).predict(tokens) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.are_deterministic_algorithms_enabled() is deterministic


def test_people_reach_inner_validation_through_scikit_learn_as_the_reference_shows():
    """Four people of three trials in two folds: of the two that are left to learn from one is held out, with all three."""
    page = (ROOT / "docs/reference/api.md").read_text()
    [block] = re.findall(r"```python\n(.*?)```", page, re.S)
    rng = np.random.default_rng(0)
    x, y, people = rng.standard_normal((12, 6, 2)), rng.standard_normal(12), np.repeat(np.arange(4), 3)
    there = {"X": x, "y": y, "people": people, "model": regressor()}
    exec(block, there)
    person = {t.digest: people[i] for i, t in enumerate(himoe.make_tokens({"x": x}).trials)}
    found = there["found"]
    for model, test in zip(found["estimator"], found["indices"]["test"], strict=True):
        judged, read = ([person[digest] for digest in of] for of in (model.fitted_.judged, model.fitted_.read))
        assert (len(judged), len(set(judged)), len(read)) == (3, 1, 6)
        assert not set(read) & set(people[test])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"training": {"epoch": 3}}, r"HiMoERegressor: training\.epoch: unknown key; did you mean 'epochs'\?"),
        ({"options": {"router": "sotf"}}, r"HiMoERegressor: options\.router: .*did you mean 'soft'\?"),
        ({"validation_fraction": 2.0}, r"HiMoERegressor\.validation_fraction: .*less than 1"),
        ({"device": "gpu"}, r"HiMoERegressor\.device: .*write cuda"),
        ({"random_state": -1}, r"HiMoERegressor\.seed: .*greater than or equal to 0"),
    ],
)
def test_a_setting_that_cannot_be_is_told_in_one_line(changes, said):
    with pytest.raises(himoe.HimoeError, match=said):
        regressor(**changes).fit(make_tokens(n_subjects=3, n_trials=1))


def test_a_copy_on_the_other_side_of_inner_validation_is_refused():
    """Two people under two names who are one."""
    with pytest.raises(himoe.HimoeError, match=r"leakage between train and valid: \d+ 000[01] has the content of \d+ 000[01]"):
        regressor().fit(np.ones((2, 6, 2)), [1.0, 2])


def test_one_person_is_too_few():
    with pytest.raises(ValueError, match=r"trials of 1 person\(s\), n_samples=4: inner validation takes 2 or more"):
        regressor().fit(np.random.default_rng(0).standard_normal((4, 6, 2)), [1.0, 2, 3, 4], groups=[7] * 4)


def test_other_modalities_than_in_training_are_refused():
    known = make_tokens(n_subjects=3, n_trials=1)
    model = regressor().fit(known)
    two = known.layout.features
    for changes, said in (
        ({"features": (*two[:1], ("z0", "z1"))}, "features from those that it was fitted on"),
        ({"modalities": ("gsr", "eeg")}, "modalities from those that it was fitted on: gsr, eeg, not "),
        ({"token_rate": 4.0}, "token_rate from those that it was fitted on: 4 a second, not 2 a second"),
    ):
        with pytest.raises(himoe.HimoeError, match=f"^HiMoERegressor: these tokens differ in {said}"):
            model.predict(replace(known, layout=replace(known.layout, **changes)))


@pytest.mark.parametrize("per_token", [False, True])
def test_fitted_on_tokens_it_reads_an_array_of_the_same_columns(per_token):
    known = make_tokens(n_subjects=3, n_trials=2, n_times=10, per_token=per_token)
    model = regressor().fit(np.random.default_rng(0).standard_normal((4, 5)), [1.0, 2, 3, 4]).fit(known)  # flat no more
    columns = np.repeat(known.mask, [len(names) for names in known.layout.features], axis=1)
    x = np.where(columns, known.x, np.nan).reshape(6, 10, 5)
    said = model.predict(x)
    assert said.shape == ((6, 10, 2) if per_token else (6, 2))
    assert np.array_equal(said.reshape(-1, 2), model.predict(known))


def test_a_random_state_may_be_a_generator_or_none():
    """A generator gives one seed after the other, as scikit-learn draws them; numpy's own where it is None."""
    known = make_tokens(n_subjects=3, n_trials=1)
    expected = np.random.RandomState(3).randint(2**31 - 1, size=2).tolist()
    generator = np.random.RandomState(3)
    assert [regressor(random_state=generator).fit(known)._spec.seed for _ in range(2)] == expected
    assert regressor(random_state=np.int64(7)).fit(known)._spec.seed == 7
    np.random.seed(3)
    assert regressor(random_state=None).fit(known)._spec.seed == expected[0]
