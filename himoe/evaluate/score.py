"""Metrics from predictions, and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd

from himoe import io
from himoe.evaluate import ceilings
from himoe.names import CLEAN
from himoe.stats.frames import pick
from himoe.stats.inference import mean_of
from himoe.stats.levels import POOLED
from himoe.stats.metrics import by_group
from himoe.types import HimoeError

KEYS = ["dataset", "protocol", "model", "seed"]
CASE = ["condition", "severity", "target"]
COLUMNS = [*KEYS, "subject", *CASE, "metric", "value", "n"]
RAW = ("ccc", "skill", "rmse")  # metrics that are also given of predictions as they were before calibration
UNDER = ("rmse", "reference_rmse", "ccc", "constant", "raw_ccc")  # metrics under a condition: a grid has many
MET = ["model", "seed", "fold", "condition", "severity", "perturbed"]
READ = [*KEYS, "fold", "subject", *CASE, "perturbed", "y_true", "y_pred", "y_raw", "y_reference"]


def score(predictions: pd.DataFrame) -> pd.DataFrame:
    """Tidy scores of predictions, per subject: metrics of :func:`himoe.stats.metrics.by_group`, ``raw_*`` of the predictions
    before calibration where these are in the table; under a condition those of :data:`UNDER`. ``centred_ccc`` is the CCC
    without the person's own mean of truth and of prediction: how high someone rates, which no model can know of an unseen
    person, costs nothing there."""
    group, groups = _groups(predictions, [*KEYS, "subject", *CASE])
    values = _values(predictions)
    # Deviations from the training mean of each row's fold: a subject tested in several folds meets several such means, each low
    # where the trials left out are high.
    scores = _tall(groups, _metrics(group, {name: column - values["y_reference"] for name, column in values.items()}))
    return scores[(scores["condition"] == CLEAN) | scores["metric"].isin(UNDER)].reset_index(drop=True)


def score_pooled(predictions: pd.DataFrame) -> pd.DataFrame:
    """Tidy scores over all subjects at once (``pooled_*``) and after removing each subject's mean (``centred_*``), of clean
    input.

    The pooled PCC of the training mean under leave-one-subject-out is about -0.3 by construction: kept beside the
    primary scores, never instead of them.
    """
    clean = pick(predictions, condition=CLEAN)
    group, groups = _groups(clean, [*KEYS, *CASE])
    person, _ = _groups(clean, [*KEYS, *CASE, "subject"])
    values = _values(clean)
    pooled = {f"pooled_{name}": of for name, of in _metrics(group, values).items() if name != "centred_ccc"}
    means = {name: np.bincount(person, column) / np.bincount(person) for name, column in values.items()}
    centred = by_group(group, *(values[n] - means[n][person] for n in ("y_true", "y_pred", "y_reference")))
    found = pooled | {f"centred_{name}": centred[name] for name in ("pcc", "ccc")}
    return _tall(groups.assign(subject=POOLED), found)


def _groups(predictions: pd.DataFrame, keys: list[str]) -> tuple[np.ndarray, pd.DataFrame]:
    """The number of each row's group, and ``keys`` and ``n``, rows, of every group, sorted."""
    groups = predictions.groupby(keys, sort=True, observed=True)
    return groups.ngroup().to_numpy(), groups.size().rename("n").reset_index()


