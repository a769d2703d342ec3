"""Scores that tests make up."""

from __future__ import annotations

import numpy as np
import pandas as pd

SPREAD = {"people": 0.06, "seeds": 0.005, "rest": 0.02}  # SDs of a lead in CCC, as `statistics` assumes them
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


def drawn(
    means: dict[str, float], n_people: int, n_seeds: int, rng: np.random.Generator, setting: str = "deap_twin"
) -> pd.DataFrame:
    """CCC of models on clean input as people and seeds are drawn: what is easy about a person (SD .15) is so for every model,
    and a model's own luck with people, with seeds and with both makes leads that vary by SPREAD, correlated by 1/2 between
    rivals. Two targets, alike but for what they leave to chance."""
    sds = {name: sd / np.sqrt(2) for name, sd in SPREAD.items()}
    easy, frames = 0.15 * rng.standard_normal((n_people, 1)), []
    for model, mean in means.items():
        level = mean + easy + sds["people"] * rng.standard_normal((n_people, 1))
        level = level + sds["seeds"] * rng.standard_normal((1, n_seeds))
        for target in ("valence", "arousal"):  # their mean has the SD of the rest
            value = level + sds["rest"] * np.sqrt(2) * rng.standard_normal((n_people, n_seeds))
            people, seeds = np.indices(value.shape).reshape(2, -1)
            of = {"setting": setting, "model": model, "target": target, "condition": "clean", "severity": 0.0, "metric": "ccc"}
            frames.append(pd.DataFrame({**of, "subject": [f"s{i:02d}" for i in people], "seed": seeds, "value": value.ravel()}))
    return pd.concat(frames, ignore_index=True)
