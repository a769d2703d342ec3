"""What Hi-MoE's routing tells: of the rating, of the clip, of the person. For each trial of people not seen in training, clean
input, the emotional prototype that weighs most (prototypes stand at fixed places of the plane of ratings, so that they are
the same in all networks) and the modality with the largest share. Bits of mutual information, beside what 1000 permutations
find by chance: for the rating and the clip, trials are exchanged within a person; for the rating beyond the clip, and for
the person, within a clip. A router that attends to emotion tells of the rating more than chance does; if it does not beyond
the clip, it may have recognised that. Under leave-one-subject-out every person has networks of their own, so that what is
told of the person is also what networks differ by."""

import numpy as np
import pandas as pd

from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import number, p_value
from himoe.report.titles import setting_title
from himoe.stats.frames import pick
from himoe.stats.information import information, rating_groups
from himoe.stats.levels import CLEAN

TITLE = "What routing tells of rating, clip and person"
SECTION = "model"
NEEDS = ("routing", "predictions", "splits")
REQUIRES = {"models": "himoe"}
ROUTERS = {"prototype_weight": "leading prototype", "modality_share": "leading modality"}
QUESTIONS = {  # -> of what is told, and within what trials are exchanged
    "rating": ("rating", "subject"), "rating beyond the clip": ("rating", "stimulus"), "clip": ("stimulus", "subject"),
    "person": ("subject", "stimulus"),
}  # fmt: skip
KEYS = ["seed", "fold", "subject", "trial"]


def make(evidence: Evidence) -> TableItem:
    """One row per data set, router and what it may tell; seed by seed, then their mean."""
    rows = []
    for setting in evidence.settings:
        trials = _trials(evidence, setting)
        for quantity in ROUTERS:
            leading = _leading(evidence, setting, quantity)
            both = trials.join(leading, how="inner").reset_index()
            for question, (about, within) in QUESTIONS.items() if len(both) else ():
                found = [
                    information(part["leading"], part[about], part[within], seed=int(seed))
                    for seed, part in both.groupby("seed")
                ]
                bits, chance, chance_95, p = np.mean(found, axis=0)
                rows.append([setting, quantity, question, bits, chance, chance_95, p, len(found), len(both) // len(found)])
    names = ["setting", "router", "about", "bits", "chance", "chance_95", "p", "n_seeds", "n_trials"]
    data = pd.DataFrame(rows, columns=names)
    shown = pd.DataFrame({
        "data set": data["setting"].map(setting_title), "routing": data["router"].map(ROUTERS), "tells of": data["about"],
        "bits": data["bits"].map(number), "by chance": data["chance"].map(number),
        "beyond chance": (data["bits"] - data["chance"]).map(number), "p": data["p"].map(p_value), "trials": data["n_trials"],
    })  # fmt: skip
    return TableItem(data, shown, _finding(data), "p: mean over seeds of the share of permutations that find as much.")


def _trials(evidence: Evidence, setting: str) -> pd.DataFrame:
    """``rating`` group and ``stimulus`` of each test trial of each network."""
    predicted = pick(evidence.predictions, setting=setting, model=STUDIED, condition=CLEAN)
    labels = predicted.pivot_table(index=KEYS, columns="target", values="y_true").dropna()
    if labels.empty:
        return pd.DataFrame(columns=["rating", "stimulus"], index=pd.MultiIndex.from_arrays([[]] * len(KEYS), names=KEYS))
    trials = rating_groups(labels, evidence.targets_of(setting)).rename("rating").reset_index()
    return trials.merge(evidence.stimuli[setting], on=["subject", "trial"], validate="many_to_one").set_index(KEYS)


def _leading(evidence: Evidence, setting: str, quantity: str) -> pd.Series:
    """The part with the largest value, by trial."""
    values = pick(evidence.routing, setting=setting, model=STUDIED, condition=CLEAN, quantity=quantity)
    wide = values.pivot(index=KEYS, columns="part", values="value")
    return wide.idxmax(axis=1).rename("leading")


def _finding(data: pd.DataFrame) -> str:
    """Of what prototypes tell more than chance, by data set."""
    sentences = []
    for setting, part in pick(data, router="prototype_weight").groupby("setting", sort=False):
        told = [f"{r.about} {number(r.bits - r.chance)} bits (p {p_value(r.p)})" for r in part.itertuples()]
        sentences.append(f"{setting_title(str(setting))}, prototypes tell beyond chance of the {', of the '.join(told)}.")
    return " ".join(sentences) or "No routing to look at: no fold of Hi-MoE ended well."
