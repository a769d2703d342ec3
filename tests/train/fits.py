"""Fits of tokens in memory: what tests of training, prediction, audit and views share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from himoe.config.sections import Execution, Splits, Training, Tuning
from himoe.config.spec import FitSpec, View
from himoe.evaluate.conditions import Conditions
from himoe.evaluate.predict import predict_shard
from himoe.splits.files import read_splits
from himoe.splits.make import make_splits
from himoe.train import devices
from himoe.train.estimators import EstimatorFits
from himoe.train.networks import NetworkFits
from himoe.train.progress import Progress
from himoe.train.results import FittedFold, StoredFold
from himoe.types import Split, Tokens
from tests.conftest import tokens_for

SETTINGS = Training(epochs=8, patience=8, batch_size=8, crop_seconds=10, learning_rate=3e-3, shift_seconds=1)
SHORT = SETTINGS.model_copy(update={"epochs": 5, "patience": 5})
HERE = Execution(device="cpu")
LENGTHS = (24, 24, 31, 60, 90, 140)
NO_CONDITIONS = Conditions({}, 7)


def folds(tokens: Tokens, protocol: str = "subject_kfold", n_folds: int = 3, tmp=None) -> list[Split]:
    """Splits of these tokens, by way of their file."""
    frame = make_splits(protocol, list(tokens.trials), Splits(n_folds=n_folds))
    frame.to_csv(tmp / "splits.csv", index=False)
    return read_splits(tmp / "splits.csv")


def loader(tokens: Tokens):
    """What a reader of files does, on tokens in memory."""

    def load(subjects, forbidden=()):
        assert not subjects & set(forbidden)
        return tokens.select([i for i, t in enumerate(tokens.trials) if t.subject in subjects])

    return load


def reference_of(options):
    """Hi-MoE's options that go with a late fusion's."""
    return {k: v for k, v in (options or {}).items() if k == "width"}


def spec_of(
    model, options=None, seed=0, settings=SETTINGS, protocol="subject_kfold", view=View(), tuning=Tuning()  # noqa: B008
) -> FitSpec:  # fmt: skip
    """A fit of a data set called d."""
    return FitSpec(
        dataset="d", protocol=protocol, model=model, seed=seed, shard=0, folds=(), options=options or {},
        reference=reference_of(options), training=settings, tuning=tuning, view=view,
    )  # fmt: skip


def fits_of(model, tokens, options=None, *, execution=HERE, n_folds=1, **more) -> NetworkFits | EstimatorFits:
    """The fits of a model on these tokens; ``more`` goes into the spec."""
    spec = spec_of(model, options, **more)
    progress = Progress(model, n_folds, spec.training.epochs)
    if spec.is_network:
        return NetworkFits(spec, execution, devices.settle(spec.training, execution), loader(tokens), progress)
    return EstimatorFits(spec, loader(tokens), progress)


def fit(model, tokens, split, options=None, **more) -> FittedFold:
    """One fold."""
    [[fitted]] = fits_of(model, tokens, options, **more).fit([split])
    return fitted


def fitted(model, tokens, splits, stack, options=None, *, device="cpu", capture="auto", **update) -> list[FittedFold]:
    """Folds of a narrow network, so many side by side; ``update`` changes the short training."""
    execution = Execution(stack=stack, device=device, capture=capture)
    settings, options = SHORT.model_copy(update=update), {"width": 16} | (options or {})
    parts = list(fits_of(model, tokens, options, settings=settings, execution=execution, n_folds=len(splits)).fit(splits))
    assert [len(part) for part in parts][:1] == [min(stack, len(splits))]
    return [fold for part in parts for fold in part]


def stored(fitted: FittedFold) -> dict[int, StoredFold]:
    """As read back from its files."""
    return {fitted.fold: StoredFold(fitted.scaler, fitted.state, fitted.read, fitted.failed, fitted.chosen, fitted.calibration)}


def predict(model, tokens, splits, states, options=None, conditions=NO_CONDITIONS, features=None, **more):
    """(predictions, routing) of folds."""
    return predict_shard(spec_of(model, options, **more), HERE, splits, states, loader(tokens), conditions, features)


def skill_of(predictions) -> float:
    """1 - squared error over that of the training mean, all rows together."""
    y, predicted, reference = (predictions[c] for c in ("y_true", "y_pred", "y_reference"))
    return 1 - ((y - predicted) ** 2).sum() / ((y - reference) ** 2).sum()


def uneven(per_token: bool = False, lengths: tuple[int, ...] = LENGTHS, model: str = "himoe") -> Tokens:
    """Subjects with trials of different lengths: epochs of different numbers of steps, last batches of different sizes."""
    parts = []
    for i, n_times in enumerate(lengths):
        tokens = tokens_for(model, 1, 3, n_times, per_token, seed=i)
        parts.append(replace(tokens, trials=tuple(replace(t, subject=f"s{i}") for t in tokens.trials)))
    return Tokens.concatenate(parts)


def distance(a, b) -> float:
    """Relative L2 between two sets of weights."""
    x, y = (np.concatenate([s[n].ravel() for n in sorted(s)]) for s in (a, b))
    return np.linalg.norm(x - y) / np.linalg.norm(y)
