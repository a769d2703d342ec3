"""Scores that tests make up."""

from __future__ import annotations

import numpy as np
import pandas as pd

KEYS = ["setting", "model", "seed", "subject", "target", "condition", "severity", "metric"]


def scores(values: dict[str, float], failed: tuple[str, int, tuple[str, ...]] | None = None) -> pd.DataFrame:
    """Scores of models on six subjects, two seeds; ``failed``: model, seed, subjects without a score."""
    rng, rows = np.random.default_rng(0), []
    for model, mean in values.items():
        for seed in (0, 1):
            for i in range(6):
                gone = failed and (model, seed) == failed[:2] and f"s{i}" in failed[2]
                for condition, severity in (("clean", 0.0), ("missing_rate", 0.0), ("missing_rate", 0.5)):
                    noise = 0.01 * rng.standard_normal()
                    for metric, value in (("ccc", mean), ("skill", mean), ("rmse", 1 - mean), ("reference_rmse", 1.0)):
                        value = np.nan if gone else value - 0.2 * severity + noise * (metric != "reference_rmse")
                        rows.append(("deap_twin", model, seed, f"s{i}", "valence", condition, severity, metric, value))
    return pd.DataFrame(rows, columns=[*KEYS, "value"])
