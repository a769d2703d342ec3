"""What a representation tells by a line: the rating, the clip, the person, each beside what permutations find.

Networks of different folds represent trials in directions of their own, so a probe never leaves its fold. It is fitted on the
inner-validation people of the fold, to whom the network was not fitted either, and judged on the people tested.

A trial is tested in one fold and fitted on in others. A permutation gives it another label in all of them, and every probe is
fitted again: two people who are alike by chance find one another twice, and so they do in the null.

Axes: U trials of the data set, n of them in a fold, d width of the representation, k permutations.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from himoe.stats.plane import orders

PENALTY = 10.0  # of the ridge regressions, on standardised columns
N_PARTS = 4  # in which trials are left out when people are to be named
FEWEST = 3  # trials of a person for a CCC
AT_ONCE = 100  # permutations


class Represented(NamedTuple):
    """Trials as the network of one fold represents them: x (n, d), which of the data set's trials they are (n,), and whether
    they are tested (n,) bool; the others are of validation people."""

    x: np.ndarray
    trial: np.ndarray
    tested: np.ndarray


Asked = tuple[np.ndarray, np.ndarray, np.ndarray]  # of a probe: its smoother, trials it is fitted on, trials it is to name


class Probe(NamedTuple):
    """What was found, the mean and the 95th percentile of what permutations find, the share of them (with the trials as they
    are among them) that find as much, the number of trials, and what was found and then permutations, one by one. NaN where
    nothing can be asked."""

    value: float
    chance: float
    chance_95: float
    p: float
    n: int
    each: np.ndarray


NONE = Probe(np.nan, np.nan, np.nan, np.nan, 0, np.full(1, np.nan))


def mean_of(probes: list[Probe]) -> Probe:
    """Of several networks' probes of the same trials, permuted in the same orders (of one ``seed``): their mean, beside that of
    each permutation."""
    return _probe(np.mean([probe.each for probe in probes], axis=0), probes[0].n) if all(probe.n for probe in probes) else NONE


def rating(
    folds: list[Represented], y: np.ndarray, subject: np.ndarray, n_permutations: int = 1000, seed: int = 0
) -> Probe:  # fmt: skip
    """CCC, mean over people, of the ratings ``y`` (U,) of test trials with those that a probe fitted on the validation people
    gives; trials without one are left out. Permutations exchange a person's ratings."""
    within = np.where(np.isfinite(y), subject.astype(str), "unknown")
    return _rating(folds, _with_permutations(y, within, n_permutations, seed), subject, subject)


def rating_beyond(
    folds: list[Represented], y: np.ndarray, subject: np.ndarray, stimulus: np.ndarray, n_permutations: int = 1000,
    seed: int = 0,
) -> Probe:  # fmt: skip
    """The same of departures from a person's own mean, and permutations exchange people within a stimulus, which leaves what is
    known of the rating from the clip alone (not to be asked where nobody met another's). Means are taken off before and after
    that, and off what probes say: else a permutation would mix levels into each person's ratings, which no probe knows. What
    the second time takes from departures from a clip's mean they are given back in size."""
    within = np.where(np.isfinite(y), stimulus.astype(str), "unknown")
    labels = _with_permutations(_less_means(y[None], subject)[0], within, n_permutations, seed)
    labels = _less_means(labels, subject)
    left = _less_means(labels, stimulus)
    size = np.sqrt(np.nansum(left**2, axis=1, keepdims=True))
    labels += left * (size[0] / np.where(size > 0, size, 1.0) - 1)
    return _rating(folds, labels, subject, stimulus, centred=True)


def _rating(
    folds: list[Represented], labels: np.ndarray, subject: np.ndarray, within: np.ndarray, centred: bool = False
) -> Probe:  # fmt: skip
    """Of ``labels`` (1 + k, U) as they are and exchanged ``within`` groups (U,)."""
    known = np.isfinite(labels[0])
    if len(np.unique(within[known])) == known.sum():
        return NONE
    said, asked = [], []
    for fold in folds:
        fitted, judged = (part & known[fold.trial] for part in (~fold.tested, fold.tested))
        if fitted.any() and judged.any():
            of_fitted = labels[:, fold.trial[fitted]]
            level = of_fitted.mean(1, keepdims=True)
            said.append(level + (of_fitted - level) @ smoother(fold.x[fitted], fold.x[judged]).T)
            asked.append(fold.trial[judged])
    if not said:
        return NONE
    predicted, trial = np.concatenate(said, axis=1), np.concatenate(asked)
    people = [at for name in np.unique(subject[trial]) if len(at := np.flatnonzero(subject[trial] == name)) >= FEWEST]
    if not people:
        return NONE
    if centred:
        predicted = _less_means(predicted, subject[trial])
    return _probe(np.mean([_ccc(predicted[:, at], labels[:, trial[at]]) for at in people], axis=0), len(trial))


