"""The search for a model's configuration: as many tries for every model, drawn from its space, chosen by inner validation.

A space is a literal of the plug-in, ``SPACE = {"penalty": (1.0, 10.0)}``; keys that begin with ``training.`` are the trainer's.
Every torch model has the trainer's part and its dropout beside its own.
"""

from __future__ import annotations

import zlib
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from himoe.config.sections import Training, Tuning

OF_NETWORKS = {
    "training.learning_rate": (2e-4, 5e-4, 1e-3, 2e-3),
    "training.weight_decay": (1e-3, 1e-2, 1e-1),
    "dropout": (0.0, 0.1, 0.3),
}
TRAINER = "training."
Options = dict[str, Any]


def space_of(plugin: ModuleType) -> dict[str, tuple]:
    """Values by key; empty for a model with nothing to choose."""
    return (OF_NETWORKS if hasattr(plugin, "build") else {}) | getattr(plugin, "SPACE", {})


def candidates(plugin: ModuleType, tuning: Tuning) -> list[Options]:
    """What is tried: nothing changed, then different random points of the space; fewer where it has no more."""
    space, out = space_of(plugin), [{}]
    n = min(tuning.configurations, 1 + int(np.prod([len(v) for v in space.values()])) if space else 1)
    rng = np.random.default_rng([tuning.seed, zlib.crc32(plugin.__name__.encode())])
    while len(out) < n:
        drawn = {key: values[rng.integers(len(values))] for key, values in space.items()}
        if drawn not in out:
            out.append(drawn)
    return out


def configured(plugin: ModuleType, config: Any, settings: Training, changes: Options) -> tuple[Any, Training]:
    """(model's settings, trainer's settings) with these changes."""
    trainer = {key.removeprefix(TRAINER): v for key, v in changes.items() if key.startswith(TRAINER)}
    own = {key: v for key, v in changes.items() if not key.startswith(TRAINER)}
    return plugin.Config(**(config.model_dump() | own)), type(settings)(**(settings.model_dump() | trainer))


def best(scores: list[float]) -> int:
    """Which was best; the first of equals, and the first where none is a number."""
    return int(np.argmax([s if np.isfinite(s) else -np.inf for s in scores]))
