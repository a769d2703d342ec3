"""Metrics from predictions, and from nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd

from himoe.evaluate import ceilings
from himoe.stats.frames import pick
from himoe.stats.inference import mean_of
from himoe.stats.levels import POOLED
from himoe.stats.metrics import all_metrics, ccc, is_constant, pcc
from himoe.types import HimoeError

KEYS = ["dataset", "protocol", "model", "seed"]
COLUMNS = [*KEYS, "subject", "condition", "severity", "target", "metric", "value", "n"]
RAW = ("ccc", "skill", "rmse")  # metrics that are also given of predictions as they were before calibration


def score(predictions: pd.DataFrame) -> pd.DataFrame:
    """Tidy scores of predictions, per subject: every metric, ``constant`` = 1 where a prediction does not vary, ``failed`` = 1
    where there is none because its fold diverged (every other metric is NaN then), ``raw_*`` of the predictions before
    calibration where these are in the table. ``centred_ccc`` is the CCC without the person's own mean of truth and of
    prediction: how high someone rates, which no model can know of an unseen person, costs nothing there."""
    values, rows = _values(predictions), []
    # Deviations from the training mean of each row's fold: a subject tested in several folds meets several such means, each low
    # where the trials left out are high.
    deviations = {name: column - values["y_reference"] for name, column in values.items()}
    for key, index in _groups(predictions, [*KEYS, "subject", "condition", "severity", "target"]):
        part = {name: column[index] for name, column in deviations.items()}
        centred = {name: column - column.mean() for name, column in part.items()}
        rows += _rows(key, part)
        rows += [(*key, "centred_ccc", ccc(centred["y_true"], centred["y_pred"]), len(index))]
    return pd.DataFrame(rows, columns=COLUMNS)


def score_pooled(predictions: pd.DataFrame) -> pd.DataFrame:
    """Tidy scores over all subjects at once (``pooled_*``) and after removing each subject's mean (``centred_*``).

    The pooled PCC of the training mean under leave-one-subject-out is about -0.3 by construction: kept beside the
    primary scores, never instead of them.
    """
    values, rows = _values(predictions), []
    for key, index in _groups(predictions, [*KEYS, "condition", "severity", "target"]):
        key = (*key[:4], POOLED, *key[4:])
        part = pd.DataFrame({name: column[index] for name, column in values.items()})
        rows += _rows(key, {name: part[name].to_numpy() for name in part}, "pooled_")
        centred = part - part.groupby(predictions["subject"].to_numpy()[index]).transform("mean")
        y_true, y_pred = centred["y_true"].to_numpy(), centred["y_pred"].to_numpy()
        rows += [(*key, f"centred_{name}", metric(y_true, y_pred), len(index)) for name, metric in (("pcc", pcc), ("ccc", ccc))]
    return pd.DataFrame(rows, columns=COLUMNS)


def _groups(predictions: pd.DataFrame, keys: list[str]) -> list[tuple[tuple, np.ndarray]]:
    """(values of ``keys``, positions of the rows that have them), sorted."""
    return sorted(predictions.groupby(keys).indices.items())


def _rows(key: tuple, part: dict[str, np.ndarray], prefix: str = "") -> list[tuple]:
    y_true, y_pred, y_reference = (part[c] for c in ("y_true", "y_pred", "y_reference"))
    if failed := bool(np.isnan(y_pred).any()):  # predict writes NaN for a failed fold and nothing else
        metrics = dict.fromkeys([*all_metrics(y_true, y_true, y_reference), "constant"], np.nan)
    else:
        metrics = all_metrics(y_true, y_pred, y_reference) | {"constant": float(is_constant(y_pred))}
    if "y_raw" in part:
        raw = metrics if failed else all_metrics(y_true, part["y_raw"], y_reference)
        metrics |= {f"raw_{name}": raw[name] for name in RAW}
    metrics["failed"] = float(failed)
    return [(*key, prefix + name, value, len(y_true)) for name, value in metrics.items()]


def _values(predictions: pd.DataFrame) -> dict[str, np.ndarray]:
    """The columns that hold numbers on the scale of the labels."""
    names = ("y_true", "y_pred", "y_raw", "y_reference")
    return {name: predictions[name].to_numpy(float) for name in names if name in predictions}


def score_files(files: list[str], splits: str) -> pd.DataFrame:
    """Tidy scores of all predictions of a data set under a protocol, per subject and pooled, and of its ceilings; HimoeError
    unless all models met the same conditions."""
    predictions = pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
    check_same_conditions(predictions)
    labels = ceilings.true_labels(predictions, ceilings.stimuli_of(splits))
    residuals = ceilings.residual_scores(predictions, labels)
    predictions = pd.concat([predictions, ceilings.references(labels)], ignore_index=True)
    return pd.concat([score(predictions), score_pooled(predictions), residuals], ignore_index=True)


def check_same_conditions(predictions: pd.DataFrame) -> None:
    """HimoeError if, in a fold under a severity, two fits met other masks or displacements (digests in ``perturbed``)."""
    fits = predictions[["model", "seed", *(case := ["fold", "condition", "severity"]), "perturbed"]].drop_duplicates()
    for (fold, condition, severity), part in fits.groupby(case, sort=True):
        if part["perturbed"].nunique() > 1:
            first = part.iloc[0]
            other = part[part["perturbed"] != first["perturbed"]].iloc[0]
            names = " and ".join(f"{fit['model']} (seed {fit['seed']})" for fit in (first, other))
            raise HimoeError(
                f"predictions: {names} met other masks or shifts in fold {fold} under {condition} {severity:g}; "
                "delete both predictions and run again"
            )


def gather(files: list[str]) -> pd.DataFrame:
    """Scores of several files as one table."""
    return pd.concat([pd.read_csv(file, dtype={"subject": str}) for file in files], ignore_index=True)


def per_subject(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Seeds averaged: one row per setting (data set and protocol), model, condition, severity, target and subject."""
    rows = pick(scores, metric=metric)
    return mean_of(rows[rows["subject"] != POOLED], ["setting", "model", "condition", "severity", "target", "subject"])
