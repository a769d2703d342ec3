"""What else could tell the answer: near copies between trials, and how much subject, order, length and absence give away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from himoe.stats.metrics import pcc
from himoe.types import Tokens

if TYPE_CHECKING:
    import pandas as pd

PENALTY = 10.0
MOST_DELAY = 2.0  # s
FEW = 20


def agreement(predictions: pd.DataFrame) -> tuple[float, str]:
    """The largest correlation of a model's predictions, before calibration, with the labels of a target over all test rows, and
    whose it is; -1 where nothing can be said: its fits failed, or there are fewer rows than ``FEW``."""
    best, whose = -1.0, ""
    for (model, target), part in predictions.groupby(["model", "target"], sort=True):
        y, predicted = (part[name].to_numpy(float) for name in ("y_true", "y_raw"))
        known = np.isfinite(predicted)
        if known.sum() >= FEW and (r := pcc(y[known], predicted[known])) > best:
            best, whose = r, f"{model}, {target}"
    return best, whose


def likeness(tokens: Tokens) -> np.ndarray:
    """Correlation of every two trials over all of their features and the steps that the shortest has, the largest over delays
    of up to 2 s, (n, n); the diagonal, and trials in which nothing was recorded, are -1. A copy under another name, rescaled,
    re-saved or cut elsewhere, is at 1."""
    n_steps = int(np.diff(tokens.offsets).min())
    most = min(round(MOST_DELAY * tokens.layout.token_rate), n_steps // 4)
    index = tokens.offsets[:-1, None] + np.arange(n_steps)  # (n, n_steps)
    owner = np.repeat(np.arange(tokens.mask.shape[1]), [len(names) for names in tokens.layout.features])
    x = np.where(tokens.mask[:, owner], tokens.x, 0.0).astype(np.float32)
    x = (x - x.mean(0)) / np.maximum(x.std(0), 1e-6)
    out = np.full((len(index), len(index)), -1.0)
    for delay in range(most + 1):
        late, recorded_late = _unit(x[index[:, delay:]], tokens.mask[index[:, delay:]])
        early, recorded_early = _unit(x[index[:, : n_steps - delay]], tokens.mask[index[:, : n_steps - delay]])
        likeness_at_delay = np.where(recorded_late[:, None] & recorded_early, late @ early.T, -1.0)
        out = np.maximum(out, np.maximum(likeness_at_delay, likeness_at_delay.T))
    np.fill_diagonal(out, -1.0)
    return out


def _unit(x: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, T, F) -> rows (n, T F) of mean 0 and length 1, and whether anything was recorded in them (n,)."""
    flat = x.reshape(len(x), -1)
    flat = flat - flat.mean(1, keepdims=True)
    size = np.linalg.norm(flat, axis=1)
    return flat / np.maximum(size, 1e-6)[:, None], (size > 1e-6) & mask.any((1, 2))


def identity(tokens: Tokens) -> tuple[float, float]:
    """(accuracy, chance) of naming the subject of a trial by the trial nearest to it, in mean and spread of every feature over
    time: how well a model could know whom it reads."""
    facts = trial_facts(tokens)
    x = np.concatenate([facts["features"], facts["spread"]], axis=1)
    x = (x - x.mean(0)) / np.maximum(x.std(0), 1e-9)
    distance = (x**2).sum(1)[:, None] + (x**2).sum(1) - 2 * x @ x.T
    np.fill_diagonal(distance, np.inf)
    same = facts["subject"][:, None] == facts["subject"]
    right = same[np.arange(len(x)), distance.argmin(1)].mean()
    return float(right), float((same.sum(1) - 1).mean() / max(len(x) - 1, 1))


