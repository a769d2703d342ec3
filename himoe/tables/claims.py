"""What the paper's abstract claims and what this run says of it. Hypotheses and thresholds were fixed in config/claims.yaml
before the run, and are judged on people that no model has seen. A verdict on a twin says how the code behaves on simulated
data and nothing about the paper."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from himoe import registry
from himoe.config.facts import dataset_info
from himoe.config.protocols import PROTOCOLS
from himoe.names import STUDIED, model_variant, parse_dataset
from himoe.report.evidence import Evidence
from himoe.report.items import Made
from himoe.report.text import VERDICTS, interval, number, stamped
from himoe.report.titles import dataset_of, model_title
from himoe.stats.inference import ALPHA
from himoe.stats.paired import compare
from himoe.stats.robustness import areas, compare_areas

TITLE = "Claims"
SECTION = "verdict"
NEEDS = ("scores", "claims", "runs")
Verdict = tuple[str, str]
Claim = dict[str, Any]
UNTESTABLE_SHIFT = (
    "untestable on this data", "one label per trial: a mean-pooled model is invariant to shifts by construction"
)  # fmt: skip


def make(evidence: Evidence) -> Made:
    """One row per claim and data set of the run; what the run cannot speak to is one 'not run' row per claim."""
    judged = [s for s in evidence.settings if PROTOCOLS[evidence.protocol_of(s)].independent]
    rows = []
    for claim in evidence.yaml("claims"):
        told = {"id": claim["id"], "claim": claim["claim"]}
        here = [d for d in judged if parse_dataset(dataset_of(d)).plugin in claim["data"]]
        for setting in here:
            verdict, why = TESTS[claim["test"]](evidence, setting, claim)
            rows.append(told | {"setting": setting, "verdict": verdict, "evidence": why})
        absent = [d for d in claim["data"] if d not in map(dataset_of, here)]
        if absent:
            there = {dataset_of(s) for s in evidence.settings} & set(absent)
            why = "no protocol of this run keeps people apart" if there else "no real recordings of it in this run"
            named = ", ".join(dataset_info(d).title for d in absent)
            rows.append(told | {"setting": named, "verdict": "not run", "evidence": why})
    data = pd.DataFrame(rows)
    known = set(evidence.settings)
    shown = pd.DataFrame({
        "claim": data["id"] + " · " + data["claim"],
        "data set": [stamped(d) if d in known else d for d in data["setting"]],
        "verdict": data["verdict"].map(VERDICTS), "evidence": data["evidence"],
    })  # fmt: skip
    real = data[[d in known and not registry.is_synthetic(dataset_of(d)) for d in data["setting"]]]
    counted = real["verdict"].value_counts().to_dict()
    alt = "On real recordings: " + (", ".join(f"{n} {v}" for v, n in counted.items()) or "no claim was tested") + "."
    return Made(data, shown, alt)


def ahead_of_all(evidence: Evidence, setting: str, claim: Claim) -> Verdict:
    """Hi-MoE above every other model in CCC and skill, every target."""
    frames = [compare(evidence.scores, m, [setting], evidence.config.statistics) for m in ("ccc", "skill")]
    data = pd.concat(frames)
    won = (data["difference"] > 0) & (data["p_holm"] < ALPHA)
    if data.empty:
        return "not run", "needs himoe and another model in the run"
    if failed := _failed(evidence, setting, [STUDIED]):
        return "failed", failed
    made = data["difference"].notna()
    if won[made].all():  # nothing speaks against it
        failed = _failed(evidence, setting, list(data.loc[~made, "other"]))
        return ("failed", failed) if failed else ("supported", f"ahead in all {len(won)} comparisons")
    lost = data[made & ~won].sort_values("difference").iloc[0]
    metric = {"ccc": "CCC"}.get(lost["metric"], lost["metric"])
    return "not supported", (
        f"ahead in {won.sum()} of {made.sum()} comparisons; against {model_title(lost['other'])} on {lost['target']}: "
        f"{metric} difference {number(lost['difference'])}, p = {number(lost['p_holm'])}"
    )


def _loses_least(evidence: Evidence, setting: str, condition: str, margin: float) -> Verdict:
    """Less lost than every model trained alike (interval below 0), and clean CCC not inferior by ``margin`` or more.

    A model with less than half of Hi-MoE's CCC has too little to lose to be compared. Where none of the others loses
    ``margin``, the condition asks nothing of anyone and nothing can be learnt from it.
    """
    fitted = [m for m in evidence.models if m in evidence.models_of(setting)]
    rivals = [m for m in fitted if m != STUDIED and "build" in registry.peek("models", m)["functions"]]
    if condition not in evidence.config.conditions or not rivals or STUDIED not in evidence.models:
        return "not run", f"needs the condition {condition}, himoe and a model trained with the same dropout"
    lost = areas(evidence.scores)
    table = compare_areas(lost[lost["setting"] == setting], evidence.config.statistics)
    table = table[table["condition"] == condition].set_index("model")
    if failed := _failed(evidence, setting, [*rivals, STUDIED]):
        return "failed", failed
    own = table.loc[STUDIED, "start"]
    rivals = [m for m in rivals if table.loc[m, "start"] >= own / 2] if own > 0 else rivals
    if not rivals:
        return "untestable on this data", "no model trained alike has half of Hi-MoE's CCC to lose"
    most = table.loc[[*rivals, STUDIED], "lost"].max()
    if most < margin:
        told = f"no model trained alike loses {margin:g} of CCC (at most {number(most)}): nothing to tell apart"
        return "untestable on this data", told
    data = table.loc[rivals]
    clean = compare(evidence.scores, "ccc", [setting], evidence.config.statistics)
    level = bool((clean.loc[clean["other"].isin(rivals), "low"] > -margin).all())
    good = bool((data["high"] < 0).all()) and level
    worst = data["difference"].idxmax()
    row = data.loc[worst]
    gap = interval(row["difference"], row["low"], row["high"])
    why = f"mean CCC lost minus that of {model_title(worst)}: {gap}; clean CCC within {margin:g}: {'yes' if level else 'no'}"
    return ("supported" if good else "not supported"), why


def _failed(evidence: Evidence, setting: str, models: list[str]) -> str:
    """Which of these models have folds that diverged; empty if none."""
    own = {m: evidence.failed[setting, m] for m in dict.fromkeys(models) if (setting, m) in evidence.failed}
    return "; ".join(f"{model_title(m)} diverged in {len(folds)} of its folds" for m, folds in own.items())


def loses_least_missing(evidence: Evidence, setting: str, claim: Claim) -> Verdict:
    """Less lost under random missing rates than the models trained alike."""
    return _loses_least(evidence, setting, "missing_rate", float(claim["margin"]))


def loses_least_shifted(evidence: Evidence, setting: str, claim: Claim) -> Verdict:
    """Less lost under shifts, where labels vary within a trial."""
    if not dataset_info(dataset_of(setting)).per_token:
        return UNTESTABLE_SHIFT
    return _loses_least(evidence, setting, "shift", float(claim["margin"]))


def beats_ablations(evidence: Evidence, setting: str, claim: Claim) -> Verdict:
    """Hi-MoE against itself with the part changed: CCC ahead of every one on clean input (interval above 0), or, where the
    claim names a condition, less CCC lost under it (interval below 0)."""
    names, condition = [model_variant(STUDIED, name) for name in claim["ablations"]], claim.get("condition")
    if absent := [n for n in names if n not in evidence.config.models]:
        return "not run", f"needs {len(absent)} of the ablations of config/ablations.yaml"
    if condition == "shift" and not dataset_info(dataset_of(setting)).per_token:
        return UNTESTABLE_SHIFT
    if condition and condition not in evidence.config.conditions:
        return "not run", f"needs the condition {condition}"
    if failed := _failed(evidence, setting, [STUDIED, *names]):
        return "failed", failed
    scores, settings = evidence.all_scores, evidence.config.statistics
    scores = scores[scores["model"].isin([STUDIED, *names]) & (scores["setting"] == setting)]
    if condition:
        table = compare_areas(areas(scores), settings)
        table = table[(table["condition"] == condition) & (table["model"] != STUDIED)].set_index("model")
        won, worst, what = table["high"] < 0, table["difference"].idxmax(), "mean CCC lost"
    else:
        table = compare(scores.assign(target="all"), "ccc", [setting], settings).set_index("other")
        won, worst, what = table["low"] > 0, table["difference"].idxmin(), "CCC"
    row = table.loc[worst]
    gap = interval(row["difference"], row["low"], row["high"])
    told = f"ahead of {won.sum()} of {len(table)}; {what} minus that of {model_title(str(worst))}: {gap}"
    return ("supported" if won.all() else "not supported"), told


TESTS: dict[str, Callable[[Evidence, str, Claim], Verdict]] = {
    "ahead_of_all": ahead_of_all,
    "beats_ablations": beats_ablations,
    "loses_least_missing": loses_least_missing,
    "loses_least_shifted": loses_least_shifted,
}
