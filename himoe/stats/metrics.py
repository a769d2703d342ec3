"""Regression metrics with population moments. A constant prediction or target has PCC = CCC = 0 and is counted, not dropped."""

from __future__ import annotations

import numpy as np

CONSTANT = 1e-12


def pcc(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Pearson correlation; 0 where either is constant, NaN where a value is.

    Parameters
    ----------
    y_true, y_pred
        (n,) ratings and predictions.

    Returns
    -------
    float
        From -1 to 1.

    Examples
    --------
    >>> import himoe, numpy as np
    >>> round(himoe.metrics.pcc(np.array([1.0, 2, 3]), np.array([10.0, 30, 50])), 6)
    1.0
    """
    if not np.isfinite(y_true.sum() + y_pred.sum()):
        return float("nan")
    if min(np.var(y_true), np.var(y_pred)) < CONSTANT:
        return 0.0
    return float(np.mean((y_true - y_true.mean()) * (y_pred - y_pred.mean())) / (y_true.std() * y_pred.std()))


def ccc(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Concordance correlation 2 cov / (s_y^2 + s_p^2 + (mu_y - mu_p)^2) (Lin 1989), with population moments; 0 where either is
    constant, NaN where a value is.

    Parameters
    ----------
    y_true, y_pred
        (n,) ratings and predictions of one person, or of whatever is to be judged as one.

    Returns
    -------
    float
        From -1 to 1; 1 only where every prediction is right.

    Examples
    --------
    One too high throughout: 2 * (2/3) / (2/3 + 2/3 + 1) = 4/7.

    >>> import himoe, numpy as np
    >>> round(himoe.metrics.ccc(np.array([1.0, 2, 3]), np.array([2.0, 3, 4])), 4)
    0.5714
    """
    if not np.isfinite(y_true.sum() + y_pred.sum()):
        return float("nan")
    if min(np.var(y_true), np.var(y_pred)) < CONSTANT:
        return 0.0
    covariance = np.mean((y_true - y_true.mean()) * (y_pred - y_pred.mean()))
    return float(2 * covariance / (np.var(y_true) + np.var(y_pred) + (y_true.mean() - y_pred.mean()) ** 2))


def by_group(group: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray, y_reference: np.ndarray) -> dict[str, np.ndarray]:
    """Every metric of each group of rows, (n_groups,) each.

    ``group`` numbers the group of each row, 0 to n_groups - 1 without a gap; the other arrays are (n,), too. Skill is
    1 - MSE / MSE of the training mean ``y_reference``, whose error is ``reference_rmse``; ``centred_ccc`` is the CCC once both
    means are taken away; ``constant`` is 1 where a prediction does not vary, and PCC and CCC are 0 then. Where a prediction is
    missing, its group has ``failed`` = 1 and no other metric.
    """
    n = np.bincount(group)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(group, values) / n

    true_mean, predicted_mean = mean(y_true), mean(y_pred)
    true, predicted = y_true - true_mean[group], y_pred - predicted_mean[group]
    true_var, predicted_var, covariance = mean(true**2), mean(predicted**2), mean(true * predicted)
    error, reference = mean((y_true - y_pred) ** 2), mean((y_true - y_reference) ** 2)
    failed = np.isnan(predicted_mean)
    flat = np.minimum(true_var, predicted_var) < CONSTANT
    spread = np.where(flat, 1.0, true_var + predicted_var)
    found = {
        "rmse": np.sqrt(error),
        "reference_rmse": np.sqrt(reference),
        "mae": mean(np.abs(y_true - y_pred)),
        "pcc": np.where(flat, 0.0, covariance / np.sqrt(np.where(flat, 1.0, true_var * predicted_var))),
        "ccc": np.where(flat, 0.0, 2 * covariance / (spread + (true_mean - predicted_mean) ** 2)),
        "skill": np.where(reference > CONSTANT, 1 - error / np.where(reference > CONSTANT, reference, 1.0), 0.0),
        "constant": (predicted_var < CONSTANT).astype(float),
        "centred_ccc": np.where(flat, 0.0, 2 * covariance / spread),
    }
    return {name: np.where(failed, np.nan, values) for name, values in found.items()} | {"failed": failed.astype(float)}
