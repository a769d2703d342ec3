"""Estimated against injected lag. Only relative lags can be found: both are taken against the modalities left in place, or,
under a condition that moves every one, against the mean of all."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from himoe.names import STUDIED
from himoe.stats.frames import complete, pick
from himoe.stats.intervals import Interval, interval
from himoe.stats.levels import share_kept

KEYS = ["setting", "seed", "fold", "subject", "trial"]
QUANTITIES = ["lag", "moved", "injected"]
NONE = Interval(*[np.array(np.nan)] * 3)
MOVES_ALL = "shift_all"


def recovery(routing: pd.DataFrame, condition: str, model: str = STUDIED) -> pd.DataFrame:
    """One row per displaced modality of a trial (of every one under ``shift_all``): severity, and injected, estimated and
    moved, relative and in s; ``at_rest``: the lag that is estimated with nothing injected.

    The estimate is the change against severity 0, so that the delay of an organ is not counted as displacement.
    """
    columns = [*KEYS, "severity", "part", "injected", "estimated", "moved", "at_rest"]
    lags = pick(routing, model=model, condition=condition, quantity=QUANTITIES)
    if lags.empty:
        return pd.DataFrame(columns=columns)
    wide = lags.pivot(index=[*KEYS, "severity", "part"], columns="quantity", values="value").reset_index()
    start = pick(wide, severity=0).drop(columns=["severity", "injected"])
    both = wide[wide["severity"] > 0].merge(start, on=[*KEYS, "part"], suffixes=("", "_at_0"), validate="many_to_one")
    both["estimated"] = both["lag"] - both["lag_at_0"]
    both["moved"] -= both["moved_at_0"]
    both["at_rest"] = both["lag_at_0"]
    still = both["injected"] == 0
    groups = [both[k] for k in (*KEYS, "severity")]
    # under shift_all a modality that happened to draw no displacement is no reference for the others
    some = still.groupby(groups).transform("any") & (condition != MOVES_ALL)
    for name in ("injected", "estimated", "moved", "at_rest"):
        of_all = both[name].groupby(groups).transform("mean")
        of_still = both[name].where(still).groupby(groups).transform("mean")
        both[name] = both[name] - of_still.where(some, of_all)
    return both.loc[~(still & some), columns].reset_index(drop=True)


class Recovered(NamedTuple):
    """How well injected lags were found. ``slope`` of estimated on injected, through 0: 1 where every lag is found, 0 where the
    estimate knows nothing of it; ``error``: the median one, s; ``within``: share of estimates within one token; ``rest`` and
    ``rest_spread``: mean and standard deviation of the lag that is estimated with nothing injected, s.

    Where a wrong lag is taken now and then it is far off, so that the slope is low although many lags are found: ``within``
    says how many. ``chance``: the same if estimates belonged to the lags of other trials (mean over permutations); ``p``: share
    of permutations in which as many are within one token."""

    n_people: int
    n_lags: int
    slope: Interval
    error: float
    within: Interval
    chance: float
    p: float
    rest: float
    rest_spread: float


def recovered(lags: pd.DataFrame, token: float, n_permutations: int = 1000, seed: int = 0) -> Recovered:
    """Of rows of :func:`recovery`, of trials that every seed has; ``token``: seconds between tokens. Intervals are over people
    and seeds; people weigh the same, in ``chance`` and ``p`` too. All NaN where no trial is left."""
    lags = complete(lags)
    if lags.empty:
        return Recovered(0, 0, NONE, np.nan, NONE, *[np.nan] * 4)
    injected, estimated = lags["injected"].to_numpy(), lags["estimated"].to_numpy()
    within = _within(estimated, injected, token)
    products = lags.assign(both=injected * estimated, square=injected**2, within=within)
    both, square, share = (_by_person(products, name) for name in ("both", "square", "within"))
    by_chance = _by_chance(lags, token, n_permutations, seed)
    p = (1 + (by_chance >= share.mean() - 1e-12).sum()) / (n_permutations + 1)
    rest = lags["at_rest"]
    return Recovered(
        len(share), len(lags), interval(share_kept(both, square)), float(np.median(np.abs(estimated - injected))),
        interval(share), float(by_chance.mean()), float(p), float(rest.mean()), float(rest.std(ddof=0)),
    )  # fmt: skip


def _by_chance(lags: pd.DataFrame, token: float, n_permutations: int, seed: int) -> np.ndarray:
    """Share within one token, people weighing the same, in permutations (n_permutations,) of the injected lags.

    Which modalities move and where to is drawn once per trial, for all severities and seeds. So whole trials exchange what was
    injected, and an estimate meets the lag of another trial at its own severity: of the same modality by rank among those
    displaced, left out where the other trial has fewer.
    """
    rank = lags.groupby([*KEYS, "severity"]).cumcount().to_numpy()
    trial = lags.groupby(["subject", "trial"]).ngroup().to_numpy()
    place = (
        pd.DataFrame({"severity": lags["severity"].to_numpy(), "rank": rank}).groupby(["severity", "rank"]).ngroup().to_numpy()
    )
    person = lags.groupby(["subject", "seed"]).ngroup().to_numpy()
    estimated = lags["estimated"].to_numpy()
    injected = np.full((trial.max() + 1, place.max() + 1), np.nan)
    injected[trial, place] = lags["injected"]
    rng, shares = np.random.default_rng(seed), np.empty(n_permutations)
    for i in range(n_permutations):
        other = injected[rng.permutation(len(injected))[trial], place]
        known = ~np.isnan(other)
        n = np.bincount(person[known], minlength=person.max() + 1)
        found = np.bincount(person[known], _within(estimated[known], other[known], token), minlength=len(n))
        shares[i] = (found[n > 0] / n[n > 0]).mean()
    return shares


def _within(estimated: np.ndarray, injected: np.ndarray, token: float) -> np.ndarray:
    return np.abs(estimated - injected) <= token + 1e-9


def _by_person(rows: pd.DataFrame, column: str) -> np.ndarray:
    """Means (n_people, n_seeds) of a column."""
    return rows.groupby(["subject", "seed"])[column].mean().astype(float).unstack("seed").to_numpy()
