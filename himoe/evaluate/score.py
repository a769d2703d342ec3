"""Metrics from predictions, and from nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd

from himoe import io
from himoe.evaluate import ceilings
from himoe.stats.frames import pick
from himoe.stats.inference import mean_of
from himoe.stats.levels import POOLED
from himoe.stats.metrics import all_metrics, is_constant

KEYS = ["dataset", "protocol", "model", "seed"]
COLUMNS = [*KEYS, "subject", "condition", "severity", "target", "metric", "value", "n"]
RAW = ("ccc", "skill", "rmse")  # metrics that are also given of predictions as they were before calibration


def score(predictions: pd.DataFrame) -> pd.DataFrame:
    """Tidy scores of predictions, per subject: every metric, ``constant`` = 1 where a prediction does not vary, ``failed`` = 1
    where there is none because its fold diverged (every other metric is NaN then), ``raw_*`` of the predictions before
    calibration where these are in the table. ``centred_ccc`` is the CCC without the person's own mean of truth and of
    prediction: how high someone rates, which no model can know of an unseen person, costs nothing there."""
    rows = []
    values = _values(predictions)
    groups = predictions.groupby([*KEYS, "subject", "condition", "severity", "target"], sort=True)
    for key, part in groups:
        # Deviations from the training mean of each row's fold: a subject tested in several folds meets several such means, each
        # low where the trials left out are high.
        deviations = part[values].sub(part["y_reference"], axis=0)
        rows += _rows(key, deviations)
        rows += [row for row in _rows(key, deviations - deviations.mean(), "centred_") if row[8] == "centred_ccc"]
    return pd.DataFrame(rows, columns=COLUMNS)


def score_pooled(predictions: pd.DataFrame) -> pd.DataFrame:
    """Tidy scores over all subjects at once (``pooled_*``) and after removing each subject's mean (``centred_*``).

    The pooled PCC of the training mean under leave-one-subject-out is about -0.3 by construction: kept beside the
    primary scores, never instead of them.
    """
    rows = []
    values = _values(predictions)
    for key, part in predictions.groupby([*KEYS, "condition", "severity", "target"], sort=True):
        key = (*key[:4], POOLED, *key[4:])
        rows += _rows(key, part, "pooled_")
        centred = part[values] - part.groupby("subject")[values].transform("mean")
        rows += [row for row in _rows(key, centred, "centred_") if row[8] in ("centred_pcc", "centred_ccc")]
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(key: tuple, part: pd.DataFrame, prefix: str = "") -> list[tuple]:
    y_true, y_pred, y_reference = (part[c].to_numpy(float) for c in ("y_true", "y_pred", "y_reference"))
    if failed := bool(np.isnan(y_pred).any()):  # predict writes NaN for a failed fold and nothing else
        metrics = dict.fromkeys([*all_metrics(y_true, y_true, y_reference), "constant"], np.nan)
    else:
        metrics = all_metrics(y_true, y_pred, y_reference) | {"constant": float(is_constant(y_pred))}
    if "y_raw" in part:
        raw = metrics if failed else all_metrics(y_true, part["y_raw"].to_numpy(float), y_reference)
        metrics |= {f"raw_{name}": raw[name] for name in RAW}
    metrics["failed"] = float(failed)
    return [(*key, prefix + name, value, len(part)) for name, value in metrics.items()]


def _values(predictions: pd.DataFrame) -> list[str]:
    """The columns that hold numbers on the scale of the labels."""
    return [name for name in ("y_true", "y_pred", "y_raw", "y_reference") if name in predictions]


def score_files(files: list[str], splits: str) -> pd.DataFrame:
    """Tidy scores of all predictions of a data set under a protocol, per subject and pooled, and of its ceilings."""
    predictions = pd.concat([io.read_table(file) for file in files], ignore_index=True)
    labels = ceilings.true_labels(predictions, ceilings.stimuli_of(splits))
    residuals = ceilings.residual_scores(predictions, labels)
    predictions = pd.concat([predictions, ceilings.references(labels)], ignore_index=True)
    return pd.concat([score(predictions), score_pooled(predictions), residuals], ignore_index=True)


def gather(files: list[str]) -> pd.DataFrame:
    """Scores of several files as one table."""
    return pd.concat([io.read_table(file, dtype={"subject": str}) for file in files], ignore_index=True)


def per_subject(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Seeds averaged: one row per setting (data set and protocol), model, condition, severity, target and subject."""
    rows = pick(scores, metric=metric)
    return mean_of(rows[rows["subject"] != POOLED], ["setting", "model", "condition", "severity", "target", "subject"])
