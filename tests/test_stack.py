"""Folds trained together are folds trained alone: same noise, same steps, same ends, and nothing of one reaches another."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from himoe import config, devices, registry, trainer, windows
from himoe.fold import Moments, Scaler
from himoe.nn import noise
from himoe.nn.stack import Adam, Stack
from himoe.types import BuildContext, HimoeError, Tokens
from tests.conftest import make_tokens
from tests.contract.test_plugins import TORCH, batch_of
from tests.test_training import SETTINGS, folds, job

SHORT = SETTINGS.model_copy(update={"epochs": 5, "patience": 5})
CPU = torch.device("cpu")


def uneven(per_token: bool = False, lengths: tuple[int, ...] = (24, 24, 31, 60, 90, 140)) -> Tokens:
    """Subjects with trials of different lengths: epochs of different numbers of steps, last batches of different sizes."""
    parts = []
    for i, n_times in enumerate(lengths):
        own = make_tokens(1, 3, n_times, per_token, seed=i)
        parts.append(replace(own, trials=tuple(replace(t, subject=f"s{i}") for t in own.trials)))
    return Tokens.concatenate(parts)


def fitted(model, tokens, splits, stack, options=None, **update):
    settings = SHORT.model_copy(update={"stack": stack} | update)
    told = list(job(model, tokens, {"width": 16} | (options or {}), settings=settings, n_folds=len(splits)).fit(splits))
    assert [len(part) for part in told][:1] == [min(stack, len(splits))]
    return [f for part in told for f in part]


def distance(a, b):
    """Relative L2 between two sets of weights."""
    x, y = (np.concatenate([s[n].ravel() for n in sorted(s)]) for s in (a, b))
    return np.linalg.norm(x - y) / np.linalg.norm(y)


# --- noise -----------------------------------------------------------------------------------------------------------


def test_bits_are_splitmix64():
    """The published first outputs for seed 0 (Steele, Lea & Flood 2014; the reference implementation of Vigna)."""
    got = [int(b) % 2**64 for b in noise.bits(torch.tensor(0), 3)]
    assert got == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


def test_noise_is_uniform_and_keys_are_unrelated():
    keys = noise.fold_in(torch.arange(4), 7)
    u = noise.uniform(keys, 500, 100)
    assert u.shape == (4, 500, 100)
    assert u.min() >= 0
    assert u.max() < 1
    histogram = torch.histc(u, 20, 0, 1) / u.numel()
    assert (histogram - 0.05).abs().max() < 0.002  # five standard errors of a share of 0.05 in 200,000
    r = np.corrcoef(u.flatten(1).numpy())
    assert np.abs(r - np.eye(4)).max() < 0.02
    whole = noise.integers(keys, -2, 2, 10_000)
    assert sorted(whole.unique().tolist()) == [-2, -1, 0, 1, 2]
    assert abs((whole == 2).float().mean() - 0.2) < 0.02


def test_dropout_keeps_the_mean_and_is_off_out_of_training():
    x = torch.ones(1000, 101)
    with noise.keyed(torch.tensor(3)):
        first, second = noise.dropout(x, 0.3, True), noise.dropout(x, 0.3, True)
    assert abs((first == 0).float().mean() - 0.3) < 0.005
    assert first.unique().tolist() == pytest.approx([0, 1 / 0.7])
    assert abs(np.corrcoef(first.flatten(), second.flatten())[0, 1]) < 0.02
    assert noise.dropout(x, 0.3, False) is x


def test_noise_without_a_key_is_refused():
    with pytest.raises(RuntimeError, match=r"outside of noise\.keyed"):
        noise.dropout(torch.ones(3), 0.5, True)


# --- one step --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[f"{m}-{r}" for m in TORCH for r in ("none", "ridge")])
def models(request):
    name, readout = request.param.split("-")
    plugin, out = registry.load("models", name), []
    for seed in range(3):
        torch.manual_seed(seed)
        out.append(plugin.build(BuildContext(make_tokens().layout, 24), plugin.Config(width=16, readout=readout)))
    return out


def batches(n=3):
    one = [batch_of(make_tokens(2, 3, seed=i)) for i in range(n)]
    return one, type(one[0])(*map(torch.stack, zip(*one, strict=True)))


def copies(models):
    import copy

    return copy.deepcopy(models)


def test_gradients_of_a_stack_are_those_of_its_models(models):
    """The reference is the plain module and plain backward, one at a time."""
    one, together = batches()
    keys, loss = torch.tensor([5, 6, 7]), trainer.objective(False, 0.5)
    stack = Stack(copies(models), CPU)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a loop in disguise warns of a performance drop
        losses, gradients = stack.gradients(together, keys, loss)
    for k, model in enumerate(copies(models)):
        with noise.keyed(keys[k]):
            alone = loss(model.train()(one[k]), one[k])
        alone.backward()
        expected = torch.cat([p.grad.flatten() for p in model.parameters()])
        torch.testing.assert_close(losses[k], alone.detach(), rtol=1e-5, atol=1e-6)
        assert (gradients[k] - expected).norm() / expected.norm() < 1e-5
        _, [single] = Stack([copies(models)[k]], CPU).gradients(type(one[k])(*(p[None] for p in one[k])), keys[k : k + 1], loss)
        torch.testing.assert_close(single, expected, rtol=0, atol=0)


def test_predictions_of_a_stack_are_those_of_its_models(models):
    one, together = batches()
    out = Stack(copies(models), CPU).predict(together._replace(y=None))
    for k, model in enumerate(models):
        alone = model.eval()(one[k]._replace(y=None))
        torch.testing.assert_close(out.prediction[k], alone.prediction, rtol=1e-4, atol=1e-5)
        assert out.routing.keys() == alone.routing.keys()
        for name, value in alone.routing.items():
            assert out.routing[name][k].shape == value.shape


def count_operations(models, n):
    _, together = batches(n)
    stack, loss = Stack([copies(models)[0] for _ in range(n)], CPU), trainer.objective(False, 0.5)
    with torch.profiler.profile() as seen:
        stack.gradients(together, torch.arange(n), loss)
    return sum(e.count for e in seen.key_averages() if e.key.startswith("aten::"))


def test_the_number_of_operations_does_not_grow_with_the_stack(models):
    """The issue's line: at most 1.5 times as many for 32 models as for one."""
    one = count_operations(models, 1)
    assert count_operations(models, 32) <= 1.5 * one


