"""Hi-MoE against itself with one part changed (config/ablations.yaml), paired over subjects, targets and seeds averaged. Above
0 in CCC the part helps on clean input; below 0 in CCC lost it makes the model more robust. Intervals are 95% bootstrap over
subjects; p is Wilcoxon's with Holm's correction over the ablations of a data set."""

import numpy as np
import pandas as pd

from himoe.names import STUDIED, parse_model
from himoe.registry import is_ablation
from himoe.report.evidence import Evidence
from himoe.report.items import Made
from himoe.report.text import FAILED, interval, number, p_value
from himoe.report.titles import model_title, setting_title
from himoe.stats.paired import compare
from himoe.stats.robustness import areas, compare_areas

TITLE = "Ablations"
SECTION = "comparison"
NEEDS = ("scores", "runs")
REQUIRES = {"ablations": "*"}
AREA = ("difference", "low", "high")


def make(evidence: Evidence) -> Made:
    """One row per data set and ablation."""
    config, own = evidence.config, evidence.all_scores
    names = [STUDIED, *filter(is_ablation, config.models)]
    own = own[own["model"].isin(names)]
    clean = compare(own.assign(target="all"), "ccc", evidence.settings, config.statistics)
    lost = compare_areas(areas(own), config.statistics)
    size = {(r["setting"], r["model"]): max(f["n_parameters"] for f in r["folds"].values()) for r in evidence.runs}
    rows = []
    for row in clean.itertuples():
        told = {"setting": row.setting, "ablation": row.other, "n_parameters": size[row.setting, row.other]}
        told |= {f"ccc_{name}": getattr(row, name) for name in (*AREA, "p_holm")}
        for condition in config.conditions:
            at = (lost["setting"] == row.setting) & (lost["condition"] == condition) & (lost["model"] == row.other)
            own = lost.loc[at, list(AREA)].to_numpy(float)
            told |= {f"lost_{condition}_{name}": v for name, v in zip(AREA, own[0] if len(own) else [np.nan] * 3, strict=True)}
        rows.append(told | {"n_subjects": row.n_subjects})
    data = pd.DataFrame(rows)
    shown = pd.DataFrame({
        "data set": data["setting"].map(setting_title),
        "Hi-MoE minus": data["ablation"].map(lambda m: parse_model(m).variant.replace("_", " ")),
        "CCC [95% CI]": _cells(data, "ccc"),
        "p (Holm)": data["ccc_p_holm"].map(lambda p: number(p) if np.isnan(p) else p_value(p)),
        **{
            f"CCC lost, {c.replace('_', ' ')}": np.where(
                data["setting"].isin(evidence.perturbed(c)), _cells(data, f"lost_{c}"), "–"
            )
            for c in config.conditions
        },
    })  # fmt: skip
    helps = data[data["ccc_low"] > 0]
    told = ", ".join(f"{model_title(r.ablation)} on {setting_title(r.setting)}" for r in helps.itertuples())
    alt = f"Hi-MoE is ahead of {len(helps)} of {len(data)} ablations with an interval above 0" + (f": {told}." if told else ".")
    return Made(data, shown, alt, "Numbers of parameters and of subjects are in the CSV.")


def _cells(data: pd.DataFrame, what: str) -> list[str]:
    values = data[[f"{what}_{name}" for name in AREA]].to_numpy()
    return [FAILED if np.isnan(v[0]) else interval(*v) for v in values]
