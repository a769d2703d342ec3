"""The trainer: learns what is there, repeats to the bit, stops on inner validation, stores what it can vouch for."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from himoe import registry
from himoe.config.sections import Splits, Training
from himoe.data.reader import Reader
from himoe.evaluate import predict
from himoe.splits import make
from himoe.splits.files import read_splits
from himoe.train import networks, results, windows
from himoe.train.progress import Progress
from himoe.train.results import Stored
from himoe.train.scaling import Scaler
from himoe.train.stack import Stack
from himoe.types import HimoeError, Tokens
from tests.conftest import make_tokens, tokens_for
from tests.contract.networks import TORCH

SETTINGS = Training(epochs=8, patience=8, batch_size=8, crop_seconds=10, learning_rate=3e-3, shift_seconds=1)


def folds(tokens: Tokens, protocol: str = "subject_kfold", n_folds: int = 3, tmp=None):
    frame = make.make_splits(protocol, list(tokens.trials), Splits(n_folds=n_folds))
    path = tmp / "splits.csv"
    frame.to_csv(path, index=False)
    return read_splits(path)


def loader(tokens: Tokens):
    def load(subjects, forbidden):
        assert not subjects & set(forbidden)
        return tokens.select([i for i, t in enumerate(tokens.trials) if t.subject in subjects])

    return load


def load_all(tokens: Tokens):
    return lambda subjects: loader(tokens)(subjects, set())


def reference_of(options):
    """Hi-MoE's options that go with a late fusion's."""
    return {k: v for k, v in (options or {}).items() if k == "width"}


def job(model, tokens, options=None, seed=0, settings=SETTINGS, n_folds=1, protocol="subject_kfold", **more):
    plugin, progress = registry.load("models", model), Progress(model, n_folds, settings.epochs)
    own, reference = plugin.Config(**(options or {})), reference_of(options)
    return networks.Job(plugin, own, reference, loader(tokens), protocol, settings, seed, progress, **more)


def fit(model, tokens, split, options=None, seed=0, settings=SETTINGS, **more):
    """One fold."""
    [[fitted]] = job(model, tokens, options, seed, settings, **more).fit([split])
    return fitted


def stored(fitted):
    return {fitted.fold: Stored(fitted.scaler, fitted.state, fitted.read, fitted.failed)}


def test_scaler_by_hand():
    tokens = make_tokens(2, 1, 4)
    scaler = Scaler.fit(tokens)
    present = tokens.mask[:, 0]
    assert scaler.mean[0] == pytest.approx(tokens.x[present, 0].mean(), abs=1e-6)
    scaled = scaler.transform(tokens)
    assert scaled.x[present, 0].std() == pytest.approx(1, abs=1e-5)
    assert (scaled.x[~present, 0] == 0).all()
    # two trials with one label each: their mean and spread, not the tokens'
    np.testing.assert_allclose(scaler.y_mean, tokens.y[[0, 4]].mean(0), atol=1e-6)
    np.testing.assert_allclose(scaler.inverse(scaled.y), tokens.y, atol=1e-5)


@pytest.mark.parametrize(
    ("model", "options", "readout"),
    [
        ("ridge", {}, "none"), ("late_fusion", {"width": 16}, "none"), ("himoe", {"width": 16}, "none"),
        ("himoe", {"width": 16}, "ridge"), ("boosting", {"max_trees": 60}, "none"),
        *((m, {"width": 16}, "none") for m in TORCH if m not in ("himoe", "late_fusion", "eegnet")),
    ],
)  # fmt: skip
def test_models_learn_what_is_planted(model, options, readout, tmp_path):
    """Unseen subjects, four features' worth of signal at SNR 4: half of the variance at least is explained."""
    tokens = tokens_for(model, 8, 10)
    split = folds(tokens, tmp=tmp_path)[0]
    settings = SETTINGS.model_copy(update={"epochs": 25, "patience": 25, "readout": readout})
    fitted = fit(model, tokens, split, options, settings=settings)
    identity = {"dataset": "d", "protocol": "p", "model": model, "seed": 0}
    both = {"own": options, "reference": reference_of(options)}
    out, _ = predict.predict_shard(
        model, both, [split], stored(fitted), load_all(tokens), "subject_kfold", settings, {}, 7, identity
    )
    error = ((out["y_true"] - out["y_pred"]) ** 2).sum() / ((out["y_true"] - out["y_reference"]) ** 2).sum()
    assert 1 - error > 0.5
    if fitted.history:
        scores = [h["valid_ccc"] for h in fitted.history]
        assert scores[fitted.best_epoch - 1] == max(scores)