def test_adam_is_torchs():
    torch.manual_seed(0)
    stack = Stack([torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)], CPU)
    ours = Adam.of(stack, weight_decay=0.1, clip_norm=1.0)
    theirs = [torch.nn.Parameter(row.clone()) for row in stack.flat]
    steps = [torch.optim.AdamW([p], lr=1.0, weight_decay=0.1) for p in theirs]
    for n in range(20):
        gradient, rate = 3 * torch.randn(2, 8), torch.tensor([1e-2, 3e-3]) * (20 - n)
        moving = torch.tensor([True, n % 3 > 0])  # the second waits now and then
        assert (ours.step(stack, gradient, rate, moving) == moving).all()
        for k in torch.nonzero(moving).flatten().tolist():
            theirs[k].grad = gradient[k].clone()
            torch.nn.utils.clip_grad_norm_([theirs[k]], 1.0)
            steps[k].param_groups[0]["lr"] = rate[k].item()
            steps[k].step()
        torch.testing.assert_close(stack.flat, torch.stack([p.detach() for p in theirs]), rtol=1e-5, atol=1e-6)
    assert ours.steps.tolist() == [20, 13]


def test_a_step_that_is_not_finite_is_not_made():
    stack = Stack([torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)], CPU)
    adam, before = Adam.of(stack, 0.1, 1.0), stack.flat.clone()
    gradient = torch.ones(2, 8)
    gradient[1, 3] = torch.nan
    went = adam.step(stack, gradient, torch.full((2,), 0.1), torch.tensor([True, True]))
    assert went.tolist() == [True, False]
    assert not torch.equal(stack.flat[0], before[0])
    assert torch.equal(stack.flat[1], before[1])
    assert not adam.first[1].any()


def test_a_model_with_moving_buffers_is_refused():
    with pytest.raises(HimoeError, match="buffer running_mean changes while training"):
        Stack([torch.nn.BatchNorm1d(3)], CPU)


# --- whole fits ------------------------------------------------------------------------------------------------------


