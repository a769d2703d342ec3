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
from himoe.report.items import TableItem
from himoe.report.text import VERDICTS, interval, number, stamped
from himoe.report.titles import dataset_of, model_title
from himoe.stats.frames import pick
from himoe.stats.inference import ALPHA
from himoe.stats.paired import compare
from himoe.stats.robustness import areas, compare_areas

TITLE = "Claims"
SECTION = "verdict"
NEEDS = ("scores", "claims", "runs")
Verdict = tuple[str, str]
Claim = dict[str, Any]
PER_TOKEN = "per token"
ONE_LABEL = "one label per trial: a mean-pooled model is invariant to shifts by construction"


def make(evidence: Evidence) -> TableItem:
    """One row per claim and data set of the run that it applies to, and one 'not run' row for the others."""
    rows = []
    for claim in evidence.yaml("claims"):
        text = {"id": claim["id"], "claim": claim["claim"]}
        judged = [s for s in evidence.settings if PROTOCOLS[evidence.protocol_of(s)].independent and applies(claim, s)]
        for setting in judged:
            verdict, why = judge(evidence, setting, claim)
            rows.append(text | {"setting": setting, "verdict": verdict, "evidence": why})
        if absent := [d for d in _asked(claim) if d not in map(dataset_of, judged)]:
            there = set(map(dataset_of, evidence.settings)) & set(absent)
            why = "no protocol of this run keeps people apart" if there else "no real recordings of it in this run"
            names = ", ".join(dataset_info(d).title for d in absent)
            rows.append(text | {"setting": names, "verdict": "not run", "evidence": why})
    data = pd.DataFrame(rows)
    shown = pd.DataFrame({
        "claim": data["id"] + " · " + data["claim"],
        "data set": [stamped(s) if s in evidence.settings else s for s in data["setting"]],
        "verdict": data["verdict"].map(VERDICTS), "evidence": data["evidence"],
    })  # fmt: skip
    real = [s for s in evidence.settings if not registry.is_synthetic(dataset_of(s))]
    counts = pick(data, setting=real)["verdict"].value_counts().to_dict()
    finding = ", ".join(f"{n} {verdict}" for verdict, n in counts.items()) or "no claim was tested"
    return TableItem(data, shown, f"On real recordings: {finding}.")


def applies(claim: Claim, setting: str) -> bool:
    """Whether a claim is about this data set: those it names, else every one but the planted, which have their own studies."""
    dataset = dataset_of(setting)
    if "data" in claim:
        return parse_dataset(dataset).plugin in claim["data"]
    return not registry.is_planted(dataset)


def _asked(claim: Claim) -> list[str]:
    """Data sets whose recordings would test a claim."""
    return [d for d in registry.available("datasets") if applies(claim, d) and _has_labels(claim, d)]


def _has_labels(claim: Claim, dataset: str) -> bool:
    return claim.get("labels") != PER_TOKEN or dataset_info(dataset).per_token


def judge(evidence: Evidence, setting: str, claim: Claim) -> Verdict:
    """Verdict on a claim and its reason, on one data set."""
    models = [model_variant(STUDIED, name) for name in claim.get("ablations", [])]
    if absent := [m for m in models if m not in evidence.config.models]:
        return "not run", f"needs {len(absent)} of the ablations of config/ablations.yaml"
    if not _has_labels(claim, dataset_of(setting)):
        return "untestable on this data", ONE_LABEL
    return TESTS[claim["test"]](evidence, setting, claim)


def ahead_of_all(evidence: Evidence, setting: str, claim: Claim) -> Verdict:
    """Hi-MoE above every other model in CCC and skill, every target."""
    frames = [compare(evidence.scores, m, [setting], evidence.config.statistics) for m in ("ccc", "skill")]
    data = pd.concat(frames)
    if data.empty:
        return "not run", "needs himoe and another model in the run"
    if failed := _failed(evidence, setting, [STUDIED]):
        return "failed", failed
    won = (data["difference"] > 0) & (data["p_holm"] < ALPHA)
    tested = data["difference"].notna()
    if won[tested].all():  # nothing speaks against it
        failed = _failed(evidence, setting, list(data.loc[~tested, "other"]))
        return ("failed", failed) if failed else ("supported", f"ahead in all {len(won)} comparisons")
    worst = data[tested & ~won].sort_values("difference").iloc[0]
    metric = {"ccc": "CCC"}.get(worst["metric"], worst["metric"])
    return "not supported", (
        f"ahead in {won.sum()} of {tested.sum()} comparisons; against {model_title(worst['other'])} on {worst['target']}: "
        f"{metric} difference {number(worst['difference'])}, p = {number(worst['p_holm'])}"
    )


