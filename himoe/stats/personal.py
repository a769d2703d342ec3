"""One person's own offset and scale for any model's predictions, from a few trials that the person has rated.

The offset is the mean error over these trials, the scale the ratio of the labels' spread in them to that of the predictions
(:mod:`himoe.stats.calibration` says why the spreads and not a slope). Both are drawn towards none, the more so the fewer trials
there are and the less people differ. How much people differ, in level and in spread, is taken from the ratings of other people
and from no prediction: it is the same for every model.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from himoe.stats.metrics import CONSTANT


class Differences(NamedTuple):
    """How people's ratings of one target differ, in variances: ``levels`` of people's means, ``trials`` of a person's trials
    about that mean; ``spread`` is a person's variance over all labels, on average, and ``spreads`` the variance of that over
    people."""

    levels: float
    trials: float
    spread: float
    spreads: float


class Moments(NamedTuple):
    """Mean and mean square of labels or predictions of each trial, (n_trials,) both."""

    mean: np.ndarray
    square: np.ndarray

    @property
    def variance(self) -> float:
        """Of all values about their mean, trials weighing alike."""
        return float(max(self.square.mean() - self.mean.mean() ** 2, 0.0))


class Own(NamedTuple):
    """A person's correction: ``at + offset + scale (p - at)`` in the place of a prediction p."""

    at: float
    offset: float
    scale: float

    def corrected(self, predicted: np.ndarray) -> np.ndarray:
        """Predictions (n,) with it."""
        return self.at + self.offset + self.scale * (predicted - self.at)


def differences(labels: Moments, person: np.ndarray) -> Differences:
    """From the labels of trials, ``person`` (n_trials,) says whose. With n_v trials of person v, means m_vi of trials, M_v of
    people, and the variance s_v of a person's labels (one-way layout of random effects; a variance's own variance is 2 s^2 /
    (n - 1) of normal values)::

        trials  = sum (m_vi - M_v)^2 / sum (n_v - 1)       levels  = var M_v - trials mean(1 / n_v)
        spread  = mean s_v                                 spreads = var s_v - 2 spread^2 mean(1 / (n_v - 1))

    None is below 0; with fewer than two people those between people are 0, and nothing is corrected.
    """
    each = [Moments(labels.mean[here], labels.square[here]) for here in (person == name for name in np.unique(person))]
    if len(each) < 2:
        return Differences(0.0, 0.0, each[0].variance if each else 0.0, 0.0)
    n = np.array([len(one.mean) for one in each])
    about = sum(float(((one.mean - one.mean.mean()) ** 2).sum()) for one in each)
    trials = about / max(int((n - 1).sum()), 1)
    levels = np.var([one.mean.mean() for one in each], ddof=1) - trials * np.mean(1 / n)
    variances = np.array([one.variance for one in each])
    spread = float(variances.mean())
    spreads = variances.var(ddof=1) - 2 * spread**2 * np.mean(1 / np.maximum(n - 1, 1))
    return Differences(max(float(levels), 0.0), trials, spread, max(float(spreads), 0.0))


def own_correction(labels: Moments, predicted: Moments, people: Differences, scaled: bool) -> Own:
    """From k rated trials: labels and predictions of each. With L, T, S, V as in :class:`Differences`::

        offset = k L / (k L + T) (mean y - mean p)
        scale^2 = (q var y + (1 - q) S) / (q var p + (1 - q) S),   q = (k - 1) V / ((k - 1) V + 2 S^2)

    One trial has no scale; none is given unless ``scaled``.
    """
    k, at = len(labels.mean), float(predicted.mean.mean())
    weight = k * people.levels / (k * people.levels + people.trials) if people.levels > CONSTANT else 0.0
    offset = weight * (float(labels.mean.mean()) - at)
    if not scaled or people.spread < CONSTANT:
        return Own(at, offset, 1.0)
    known = (k - 1) * people.spreads
    q = known / (known + 2 * people.spread**2)
    prior = (1 - q) * people.spread
    return Own(at, offset, float(np.sqrt((q * labels.variance + prior) / (q * predicted.variance + prior))))
