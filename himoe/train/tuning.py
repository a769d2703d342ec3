"""The search for a model's configuration: as many tries for every model, drawn from its space, chosen by inner validation.

A space is a literal of the plug-in, ``SPACE = {"penalty": (1.0, 10.0)}``; keys that begin with ``training.`` are the trainer's.
Every network has the trainer's part and its dropout beside what its plug-in names: these are drawn once for all networks, what
is a model's own is drawn for it. What the config sets for a model is not searched.
"""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from himoe.types import HimoeError

if TYPE_CHECKING:
    from himoe.config.sections import Training, Tuning

SPACE_OF_NETWORKS: dict[str, tuple] = {
    "training.learning_rate": (2e-4, 5e-4, 1e-3, 2e-3),
    "training.weight_decay": (1e-3, 1e-2, 1e-1),
    "dropout": (0.0, 0.1, 0.3),
}
TRAINER = "training."
Options = dict[str, Any]


@dataclass(frozen=True)
class Configuration:
    """One try: what it changes, and the settings of model and trainer that result."""

    changes: Options
    model: Any
    training: Training


def configure(plugin: ModuleType, model: str, options: dict[str, Any]) -> Any:
    """A model's settings; HimoeError with the key if one is not valid."""
    try:
        return plugin.Config(**options)
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise HimoeError(f"config: model_options.{model}: {found}") from error


def candidates(plugin: ModuleType, tuning: Tuning, fixed: Iterable[str] = ()) -> list[Options]:
    """What is tried: nothing changed, then different random points of the space; fewer where it has no more.

    The n-th try of every network has the same shared values but where its ``SPACE`` replaces them; ``fixed`` keys are left out.
    """
    shared, own = SPACE_OF_NETWORKS if hasattr(plugin, "build") else {}, getattr(plugin, "SPACE", {})
    space = {key: values for key, values in (shared | own).items() if key not in fixed}
    n = min(tuning.configurations, 1 + math.prod(len(values) for values in space.values()) if space else 1)
    of_all = _shared_points(shared, tuning.seed)
    rng = np.random.default_rng([tuning.seed, zlib.crc32(plugin.__name__.encode())])
    out: list[Options] = [{}]
    while len(out) < n:
        drawn = next(of_all) | {key: values[rng.integers(len(values))] for key, values in own.items()}
        drawn = {key: value for key, value in drawn.items() if key in space}
        if drawn not in out:
            out.append(drawn)
    return out


def _shared_points(space: dict[str, tuple], seed: int) -> Iterator[Options]:
    """Every point of a space in a random order that the seed alone decides, again and again."""
    points = [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]
    order = np.random.default_rng(seed).permutation(len(points))
    return itertools.cycle([points[i] for i in order])


def configuration(plugin: ModuleType, settings: Any, training: Training, changes: Options) -> Configuration:
    """The settings of a model and of the trainer with these changes."""
    of_trainer = {key.removeprefix(TRAINER): value for key, value in changes.items() if key.startswith(TRAINER)}
    of_model = {key: value for key, value in changes.items() if not key.startswith(TRAINER)}
    model = plugin.Config(**(settings.model_dump() | of_model))
    return Configuration(changes, model, type(training)(**(training.model_dump() | of_trainer)))


def best(scores: list[float]) -> int:
    """Which was best; the first of equals, and the first where none is a number."""
    return int(np.argmax([s if np.isfinite(s) else -np.inf for s in scores]))
