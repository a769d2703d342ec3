"""Every subset of the modalities that the run evaluates: what Hi-MoE's CCC is with these modalities alone, the same in every
trial, beside the highest of the others and late fusion, which is its backbone without the paper's ideas. Targets averaged;
intervals are 95% over people and seeds. The highest is picked after the fact and flatters the others."""

from __future__ import annotations

import pandas as pd

from himoe import registry
from himoe.names import CLEAN, STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import MISSING, intervals, number
from himoe.report.titles import dataset_of, few_seeds, model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.intervals import interval
from himoe.stats.levels import levels

TITLE = "Every subset of the modalities"
SECTION = "missing"
NEEDS = ("scores",)
REQUIRES = {"conditions": ("modality_subset", "one_modality")}
PLAIN = "late_fusion"
COLUMNS = [
    "setting", "condition", "severity", "present", "n_present", "model", "ccc", "ccc_low", "ccc_high", "difference", "low",
    "high", "n_subjects",
]  # fmt: skip
KEYS = COLUMNS[:5]


def make(evidence: Evidence) -> TableItem:
    """One row per data set and subset, most modalities first."""
    data = _levels(evidence)
    rows = []
    for key, part in data.groupby(KEYS, sort=False):
        by_model = part.set_index("model")
        others = by_model["ccc"].drop([m for m in by_model.index if m == STUDIED or registry.is_reference(m)]).dropna()
        best = others.idxmax() if len(others) else None
        of = by_model.loc[STUDIED] if STUDIED in by_model.index else None
        plain = by_model.loc[PLAIN] if PLAIN in by_model.index else None
        rows.append({
            "data set": setting_title(key[0]), "modalities present": key[3], "of them": key[4],
            "Hi-MoE, CCC [95% CI]":
                MISSING if of is None else intervals(of[["ccc", "ccc_low", "ccc_high"]].to_numpy()[None])[0],
            "highest other": MISSING if best is None else f"{model_title(best)} {number(others[best])}",
            "Hi-MoE minus late fusion [95% CI]":
                MISSING if plain is None else intervals(plain[["difference", "low", "high"]].to_numpy()[None], MISSING)[0],
            "n": int(part["n_subjects"].max()),
        })  # fmt: skip
    return TableItem(data, pd.DataFrame(rows), _finding(data, evidence), "All models and their intervals are in the CSV.")


def _levels(evidence: Evidence) -> pd.DataFrame:
    """CCC of each model under each subset, and Hi-MoE minus it, with intervals; NaN where a fold failed."""
    rows = []
    for condition in [c for c in REQUIRES["conditions"] if c in evidence.config.conditions]:
        plugin = registry.load("conditions", condition)
        for setting in evidence.perturbed(condition):
            modalities = evidence.config.modalities_of(dataset_of(setting))
            scores = pick(evidence.scores, setting=setting, condition=condition).assign(
                condition=CLEAN
            )  # one severity at a time
            for severity, part in scores.groupby("severity", sort=True):
                gone = plugin.absent(severity, len(modalities))
                left = [m for i, m in enumerate(modalities) if i not in gone]
                names = ", ".join(left) if len(left) <= len(gone) else _all_but([modalities[i] for i in gone])
                of = levels(part)
                for model, values in of.items():
                    gaps = interval(of[STUDIED] - values) if STUDIED in of and model != STUDIED else [float("nan")] * 3
                    means = [*map(float, interval(values)), *map(float, gaps)]
                    rows.append([setting, condition, severity, names, len(left), model, *means, len(values)])
    data = pd.DataFrame(rows, columns=COLUMNS)
    same = data.duplicated(["setting", "present", "model"])  # all present, or one absent, under both conditions
    return data[~same].sort_values(["setting", "n_present"], ascending=[True, False], kind="stable", ignore_index=True)


def _all_but(gone: list[str]) -> str:
    return f"all but {', '.join(gone)}" if gone else "all"


def _finding(data: pd.DataFrame, evidence: Evidence) -> str:
    """Per setting: which single absence costs Hi-MoE most, and in how many subsets it is ahead of and behind late fusion."""
    sentences = []
    for setting, part in data.groupby("setting", sort=False):
        own, plain = pick(part, model=STUDIED), pick(part, model=PLAIN)
        whole = own.loc[own["present"] == "all", "ccc"]
        without_one = own[(own["n_present"] == own["n_present"].max() - 1) & own["ccc"].notna()]
        if whole.isna().all() or without_one.empty:
            continue
        worst = without_one.loc[without_one["ccc"].idxmin()]
        text = (
            f"{setting_title(setting)}: {worst['present']} leaves Hi-MoE with {number(worst['ccc'])} of {number(whole.item())}"
        )
        if len(plain):
            ahead, behind = int((plain["low"] > 0).sum()), int((plain["high"] < 0).sum())
            text += f", and of {len(plain)} subsets it is ahead of late fusion in {ahead} and behind in {behind}"
            text += few_seeds(evidence, setting)
        sentences.append(text)
    return ("; ".join(sentences) or "Hi-MoE has no score with a modality absent") + "."
