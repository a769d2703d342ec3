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

from himoe.stats.verdicts import SUPPORTED, decide, smallest_lead

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


def characteristics(design: Design, smallest: float, n_runs: int = 1000, seed: int = 0) -> Characteristics:
    """By simulation. A lead of all rivals moves every bound by as much, so that one set of runs serves every effect."""
    level = simulate(design, n_runs, seed)
    far = np.zeros(level.shape[-1])
    far[1:] = 1e3  # the others are no obstacle: the hardest case for an honest rule
    null, same = smallest_lead(level + far), smallest_lead(level)
    return Characteristics(
        float((decide(null.low, null.high, smallest) == SUPPORTED).mean()),
        float((decide(same.low + smallest, same.high + smallest, smallest) == SUPPORTED).mean()),
        float(-np.quantile(same.low, 1 - POWER)),
    )


def _not_negative(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.maximum(values, 0)) @ vectors.T


def _root(covariance: np.ndarray) -> np.ndarray:
    """A matrix A with A A' = covariance, whatever its rank."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0))
