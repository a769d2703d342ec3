"""What Hi-MoE's routing tells: of the rating, of the clip, of the person. For each trial of people not seen in training, clean
input, the emotional prototype that weighs most (prototypes stand at fixed places of the plane of ratings, so that they are
the same in all networks) and the modality with the largest share. Bits of mutual information, beside what 1000 permutations
find by chance: for the rating and the clip, trials are exchanged within a person; for the person, within a clip. For the rating
beyond the clip, person and clip are first taken out of both (chi-square of what is left / 2 n ln 2, close to bits where little
is told). A router that attends to emotion tells of the rating more than chance does; if it does not beyond the clip, it may
have recognised that. Under leave-one-subject-out every person has networks of their own: what is told of the person is also
what networks differ by, and what is told beyond the clip cannot be asked."""

import pandas as pd

from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.routing import ROUTERS, information_of_routing
from himoe.report.text import listed, number, p_value
from himoe.report.titles import setting_title
from himoe.stats.frames import pick

TITLE = "What routing tells of rating, clip and person"
SECTION = "model"
NEEDS = ("routing", "predictions", "splits")
REQUIRES = {"models": "himoe"}
ALPHA = 0.05
UNASKED = "cannot be asked"
NOTE = "p: share of permutations that find as much; of several seeds twice the mean, which holds whatever they share."


def make(evidence: Evidence) -> TableItem:
    """One row per data set, router and what it may tell."""
    data = information_of_routing(evidence, evidence.settings)
    shown = pd.DataFrame({
        "data set": data["setting"].map(setting_title), "routing": data["router"].map(ROUTERS), "tells of": data["about"],
        "bits": data["bits"].map(number), "by chance": data["chance"].map(number),
        "beyond chance": (data["bits"] - data["chance"]).map(number), "trials": data["n_trials"],
        "p": data["p"].map(p_value).mask(data["p"].isna(), UNASKED),
    })  # fmt: skip
    return TableItem(data, shown, _finding(data), NOTE)


def _finding(data: pd.DataFrame) -> str:
    """Of what prototypes tell more than chance, of what not, and what cannot be asked, by data set."""
    sentences = []
    for setting, part in pick(data, router="prototype_weight").groupby("setting", sort=False):
        told = part[part["p"] <= ALPHA]
        yes = [f"of the {r.about} {number(r.bits - r.chance)} bits (p {p_value(r.p)})" for r in told.itertuples()]
        no = [f"of the {r.about} (p {p_value(r.p)})" for r in part[part["p"] > ALPHA].itertuples()]
        said = [f"tell beyond chance {listed(yes)}"] if yes else []
        said += [f"are not shown to tell {listed(no)}"] if no else []
        said += [f"the {about} {UNASKED}" for about in part["about"][part["p"].isna()]]
        sentences.append(f"{setting_title(str(setting))}, prototypes {'; '.join(said)}.")
    return " ".join(sentences) or "No routing to look at: no fold of Hi-MoE ended well."