def test_statistics_of_trials_add_up():
    tokens = uneven()
    tokens.mask[:24] = False  # a trial without anything
    moments, some = Moments.of(tokens), [1, 2, 3, 7, 11]
    own = tokens.select(some)
    columns = np.repeat(own.mask, [3, 2], axis=1)
    got = moments.scaler(np.array(some))
    for f in range(5):
        present = own.x[columns[:, f], f].astype(float)
        assert got.mean[f] == pytest.approx(present.mean(), abs=1e-9)
        assert got.scale[f] == pytest.approx(present.std(), rel=1e-9)
    labels = own.y[own.offsets[:-1]].astype(float)
    np.testing.assert_allclose(got.y_mean, labels.mean(0), atol=1e-9)
    np.testing.assert_allclose(got.y_scale, labels.std(0), rtol=1e-9)


def test_sequential_training_is_the_textbook_loop(tmp_path):
    """A plain module, torch's AdamW and scheduler, batches as they come: the weights of a stack of one after 50 steps."""
    tokens = uneven()
    split = folds(tokens, tmp=tmp_path)[0]
    own = job("late_fusion", tokens, {"width": 16}, settings=SHORT)
    own.device = devices.settle(own.settings)
    runner, _, moments = own._prepare([split])
    course = own._course(split, tokens_of(own, split), moments, "refit", 10)
    [n_steps] = runner.steps([course])
    course.n_epochs = -(-50 // n_steps)
    runner.run([course], "refit")

    s, model = SHORT, own._init(split.fold, course.scaler, tokens_of(own, split), course.train)
    optimizer = torch.optim.AdamW(model.parameters(), lr=s.learning_rate, weight_decay=s.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda i: trainer._cosine(i / (s.epochs * n_steps)))
    affine, loss = windows.Affine.of([course.scaler]), trainer.objective(False, s.ccc_weight)
    for epoch in range(1, course.n_epochs + 1):
        key = noise.fold_in(runner.keys([course]), epoch)
        trial, start = windows.crops(runner.bank, course.train, runner.n_times, key[0])
        for step in range(n_steps):
            at, here = slice(step * s.batch_size, (step + 1) * s.batch_size), noise.fold_in(key, step + 1)
            drawn = windows.Windows(torch.from_numpy(trial[at])[None], torch.from_numpy(start[at])[None])
            batch = windows.training_batch(runner.bank, affine, drawn, runner.n_times, s, noise.fold_in(here, trainer.INPUT))
            batch = type(batch)(*(part[0] for part in batch))
            optimizer.zero_grad()
            with noise.keyed(noise.fold_in(here, trainer.MODEL)[0]):
                loss(model.train()(batch), batch).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), s.clip_norm)
            optimizer.step()
            schedule.step()
    assert course.n_epochs * n_steps >= 50
    got = trainer.arrays(model, course.kept)
    assert distance(got, {n: p.detach().numpy() for n, p in model.named_parameters()}) < 1e-4


def tokens_of(own, split):
    return own.load({s for part in (split.train, split.valid) for s, _ in part}, {s for s, _ in split.test})


@pytest.mark.parametrize("model", TORCH)
@pytest.mark.parametrize("per_token", [False, True])
def test_together_is_alone(model, per_token, tmp_path):
    """Four folds with epochs of different length: the same weights within 1e-4 relative L2 after 51 to 68 steps. (Rounding
    grows from step to step, stacked or not.)"""
    tokens = uneven(per_token, (24, 24, 31, 40, 44, 60))
    splits, settings = folds(tokens, n_folds=4, tmp=tmp_path), SHORT.model_copy(update={"learning_rate": 1e-3, "epochs": 60})
    own = job(model, tokens, {"width": 16}, settings=settings)
    runner, together = courses_of(own, splits, 17)
    assert sorted(set(17 * runner.steps(together))) == [51, 68]
    runner.run(together, "refit")
    for split, b in zip(splits, together, strict=True):
        runner, [a] = courses_of(own, [split], 17)
        runner.run([a], "refit")
        assert (a.kept - b.kept).norm() / a.kept.norm() < 1e-4
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
        runner, courses = courses_of(job("late_fusion", tokens, {"width": 16}, seed), splits, 1)
        keys += runner.keys(courses).tolist()
    assert len(set(keys)) == 12
    assert trainer.INPUT != trainer.MODEL


