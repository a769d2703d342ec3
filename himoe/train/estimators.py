"""The fit of one fold of a model that is no network: configuration by inner validation, then one fit."""

from __future__ import annotations

import time
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from himoe.data.rows import to_rows
from himoe.splits.guards import select
from himoe.stats.metrics import ccc
from himoe.train.results import Fitted
from himoe.train.scaling import Scaler
from himoe.train.tuning import best, candidates, configured
from himoe.types import HimoeError, Split, Tokens

if TYPE_CHECKING:
    from himoe.config.sections import Training, Tuning


def fit(
    plugin: ModuleType, config: Any, settings: Training, tuning: Tuning, tokens: Tokens, split: Split, seed: int
) -> Fitted:  # fmt: skip
    """Fitted on the training rows, or with ``settings.refit`` on those of inner validation too."""
    started = time.perf_counter()
    valid = select(tokens, split.valid)
    tried = _tried(plugin, config, settings, tuning, select(tokens, split.train), valid, seed)
    chosen = tried[best([told["valid_ccc"] for told in tried])]["changes"] if tried else {}
    own = select(tokens, split.train | split.valid if settings.refit else split.train)
    judged = sorted(t.digest for t in valid.trials) if tried else []
    read = sorted({*judged, *(t.digest for t in own.trials)})
    fitted = Fitted(split.fold, Scaler.fit(own), {}, read=read, judged=judged, chosen=chosen, tried=tried)
    final, _ = configured(plugin, config, settings, chosen)
    fitted.state = plugin.fit(to_rows(fitted.scaler.transform(own)), final, seed)
    fitted.n_parameters = sum(a.size for a in fitted.state.values() if a.dtype.kind == "f")
    fitted.seconds = time.perf_counter() - started
    return fitted


def _tried(
    plugin: ModuleType, config: Any, settings: Training, tuning: Tuning, train: Tokens, valid: Tokens, seed: int
) -> list[dict[str, Any]]:  # fmt: skip
    """Every configuration on the training rows, judged on the validation rows; nothing where there is one to choose from."""
    changes = candidates(plugin, tuning)
    if len(changes) == 1:
        return []
    scaler, out = Scaler.fit(train), []
    rows, held = (to_rows(scaler.transform(part)) for part in (train, valid))
    if not (labelled := np.isfinite(held.y).any(0)).all():
        target = valid.layout.targets[int(np.argmin(labelled))]
        raise HimoeError(f"no trial of inner validation has a label of {target}; choose other splits")
    for change in changes:
        one, _ = configured(plugin, config, settings, change)
        said = plugin.predict(plugin.fit(rows, one, seed), held)
        pairs = [(y[np.isfinite(y)], p[np.isfinite(y)]) for y, p in zip(held.y.T, said.T, strict=True)]
        out.append({"changes": change, "valid_ccc": float(np.mean([ccc(*pair) for pair in pairs]))})
    return out
