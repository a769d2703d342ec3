"""Variance components of crossed random effects by the method of moments (Henderson 1953, method I; Searle, Casella & McCulloch
1992, chapter 5): unbiased whatever is missing, and the analysis of variance where nothing is.

For each factor A the sum T_A of n_a times the squared mean of each of its levels has the expectation

    N mu^2 + sum over factors B of k_AB s_B^2,   k_AB = sum over a of (sum over b of n_ab^2) / n_a,

where the rest is a factor with a level for every value, and the mean one with a single level: as many equations as unknowns.
"""

from __future__ import annotations

import numpy as np

REST = "rest"


def components(values: np.ndarray, factors: dict[str, np.ndarray]) -> dict[str, float]:
    """Variance of each factor and of the ``rest`` for ``values`` (n,), of which ``factors`` give the level, (n,) each.

    A factor that cannot be told from the mean, from the rest or from those named before it is NaN, and what it does is in
    theirs. An estimate may be below 0; all are NaN where a value is.
    """
    values, n = np.asarray(values, float), len(values)
    found = dict.fromkeys([*factors, REST], np.nan)
    if n < 2 or np.isnan(values).any():
        return found
    codes = [np.arange(n), *(np.unique(labels, return_inverse=True)[1] for labels in factors.values())]
    expected, names, kept = _expected(codes), [REST, *factors], [0]
    for i in range(1, len(codes)):
        if np.linalg.matrix_rank(expected[np.ix_([*kept, i], [*kept, i])], tol=1e-8) > len(kept):
            kept.append(i)
    centred = values - values.mean()
    observed = [(np.bincount(codes[a], centred) ** 2 / np.bincount(codes[a])).sum() / n for a in kept]
    variances = np.linalg.solve(expected[np.ix_(kept, kept)], observed)
    return found | {names[i]: float(variance) for i, variance in zip(kept, variances, strict=True)}


def _expected(codes: list[np.ndarray]) -> np.ndarray:
    """What a unit of each component adds to each (T_A - T_mean) / N, (n_factors, n_factors), of the level of each value."""
    of_mean = [(np.bincount(b) ** 2).sum() / len(b) ** 2 for b in codes]
    return np.array([[_shared(a, b) for b in codes] for a in codes]) - of_mean


def _shared(a: np.ndarray, b: np.ndarray) -> float:
    """k_AB / N."""
    n_levels = int(b.max()) + 1
    pairs, counts = np.unique(a * n_levels + b, return_counts=True)
    return float((counts**2 / np.bincount(a)[pairs // n_levels]).sum() / len(a))
