"""Regression metrics with population moments. A constant prediction or target has PCC = CCC = 0 and is counted, not dropped."""

from __future__ import annotations

import numpy as np

CONSTANT = 1e-12


def pcc(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Pearson correlation of (n,) arrays; 0 where either is constant, NaN where a value is."""
    if not np.isfinite(y_true.sum() + y_pred.sum()):
        return float("nan")
    if min(np.var(y_true), np.var(y_pred)) < CONSTANT:
        return 0.0
    return float(np.mean((y_true - y_true.mean()) * (y_pred - y_pred.mean())) / (y_true.std() * y_pred.std()))


def ccc(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Concordance correlation 2 cov / (s_y^2 + s_p^2 + (mu_y - mu_p)^2) (Lin 1989); 0 where either is
    constant, NaN where a value is."""
    if not np.isfinite(y_true.sum() + y_pred.sum()):
        return float("nan")
    if min(np.var(y_true), np.var(y_pred)) < CONSTANT:
        return 0.0
    covariance = np.mean((y_true - y_true.mean()) * (y_pred - y_pred.mean()))
    return float(2 * covariance / (np.var(y_true) + np.var(y_pred) + (y_true.mean() - y_pred.mean()) ** 2))


def all_metrics(y_true: np.ndarray, y_pred: np.ndarray, y_reference: np.ndarray) -> dict[str, float]:
    """Every metric of (n,) arrays; skill = 1 - MSE / MSE of the training mean ``y_reference``,
    whose error is ``reference_rmse``."""
    error = np.mean((y_true - y_pred) ** 2)
    reference = np.mean((y_true - y_reference) ** 2)
    return {
        "rmse": float(np.sqrt(error)),
        "reference_rmse": float(np.sqrt(reference)),
        "mae": float(np.mean(np.abs(y_true - y_pred))),
        "pcc": pcc(y_true, y_pred),
        "ccc": ccc(y_true, y_pred),
        "skill": float(1 - error / reference) if reference > CONSTANT else 0.0,
    }


def is_constant(values: np.ndarray) -> bool:
    """Whether a prediction is constant, so that its correlations are 0 by definition."""
    return bool(np.var(values) < CONSTANT)
