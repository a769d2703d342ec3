"""Plug-ins that would cheat, or answer in another form than is asked: they meet no label, and are named."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from himoe import registry
from himoe.data.rows import Inputs, to_inputs, to_rows
from himoe.train.stack import Stack
from himoe.types import HimoeError, Output
from tests.conftest import make_tokens
from tests.contract.networks import batch_of
from tests.train.fits import fit, folds, predict, stored

N = 8  # rows of a test part: two subjects, four trials


def plugged(monkeypatch, predicting):
    """ridge with another way to predict, in fit and prediction."""
    ridge = registry.load("models", "ridge")
    made = SimpleNamespace(**{n: getattr(ridge, n) for n in dir(ridge) if n[:1] != "_"} | {"predict": predicting})
    made.__name__ = "himoe.models.ridge"
    load = registry.load
    monkeypatch.setattr(registry, "load", lambda kind, name: made if (kind, name) == ("models", "ridge") else load(kind, name))


def test_what_an_estimator_predicts_from_holds_no_label():
    tokens = make_tokens()
    inputs = to_inputs(tokens)
    assert not hasattr(inputs, "y")
    labels = to_rows(tokens).y
    assert type(to_rows(tokens).unlabelled()) is Inputs
    columns = [
        c
        for part in vars(inputs).values()
        if isinstance(part, np.ndarray) and part.dtype.kind == "f"
        for c in np.atleast_2d(part.T)
    ]
    assert not [c for c in columns for y in labels.T if len(c) == len(y) and np.allclose(c, y)]


@pytest.mark.parametrize("per_token", [False, True])
def test_a_cheating_estimator_finds_nothing(monkeypatch, tmp_path, per_token):
    """It looks for labels wherever a row could hold them, in fit (calibration reads validation rows) and in prediction."""
    tokens, seen = make_tokens(per_token=per_token), []

    def predicting(state, rows):
        seen.append(type(rows))
        return getattr(rows, "y", np.zeros((len(rows.x), 2)))

    split = folds(tokens, tmp=tmp_path)[0]
    plugged(monkeypatch, predicting)
    predictions, _ = predict("ridge", tokens, [split], stored(fit("ridge", tokens, split)))
    assert set(seen) == {Inputs}
    assert predictions["y_raw"].nunique() == 2  # one constant for each target


def test_a_network_is_given_no_test_label(monkeypatch, tmp_path):
    """The tokens that reach a network in prediction have no label, wherever it would look."""
    from himoe.train import windows

    tokens, seen = make_tokens(), []
    split = folds(tokens, tmp=tmp_path)[0]
    options = {"width": 16}
    fitted = stored(fit("late_fusion", tokens, split, options))
    bank = windows.Bank
    monkeypatch.setattr(windows, "Bank", lambda tokens, device: seen.append(tokens.y) or bank(tokens, device))
    predict("late_fusion", tokens, [split], fitted, options)
    assert [bool(np.isnan(y).all()) for y in seen] == [True]


SHAPES = {
    "one column for two targets": (lambda rows: np.zeros((len(rows.x), 1)), r"float64 of shape \(8, 1\)"),
    "one row for all": (lambda rows: np.zeros((1, 2)), r"float64 of shape \(1, 2\)"),
    "flat": (lambda rows: np.zeros(len(rows.x)), r"float64 of shape \(8,\)"),
    "transposed": (lambda rows: np.zeros((2, len(rows.x))), r"float64 of shape \(2, 8\)"),
    "text": (lambda rows: np.full((len(rows.x), 2), "1.5"), r"<U3 of shape \(8, 2\)"),
    "complex": (lambda rows: np.ones((len(rows.x), 2)) + 1j, r"complex128 of shape \(8, 2\)"),
    "a list": (lambda rows: [[0.0, 1.0]] * len(rows.x), "list"),
    "nothing": (lambda rows: None, "NoneType"),
}


@pytest.mark.parametrize("how", SHAPES)
def test_an_estimators_prediction_of_another_form_is_refused(monkeypatch, tmp_path, how):
    said, found = SHAPES[how]
    tokens = make_tokens()
    split = folds(tokens, tmp=tmp_path)[0]
    fitted = stored(fit("ridge", tokens, split))
    plugged(monkeypatch, lambda state, rows: said(rows))
    with pytest.raises(HimoeError, match=rf"himoe\.models\.ridge: predict gave {found}, expected numbers of shape \({N}, 2\)"):
        predict("ridge", tokens, [split], fitted)


class Odd(nn.Module):
    """A network whose output is what ``form`` makes of a prediction."""

    def __init__(self, form):
        super().__init__()
        self.weight, self.form = nn.Parameter(torch.zeros(1)), form

    def forward(self, batch):
        return self.form(self.weight * torch.ones(*batch.valid.shape, 2))


@pytest.mark.parametrize("n_models", [1, 2])
@pytest.mark.parametrize(
    ("form", "message"),
    [
        (lambda y: Output(y[..., :1], {}, {}), r"Odd: a prediction of shape \(24, 24, 1\), expected \(24, 24, 2\)"),
        (lambda y: Output(y[:, :-1], {}, {}), r"Odd: a prediction of shape \(24, 23, 2\), expected \(24, 24, 2\)"),
        (lambda y: y, "Odd: forward gave a Tensor, expected himoe.types.Output"),
    ],
    ids=["one column for two targets", "a step short", "a bare tensor"],
)
def test_a_networks_prediction_of_another_form_is_refused(n_models, form, message):
    stack = Stack([Odd(form) for _ in range(n_models)], torch.device("cpu"))
    batch = batch_of(make_tokens())
    batch = type(batch)(*(torch.stack([torch.as_tensor(part)] * n_models) for part in batch))
    with pytest.raises(HimoeError, match=message):
        stack.gradients(batch, torch.zeros(n_models, 2, dtype=torch.int64), lambda output, batch: output.prediction.mean())
