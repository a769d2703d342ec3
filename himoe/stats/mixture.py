"""How much a network's prediction counts beside that of a linear read-out: as people judge that neither was fitted on.

Epoch and configuration of the network were chosen on the same people, those of the read-out were not, so the network looks
better than it is: the smallest share within one standard error of the best is taken, and still a network of noise has a share
now and then.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from himoe.stats.metrics import CONSTANT, ccc

SHARES = np.linspace(0, 1, 11)  # of the network


class Mixture(NamedTuple):
    """``weights`` (2, n_outputs) of the linear and of the network's prediction, and the network's ``share``, 0 to 1, which they
    give it when both have one spread."""

    weights: np.ndarray
    share: float


def mixture(y: np.ndarray, linear: np.ndarray, network: np.ndarray, person: np.ndarray) -> Mixture:
    """The mixture of a linear and a network's prediction.

    y (NaN where unknown), linear and network (n, n_outputs) in units of the standardised targets, person (n,). Both are
    brought to one spread, mixed in equal shares for all targets, and judged by the CCC of each person and target at the spread
    of the labels. Of all shares the smallest is taken that is within one standard error (over people and targets) of the best
    (Breiman et al. 1984, section 3.4.3): a network that adds nothing that can be seen has none, and the read-out is what is
    left.
    """
    spreads, found = [], []
    for k in range(y.shape[1]):
        known = np.isfinite(y[:, k])
        pair = np.stack([linear[known, k], network[known, k]]).astype(np.float64)  # (2, n)
        spread = np.maximum(_spread(pair, person[known]), CONSTANT**0.5)
        spreads.append(spread)
        found.append(_judged(y[known, k].astype(np.float64), pair / spread[:, None], person[known]))
    share = _smallest(np.concatenate(found, axis=1))
    parts = np.array([1 - share, share])[:, None]  # (2, 1)
    spread = np.stack(spreads, axis=1)  # (2, n_outputs)
    return Mixture(parts / spread * (parts * spread).sum(0), share)


def _spread(values: np.ndarray, person: np.ndarray) -> np.ndarray:
    """Root mean over people of the variance within each, of (..., n) -> (...)."""
    variances = [values[..., person == name].var(-1) for name in np.unique(person)]
    return np.sqrt(np.mean(variances, axis=0)) if variances else np.ones(values.shape[:-1])


def _judged(y: np.ndarray, pair: np.ndarray, person: np.ndarray) -> np.ndarray:
    """CCC of every share and person, (n_shares, n_people), of predictions pair (2, n) of unit spread."""
    wanted = np.sqrt(np.mean([(y[person == name] ** 2).mean() for name in np.unique(person)])) if len(y) else 1.0
    out = []
    for share in SHARES:
        mixed = (1 - share) * pair[0] + share * pair[1]
        mixed = mixed * wanted / max(float(_spread(mixed, person)), CONSTANT**0.5)
        out.append([ccc(y[person == name], mixed[person == name]) for name in np.unique(person)])
    return np.array(out).reshape(len(SHARES), -1)


def _smallest(scores: np.ndarray) -> float:
    """The smallest share within one standard error of the best, of scores (n_shares, n); 0 where there are fewer than two."""
    if scores.shape[1] < 2:
        return 0.0
    behind = scores[scores.mean(1).argmax()] - scores
    error = behind.std(1, ddof=1) / np.sqrt(scores.shape[1])
    return float(SHARES[np.argmax(behind.mean(1) <= error)])
