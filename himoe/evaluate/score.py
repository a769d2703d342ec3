"""Metrics from predictions, and from nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd

from himoe.stats.inference import mean_of
from himoe.stats.metrics import all_metrics, is_constant

KEYS = ["dataset", "protocol", "model", "seed"]
COLUMNS = [*KEYS, "subject", "condition", "severity", "target", "metric", "value", "n"]
POOLED = "(pooled)"


def score(predictions: pd.DataFrame) -> pd.DataFrame:
    """Tidy scores of one shard's predictions: per subject, plus ``constant`` = 1 where a prediction does not vary and
    ``failed`` = 1 where there is none because its fold diverged (every other metric is NaN then)."""
    rows = []
    values = ["y_true", "y_pred", "y_reference"]
    groups = predictions.groupby([*KEYS, "subject", "condition", "severity", "target"], sort=True)
    for key, part in groups:
        # about each fold's training mean: who is tested in several folds has several, each low where what it left out is high
        rows += _rows(key, part[values].sub(part["y_reference"], axis=0))
    return pd.DataFrame(rows, columns=COLUMNS)


def score_pooled(predictions: pd.DataFrame) -> pd.DataFrame:
    """Tidy scores over all subjects at once (``pooled_*``) and after removing each subject's mean (``centred_*``).

    The pooled PCC of the training mean under leave-one-subject-out is about -0.3 by construction: kept beside the
    primary scores, never instead of them.
    """
    rows = []
    values = ["y_true", "y_pred", "y_reference"]
    for key, part in predictions.groupby([*KEYS, "condition", "severity", "target"], sort=True):
        key = (*key[:4], POOLED, *key[4:])
        rows += _rows(key, part, "pooled_")
        centred = part[values] - part.groupby("subject")[values].transform("mean")
        rows += [row for row in _rows(key, centred, "centred_") if row[8] in ("centred_pcc", "centred_ccc")]
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(key: tuple, part: pd.DataFrame, prefix: str = "") -> list[tuple]:
    y_true, y_pred, y_reference = (part[c].to_numpy(float) for c in ("y_true", "y_pred", "y_reference"))
    if failed := bool(np.isnan(y_pred).any()):  # predict writes NaN for a failed fold and nothing else
        found = dict.fromkeys([*all_metrics(y_true, y_true, y_reference), "constant"], np.nan)
    else:
        found = all_metrics(y_true, y_pred, y_reference) | {"constant": float(is_constant(y_pred))}
    found["failed"] = float(failed)
    return [(*key, prefix + name, value, len(part)) for name, value in found.items()]


def per_subject(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Seeds averaged: one row per setting (data set and protocol), model, condition, severity, target and subject."""
    keep = scores[(scores["metric"] == metric) & (scores["subject"] != POOLED)]
    return mean_of(keep, ["setting", "model", "condition", "severity", "target", "subject"])
