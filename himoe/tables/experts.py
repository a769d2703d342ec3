"""What Hi-MoE's routing tells: of the rating, of the clip, of the person. For each trial of people not seen in training, clean
input, the emotional prototype that weighs most (prototypes stand at fixed places of the plane of ratings, so that they are
the same in all networks) and the modality with the largest share. Bits of mutual information, beside what 1000 permutations
find by chance: for the rating and the clip, trials are exchanged within a person; for the rating beyond the clip, and for
the person, within a clip. A router that attends to emotion tells of the rating more than chance does; if it does not beyond
the clip, it may have recognised that. Under leave-one-subject-out every person has networks of their own, so that what is
told of the person is also what networks differ by."""

import pandas as pd

from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.routing import ROUTERS, information_of_routing
from himoe.report.text import number, p_value
from himoe.report.titles import setting_title
from himoe.stats.frames import pick

TITLE = "What routing tells of rating, clip and person"
SECTION = "model"
NEEDS = ("routing", "predictions", "splits")
REQUIRES = {"models": "himoe"}


def make(evidence: Evidence) -> TableItem:
    """One row per data set, router and what it may tell."""
    data = information_of_routing(evidence, evidence.settings)
    shown = pd.DataFrame({
        "data set": data["setting"].map(setting_title), "routing": data["router"].map(ROUTERS), "tells of": data["about"],
        "bits": data["bits"].map(number), "by chance": data["chance"].map(number),
        "beyond chance": (data["bits"] - data["chance"]).map(number), "p": data["p"].map(p_value), "trials": data["n_trials"],
    })  # fmt: skip
    return TableItem(data, shown, _finding(data), "p: mean over seeds of the share of permutations that find as much.")


def _finding(data: pd.DataFrame) -> str:
    """Of what prototypes tell more than chance, by data set."""
    sentences = []
    for setting, part in pick(data, router="prototype_weight").groupby("setting", sort=False):
        answers = [f"{r.about} {number(r.bits - r.chance)} bits (p {p_value(r.p)})" for r in part.itertuples()]
        sentences.append(f"{setting_title(str(setting))}, prototypes tell beyond chance of the {', of the '.join(answers)}.")
    return " ".join(sentences) or "No routing to look at: no fold of Hi-MoE ended well."