def clip(
    folds: list[Represented], stimulus: np.ndarray, subject: np.ndarray, n_permutations: int = 500, seed: int = 0
) -> Probe:
    """Share of test trials whose stimulus a probe names that is fitted on all other people of the fold; people none of whose
    clips the others met are left out. Each person's columns are centred first. Permutations exchange a person's stimuli."""
    asked = []
    for fold in folds:
        x, of = fold.x.astype(float), subject[fold.trial]
        for name in np.unique(of):
            x[of == name] -= x[of == name].mean(0)
        for name in np.unique(of[fold.tested]):
            others, judged = of != name, (of == name) & fold.tested
            if np.isin(stimulus[fold.trial[judged]], stimulus[fold.trial[others]]).any():
                asked.append((smoother(x[others], x[judged]), fold.trial[others], fold.trial[judged]))
    return _naming(asked, stimulus, subject, n_permutations, seed)


def person(folds: list[Represented], subject: np.ndarray, n_permutations: int = 500, seed: int = 0) -> Probe:
    """Share of test trials whose person a probe names that is fitted on other test trials of the fold. Permutations exchange
    the people of its trials. Where a fold tests one person, as under ``loso``, it cannot be asked."""
    asked, fold_of = [], np.full(len(subject), -1)
    for number, fold in enumerate(folds):
        x, trial = fold.x[fold.tested], fold.trial[fold.tested]
        turn = np.array([np.sum(subject[trial[:i]] == subject[t]) for i, t in enumerate(trial)]) % N_PARTS
        if len(np.unique(subject[trial])) > 1 and len(np.unique(turn)) > 1:
            fold_of[trial] = number
            asked += [
                (smoother(x[turn != part], x[turn == part]), trial[turn != part], trial[turn == part])
                for part in np.unique(turn)
            ]
    return _naming(asked, subject, fold_of, n_permutations, seed)


def smoother(fitted: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """(n_asked, n_fitted): the ridge regression on rows ``fitted`` (n_fitted, d) predicts for rows ``asked`` the labels' mean
    plus this times their departures from it."""
    mean, scale = fitted.mean(0), np.maximum(fitted.std(0), 1e-9)
    x = (fitted - mean) / scale
    return (asked - mean) / scale @ np.linalg.solve(x.T @ x + PENALTY * np.eye(x.shape[1]), x.T)


def _naming(asked: list[Asked], names: np.ndarray, within: np.ndarray, n_permutations: int, seed: int) -> Probe:
    """The share of trials that probes name right."""
    if not asked:
        return NONE
    codes = _with_permutations(np.unique(names, return_inverse=True)[1], within, n_permutations, seed)
    right = np.concatenate([_right(asked, codes[first : first + AT_ONCE]) for first in range(0, len(codes), AT_ONCE)])
    n = sum(len(named) for *_, named in asked)
    return _probe(right / n, n)


def _right(asked: list[Asked], codes: np.ndarray) -> np.ndarray:
    """How many trials have the largest ridge prediction for the indicator of their own code, (k,); ``codes`` (k, U)."""
    right = np.zeros(len(codes))
    for weights, fitted, named in asked:
        share = np.eye(codes.max() + 1)[codes[:, fitted]]  # (k, n_fitted, n_codes)
        level = share.mean(1, keepdims=True)
        score = np.where(level > 0, level + weights @ (share - level), -np.inf)  # (k, n_named, n_codes)
        right += (score.argmax(2) == codes[:, named]).sum(1)
    return right


def _with_permutations(labels: np.ndarray, within: np.ndarray, n_permutations: int, seed: int) -> np.ndarray:
    """(1 + n_permutations, U): labels as they are, then exchanged within groups."""
    return labels[np.stack([np.arange(len(labels)), *orders(within, n_permutations, seed)])]


def _less_means(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """(k, n) less each group's mean of what is known; what is not is so in every row."""
    values, known = values.astype(float), np.isfinite(values[0])
    for name in np.unique(group[known]):
        at = known & (group == name)
        values[:, at] -= values[:, at].mean(1, keepdims=True)
    return values


def _probe(found: np.ndarray, n: int) -> Probe:
    """From what was found and, after it, what permutations find."""
    value, by_chance = float(found[0]), found[1:]
    p = (1 + (by_chance >= value - 1e-12).sum()) / len(found)
    return Probe(value, float(by_chance.mean()), float(np.quantile(by_chance, 0.95)), float(p), n, found)


def _ccc(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """CCC of the rows of a and b (k, n) -> (k,); 0 where neither varies nor differs."""
    mean_a, mean_b = a.mean(1, keepdims=True), b.mean(1, keepdims=True)
    covariance = ((a - mean_a) * (b - mean_b)).mean(1)
    below = a.var(1) + b.var(1) + (mean_a - mean_b)[:, 0] ** 2
    return np.where(below > 1e-12, 2 * covariance / np.maximum(below, 1e-12), 0.0)
