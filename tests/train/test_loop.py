"""Folds trained together are folds trained alone: same noise, same steps, same ends, and nothing of one reaches another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from himoe.nn import noise
from himoe.train import windows
from himoe.train.scaling import Scaler
from himoe.train.step import INPUT, MODEL, objective, warm_up_and_cosine
from himoe.train.together import StackFit, named_weights
from himoe.types import HimoeError
from tests.conftest import make_tokens, tokens_for
from tests.contract.networks import TORCH
from tests.train.fits import SHORT, distance, fits_of, fitted, folds, uneven


def test_sequential_training_is_the_textbook_loop(tmp_path):
    """A plain module, torch's AdamW and scheduler, batches as they come: the weights of a stack of one after 50 steps."""
    tokens = uneven()
    split = folds(tokens, tmp=tmp_path)[0]
    one = StackFit(fits_of("late_fusion", tokens, {"width": 16}, settings=SHORT), [split])
    [runner], run = one.trainers, one.fold_run(split, n_epochs=10)
    [n_steps] = runner.steps([run])
    run.n_epochs = -(-50 // n_steps)
    runner.run([run], "refit")

    s, model = SHORT, run.initial_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=s.learning_rate, weight_decay=s.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda i: warm_up_and_cosine(i / (s.epochs * n_steps)))
    affine, loss = windows.Affine.of([run.scaler]), objective(False, s.ccc_weight)
    for epoch in range(1, run.n_epochs + 1):
        key = noise.fold_in(runner.keys([run]), epoch)
        trial, start = windows.crops(runner.bank, run.train, runner.n_times, key[0])
        for step in range(n_steps):
            rows, step_key = slice(step * s.batch_size, (step + 1) * s.batch_size), noise.fold_in(key, step + 1)
            drawn = windows.Windows(torch.from_numpy(trial[rows])[None], torch.from_numpy(start[rows])[None])
            batch = windows.training_batch(runner.bank, affine, drawn, runner.n_times, s, noise.fold_in(step_key, INPUT))
            batch = type(batch)(*(part[0] for part in batch))
            optimizer.zero_grad()
            with noise.keyed(noise.fold_in(step_key, MODEL)[0]):
                loss(model.train()(batch), batch).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), s.clip_norm)
            optimizer.step()
            schedule.step()
    assert run.n_epochs * n_steps >= 50
    got = named_weights(model, run.weights)
    assert distance(got, {n: p.detach().numpy() for n, p in model.named_parameters()}) < 1e-4


@pytest.mark.parametrize("model", TORCH)
@pytest.mark.parametrize("per_token", [False, True])
def test_together_is_alone(model, per_token, tmp_path):
    """Four folds with epochs of different length: the same weights within 1e-4 relative L2 after 51 to 68 steps. (Rounding
    grows from step to step, stacked or not.)"""
    tokens = uneven(per_token, (24, 24, 31, 40, 44, 60), model)
    splits, settings = folds(tokens, n_folds=4, tmp=tmp_path), SHORT.model_copy(update={"learning_rate": 1e-3, "epochs": 60})
    fits = fits_of(model, tokens, {"width": 16}, settings=settings)
    runner, together = runs_of(fits, splits, 17)
    assert sorted(set(17 * runner.steps(together))) == [51, 68]
    runner.run(together, "refit")
    for split, b in zip(splits, together, strict=True):
        runner, [a] = runs_of(fits, [split], 17)
        runner.run([a], "refit")
        assert (a.weights - b.weights).norm() / a.weights.norm() < 1e-4
        np.testing.assert_allclose(a.scaler.mean, b.scaler.mean, atol=1e-12)


def test_together_chooses_the_same_epochs(tmp_path):
    tokens = uneven()
    splits = folds(tokens, n_folds=4, tmp=tmp_path)
    alone, together = (fitted("late_fusion", tokens, splits, k) for k in (1, 4))
    assert [f.fold for f in together] == [f.fold for f in alone]
    for a, b in zip(alone, together, strict=True):
        assert a.best_epoch == b.best_epoch
        for name in ("loss", "valid_loss", "valid_ccc"):
            np.testing.assert_allclose([h[name] for h in a.history], [h[name] for h in b.history], atol=1e-3)


def test_noise_is_of_a_seed_and_a_fold(tmp_path):
    tokens = make_tokens()
    splits, keys = folds(tokens, "loso", tmp=tmp_path), []
    for seed in (0, 1):
        runner, runs = runs_of(fits_of("late_fusion", tokens, {"width": 16}, seed=seed), splits, 1)
        keys += runner.keys(runs).tolist()
    assert len(set(keys)) == 12
    assert INPUT != MODEL


def runs_of(fits, splits, n_epochs):
    """(trainer, runs) of these folds, to be trained for so many epochs without judging them."""
    together = StackFit(fits, splits)
    return together.trainers[0], [together.fold_run(split, n_epochs=n_epochs) for split in splits]


