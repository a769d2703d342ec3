"""Hi-MoE against itself with one part changed (config/ablations.yaml), paired over people, targets averaged. Above 0 the part
helps: on clean input, or in the CCC that is left under a condition (mean over its severities). Intervals are 95% over people
and seeds; p is of the t test, with Holm's correction over the ablations of a data set."""

from typing import Any

import numpy as np
import pandas as pd

from himoe.config.severities import of_ablations
from himoe.names import STUDIED, parse_model
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import MISSING, intervals, p_value
from himoe.report.titles import model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.paired import compare
from himoe.stats.robustness import robustness

TITLE = "Ablations"
SECTION = "model"
NEEDS = ("scores", "runs")
REQUIRES = {"ablations": "*"}
GAP = ["difference", "low", "high"]


def make(evidence: Evidence) -> TableItem:
    """One row per data set and ablation."""
    config = evidence.config
    scores = pick(evidence.all_scores, model=[STUDIED, *(m for m in config.models if config.kind_of(m) == "ablation")])
    clean = compare(scores.assign(target="all"), "ccc", evidence.settings)
    left = robustness(scores)
    sizes = _sizes(evidence)
    under = of_ablations(config)
    rows = []
    for row in clean.itertuples():
        values: dict[str, Any] = {"setting": row.setting, "ablation": row.other, "n_parameters": sizes[row.setting, row.other]}
        values |= {f"ccc_{name}": getattr(row, name) for name in (*GAP, "p_holm")}
        for condition in under:
            found = pick(left, setting=row.setting, condition=condition, model=row.other)[GAP].to_numpy(float)
            gap = found[0] if len(found) else [np.nan] * 3
            values |= {f"left_{condition}_{name}": value for name, value in zip(GAP, gap, strict=True)}
        rows.append(values | {"n_subjects": row.n_subjects})
    names = [f"left_{condition}_{name}" for condition in under for name in GAP]
    columns = ["setting", "ablation", "n_parameters", *(f"ccc_{name}" for name in (*GAP, "p_holm")), *names, "n_subjects"]
    data = pd.DataFrame(rows, columns=columns)
    shown = pd.DataFrame({
        "data set": data["setting"].map(setting_title),
        "Hi-MoE minus": data["ablation"].map(lambda m: parse_model(m).variant.replace("_", " ")),
        "CCC [95% CI]": _cells(data, "ccc"), "p (Holm)": data["ccc_p_holm"].map(p_value),
    })  # fmt: skip
    for condition in under:
        evaluated = data["setting"].isin(evidence.perturbed(condition))
        shown[f"CCC left, {condition.replace('_', ' ')}"] = np.where(evaluated, _cells(data, f"left_{condition}"), MISSING)
    return TableItem(
        data, shown, _finding(pick(data, setting=evidence.judged)), "Numbers of parameters and of subjects are in the CSV."
    )


def _sizes(evidence: Evidence) -> dict[tuple[str, str], int]:
    """Parameters by setting and model: the most that a fold has, over all seeds and shards."""
    sizes: dict[tuple[str, str], int] = {}
    for run in evidence.runs:
        key = run["setting"], run["model"]
        sizes[key] = max([sizes.get(key, 0), *(fold["n_parameters"] for fold in run["folds"].values())])
    return sizes


def _finding(data: pd.DataFrame) -> str:
    """Where Hi-MoE is ahead."""
    ahead = [f"{model_title(r.ablation)} on {setting_title(r.setting)}" for r in data[data["ccc_low"] > 0].itertuples()]
    names = f": {', '.join(ahead)}" if ahead else ""
    return f"Hi-MoE is ahead of {len(ahead)} of {len(data)} ablations with an interval above 0{names}."


def _cells(data: pd.DataFrame, name: str) -> list[str]:
    return intervals(data[[f"{name}_{part}" for part in GAP]].to_numpy())
