"""What a design can see: how often its verdict is "supported" where nothing is there, and where the smallest effect of
interest is.

Leads of a run are simulated with its number of people, seeds and rivals and judged by the rule that judges the run. They
vary as those of the run do, if there is one: over people, over seeds, and over both, each with its covariance between rivals (a
good day of the studied model is a lead over all of them), by the mean squares of a two-way layout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from himoe.stats.intervals import Interval, interval
from himoe.stats.verdicts import SUPPORTED, Lead, decide, smallest_lead

POWER = 0.8


class Spread(NamedTuple):
    """Covariances of leads over k rivals, (k, k): between people, between seeds, and of what is left."""

    people: np.ndarray
    seeds: np.ndarray
    rest: np.ndarray


@dataclass(frozen=True)
class Design:
    """How many people and seeds a lead is judged on, and how it varies."""

    n_people: int
    n_seeds: int
    spread: Spread


class Characteristics(NamedTuple):
    """Chance of "supported" where the closest rival is level, and where every rival is behind by the smallest effect of
    interest;
    the lead over every rival that is seen with a chance of 80%."""

    false_support: float
    power: float
    detectable: float


def assumed(people: float, seeds: float, rest: float, n_rivals: int) -> Spread:
    """Of these standard deviations of a lead, correlated by 1/2 between rivals: the studied model is in every lead."""
    alike = 0.5 * (np.eye(n_rivals) + 1)
    return Spread(people**2 * alike, seeds**2 * alike, rest**2 * alike)


def spread_of(leads: np.ndarray) -> Spread:
    """Estimated from ``leads`` (n_people, n_seeds, n_rivals); what is negative is 0. With one seed all is between people."""
    n_people, n_seeds, n_rivals = leads.shape
    people, seeds = leads.mean(1), leads.mean(0)  # (n_people, k), (n_seeds, k)
    nothing = np.zeros((n_rivals, n_rivals))
    between = np.atleast_2d(np.cov(people.T))
    if n_seeds == 1:
        return Spread(between, nothing, nothing)
    left = (leads - people[:, None] - seeds + leads.mean((0, 1))).reshape(-1, n_rivals)
    rest = left.T @ left / ((n_people - 1) * (n_seeds - 1))
    return Spread(
        _not_negative(between - rest / n_seeds), _not_negative(np.atleast_2d(np.cov(seeds.T)) - rest / n_people), rest
    )  # fmt: skip


def simulate(design: Design, n_runs: int, seed: int) -> np.ndarray:
    """Leads of mean 0, (n_runs, n_people, n_seeds, n_rivals)."""
    rng = np.random.default_rng(seed)
    k, (n, r) = len(design.spread.rest), (design.n_people, design.n_seeds)
    shapes = ((n_runs, n, 1, k), (n_runs, 1, r, k), (n_runs, n, r, k))
    parts = (rng.standard_normal(s) @ _root(c).T for s, c in zip(shapes, design.spread, strict=True))
    return sum(parts, np.zeros((n_runs, n, r, k)))


def characteristics(
    design: Design, smallest: float, n_runs: int = 1000, seed: int = 0, level: float | None = None
) -> Characteristics:  # fmt: skip
    """By simulation. A lead over all rivals moves every bound by as much, so that one set of runs serves every effect.

    With a ``level`` the last column is no rival but the studied model's own CCC, its lead over predicting nothing, which stays
    at that level whatever the rivals are."""
    rivals, own = _against(simulate(design, n_runs, seed), level)
    far = np.full(rivals.shape[-1], 1e3)  # the others are no obstacle: the hardest case for an honest rule
    far[np.argmax(np.diag(design.spread.people)[: rivals.shape[-1]])] = 0.0
    null, same = smallest_lead(rivals + far), smallest_lead(rivals)
    something = np.ones(n_runs, bool) if own is None else own.low > 0
    return Characteristics(
        float(_supported(null, own, 0.0, smallest).mean()),
        float(_supported(same, own, smallest, smallest).mean()),
        float(-np.quantile(np.where(something, same.low, -np.inf), 1 - POWER, method="lower")),
    )


def chances(
    design: Design, smallest: float, leads: np.ndarray, n_runs: int = 1000, seed: int = 0, level: float | None = None
) -> np.ndarray:  # fmt: skip
    """Chance of "supported" (n,) where every rival is behind by each of ``leads`` (n,), by the same runs as
    :func:`characteristics`."""
    rivals, own = _against(simulate(design, n_runs, seed), level)
    same = smallest_lead(rivals)
    return np.array([_supported(same, own, by, smallest).mean() for by in leads])


def _against(runs: np.ndarray, level: float | None) -> tuple[np.ndarray, Interval | None]:
    """Leads over rivals and, with a ``level``, the interval of the studied model's own CCC."""
    return (runs, None) if level is None else (runs[..., :-1], interval(runs[..., -1] + level))


def _supported(lead: Lead, own: Interval | None, by: float, smallest: float) -> np.ndarray:
    """Which runs say "supported" when every rival is behind by so much more."""
    low, high = lead.low + by, lead.high + by
    if own is not None:
        low, high = np.minimum(low, own.low), np.minimum(high, own.high)
    return decide(low, high, smallest) == SUPPORTED


def _not_negative(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.maximum(values, 0)) @ vectors.T


def _root(covariance: np.ndarray) -> np.ndarray:
    """A matrix A with A A' = covariance, whatever its rank."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0))
