"""What Hi-MoE's routing tells of rating, clip and person: read once, for the table and for the figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from himoe.names import STUDIED
from himoe.stats.frames import pick
from himoe.stats.information import NOT_ASKED, Information, information, information_left, rating_groups
from himoe.stats.levels import CLEAN

if TYPE_CHECKING:
    import pandas as pd

    from himoe.report.evidence import Evidence

ROUTERS = {"prototype_weight": "leading prototype", "modality_share": "leading modality"}
BEYOND = "rating beyond the clip"
QUESTIONS = {  # -> what is asked about, and within what trials are exchanged
    "rating": ("rating", "subject"), BEYOND: ("rating", "stimulus"), "clip": ("stimulus", "subject"),
    "person": ("subject", "stimulus"),
}  # fmt: skip
KEYS = ["seed", "fold", "subject", "trial"]
COLUMNS = ["setting", "router", "about", "bits", "chance", "chance_95", "p", "n_seeds", "n_trials"]


def information_of_routing(evidence: Evidence, settings: list[str]) -> pd.DataFrame:
    """One row per setting, router and question; seed by seed, then their mean."""
    import pandas as pd

    routed = evidence.routed([CLEAN], list(ROUTERS))
    rows = []
    for setting in settings:
        trials = _trials(evidence, setting)
        for quantity in ROUTERS:
            leading = _leading(routed, setting, quantity)
            both = trials.join(leading, how="inner").reset_index()
            for question in QUESTIONS if len(both) else ():
                found = [_asked(question, part, int(str(seed))) for seed, part in both.groupby("seed")]
                bits, chance, chance_95, _ = np.mean(found, axis=0)
                p = together([of.p for of in found])
                rows.append([setting, quantity, question, bits, chance, chance_95, p, len(found), len(both) // len(found)])
    return pd.DataFrame(rows, columns=COLUMNS)


def together(p_values: list[float]) -> float:
    """One p value of several seeds': twice their mean, whatever they depend on (Rueschendorf 1982; Vovk & Wang 2020)."""
    return p_values[0] if len(p_values) == 1 else min(1.0, 2 * float(np.mean(p_values)))


def _asked(question: str, part: pd.DataFrame, seed: int) -> Information:
    """Of one seed's trials. Where a fold tests one person, as under ``loso``, what is told beyond the clip cannot be asked:
    networks differ by person, and so do ratings of a clip."""
    about, within = QUESTIONS[question]
    if question != BEYOND:
        return information(part["leading"], part[about], part[within], seed=seed)
    if part.groupby("fold")["subject"].nunique().max() < 2:
        return NOT_ASKED
    return information_left(part["leading"], part[about], part["subject"], part[within], seed=seed)


def _trials(evidence: Evidence, setting: str) -> pd.DataFrame:
    """``rating`` group and ``stimulus`` of each test trial of each network."""
    import pandas as pd

    predicted = pick(evidence.predictions, setting=setting, model=STUDIED, condition=CLEAN)
    labels = predicted.pivot_table(index=KEYS, columns="target", values="y_true").dropna()
    if labels.empty:
        return pd.DataFrame(columns=["rating", "stimulus"], index=pd.MultiIndex.from_arrays([[]] * len(KEYS), names=KEYS))
    trials = rating_groups(labels, evidence.targets_of(setting)).rename("rating").reset_index()
    return trials.merge(evidence.stimuli[setting], on=["subject", "trial"], validate="many_to_one").set_index(KEYS)


def _leading(routed: pd.DataFrame, setting: str, quantity: str) -> pd.Series:
    """The part with the largest value, by trial."""
    wide = pick(routed, setting=setting, quantity=quantity).pivot(index=KEYS, columns="part", values="value")
    return wide.idxmax(axis=1).rename("leading")
