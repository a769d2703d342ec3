"""Windows on tokens: they never leave their trial, cover every token, and are averaged where they overlap."""

from __future__ import annotations

import numpy as np
import torch

from himoe.train import windows
from himoe.train.prediction import predict_tokens
from himoe.train.scaling import Scaler
from himoe.train.stack import Stack
from tests.conftest import make_tokens


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
        predicted, routing = predict_tokens(stack, bank, plain(bank, n_folds), windows.cover(bank, trials, 4), 4, True)
        # windows begin at 0 and 2; times from the window's start are 0, 0.5, 1, 1.5
        np.testing.assert_allclose(predicted[0, :6, 0], [0, 0.5, 0.5, 1.0, 1.0, 1.5])
        assert not predicted[0, 6:].any()  # another trial, of which this fold has no segment
        np.testing.assert_allclose(routing["lag"][0], [[1, 1], [0, 0]])
        np.testing.assert_allclose(routing["steps"][0, 0], [0.75, 0.75])
        assert routing["lambda"][0].tolist() == [1, 0]
    np.testing.assert_allclose(predicted[1, 6:, 0], [0, 1, 1, 2, 2, 3])
    assert routing["lambda"][1].tolist() == [0, 2]
