"""What can be had without physiology, and what no model can beat. Ceilings are made of the test people's labels when the run is
scored, so none is a model. The mean of the other raters: of all others who rated the same clip (and moment), each weighing the
same. Own ratings, others' level: a person's ratings less their mean, plus the mean of the others' means; whoever reads a
person's pattern without a fault, and knows of the level only what people have in common, is there (a model may be above where
its guess of the level is luckier). A model can win by recognising the clip. What is left within a clip says whether it does
more: per person the correlation of ratings with predictions once what the other raters' means say is taken from both; a model
that only recognises the clip is at 0. Clean input, means over subjects, seeds averaged first."""

from typing import Any

import numpy as np
import pandas as pd

from himoe import registry
from himoe.names import CEILINGS
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import MISSING, interval, intervals, number
from himoe.report.titles import model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.levels import POOLED, means_with_intervals

TITLE = "What can be had without physiology, and what no model can beat"
SECTION = "trust"
NEEDS = ("scores", "audits")
METRICS = ("ccc", "rmse", "skill", "residual_pcc", "residual_ccc")
CEILING, REFERENCE, MODEL = "ceiling", "reference", "model"


def make(evidence: Evidence) -> TableItem:
    """One row per data set, target and ceiling, reference or model, in this order."""
    data = _means(evidence)
    shown = pd.DataFrame({
        "data set": data["setting"].map(setting_title), "target": data["target"], "what": data["model"].map(model_title),
        "is a": data["kind"], "CCC [95% CI]": intervals(data[["ccc", "ccc_low", "ccc_high"]].to_numpy(), MISSING),
        "RMSE": data["rmse"].map(number),
        "left within a clip, PCC [95% CI]": intervals(
            data[["residual_pcc", "residual_pcc_low", "residual_pcc_high"]].to_numpy(), MISSING
        ),
        "n": data["n_subjects"],
    })  # fmt: skip
    return TableItem(data, shown, " ".join(_findings(data)), "\n".join(_notes(evidence)))


def _means(evidence: Evidence) -> pd.DataFrame:
    """Means over subjects with their intervals; NaN where labels of several people share nothing, or a fold failed."""
    clean = pick(evidence.all_scores, condition="clean")
    rows = []
    for setting, target in ((s, t) for s in evidence.settings for t in evidence.targets_of(s)):
        part = pick(clean, setting=setting, target=target)
        people = part[part["subject"] != POOLED].groupby("model")["subject"].nunique()
        models = [*CEILINGS, *(m for m in evidence.models if m in evidence.models_of(setting))]
        block = []
        for model, means in means_with_intervals(part, models, METRICS).items():
            row: dict[str, Any] = {"setting": setting, "target": target, "model": model, "kind": _kind(model)} | means
            block.append(row | {"n_subjects": people.get(model, 0)})
        kinds = (CEILING, REFERENCE, MODEL)
        rows += sorted(block, key=lambda row: (kinds.index(row["kind"]), np.isnan(row["ccc"]), -row["ccc"]))
    return pd.DataFrame(rows)


def _kind(model: str) -> str:
    if model in CEILINGS:
        return CEILING
    return REFERENCE if registry.is_reference(model) else MODEL


def _findings(data: pd.DataFrame) -> list[str]:
    """For every data set and target a sentence: the best model beside both ceilings, and what is left of it within clips."""
    sentences = []
    for (setting, target), part in data.groupby(["setting", "target"], sort=False):
        ccc = part.set_index("model")["ccc"]
        models = part[(part["kind"] == MODEL) & part["ccc"].notna()]
        if models.empty:
            sentences.append(f"{setting_title(setting)}, {target}: no model has a score.")
            continue
        best = models.iloc[0]  # rows are sorted
        agreement = ccc["leave_one_rater_out"]
        others = f"the mean of the other raters {number(agreement)}" if np.isfinite(agreement) else "no clip has two raters"
        sentences.append(
            f"{setting_title(setting)}, {target}: CCC of the best model ({model_title(best['model'])}) {number(best['ccc'])}, "
            f"{others}, own ratings at the others' level {number(ccc['rating_bias'])}; {_beyond(best)}."
        )
    return sentences


def _beyond(row: pd.Series) -> str:
    """What is left of a model within clips."""
    if not np.isfinite(row["residual_pcc"]):
        return "what is left of it within a clip cannot be told"
    bounds = interval(row["residual_pcc"], row["residual_pcc_low"], row["residual_pcc_high"])
    return f"left of it within a clip: PCC {bounds}, not corrected for picking it"


def _notes(evidence: Evidence) -> list[str]:
    """What the audits' probe says of how well features tell the clip."""
    notes = []
    for sheet in evidence.audits:
        setting = evidence.setting(sheet["dataset"], sheet["protocol"])
        probe = next((f["evidence"] for f in sheet["findings"] if f["check"] == "clip"), MISSING)
        notes.append(f"{setting_title(setting)}: a linear probe names the clip of people left out by their features: {probe}.")
    return notes
