"""What a fit is, as one frozen record: made by the config, handed to the job by the rule, kept in the run record."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from himoe import registry
from himoe.config.fields import Strict
from himoe.config.sections import Training, Tuning
from himoe.names import people_of
from himoe.types import HimoeError


class View(Strict):
    """What of a subject's tokens a model is given, in fit, prediction and audit alike (applied by :mod:`himoe.data.views`).

    ``modality`` is the only one that the model reads (empty: all), ``samples`` the number of samples a token that take the
    place of features (0: features), ``window`` the length in s of the windows that take the place of trials (0: trials),
    ``control`` a plug-in of himoe/controls that changes the data (empty: none), ``baseline`` the coefficient with which the
    pre-trial baseline is subtracted (estimated: by the scaler, on the training rows of a fold).
    """

    modality: str = ""
    samples: int = 0
    window: float = 0.0
    control: str = ""
    baseline: Literal[0, 1, "estimated"] = 0


class FitSpec(Strict):
    """All that the weights of a shard's folds depend on, beside code, data and rounding. How it is executed is not here.

    ``options`` are the model's settings where they are not its defaults, ``reference`` those of the model whose size it
    matches. An estimator has the defaults in every setting of ``training`` that only networks read.
    """

    dataset: str
    protocol: str
    model: str
    seed: int
    shard: int
    folds: tuple[int, ...]
    options: dict[str, Any] = Field(default={})
    reference: dict[str, Any] = Field(default={})
    training: Training = Training()
    tuning: Tuning = Tuning()
    view: View = View()

    @property
    def is_network(self) -> bool:
        """Whether the model is trained by gradients."""
        return registry.is_network(self.model)

    @property
    def people(self) -> int:
        """How many people of each fold it learns from; 0: all."""
        return people_of(self.model)

    @property
    def title(self) -> str:
        """Which fit this is, for people."""
        return f"{self.model} on {self.dataset}, {self.protocol}, seed {self.seed}, shard {self.shard}"

    def check_record(self, path: Any, record: dict[str, Any]) -> None:
        """HimoeError if a run record (of the file ``path``) is of a fit with other settings than these."""
        now = self.model_dump(mode="json", exclude={"folds"})  # a record's are what came of them
        if unlike := [part for key in now if key in record for part in _unlike(record[key], now[key], key)]:
            raise HimoeError(
                f"{path}: fitted with other settings than this run's ({'; '.join(unlike)}); delete it and run again"
            )

    @property
    def columns(self) -> dict[str, Any]:
        """The columns by which predictions and scores name it."""
        return self.model_dump(include={"dataset", "protocol", "model", "seed"})


def _unlike(made: Any, now: Any, key: str) -> list[str]:
    """What differs between two settings, as ``training.epochs 1, now 4``."""
    if isinstance(made, dict) and isinstance(now, dict):
        return [part for k in sorted({*made, *now}) for part in _unlike(made.get(k), now.get(k), f"{key}.{k}")]
    return [] if made == now else [f"{key} {made}, now {now}"]