def courses_of(own, splits, n_epochs):
    """(trainer, courses) of these folds, to be trained for so many epochs without judging them."""
    own.device = devices.settle(own.settings)
    runner, tokens, moments = own._prepare(splits)
    return runner, [own._course(s, tokens, moments, "refit", n_epochs) for s in splits]


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
    tokens = make_tokens(signal=0.1)
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
        assert any(len({len(f.history) for f in told}) > 1 for told in (a, b))  # they leave one by one


def test_a_fit_may_not_even_load_its_test_subjects(tmp_path):
    tokens, asked = make_tokens(), []
    splits, own = folds(tokens, "loso", tmp=tmp_path), job("late_fusion", tokens, {"width": 16})
    real = own.load

    def load(subjects, forbidden):
        asked.append((subjects, forbidden))
        return real(subjects, forbidden)

    own.load, own.device = load, devices.settle(own.settings)
    own._prepare(splits[:1])
    own._prepare(splits[:2])
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


def test_products_are_in_bfloat16_where_that_is_asked_for(models):
    _, together = batches()
    seen, stack = [], Stack(copies(models), CPU, torch.bfloat16)
    stack.template.heads.up.register_forward_hook(lambda module, args, out: seen.append(out.dtype))
    out = stack.predict(together._replace(y=None))
    assert seen == [torch.bfloat16]
    assert out.prediction.dtype == stack.flat.dtype == torch.float32
    exact = Stack(copies(models), CPU).predict(together._replace(y=None)).prediction
    assert 0 < (out.prediction - exact).abs().mean() < 0.05


def test_buffers_that_differ_between_folds_are_refused():
    class Own(torch.nn.Linear):
        def __init__(self, value):
            super().__init__(2, 2)
            self.register_buffer("kept", torch.full((1,), value), persistent=False)

    with pytest.raises(HimoeError, match="Own: buffer kept differs between folds"):
        Stack([Own(1.0), Own(2.0)], CPU)


def test_stacks_of_any_size_cover_all_folds(tmp_path):
    tokens = make_tokens()
    splits = folds(tokens, "loso", tmp=tmp_path)
    assert [f.fold for f in fitted("late_fusion", tokens, splits, 4, epochs=1)] == list(range(6))


def test_too_many_for_the_memory_are_halved(tmp_path, monkeypatch, caplog):
    real, tokens = trainer.Trainer.run, make_tokens()
    splits, tried = folds(tokens, "loso", tmp=tmp_path), []

    def run(self, courses, phase):
        tried.append(len(courses))
        if len(courses) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        real(self, courses, phase)

    monkeypatch.setattr(trainer.Trainer, "run", run)
    own = job("late_fusion", tokens, {"width": 16}, settings=SHORT.model_copy(update={"stack": 6, "epochs": 1}))
    assert [f.fold for part in own.fit(splits) for f in part] == list(range(6))
    assert tried == [6, 3, 2, 2, 2]
    assert "out of GPU memory with 6 folds side by side: now 3" in caplog.text
    assert own.size == 2

    def never(self, courses, phase):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(trainer.Trainer, "run", never)
    with pytest.raises(HimoeError, match=r"one fold alone does not fit into the GPU's memory; lower training\.batch_size"):
        list(own.fit(splits))


def test_a_stack_does_not_lend_a_fold_what_it_must_not_see(tmp_path):
    """The bank of a stack holds a fold's test subjects for the others: a course that would touch them is refused."""
    tokens = make_tokens()
    split = folds(tokens, "loso", tmp=tmp_path)[0]
    own = job("late_fusion", tokens, {"width": 16})
    test = {k: f"other{i}" for i, k in enumerate(list(split.train)[:1])}
    leaking = replace(split, test=test)
    with pytest.raises(HimoeError, match="leakage: subject_kfold fold 0 would be trained on test subject"):
        own._course(leaking, tokens, Moments.of(tokens), "choose")


def test_scalers_of_a_course_are_those_of_its_training_rows(tmp_path):
    tokens = make_tokens()
    split = folds(tokens, tmp=tmp_path)[0]
    own = job("late_fusion", tokens, {"width": 16})
    course = own._course(split, tokens, Moments.of(tokens), "choose")
    expected = Scaler.fit(tokens.select([i for i, t in enumerate(tokens.trials) if (t.subject, t.trial) in split.train]))
    np.testing.assert_allclose(course.scaler.mean, expected.mean, atol=1e-12)
    assert {tokens.trials[i].subject for i in course.valid} == {s for s, _ in split.valid}


