"""How each model is trained: as the run says, a network under a training regime with other augmentations. A fit is told of one
through its ``training`` alone."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from himoe import registry
from himoe.config.fields import Fraction, Name, Positive, Strict, setting
from himoe.config.sections import Training
from himoe.names import STUDIED, parse_model


class Regime(Strict):
    """One regime (``MODEL-NAME``): which networks are trained so too, and what differs from ``training``."""

    models: list[Name] = setting([STUDIED], "networks that are trained so too, each beside itself", "ours", min_length=1)
    modality_dropout: Fraction | None = setting(None, "the same of training; null: as there", "ours")
    gap_chance: Fraction | None = setting(None, "likewise", "ours")
    gap_seconds: Positive | None = setting(None, "likewise", "ours")
    token_dropout: Fraction | None = setting(None, "likewise", "ours")
    shift_chance: Fraction | None = setting(None, "likewise", "ours")
    shift_seconds: Annotated[float, Field(ge=0)] | None = setting(None, "likewise", "ours")

    def of(self, training: Training) -> Training:
        """The trainer under it."""
        return training.model_copy(update=self.model_dump(exclude={"models"}, exclude_none=True))


def trained(training: Training, regimes: dict[str, Regime], model: str, *lengths: float | None) -> Training:
    """The trainer of a model: the run's, or under the regime that its name says. Crops are no longer than these ``lengths`` of
    trials (s; 0 or None: not known): what lies past an end would be computed for nothing. An estimator has what it reads."""
    if not registry.is_network(model):
        return Training(refit=training.refit, calibration=training.calibration)
    regime = regimes.get(parse_model(model).variant)
    training = regime.of(training) if regime else training
    return training.model_copy(update={"crop_seconds": min(filter(None, (training.crop_seconds, *lengths)))})