def test_folds_end_each_at_its_own_time(tmp_path):
    """Early stopping takes a fold out of the stack; the others go on as if it had never been there."""
    tokens = uneven()
    splits = folds(tokens, n_folds=4, tmp=tmp_path)
    update = {"epochs": 12, "patience": 2, "refit": True}
    alone, together = (fitted("late_fusion", tokens, splits, k, **update) for k in (1, 4))
    assert len({len(f.history) for f in alone}) > 1
    for a, b in zip(alone, together, strict=True):
        assert len(a.history) == len(b.history)
        assert distance(b.state, a.state) < 1e-3


@pytest.mark.parametrize("update", [{"epochs": 2}, {"epochs": 9, "patience": 1, "refit": True}], ids=["short", "to the end"])
@pytest.mark.parametrize("model", TORCH)
def test_nothing_of_a_fold_reaches_another(model, update, tmp_path):
    """One subject, tested in fold 0 and trained on in the others, becomes someone else: fold 0 keeps every bit, also where the
    others then end at other times."""
    tokens = tokens_for(model, signal=0.1)
    splits = folds(tokens, "loso", tmp=tmp_path)[:3]
    subject = next(iter(splits[0].test))[0]
    other = replace(tokens, x=tokens.x.copy(), y=tokens.y.copy())
    for i, t in enumerate(tokens.trials):
        if t.subject == subject:
            rows = slice(tokens.offsets[i], tokens.offsets[i + 1])
            other.x[rows] += 1000
            other.y[rows] -= 1000
    a, b = (fitted(model, t, splits, 3, **update) for t in (tokens, other))
    same = [all(np.array_equal(x.state[n], y.state[n]) for n in x.state) for x, y in zip(a, b, strict=True)]
    assert same == [True, False, False]
    if "refit" in update:
        assert any(len({len(f.history) for f in result}) > 1 for result in (a, b))  # they leave one by one


def test_a_fit_may_not_even_load_its_test_subjects(tmp_path):
    tokens, asked = make_tokens(), []
    splits = folds(tokens, "loso", tmp=tmp_path)
    fits = fits_of("late_fusion", tokens, {"width": 16}, protocol="loso")
    real = fits.load

    def load(subjects, forbidden):
        asked.append((subjects, forbidden))
        return real(subjects, forbidden)

    fits.load = load
    StackFit(fits, splits[:1])
    StackFit(fits, splits[:2])
    [one, two], everyone = asked, {t.subject for t in tokens.trials}
    tested = [{s for s, _ in split.test} for split in splits]
    assert one == (everyone - tested[0], tested[0])
    assert two == (everyone, set())  # each of them is the other's training subject


def test_a_target_nobody_rated_in_validation_is_refused(tmp_path):
    tokens = make_tokens()
    split = folds(tokens, "loso", tmp=tmp_path)[0]
    y = tokens.y.copy()
    for i, t in enumerate(tokens.trials):
        if (t.subject, t.trial) in split.valid:
            y[tokens.offsets[i] : tokens.offsets[i + 1], 1] = np.nan
    with pytest.raises(HimoeError, match="fold 0: no trial of its inner validation has a label of arousal"):
        fitted("late_fusion", replace(tokens, y=y), [split], 1)


def test_stacks_of_any_size_cover_all_folds(tmp_path):
    tokens = make_tokens()
    splits = folds(tokens, "loso", tmp=tmp_path)
    assert [f.fold for f in fitted("late_fusion", tokens, splits, 4, epochs=1)] == list(range(6))


def test_a_stack_does_not_lend_a_fold_what_it_must_not_see(tmp_path):
    """The bank of a stack holds a fold's test subjects for the others: a run that would touch them is refused."""
    tokens = make_tokens()
    split = folds(tokens, "loso", tmp=tmp_path)[0]
    stack = StackFit(fits_of("late_fusion", tokens, {"width": 16}), [split])
    test = {k: f"other{i}" for i, k in enumerate(list(split.train)[:1])}
    leaking = replace(split, test=test)
    with pytest.raises(HimoeError, match="leakage: subject_kfold fold 0 would be trained on test subject"):
        stack.fold_run(leaking)


def test_the_scaler_of_a_run_is_those_of_its_training_rows(tmp_path):
    tokens = make_tokens()
    split = folds(tokens, tmp=tmp_path)[0]
    stack = StackFit(fits_of("late_fusion", tokens, {"width": 16}), [split])
    run = stack.fold_run(split)
    expected = Scaler.fit(tokens.select([i for i, t in enumerate(tokens.trials) if (t.subject, t.trial) in split.train]))
    np.testing.assert_allclose(run.scaler.mean, expected.mean, atol=1e-12)
    assert {stack.tokens.trials[i].subject for i in run.valid} == {s for s, _ in split.valid}