@pytest.mark.parametrize("model", ["late_fusion", "himoe"])
def test_same_seed_same_bits(model, tmp_path):
    tokens = make_tokens()
    split = folds(tokens, tmp=tmp_path)[0]
    short = SETTINGS.model_copy(update={"epochs": 2})
    a, b, c = (fit(model, tokens, split, {"width": 16}, seed, short) for seed in (0, 0, 1))
    assert all(np.array_equal(a.state[n], b.state[n]) for n in a.state)
    assert any(not np.array_equal(a.state[n], c.state[n]) for n in a.state)


def test_a_model_of_samples_has_no_ridge_beside_it(tmp_path):
    tokens = tokens_for("eegnet", 6, 3)
    settings = SETTINGS.model_copy(update={"epochs": 1, "readout": "ridge"})
    fitted = fit("eegnet", tokens, folds(tokens, tmp=tmp_path)[0], {"width": 16}, settings=settings)
    assert not any("readout" in name for name in fitted.state)


def test_late_fusion_has_the_parameters_of_himoe():
    layout = make_tokens(1, 1).layout
    plugin, other = registry.load("models", "late_fusion"), registry.load("models", "himoe")
    ours = networks.build_model(plugin, plugin.Config(width=32), {"width": 32}, layout, SETTINGS)
    theirs = networks.build_model(other, other.Config(width=32), {}, layout, SETTINGS)
    a, b = (sum(p.numel() for p in m.parameters()) for m in (ours, theirs))
    assert abs(a - b) / b < 0.01


def test_himoe_size_on_deap():
    from himoe.data.prepare import layout_of

    info = registry.load("datasets", "deap").INFO
    plugin = registry.load("models", "himoe")
    model = networks.build_model(plugin, plugin.Config(), {}, layout_of(info, info.default_targets), Training())
    assert 250_000 < sum(p.numel() for p in model.parameters()) < 500_000


def plain(bank, n_folds=1):
    """No normalisation."""
    one, zero = np.ones(bank.x.shape[1]), np.zeros(bank.x.shape[1])
    return windows.Affine.of([Scaler(zero, one, zero[:2], one[:2])] * n_folds)


def at(trial, start):
    return windows.Windows(torch.tensor(trial), torch.tensor(start))


def test_windows_cover_every_token_and_never_leave_the_trial():
    trial, start = windows.segments(np.array([10, 25, 7]), 10)
    assert list(zip(trial.tolist(), start.tolist(), strict=True)) == [(0, 0), (1, 0), (1, 5), (1, 10), (1, 15), (2, 0)]
    bank = windows.Bank(make_tokens(1, 3, 7))
    batch = windows.read(bank, plain(bank), at([[1, -1]], [[0, -1]]), 10)
    assert batch.valid.tolist() == [[[True] * 7 + [False] * 3, [False] * 10]]  # the second window is in no trial
    assert not batch.mask[0, 0, 7:].any()
    assert not batch.mask[0, 1].any()
    assert batch.y[0, 1].isnan().all()
    torch.testing.assert_close(batch.x[0, 0, :7], bank.x[7:14])


def test_a_shifted_modality_comes_from_its_own_trial():
    tokens = make_tokens(1, 2, 8)
    tokens.mask[:] = True
    bank = windows.Bank(tokens)
    batch = windows.read(bank, plain(bank), at([[1]], [[0]]), 8, torch.tensor([[[3, 0]]]))
    assert batch.mask[0, 0, :, 0].tolist() == [False] * 3 + [True] * 5  # not the end of the trial before
    torch.testing.assert_close(batch.x[0, 0, 3:, :3], bank.x[8:13, :3])
    torch.testing.assert_close(batch.x[0, 0, :, 3:], bank.x[8:16, 3:])


