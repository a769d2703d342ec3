"""Fits of one data set, tested on all people of another, beside fits of that other data set (its own people left out, as the
protocol says). CCC on clean input, targets and folds averaged; what is lost across is paired over people, n of them who have
both. Features are
those that both have, by modality and name, as z-scores of each person's session where the run normalises so; scaler,
calibration and training mean are those of the data set that was fitted; its ratings are brought to the other scale by the
ends of both. Intervals are 95% over people and seeds. All people meet the same networks here, so that the luck of training
is in no interval of few seeds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from himoe import registry
from himoe.config.protocols import MIN_SEEDS
from himoe.config.transfer import tested_across
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import FAILED, intervals
from himoe.report.titles import dataset_of, model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.inference import mean_of
from himoe.stats.intervals import interval
from himoe.stats.levels import CLEAN, POOLED
from himoe.stats.metrics import ccc

TITLE = "Trained on one data set, tested on another"
SECTION = "comparison"
NEEDS = ("across", "scores")
REQUIRES = {"transfer": "*"}
NUMBERS = ["across", "within", "difference"]
BOUNDS = [f"{name}{end}" for name in NUMBERS for end in ("", "_low", "_high")]


def make(evidence: Evidence) -> TableItem:
    """One row per pair of data sets, protocol and model."""
    said, rows = ccc_across(evidence.across), []
    for dataset, other, protocol, models in tested_across(evidence.config):
        setting, home = evidence.setting(dataset, protocol), evidence.setting(other, protocol)
        for model in models:
            across = _values(pick(said, setting=setting, tested_on=other, model=model))
            within = _values(pick(_clean(evidence.all_scores), setting=home, model=model))
            rows.append([setting, other, model, *_numbers(across, within)])
    data = pd.DataFrame(rows, columns=["setting", "tested_on", "model", *BOUNDS, "n_subjects"])
    shown = pd.DataFrame({
        "trained on": data["setting"].map(setting_title), "tested on": data["tested_on"].map(setting_title),
        "model": data["model"].map(model_title), "CCC across [95% CI]": _cells(data, "across"),
        "trained on the other's own people": _cells(data, "within"), "across less own": _cells(data, "difference"),
        "n": data["n_subjects"],
    })  # fmt: skip
    return TableItem(data, shown, _finding(data), " ".join(_cautions(evidence)))


def _cautions(evidence: Evidence) -> Iterator[str]:
    """What the numbers cannot say."""
    if len(evidence.config.seeds) < MIN_SEEDS:
        yield f"Networks of fewer than {MIN_SEEDS} seeds: the luck of training is in no interval."
    if any(registry.is_twin(dataset) for dataset in evidence.config.transfer):
        yield "In twins a channel tells of valence and arousal as chance has it in each data set: nothing can carry over."


def ccc_across(predictions: pd.DataFrame) -> pd.DataFrame:
    """CCC by ``setting``, ``tested_on``, ``model``, ``seed``, ``subject`` and ``target``, mean over the folds that predict a
    person."""
    keys = ["setting", "tested_on", "model", "seed", "subject", "target"]
    y, predicted = (predictions[name].to_numpy(float) for name in ("y_true", "y_pred"))
    rows = [(*key[:-1], ccc(y[at], predicted[at])) for key, at in predictions.groupby([*keys, "fold"]).indices.items()]
    return mean_of(pd.DataFrame(rows, columns=[*keys, "value"]), keys)


def _clean(scores: pd.DataFrame) -> pd.DataFrame:
    rows = pick(scores, condition=CLEAN, metric="ccc")
    return rows[rows["subject"] != POOLED]


def _values(rows: pd.DataFrame) -> pd.DataFrame:
    """People by seeds, targets averaged."""
    return mean_of(rows, ["subject", "seed"]).pivot(index="subject", columns="seed", values="value")


def _numbers(across: pd.DataFrame, within: pd.DataFrame) -> list[float]:
    """Mean and interval of both and of their difference, of people and seeds that have both, NaN where a fold of either failed;
    and the number of these people."""
    people, seeds = across.index.intersection(within.index), across.columns.intersection(within.columns)
    paired = across.loc[people, seeds] - within.loc[people, seeds]
    parts = [across.to_numpy(float), within.to_numpy(float), paired.to_numpy(float)]
    return [*(float(v) for part in parts for v in (interval(part) if part.size else (np.nan,) * 3)), len(people)]


def _cells(data: pd.DataFrame, name: str) -> list[str]:
    return intervals(data[[name, f"{name}_low", f"{name}_high"]].to_numpy(float), FAILED)


def _finding(data: pd.DataFrame) -> str:
    """Of each pair: the best model, and how many are above 0 and below the data set's own."""
    sentences = []
    for (setting, other), part in data.groupby(["setting", "tested_on"], sort=False):
        known: Any = part[part["across"].notna()]
        if known.empty:
            sentences.append(f"{setting_title(str(setting))} to {setting_title(dataset_of(str(other)))}: every model failed.")
            continue
        best = known.loc[known["across"].idxmax()]
        cell = intervals(best[["across", "across_low", "across_high"]].to_numpy(float)[None])[0]
        above, below = int((known["across_low"] > 0).sum()), int((known["difference_high"] < 0).sum())
        sentences.append(
            f"Trained on {setting_title(str(setting))}, tested on {setting_title(str(other))}: the best is "
            f"{model_title(best['model'])}, CCC {cell}; {above} of {len(part)} models above 0, {below} below the same model "
            "trained on the other's own people, each with an interval."
        )
    return " ".join(sentences)
