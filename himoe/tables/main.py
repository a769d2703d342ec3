"""Every model on every data set and target, clean input, subjects never seen in training. Primary scores are means of per-
person values with 95% intervals over people and seeds. Skill is 1 - MSE / MSE of the training mean, of sums over people,
with the median of each person's own beside it: above 0 beats knowing only how people rate on average. Predictions are
rescaled on inner-validation people, alike for all models, which is best for the CCC and costs skill wherever little is
found; raw is before. Pooled CCC over all test rows is in the CSV. Constant predictions have CCC 0 and are counted. A model
one of whose folds diverged has no score: its cell says so. Below the models stand references, which compete with nobody:
what is told the clip or the person, and ceilings made of the test people's labels (the table of ceilings says what each
is). Controls (labels shuffled, N(0, 1) physiology) must show no skill."""

from typing import Any

import numpy as np
import pandas as pd

from himoe import registry
from himoe.evaluate.score import per_subject
from himoe.names import CEILINGS, CLEAN, STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.standing import best, finite
from himoe.report.text import MISSING, failures, intervals, listed, number
from himoe.report.titles import dataset_of, model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.inert import inert
from himoe.stats.levels import POOLED, levels, means_with_intervals

TITLE = "Main comparison"
SECTION = "comparison"
NEEDS = ("scores", "predictions", "routing", "runs")
METRICS = ("ccc", "raw_ccc", "skill", "raw_skill", "rmse", "constant")
SHOWN = {"ccc": "CCC", "raw_ccc": "raw CCC", "skill": "skill", "rmse": "RMSE"}  # on the page, one at a time
NAMED = 3  # models not told apart from the best that are named; more are counted
KINDS = ("model", "reference", "control")  # from top to bottom
Column = tuple[str, str]  # setting, target
Marks = dict[str, dict[str, str]]  # metric -> model -> best or tied


def make(evidence: Evidence) -> TableItem:
    """One row per data set, target and model, best CCC first within each; then references, then controls."""
    data = _scores(evidence)
    shown = pd.DataFrame({
        "data set": data["setting"].map(setting_title), "target": data["target"], "model": data["model"].map(_title),
        "CCC [95% CI]": intervals(data[["ccc", "ccc_low", "ccc_high"]].to_numpy()),
        "raw CCC": data["raw_ccc"].map(number),
        "skill [95% CI]": intervals(data[["skill", "skill_low", "skill_high"]].to_numpy(), MISSING),
        "median skill": data["skill_median"].map(number), "RMSE": data["rmse"].map(number),
    })  # fmt: skip
    note = [*failures(evidence), *_constant(data), *_readouts(evidence), *_unfit(evidence)]
    numbers = data.drop(columns=["constant_low", "constant_high"])
    columns = [(s, t) for s in evidence.settings for t in evidence.targets_of(s)]
    marks = {column: _marks(evidence, *column, pick(data, kind="model")) for column in columns}
    return TableItem(numbers, shown, _finding(data, marks), "\n".join(note), _page(evidence, data, marks))


def _page(evidence: Evidence, data: pd.DataFrame, marks: dict[Column, Marks]) -> dict[str, Any]:
    """Models as rows, settings and targets as columns, every metric of :data:`SHOWN` in each cell; the best model of a column
    and those that are not told apart from it are marked."""
    groups = [{"title": setting_title(s), "targets": list(evidence.targets_of(s))} for s in evidence.settings]
    found = {(r["setting"], r["target"], r["model"]): r for r in data.to_dict("records")}
    order = dict.fromkeys([*evidence.models, *data["model"]])
    blocks = []
    for kind in KINDS:
        models = [m for m in order if m in set(pick(data, kind=kind)["model"])]
        rows = [
            {"model": m, "title": model_title(m), "cells": [_cell(found.get((*c, m)), marks[c], m) for c in marks]}
            for m in models
        ]  # fmt: skip
        blocks += [{"kind": kind, "rows": rows}] if rows else []
    metrics = [{"key": key, "title": title} for key, title in SHOWN.items()]
    keys = [{"setting": s, "target": t} for s, t in marks]
    return {"groups": groups, "columns": keys, "metrics": metrics, "blocks": blocks, "studied": STUDIED}


def _cell(row: dict[str, Any] | None, marks: Marks, model: str) -> dict[str, Any]:
    """Value, bounds and mark by metric; empty where a model is not fitted, null where its fold diverged."""
    if row is None:
        return {}
    return {
        key: [finite(row[key]), finite(row[f"{key}_low"]), finite(row[f"{key}_high"]), _mark(marks[key], model)]
        for key in SHOWN
    }


def _mark(of_metric: dict[str, str], model: str) -> str:
    """``best``, or ``tied`` where that tells some models from others: where all are tied, only the best is marked."""
    mark = of_metric.get(model, "")
    return "" if mark == "tied" and "" not in of_metric.values() else mark


