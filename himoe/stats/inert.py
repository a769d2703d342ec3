"""Networks that add nothing to the linear read-out beside them: what is claimed of their parts cannot be tested on such
data."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from himoe.stats.frames import pick

INERT = 0.999  # correlation with its read-out from which on a network counts as adding nothing
COLUMNS = ["setting", "model", "target", "correlation", "inert"]


def inert(predictions: pd.DataFrame, routing: pd.DataFrame, targets: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    """One row per setting, model and target of every model with a read-out: the correlation of its predictions with those of
    the read-out alone (trial means, clean input, mean over folds and seeds), and whether that is above ``INERT``.

    ``targets``: names by setting, in the order of the outputs. A setting's model with a failed fold has no row: the folds
    that are left say nothing of it. Folds are taken one by one, for the read-out is in units of each fold's own targets.
    """
    keys = ["setting", "model", "seed", "fold", "subject", "trial"]
    linear = pick(routing, quantity="readout", condition="clean")
    means = pick(predictions, condition="clean").groupby([*keys, "target"])["y_pred"].agg(lambda y: y.mean(skipna=False))
    predicted, rows = means.reset_index(), []
    for (setting, model, part), of_part in linear.groupby(["setting", "model", "part"]):
        target = targets[setting][int(part)]
        both = of_part.merge(pick(predicted, setting=setting, model=model, target=target), on=keys)
        if both.empty or both["y_pred"].isna().any():
            continue
        r = both.groupby(["seed", "fold"])[["value", "y_pred"]].apply(lambda g: g["value"].corr(g["y_pred"])).mean()
        rows.append((setting, model, target, r, r > INERT))
    return pd.DataFrame(rows, columns=COLUMNS)