def loses_least(evidence: Evidence, setting: str, claim: Claim) -> Verdict:
    """Less CCC lost under the claim's condition than every network trained alike (interval below 0), and clean CCC not inferior
    by the claim's margin.

    A model with less than half of Hi-MoE's CCC has too little to lose to be compared. Where none of the others loses the
    margin, the condition is too mild to tell them apart.
    """
    condition, margin = claim["condition"], float(claim["margin"])
    fitted = [m for m in evidence.models if m in evidence.models_of(setting)]
    rivals = [m for m in fitted if m != STUDIED and registry.is_network(m)]
    if condition not in evidence.config.conditions or not rivals or STUDIED not in evidence.models:
        return "not run", f"needs the condition {condition}, himoe and a model trained with the same dropout"
    if failed := _failed(evidence, setting, [*rivals, STUDIED]):
        return "failed", failed
    lost = compare_areas(pick(areas(evidence.scores), setting=setting), evidence.config.statistics)
    table = pick(lost, condition=condition).set_index("model")
    start = table.loc[STUDIED, "start"]
    rivals = [m for m in rivals if table.loc[m, "start"] >= start / 2] if start > 0 else rivals
    if not rivals:
        return "untestable on this data", "no model trained alike has half of Hi-MoE's CCC to lose"
    most = table.loc[[*rivals, STUDIED], "lost"].max()
    if most < margin:
        why = f"no model trained alike loses {margin:g} of CCC (at most {number(most)}): nothing to tell apart"
        return "untestable on this data", why
    clean = pick(compare(evidence.scores, "ccc", [setting], evidence.config.statistics), other=rivals)
    level = bool((clean["low"] > -margin).all())
    won = table.loc[rivals, "high"] < 0
    worst = table.loc[rivals, "difference"].idxmax()
    why = f"mean CCC lost minus that of {_gap(table, worst)}; clean CCC within {margin:g}: {'yes' if level else 'no'}"
    return ("supported" if won.all() and level else "not supported"), why


def beats_ablations(evidence: Evidence, setting: str, claim: Claim) -> Verdict:
    """Hi-MoE against itself with the part changed: CCC ahead of every one on clean input (interval above 0), or, where the
    claim names a condition, less CCC lost under it (interval below 0)."""
    names, condition = [model_variant(STUDIED, name) for name in claim["ablations"]], claim.get("condition")
    if condition and condition not in evidence.config.conditions:
        return "not run", f"needs the condition {condition}"
    if failed := _failed(evidence, setting, [STUDIED, *names]):
        return "failed", failed
    settings = evidence.config.statistics
    scores = pick(evidence.all_scores, model=[STUDIED, *names], setting=setting)
    if condition:
        lost = pick(compare_areas(areas(scores), settings), condition=condition).set_index("model")
        table, what = lost.drop(STUDIED), "mean CCC lost"
        won, worst = table["high"] < 0, table["difference"].idxmax()
    else:
        table, what = compare(scores.assign(target="all"), "ccc", [setting], settings).set_index("other"), "CCC"
        won, worst = table["low"] > 0, table["difference"].idxmin()
    why = f"ahead of {won.sum()} of {len(table)}; {what} minus that of {_gap(table, worst)}"
    return ("supported" if won.all() else "not supported"), why


def _gap(table: pd.DataFrame, model: Any) -> str:
    """A model's title and Hi-MoE's difference to it."""
    row = table.loc[model]
    return f"{model_title(model)}: {interval(row['difference'], row['low'], row['high'])}"


def _failed(evidence: Evidence, setting: str, models: list[str]) -> str:
    """Which of these models have folds that diverged; empty if none."""
    failed = {m: evidence.failed[setting, m] for m in dict.fromkeys(models) if (setting, m) in evidence.failed}
    return "; ".join(f"{model_title(m)} diverged in {len(folds)} of its folds" for m, folds in failed.items())


TESTS: dict[str, Callable[[Evidence, str, Claim], Verdict]] = {
    "ahead_of_all": ahead_of_all,
    "beats_ablations": beats_ablations,
    "loses_least": loses_least,
}
