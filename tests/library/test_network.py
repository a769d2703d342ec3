"""Hi-MoE as a module of one's own: the workflow's network to the bit, with torch's generator for the trainer's keys."""

from __future__ import annotations

import pytest
import torch

import himoe
from himoe.models import himoe as plugin
from himoe.types import Batch, BuildContext, Layout, Output

torch.set_num_threads(1)  # workers of a test run have the other cores
SIZES = {"eeg": 5, "gsr": 2}


def build(seed=0, **settings):
    torch.manual_seed(seed)
    return himoe.HiMoE(SIZES, n_outputs=2, **({"width": 16, "max_lag": 2} | settings))


def windows(seed=1, n_windows=4, n_times=24):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n_windows, n_times, 7, generator=generator), torch.randn(n_windows, n_times, 2, generator=generator)


def test_it_is_the_network_of_the_workflow():
    x, _ = windows()
    model = build().eval()
    layout = Layout(("eeg", "gsr"), (tuple("abcde"), tuple("fg")), ("valence", "arousal"), 2.0, True)
    theirs = plugin.HiMoE(BuildContext(layout, 60), plugin.Config(width=16, max_lag=2)).eval()
    theirs.load_state_dict(model.state_dict())
    time = (torch.arange(24) / 2).expand(4, -1)
    there = torch.ones(4, 24, 2, dtype=torch.bool)
    expected = theirs(Batch(x, there, time, there[..., 0], torch.arange(4)))
    for given in (x, {"gsr": x[..., 5:], "eeg": x[..., :5]}):  # a mapping is put in the order of the model
        output = model(given)
        assert torch.equal(output.prediction, expected.prediction)
        assert all(torch.equal(output.routing[name], value) for name, value in expected.routing.items())


def test_what_is_nan_masked_or_not_named_is_absent_to_the_bit():
    x, _ = windows()
    model = build().eval()
    lost = x.clone()
    lost[..., 6] = torch.nan  # one feature of gsr: the modality is absent
    mask = torch.ones(4, 24, 2, dtype=torch.bool)
    mask[..., 1] = False
    expected = model({"eeg": x[..., :5]})
    for output in (model(lost), model(x, mask=mask)):
        assert torch.equal(output.prediction, expected.prediction)
    assert (expected.routing["modality_share"][..., 1] == 0).all()


def test_what_is_not_valid_changes_nothing_of_what_is():
    x, _ = windows()
    valid = torch.ones(4, 24, dtype=torch.bool)
    valid[:, 20:] = False
    model, other = build().eval(), x.clone()
    other[:, 20:] = 1e3
    same = (model(given, valid=valid).prediction[:, :20] for given in (x, other))
    assert torch.equal(*same)


def test_in_training_noise_is_torch_s_own():
    """Equal seeds give equal losses and gradients, other seeds others; the trainer's keys are not asked for."""
    x, y = windows()
    model = build()

    def losses(seed):
        torch.manual_seed(seed)
        return torch.stack([model.loss(model(x, y=y), y) for _ in range(2)])

    first, again, other = losses(3), losses(3), losses(4)
    assert torch.equal(first, again)
    assert first[0] != first[1]  # the generator goes on
    assert not torch.equal(first, other)
    assert torch.equal(model.eval()(x).prediction, model(x).prediction)


def test_ten_plain_steps_learn_and_reach_every_parameter():
    x, y = windows()
    y = torch.stack([x[..., 0], x[..., 5]], -1)  # of eeg, of gsr
    model = build()
    adam = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(10):
        loss = model.loss(model(x, y=y), y)
        adam.zero_grad()
        loss.backward()
        assert not [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
        adam.step()
        losses.append(loss.item())
    assert sum(losses[-3:]) < 0.9 * sum(losses[:3]), losses


def test_training_without_targets_has_losses_of_its_own():
    """Those that need targets are 0."""
    losses = build()(windows()[0]).losses
    assert losses["affect"] == losses["anchor"] == 0
    assert losses["nce"] > 0


def test_the_loss_by_hand():
    """Predictions 1 and 3 of ratings 2 and 4: squared error 1, CCC 2 * 1 / (1 + 1 + 1) = 2/3, and the model's own 0.25."""
    output = Output(torch.tensor([[[1.0], [3.0]]]), {"z": torch.tensor(0.25)}, {})
    y = torch.tensor([[[2.0], [4.0]]])
    assert build().loss(output, y).item() == pytest.approx(1 + 0.5 * (1 - 2 / 3) + 0.25)
    assert build().loss(output, y, ccc_weight=0.0).item() == pytest.approx(1.25)


def test_padding_counts_in_no_loss():
    """The same two tokens with a third of padding, labelled 0: the loss of the two."""
    output = Output(torch.tensor([[[1.0], [3.0], [9.0]]]), {}, {})
    y, valid = torch.tensor([[[2.0], [4.0], [0.0]]]), torch.tensor([[True, True, False]])
    assert build().loss(output, y, valid).item() == pytest.approx(1 + 0.5 * (1 - 2 / 3))
    batch = build().batch(torch.zeros(1, 3, 7), y=y.expand(1, 3, 2), valid=valid)
    assert batch.y[0, :, 0].nan_to_num(-1).tolist() == [2, 4, -1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([{}], "HiMoE: modalities: none: expected name -> number of features"),
        ([{"eeg": 0}], "HiMoE: modalities: eeg: expected name -> number of features"),
        ([{"eeg": 4}, 0], "HiMoE: n_outputs 0, n_times 60, token_rate 2.0: too small"),
    ],
)
def test_sizes_that_cannot_be(arguments, said):
    with pytest.raises(himoe.HimoeError, match=said):
        himoe.HiMoE(*arguments)


def test_a_setting_with_a_typo_is_named_with_the_nearest():
    with pytest.raises(himoe.HimoeError, match=r"HiMoE\.widths: unknown key; did you mean 'width'\?"):
        build(widths=8)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (torch.zeros(4, 24, 6), r"x has shape \(4, 24, 6\), expected \(windows, tokens, 7\)"),
        ({"ecg": torch.zeros(4, 24, 2)}, "there is no modality 'ecg'; it was built with eeg, gsr"),
        ({"eeg": torch.zeros(4, 24, 2)}, r"eeg has shape \(4, 24, 2\), expected \(windows, tokens, 5\)"),
        ({}, "x names no modality"),
    ],
)
def test_input_of_other_sizes(x, said):
    with pytest.raises(himoe.HimoeError, match=said):
        build()(x)


@pytest.mark.slow(20)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_torch_export_gives_the_same_numbers_from_a_file(tmp_path):
    x, _ = windows()
    model = build().eval()
    torch.export.save(build().export(x), tmp_path / "himoe.pt2")
    read = torch.export.load(tmp_path / "himoe.pt2").module()
    other, _ = windows(seed=2)
    other[1, 5:9, 5:] = torch.nan
    torch.testing.assert_close(read(other), model(other).prediction)
