"""Estimated against injected lag. Only relative lags can be found: both are taken against the modalities left in place, or,
under a condition that moves every one, against the mean of all."""

from __future__ import annotations

import pandas as pd

from himoe.names import STUDIED

KEYS = ["setting", "seed", "fold", "subject", "trial"]
QUANTITIES = ["lag", "moved", "injected"]


ALL = "shift_all"


def recovery(routing: pd.DataFrame, condition: str, model: str = STUDIED) -> pd.DataFrame:
    """One row per displaced modality of a trial (of every one under ``shift_all``): severity, and injected, estimated and
    moved, relative and in s.

    The estimate is the change against severity 0, so that the delay of an organ is not counted as displacement.
    """
    columns = [*KEYS, "severity", "part", "injected", "estimated", "moved"]
    own = routing[(routing["model"] == model) & (routing["condition"] == condition) & routing["quantity"].isin(QUANTITIES)]
    if own.empty:
        return pd.DataFrame(columns=columns)
    wide = own.pivot(index=[*KEYS, "severity", "part"], columns="quantity", values="value").reset_index()
    start = wide[wide["severity"] == 0].drop(columns=["severity", "injected"])
    both = wide[wide["severity"] > 0].merge(start, on=[*KEYS, "part"], suffixes=("", "_at_0"), validate="many_to_one")
    both["estimated"], both["moved"] = both["lag"] - both["lag_at_0"], both["moved"] - both["moved_at_0"]
    still = both["injected"] == 0
    groups = [both[k] for k in (*KEYS, "severity")]
    some = still.groupby(groups).transform("any") & (condition != ALL)  # there, one that drew no displacement is no anchor
    for name in ("injected", "estimated", "moved"):
        of_all = both[name].groupby(groups).transform("mean")
        of_still = both[name].where(still).groupby(groups).transform("mean")
        both[name] = both[name] - of_still.where(some, of_all)
    return both.loc[~(still & some), columns].reset_index(drop=True)
