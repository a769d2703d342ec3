"""Estimated against injected lag. Only relative lags can be found: both are taken against the modalities left in place, or,
under a condition that moves every one, against the mean of all."""

from __future__ import annotations

import pandas as pd

from himoe.names import STUDIED
from himoe.stats.frames import pick

KEYS = ["setting", "seed", "fold", "subject", "trial"]
QUANTITIES = ["lag", "moved", "injected"]
MOVES_ALL = "shift_all"


def recovery(routing: pd.DataFrame, condition: str, model: str = STUDIED) -> pd.DataFrame:
    """One row per displaced modality of a trial (of every one under ``shift_all``): severity, and injected, estimated and
    moved, relative and in s.

    The estimate is the change against severity 0, so that the delay of an organ is not counted as displacement.
    """
    columns = [*KEYS, "severity", "part", "injected", "estimated", "moved"]
    lags = pick(routing, model=model, condition=condition, quantity=QUANTITIES)
    if lags.empty:
        return pd.DataFrame(columns=columns)
    wide = lags.pivot(index=[*KEYS, "severity", "part"], columns="quantity", values="value").reset_index()
    start = pick(wide, severity=0).drop(columns=["severity", "injected"])
    both = wide[wide["severity"] > 0].merge(start, on=[*KEYS, "part"], suffixes=("", "_at_0"), validate="many_to_one")
    both["estimated"] = both["lag"] - both["lag_at_0"]
    both["moved"] -= both["moved_at_0"]
    still = both["injected"] == 0
    groups = [both[k] for k in (*KEYS, "severity")]
    # under shift_all a modality that happened to draw no displacement is no reference for the others
    some = still.groupby(groups).transform("any") & (condition != MOVES_ALL)
    for name in ("injected", "estimated", "moved"):
        of_all = both[name].groupby(groups).transform("mean")
        of_still = both[name].where(still).groupby(groups).transform("mean")
        both[name] = both[name] - of_still.where(some, of_all)
    return both.loc[~(still & some), columns].reset_index(drop=True)
