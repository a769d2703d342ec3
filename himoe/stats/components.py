"""Variance components of crossed random effects by the method of moments (Henderson 1953, method I; Searle, Casella & McCulloch
1992, chapter 5): unbiased whatever is missing, and the analysis of variance where nothing is.

For each factor A the sum T_A of n_a times the squared mean of each of its levels has the expectation

    N mu^2 + sum over factors B of k_AB s_B^2,   k_AB = sum over a of (sum over b of n_ab^2) / n_a,

where the rest is a factor with a level for every value, and the mean one with a single level: as many equations as unknowns.
"""

from __future__ import annotations

import numpy as np

REST = "rest"
Codes = np.ndarray  # level of each value, (n,) integers


def components(values: np.ndarray, factors: dict[str, np.ndarray]) -> dict[str, float]:
    """Variance of each factor and of the ``rest`` for ``values`` (n,), of which ``factors`` give the level, (n,) each.

    A factor that cannot be told from the mean, from the rest or from those named before it is NaN, and what it does is in
    theirs. An estimate may be below 0; all are NaN where a value is.
    """
    values, n = np.asarray(values, float), len(values)
    found = dict.fromkeys([*factors, REST], np.nan)
    if n < 2 or np.isnan(values).any():
        return found
    codes, kept = {name: np.unique(labels, return_inverse=True)[1] for name, labels in factors.items()}, [REST]
    codes[REST] = np.arange(n)
    for name in factors:
        if np.linalg.matrix_rank(_expected(codes, [*kept, name]), tol=1e-8) > len(kept):
            kept.append(name)
    centred = values - values.mean()
    observed = [(np.bincount(codes[a], centred) ** 2 / np.bincount(codes[a])).sum() / n for a in kept]
    return found | dict(zip(kept, map(float, np.linalg.solve(_expected(codes, kept), observed)), strict=True))


def _expected(codes: dict[str, Codes], names: list[str]) -> np.ndarray:
    """What a unit of each component adds to each (T_A - T_mean) / N, (n_names, n_names)."""
    nothing = np.zeros(len(codes[REST]), int)
    return np.array([[_shared(codes[a], codes[b]) - _shared(nothing, codes[b]) for b in names] for a in names])


def _shared(a: Codes, b: Codes) -> float:
    """k_AB / N."""
    pairs, counts = np.unique(np.stack([a, b]), axis=1, return_counts=True)
    return float((counts**2 / np.bincount(a)[pairs[0]]).sum() / len(a))
