"""How what a fit has stored predicts: one fold's network or estimator as a function of tokens without labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from himoe import registry
from himoe.config.sections import Execution
from himoe.config.spec import FitSpec
from himoe.data.rows import predicted_by, to_inputs
from himoe.names import STUDIED
from himoe.train.results import StoredFold
from himoe.train.tuning import Configuration
from himoe.types import Layout, Tokens

if TYPE_CHECKING:
    from torch import nn

Predicted = tuple[np.ndarray, dict[str, np.ndarray]]  # one standardised prediction per label, routing


class Predictor(NamedTuple):
    """How one fold predicts, and, if it is a network, the ``shares`` (n_tokens, S) of modalities and null token in every step
    (only for one that names them in its routing)."""

    predict: Callable[[Tokens], Predicted]
    shares: Callable[[Tokens], np.ndarray] | None = None


def predictor_of(spec: FitSpec, execution: Execution, chosen: Configuration, fold: StoredFold, layout: Layout) -> Predictor:
    """How one fold predicts: a network on the device that ``execution`` says, or an estimator."""
    if fold.failed:
        return Predictor(_nothing)
    if spec.is_network:
        return _network_predictor(spec, execution, chosen, fold, layout)
    plugin = registry.load("models", spec.model)

    def predict(tokens: Tokens) -> Predicted:
        return predicted_by(plugin, fold.state, to_inputs(fold.scaler.transform(tokens)), tokens.y.shape[1]), {}

    return Predictor(predict)


def unlabelled(tokens: Tokens) -> Tokens:
    """As they are but for their labels, which no model is given."""
    return replace(tokens, y=np.full_like(tokens.y, np.nan))


def _nothing(tokens: Tokens) -> Predicted:
    """The prediction of a fold that failed."""
    n_labels = len(tokens.y) if tokens.layout.per_token else len(tokens.trials)
    return np.full((n_labels, tokens.y.shape[1]), np.nan), {}


def network_of(spec: FitSpec, chosen: Configuration, fold: StoredFold, layout: Layout) -> nn.Module:
    """The network of one fold, with its weights."""
    import torch

    from himoe.train.build import build_model

    network = build_model(registry.load("models", spec.model), chosen.model, spec.reference, layout, spec.training)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in fold.state.items()})
    return network


def _network_predictor(
    spec: FitSpec, execution: Execution, chosen: Configuration, fold: StoredFold, layout: Layout
) -> Predictor:  # fmt: skip
    """Imported where used: the code of networks is no part of an estimator's prediction."""
    from himoe.evaluate.watched import Sharing, Watched
    from himoe.train import devices
    from himoe.train.build import crop_tokens
    from himoe.train.prediction import mean_per_trial, predict_tokens
    from himoe.train.stack import Stack
    from himoe.train.windows import Affine, Bank, cover

    device, length = devices.settle(spec.training, execution), crop_tokens(layout.token_rate, spec.training)
    network = network_of(spec, chosen, fold, layout)
    affine, precision = Affine.of([fold.scaler], device), devices.autocast(spec.training)
    watched = Stack([Watched(network) if spec.model == STUDIED else network], device, precision)

    def predict(tokens: Tokens) -> Predicted:
        bank = Bank(tokens, device)
        windows = cover(bank, [np.arange(len(tokens.trials))], length)
        predicted, routing = predict_tokens(watched, bank, affine, windows, length, routing=True)
        if not tokens.layout.per_token:
            predicted = mean_per_trial(predicted, bank)
        return predicted[0].cpu().numpy(), {name: value[0].cpu().numpy() for name, value in routing.items()}

    def shares(tokens: Tokens) -> np.ndarray:
        n_parts = tokens.mask.shape[1] + 1
        bank = Bank(replace(tokens, y=np.zeros((len(tokens.x), n_parts), np.float32)), device)  # as wide as what is averaged
        windows = cover(bank, [np.arange(len(tokens.trials))], length)
        any_scale = affine._replace(y_mean=affine.y_mean[..., :1], y_scale=affine.y_scale[..., :1])  # of labels, which are none
        said = predict_tokens(Stack([Sharing(network)], device, precision), bank, any_scale, windows, length)
        return said.tokens[0].cpu().numpy()

    return Predictor(predict, shares)
