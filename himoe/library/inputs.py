"""What a trained model reads and where it comes from, as records that a bundle keeps as JSON."""

from __future__ import annotations

from typing import Any

from himoe.config.fields import Strict
from himoe.signal.units import UNITS
from himoe.types import DatasetInfo, Layout, Modality


class Input(Strict):
    """One modality that a model reads: its channels at ``sfreq`` Hz, in training recorded in ``unit``, the recipe of their
    features (and what these are called), how they are normalised, and the s of rest before a trial that it was trained with."""

    name: str
    channels: tuple[str, ...]
    sfreq: float
    unit: str
    recipe: str
    normalise: str
    features: tuple[str, ...]
    baseline: float = 0.0

    @property
    def facts(self) -> Modality:
        """It, as a data set states it."""
        return Modality(self.name, self.channels, self.sfreq, self.unit, self.recipe, self.normalise)

    @property
    def unit_inside(self) -> str:
        """What numbers reach the model in: what the recorded ``unit`` (or each of several) is converted to."""
        return ", ".join(UNITS[unit][0] for unit in self.unit.split(", ") if unit)


class Inputs(Strict):
    """What a model reads, and says: ``options`` are those of :func:`himoe.data.prepare.prepare_subject`; ``trials`` and
    ``seconds`` are of a person and of a trial in training, None where not known."""

    modalities: tuple[Input, ...]
    targets: tuple[str, ...]
    target_range: tuple[float, float]
    per_token: bool
    token_rate: float
    token_window: float
    options: dict[str, dict[str, Any]]
    trials: float | None = None
    seconds: float | None = None

    @property
    def layout(self) -> Layout:
        """The columns of its tokens."""
        features = tuple(m.features for m in self.modalities)
        return Layout(tuple(m.name for m in self.modalities), features, self.targets, self.token_rate, self.per_token)

    @property
    def info(self) -> DatasetInfo:
        """The facts that preparation reads, as those of a data set."""
        modalities = tuple(m.facts for m in self.modalities)
        return DatasetInfo(
            title="", citation="", licence="", access="", editions=(), subjects=(), n_trials=None, seconds=None,
            modalities=modalities, targets=self.targets, default_targets=self.targets, target_range=self.target_range,
            per_token=self.per_token, token_rate=self.token_rate, token_window=self.token_window,
        )  # fmt: skip


class Score(Strict):
    """A metric on people that were not learnt from: mean and SD over ``n`` of them."""

    target: str
    metric: str
    mean: float
    sd: float
    n: int


class About(Strict):
    """Where a model comes from: its data set, who may use that, and how well it did."""

    title: str
    citation: str
    licence: str
    caveats: tuple[str, ...] = ()
    synthetic: bool = False
    people: int = 0
    scores: tuple[Score, ...] = ()
    version: str = ""
