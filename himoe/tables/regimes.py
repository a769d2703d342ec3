"""What each network keeps under every condition by how it was trained: its CCC at the mildest severity and the mean over the
others, under the run's own augmentations (one model for all conditions) and under each training regime. Differences are of the
network trained as the run trains it minus the same network under the regime, paired over people, with 95% intervals over people
and seeds. A network that was trained for a condition should win there; what it loses elsewhere is the price."""

import pandas as pd

from himoe import registry
from himoe.names import parse_model
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import FAILED, MISSING, intervals, number
from himoe.report.titles import model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.robustness import robustness

TITLE = "Training regimes"
SECTION = "missing"
NEEDS = ("scores",)
REQUIRES = {"regimes": "*", "conditions": "*"}
MIXED = "as the run"


def make(evidence: Evidence) -> TableItem:
    """One row per data set, condition, network and regime."""
    regimes, parts = evidence.config.regimes, []
    trained = [m for m in evidence.config.models if parse_model(m).variant in regimes]
    for plugin in dict.fromkeys(parse_model(m).plugin for m in trained):
        models = [plugin, *(m for m in trained if parse_model(m).plugin == plugin)]
        parts.append(robustness(pick(evidence.all_scores, model=models), plugin).assign(network=plugin))
    data = pd.concat(parts, ignore_index=True)
    data["regime"] = data["model"].map(lambda m: parse_model(m).variant or MIXED)
    shown = pd.DataFrame({
        "data set": data["setting"].map(setting_title),
        "condition": data["condition"].map(lambda c: registry.peek("conditions", c)["TITLE"]),
        "network": data["network"].map(model_title), "trained": data["regime"].str.replace("_", " "),
        "CCC, mildest": data["start"].map(number), "CCC left": data["left"].map(number).where(data["left"].notna(), FAILED),
        "CCC left, as the run minus this [95% CI]": intervals(data[["difference", "low", "high"]].to_numpy(), MISSING),
        "n": data["n_subjects"],
    })  # fmt: skip
    compared = data[data["regime"] != MIXED]
    ahead, behind = int((compared["low"] > 0).sum()), int((compared["high"] < 0).sum())
    finding = (
        f"Trained as the run trains it a network is left with more than under another regime in {ahead} of {len(compared)} "
        f"comparisons, with less in {behind}, each with an interval that leaves out 0."
    )
    return TableItem(data, shown, finding, "The share kept, with intervals, is in the CSV.")