# --- folds that fail -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("stack", [1, 6])
def test_a_fold_that_diverges_fails_alone(stack, refit, tmp_path, caplog):
    """One subject's recordings are infinite: folds that train or choose on it fail, the one that tests it is untouched."""
    tokens = make_tokens()
    splits = folds(tokens, "loso", tmp=tmp_path)
    healthy = fitted("late_fusion", tokens, splits[:1], 1, epochs=3, refit=refit)
    [bad] = {s for s, _ in splits[0].test}
    x = tokens.x.copy()
    for i, t in enumerate(tokens.trials):
        if t.subject == bad:
            rows = slice(tokens.offsets[i], tokens.offsets[i + 1])
            x[rows] = np.where(tokens.mask[rows][:, [0]], np.inf, 0)
    with np.errstate(invalid="ignore"):
        told = fitted("late_fusion", replace(tokens, x=x), splits, stack, epochs=3, refit=refit)
    assert told[0].failed == ""
    assert distance(told[0].state, healthy[0].state) < 1e-4
    for split, fold in zip(splits[1:], told[1:], strict=True):
        judged = bad in {s for s, _ in split.valid}
        assert fold.failed == ("diverged in epoch 1: validation is not finite" if judged else "diverged in epoch 1, step 1")
        assert all(np.isfinite(a).all() for a in fold.state.values())
    assert caplog.text.count("the weights before that are kept, the other folds go on") == 5


def test_the_weights_before_the_bad_step_are_kept(tmp_path, monkeypatch):
    """The gradient of fold 1 is not a number in its 8th step: its best weights until then stay, fold 0 never notices."""
    tokens, real, calls = make_tokens(), Stack.gradients, [0]
    splits = folds(tokens, "loso", tmp=tmp_path)[:2]
    clean = fitted("late_fusion", tokens, splits, 2)
    n_steps = 2  # four subjects' 16 crops of 20 tokens, in batches of 8

    def poisoned(self, *args):
        losses, gradient = real(self, *args)
        calls[0] += 1
        if calls[0] == 8:
            gradient[1, 5] = torch.nan
        return losses, gradient

    monkeypatch.setattr(Stack, "gradients", poisoned)
    ends, conclude = [], trainer.Trainer._conclude

    def watched(self, own, stack, adam, now, told):
        ends.append(stack.flat.clone())
        return conclude(self, own, stack, adam, now, told)

    monkeypatch.setattr(trainer.Trainer, "_conclude", watched)
    told = fitted("late_fusion", tokens, splits, 2)
    assert calls[0] == SHORT.epochs * n_steps
    assert told[1].failed == "diverged in epoch 4, step 2"
    assert told[1].history == clean[1].history[:3]
    best = max(told[1].history, key=lambda h: h["valid_ccc"])["epoch"]
    assert told[1].best_epoch == best
    own = job("late_fusion", tokens, {"width": 16})
    _, [course, _] = courses_of(own, splits, 1)
    expected = trainer.arrays(course.init(), ends[best - 1][1])
    assert all(np.array_equal(told[1].state[n], expected[n]) for n in expected)
    assert not told[0].failed
    assert all(np.array_equal(told[0].state[n], clean[0].state[n]) for n in clean[0].state)


def test_the_device_asked_for_is_the_device_got():
    if not torch.cuda.is_available():
        with pytest.raises(HimoeError, match=r"training\.device: cuda, but torch .* sees no GPU here; use device: cpu"):
            devices.settle(config.Training(device="cuda"))
        assert devices.settle(config.Training(device="auto")).type == "cpu"
    assert devices.settle(config.Training(device="cpu")).type == "cpu"
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_float32_matmul_precision() == "highest"


def test_how_many_folds_fit():
    from himoe.devices import how_many, side_by_side

    assert how_many(free=100, one=8, n_folds=32) == 10  # 0.8 * 100 / 8
    assert how_many(free=100, one=8, n_folds=4) == 4
    assert how_many(free=10, one=80, n_folds=4) == 1
    assert side_by_side(config.Training(stack=3), CPU, 8) == 3
    assert side_by_side(config.Training(stack=30), CPU, 8) == 8
    assert side_by_side(config.Training(), CPU, 8) == 1
