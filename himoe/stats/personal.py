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
    """How people's ratings of one target differ, in variances: ``levels`` of people's means, ``trials`` of the means of a
    person's trials; ``spread`` is a person's mean squared distance from their own mean, on average over people, ``spreads`` the
    variance of that over people and ``squares`` over the trials of a person."""

    levels: float
    trials: float
    spread: float
    spreads: float
    squares: float


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


def differences(labels: Moments, person: np.ndarray, stimulus: np.ndarray) -> Differences:
    """From the labels of trials; person and stimulus (n_trials,) say of whom and what. A trial's mean, and its mean squared
    distance from the person's mean, are taken apart alike, into what is the person's and what is the trial's."""
    own_mean = np.array([labels.mean[person == name].mean() for name in person])
    squares = labels.square - 2 * own_mean * labels.mean + own_mean**2
    each = [squares[person == name].mean() for name in np.unique(person)]
    levels, trials = _between_and_within(labels.mean, person, stimulus)
    spreads, of_squares = _between_and_within(squares, person, stimulus)
    return Differences(levels, trials, float(np.mean(each)) if each else 0.0, spreads, of_squares)


def _between_and_within(values: np.ndarray, person: np.ndarray, stimulus: np.ndarray) -> tuple[float, float]:
    """Variance over people of what is a person's own in the values of trials, and variance over a person's trials.

    People who met the same stimuli differ by less than these do: for the first, each stimulus's mean is taken away (of one that
    nobody else met, the mean of all). With means D_v of what is left, of n_v trials, and its variance w within people, it is
    var D_v - w mean(1 / n_v), or 0 if that is below it. With fewer than two people it is 0.
    """
    left = values.copy()
    for name in np.unique(stimulus):
        here = stimulus == name
        left[here] -= values[here].mean() if len(set(person[here])) > 1 else values.mean()
    people = [person == name for name in np.unique(person)]
    if len(people) < 2:
        return 0.0, _within(values, people)
    between = np.var([left[here].mean() for here in people], ddof=1)
    return max(float(between - _within(left, people) * np.mean([1 / here.sum() for here in people])), 0.0), _within(
        values, people
    )


def _within(values: np.ndarray, people: list[np.ndarray]) -> float:
    """Variance of values about their person's mean."""
    about = sum(float(((values[here] - values[here].mean()) ** 2).sum()) for here in people)
    return about / max(sum(int(here.sum()) - 1 for here in people), 1)


def own_correction(labels: Moments, predicted: Moments, people: Differences, scaled: bool) -> Own:
    """From k rated trials: labels and predictions of each. With the L(evels), T(rials), S(pread), V (spreads) and Q (squares)
    of :class:`Differences`::

        offset  = k L / (k L + T) (mean y - mean p)
        scale^2 = (u var y + (1 - u) S) / (u var p + (1 - u) S),   u = (k - 1) V / ((k - 1) V + Q)

    One trial has no scale; none is given unless ``scaled``.
    """
    k, at = len(labels.mean), float(predicted.mean.mean())
    weight = k * people.levels / (k * people.levels + people.trials) if people.levels > CONSTANT else 0.0
    offset = weight * (float(labels.mean.mean()) - at)
    if not scaled or people.spread < CONSTANT:
        return Own(at, offset, 1.0)
    known = (k - 1) * people.spreads
    u = known / (known + people.squares) if known > CONSTANT else 0.0
    prior = max((1 - u) * people.spread, CONSTANT)
    return Own(at, offset, float(np.sqrt((u * labels.variance + prior) / (u * predicted.variance + prior))))