def test_overlapping_segments_are_averaged():
    class Clock(torch.nn.Module):
        def forward(self, batch):
            from himoe.types import Output

            steps, per_window = batch.time.unsqueeze(-1).expand(-1, -1, 2), batch.time.new_ones(len(batch.time), 2)
            routing = {"steps": steps, "lag": per_window, "lambda": self.gain.squeeze()}
            return Output(self.gain * steps, {}, routing)

        def __init__(self):
            super().__init__()
            self.gain = torch.nn.Parameter(torch.ones(1))

    bank = windows.Bank(make_tokens(1, 2, 6))
    twice = Clock()
    twice.gain.data[:] = 2
    for n_folds in (1, 2):
        stack = Stack([Clock(), twice][:n_folds], torch.device("cpu"))
        trials = [np.array([0]), np.array([1])][:n_folds]
        predicted, routing = windows.predict_tokens(stack, bank, plain(bank, n_folds), windows.cover(bank, trials, 4), 4, True)
        # windows begin at 0 and 2; times from the window's start are 0, 0.5, 1, 1.5
        np.testing.assert_allclose(predicted[0, :6, 0], [0, 0.5, 0.5, 1.0, 1.0, 1.5])
        assert not predicted[0, 6:].any()  # another trial, of which this fold has no segment
        np.testing.assert_allclose(routing["lag"][0], [[1, 1], [0, 0]])
        np.testing.assert_allclose(routing["steps"][0, 0], [0.75, 0.75])
        assert routing["lambda"][0].tolist() == [1, 0]
    np.testing.assert_allclose(predicted[1, 6:, 0], [0, 1, 1, 2, 2, 3])
    assert routing["lambda"][1].tolist() == [0, 2]


def _store(tmp_path, tokens):
    split = folds(tokens, tmp=tmp_path)[0]
    fitted = fit("late_fusion", tokens, split, {"width": 16}, settings=SETTINGS.model_copy(update={"epochs": 1}))
    results.write_shard(tmp_path / "w.safetensors", tmp_path / "run.json", [fitted], {"model": "late_fusion"})
    return fitted


def test_shards_round_trip(tmp_path):
    fitted = _store(tmp_path, make_tokens())
    scaler, state, read, *_ = results.read_shard(tmp_path / "w.safetensors", tmp_path / "run.json")[fitted.fold]
    assert read == fitted.read
    np.testing.assert_array_equal(scaler.mean, fitted.scaler.mean)
    assert state.keys() == fitted.state.keys()
    assert all(np.array_equal(state[n], fitted.state[n]) for n in state)


def test_a_flipped_bit_is_refused(tmp_path):
    _store(tmp_path, make_tokens())
    raw = bytearray((tmp_path / "w.safetensors").read_bytes())
    raw[-5] ^= 1
    (tmp_path / "w.safetensors").write_bytes(raw)
    with pytest.raises(HimoeError, match="bytes differ from the fit's record"):
        results.read_shard(tmp_path / "w.safetensors", tmp_path / "run.json")


@pytest.mark.parametrize("refit", [False, True])
def test_every_model_of_a_fold_has_the_same_reference(refit, tmp_path):
    tokens = make_tokens()
    split = folds(tokens, tmp=tmp_path)[0]
    settings = SETTINGS.model_copy(update={"epochs": 1, "refit": refit})
    models = {"train_mean": {}, "stimulus_mean": {}, "ridge": {}, "himoe": {"width": 16}}
    means = [fit(m, tokens, split, o, settings=settings).scaler.y_mean for m, o in models.items()]
    rows = split.train | split.valid if refit else split.train
    expected = np.mean([tokens.y[tokens.offsets[i]] for i, t in enumerate(tokens.trials) if (t.subject, t.trial) in rows], 0)
    for mean in means:
        np.testing.assert_allclose(mean, expected, atol=1e-6)


def test_bad_model_settings_are_one_line():
    with pytest.raises(HimoeError, match=r"model_options\.himoe: width"):
        networks.configure(registry.load("models", "himoe"), "himoe", {"width": 30})


def test_sizes_that_cannot_match_are_refused():
    plugin = registry.load("models", "late_fusion")
    with pytest.raises(HimoeError, match="parameters against himoe's"):
        networks.build_model(plugin, plugin.Config(width=128), {"width": 8}, make_tokens(1, 1).layout, SETTINGS)


def test_run_records_are_json(tmp_path):
    _store(tmp_path, make_tokens())
    record = json.loads((tmp_path / "run.json").read_text())
    assert set(record["folds"]["0"]) == {"best_epoch", "seconds", "n_parameters", "n_macs", "history", "read", "failed"} | {
        "judged", "chosen", "tried",
    }  # fmt: skip


def test_reader_refuses_a_forbidden_subject(tmp_path):
    reader = Reader([tmp_path / "s0.npz", tmp_path / "s1.npz"])
    with pytest.raises(HimoeError, match="leakage: a fit asked for test subject s1"):
        reader.load({"s0", "s1"}, {"s1"})