def clip(tokens: Tokens) -> tuple[float, float]:
    """(accuracy, chance) of naming the stimulus of a trial of a person left out, among those the others met, from mean and
    spread of every feature over time: how well a model could know which clip it reads; NaN where no two people met the same.

    A ridge regression on indicators of the stimuli, features standardised within each person (no label): on people who met
    every clip it is linear discriminant analysis with a shrunk covariance (Hastie, Tibshirani & Friedman 2009, 4.2).
    """
    facts = trial_facts(tokens)
    x, subject = np.concatenate([facts["features"], facts["spread"]], axis=1), facts["subject"]
    for name in np.unique(subject):
        x[subject == name] = _standardised(x[subject == name])
    names, stimulus = np.unique([t.stimulus for t in tokens.trials], return_inverse=True)
    right, chances = [], []
    for name in np.unique(subject):
        others = subject != name
        met = np.isin(np.arange(len(names)), stimulus[others])
        judged = ~others & met[stimulus]
        if not judged.any():
            continue
        share = np.eye(len(names))[stimulus[others]]
        weight = np.linalg.solve(x[others].T @ x[others] + PENALTY * np.eye(x.shape[1]), x[others].T @ (share - share.mean(0)))
        says = np.where(met, share.mean(0) + x[judged] @ weight, -np.inf).argmax(1)
        right += (says == stimulus[judged]).tolist()
        chances += [1 / met.sum()] * len(says)
    return (float(np.mean(right)), float(np.mean(chances))) if right else (np.nan, np.nan)


def _standardised(x: np.ndarray) -> np.ndarray:
    """Columns of x (n, k) with mean 0 and spread 1; 0 where one does not vary."""
    return (x - x.mean(0)) / np.maximum(x.std(0), 1e-9)


def explained_by(columns: np.ndarray, y: np.ndarray, group: np.ndarray) -> float:
    """PCC of y (n,) with its ridge prediction from columns (n, k), each group left out in turn; 0 where they do not vary."""
    known = np.isfinite(y)
    columns, y, group = columns[known], y[known], group[known]
    names = np.unique(group)
    if len(names) < 2 or not np.ptp(columns, axis=0).any():
        return 0.0
    predicted = np.empty(len(y))
    for name in names:
        held_out = group == name
        rest, y_rest = columns[~held_out], y[~held_out]
        mean, scale = rest.mean(0), np.maximum(rest.std(0), 1e-9)
        x, z = (rest - mean) / scale, (columns[held_out] - mean) / scale
        weight = np.linalg.solve(x.T @ x + PENALTY * np.eye(x.shape[1]), x.T @ (y_rest - y_rest.mean()))
        predicted[held_out] = y_rest.mean() + z @ weight
    # within groups: the mean of the others is low where a group's own mean is high, a correlation of no meaning
    centred = [part - np.array([part[group == g].mean() for g in group]) for part in (y, predicted)]
    return pcc(*centred)


def trial_facts(tokens: Tokens) -> dict[str, np.ndarray]:
    """Of every trial: ``y`` (n, n_outputs) mean label, ``length`` (n, 1) tokens, ``presence`` (n, M), ``number`` (n,) its place
    among its subject's, ``features`` and ``spread`` (n, F) mean and standard deviation over time, ``subject`` (n,)."""
    starts, lengths = tokens.offsets[:-1], np.diff(tokens.offsets)
    count: dict[str, int] = {}
    number = []
    for t in tokens.trials:
        count[t.subject] = count.get(t.subject, -1) + 1
        number.append(count[t.subject])
    known = np.isfinite(tokens.y)
    y = np.add.reduceat(np.where(known, tokens.y, 0.0), starts, axis=0)
    n = np.add.reduceat(known.astype(float), starts, axis=0)
    presence = np.add.reduceat(tokens.mask.astype(float), starts, axis=0) / lengths[:, None]
    x = tokens.x.astype(float)
    mean, square = (np.add.reduceat(v, starts, axis=0) / lengths[:, None] for v in (x, x**2))
    return {
        "y": np.where(n > 0, y / np.maximum(n, 1), np.nan), "length": lengths[:, None].astype(float), "presence": presence,
        "features": mean, "spread": np.sqrt(np.maximum(square - mean**2, 0.0)),
        "number": np.array(number, float), "subject": np.array([t.subject for t in tokens.trials], object),
    }  # fmt: skip