def _metrics(group: np.ndarray, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    found = by_group(group, *(values[name] for name in ("y_true", "y_pred", "y_reference")))
    if "y_raw" in values:
        raw = by_group(group, *(values[name] for name in ("y_true", "y_raw", "y_reference")))
        found |= {f"raw_{name}": np.where(found["failed"] > 0, np.nan, raw[name]) for name in RAW}
    return found


def _tall(groups: pd.DataFrame, found: dict[str, np.ndarray]) -> pd.DataFrame:
    """One row per group and metric."""
    rows = groups.loc[groups.index.repeat(len(found))].reset_index(drop=True)
    values = np.stack(list(found.values()), axis=1).reshape(-1)
    return rows.assign(metric=np.tile(list(found), len(groups)), value=values)[COLUMNS]


def _values(predictions: pd.DataFrame) -> dict[str, np.ndarray]:
    """The columns that hold numbers on the scale of the labels."""
    names = ("y_true", "y_pred", "y_raw", "y_reference")
    return {name: predictions[name].to_numpy(float) for name in names if name in predictions}


def score_run(predictions: Sequence[str], splits: Sequence[str]) -> pd.DataFrame:
    """Tidy scores of a run: :func:`score_files` of every {dataset}/splits/{protocol}.csv and the predictions that are in
    {dataset}/{protocol}/."""
    parts = []
    for path in splits:
        folder = Path(path).parents[1] / Path(path).stem
        parts.append(score_files([file for file in predictions if folder == Path(file).parents[3]], path))
    return pd.concat(parts, ignore_index=True)


def score_files(files: Sequence[str], splits: str) -> pd.DataFrame:
    """Tidy scores of all predictions of a data set under a protocol, per subject and pooled, and of its ceilings; HimoeError
    unless all models met the same conditions. One model and seed is read at a time: predictions under a grid of conditions are
    large. ``files``: {model}/seed-{seed}/shard-{shard}/predictions.parquet, those of a seed one after another."""
    parts, met = [], []
    for _, shards in groupby(files, lambda file: Path(file).parents[1]):
        predictions = pd.concat([io.read_table(file, columns=READ) for file in shards], ignore_index=True)
        met.append(predictions[MET].drop_duplicates())
        parts += [score(predictions), score_pooled(predictions)]
    check_same_conditions(pd.concat(met, ignore_index=True))
    clean = pd.concat([io.read_table(file, filters=[("condition", "==", CLEAN)]) for file in files], ignore_index=True)
    labels = ceilings.true_labels(clean, ceilings.stimuli_of(splits))
    references = ceilings.references(labels)
    parts += [score(references), score_pooled(references), ceilings.residual_scores(clean, labels)]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def check_same_conditions(predictions: pd.DataFrame) -> None:
    """HimoeError if, in a fold under a severity, two fits met other masks or displacements (digests in ``perturbed``)."""
    fits = predictions[MET].drop_duplicates()
    for (fold, condition, severity), part in fits.groupby(MET[2:5], sort=True):
        if part["perturbed"].nunique() > 1:
            first = part.iloc[0]
            other = part[part["perturbed"] != first["perturbed"]].iloc[0]
            names = " and ".join(f"{fit['model']} (seed {fit['seed']})" for fit in (first, other))
            raise HimoeError(
                f"predictions: {names} met other masks or shifts in fold {fold} under {condition} {severity:g}; "
                "delete both predictions and run again"
            )


def read_scores(file: str) -> pd.DataFrame:
    """Scores of a run. Subjects are names, even where they look like numbers.

    Parameters
    ----------
    file
        ``results/scores.csv``.

    Returns
    -------
    pandas.DataFrame
        A row for each data set, protocol, model, seed, subject, condition, severity, target and metric: ``value``, of ``n``
        rows.

    Raises
    ------
    HimoeError
        If it cannot be read.

    Examples
    --------
    >>> import himoe, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "scores.csv")
    >>> names = "dataset,protocol,model,seed,subject,condition,severity,target,metric,value,n"
    >>> _ = path.write_text(names + "\\n" + "own,loso,himoe,0,01,clean,0,valence,ccc,0.4,60")
    >>> himoe.read_scores(path)[["subject", "value"]].to_numpy().tolist()
    [['01', 0.4]]
    """
    return io.read_table(file, dtype={"subject": str})


def per_subject(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Seeds averaged: one row per setting (data set and protocol), model, condition, severity, target and subject."""
    rows = pick(scores, metric=metric)
    return mean_of(rows[rows["subject"] != POOLED], ["setting", "model", "condition", "severity", "target", "subject"])