def _marks(evidence: Evidence, setting: str, target: str, data: pd.DataFrame) -> Marks:
    """Metric -> model -> ``best`` or ``tied``."""
    here = pick(data, setting=setting, target=target)
    scores = pick(evidence.scores, setting=setting, target=target, condition=CLEAN, model=here["model"].tolist())
    out: Marks = {}
    for key in SHOWN:
        values = {m: v for m, v in levels(scores, key).items() if np.isfinite(v).all()}
        first, tied = best(values, lower=key == "rmse") if values else ("", [])
        out[key] = dict.fromkeys(values, "") | dict.fromkeys(tied, "tied") | {first: "best"}
    return out


def _scores(evidence: Evidence) -> pd.DataFrame:
    """Means over subjects with their intervals, and pooled CCC."""
    models = [*evidence.models, *evidence.controls, *CEILINGS]
    clean = pick(evidence.all_scores, condition=CLEAN, model=models)
    own_skill = per_subject(clean, "skill")
    pooled = pick(clean, subject=POOLED, metric="pooled_ccc")
    rows = []
    for setting, target in ((s, t) for s in evidence.settings for t in evidence.targets_of(s)):
        block, part = [], pick(clean, setting=setting, target=target)
        there = set(part["model"])
        for model, means in means_with_intervals(part, [m for m in models if m in there], METRICS).items():
            row: dict[str, Any] = {"setting": setting, "target": target, "model": model, "kind": _kind(model)} | means
            of_each = pick(own_skill, setting=setting, target=target, model=model)["value"]
            row["skill_median"] = of_each.median(skipna=False)
            mean = pick(pooled, setting=setting, target=target, model=model)["value"].mean(skipna=False)
            block.append(row | {"pooled_ccc": mean, "n_subjects": len(of_each)})
        rows += sorted(block, key=lambda row: (KINDS.index(row["kind"]), np.isnan(row["ccc"]), -row["ccc"]))
    return pd.DataFrame(rows)


def _kind(model: str) -> str:
    if registry.is_reference(model):
        return "reference"
    return "control" if registry.control_of(model) else "model"


def _title(model: str) -> str:
    return model_title(model) + (" (reference)" if registry.is_reference(model) else "")


def _finding(data: pd.DataFrame, marks: dict[Column, Marks]) -> str:
    """The highest CCC of each setting and target, and whose is not told apart from it."""
    ccc = {(r.setting, r.target, r.model): r.ccc for r in data.itertuples()}
    sentences = []
    for (setting, target), of_metric in marks.items():
        of_model = of_metric["ccc"]
        for first in (m for m in of_model if of_model[m] == "best"):
            tied = [model_title(m) for m in of_model if of_model[m] == "tied"]
            few = listed(tied) if len(tied) <= NAMED else f"{len(tied)} others"
            highest = f"{model_title(first)}, {number(ccc[setting, target, first])}"
            said = f"{setting_title(setting)}, {target}: highest CCC {highest}"
            sentences.append(said + (f", not told apart from {few}." if tied else ", ahead of all others."))
    return " ".join(sentences) or "No model has a score: every one has a fold that diverged."


def _constant(data: pd.DataFrame) -> list[str]:
    """Which models predict a constant for somebody."""
    names = [
        f"{model_title(r.model)} on {setting_title(r.setting)} {r.target}" for r in data[data["constant"] > 0].itertuples()
    ]
    text = f"Constant predictions for at least one subject (CCC = PCC = 0 by definition): {', '.join(names)}."
    return [text] if names else []


def _unfit(evidence: Evidence) -> list[str]:
    """Models that a setting has no row of, and why."""
    sentences = []
    for setting in evidence.settings:
        dataset, protocol = dataset_of(setting), evidence.protocol_of(setting)
        reasons = {m: evidence.config.unfit(m, dataset, protocol) for m in [*evidence.models, *evidence.controls]}
        if names := "; ".join(f"{model_title(m)}: {why}" for m, why in reasons.items() if why):
            sentences.append(f"Not run on {setting_title(setting)}: {names}.")
    return sentences


def _readouts(evidence: Evidence) -> list[str]:
    """For models with a linear read-out: how much of their predictions is the read-out's alone."""
    targets = {setting: evidence.targets_of(setting) for setting in evidence.settings}
    found = inert(evidence.predictions, evidence.routed([CLEAN], ["readout"], ""), targets)
    return [
        f"{model_title(r.model)} on {setting_title(r.setting)}, {r.target}: its predictions correlate {number(r.correlation)} "
        "with those of its linear read-out alone (trial means, mean over folds)"
        + ("; the network adds nothing to it here, and nothing claimed of its parts can be tested on this." if r.inert else ".")
        for r in found.itertuples()
    ]
