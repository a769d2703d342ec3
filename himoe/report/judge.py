"""Judging the paper's claims on the scores of a run: one word for each claim and data set, why, and the numbers behind it
(docs/explanation/verdicts.md)."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pandas as pd

from himoe import registry
from himoe.config.claims import Claim, applies, has_labels, lacks, others_of, parse_claims
from himoe.config.facts import dataset_info
from himoe.config.protocols import lacks_seeds, shared_luck
from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.text import number
from himoe.report.titles import dataset_of, model_title
from himoe.stats import verdicts
from himoe.stats.characteristics import Characteristics, Design, characteristics, spread_of
from himoe.stats.frames import pick
from himoe.stats.inert import inert
from himoe.stats.levels import CLEAN, Levels, levels

ONE_LABEL = "one label per trial: a mean-pooled model is invariant to shifts by construction"
NUMBERS = ["lead", "low", "high", "detectable", "power", "false_support"]


class Verdict(NamedTuple):
    """A word, why, and the numbers of :data:`NUMBERS` where a lead was judged."""

    word: str
    why: str
    numbers: tuple[float, ...] = (np.nan,) * len(NUMBERS)


IDLE = Verdict(verdicts.UNTESTABLE, "the network adds nothing to its linear read-out")


def judge_all(evidence: Evidence) -> pd.DataFrame:
    """One row per claim and setting of the run that it applies to, and one 'not run' row for the others: ``id``, ``claim``,
    ``setting``, ``verdict``, the :data:`NUMBERS`, the ``smallest`` effect of interest and the ``evidence`` in words."""
    entries, rows = evidence.yaml("claims"), []
    targets = {s: evidence.targets_of(s) for s in evidence.settings}
    idle = inert(evidence.predictions, evidence.routed([CLEAN], ["readout"], ""), targets)
    idle = pick(idle, model=STUDIED).groupby("setting")["inert"].all()
    for claim, entry in zip(parse_claims(entries), entries, strict=True):
        edited = evidence.changed_since("claims", entry)
        for setting, verdict in _of_claim(evidence, claim, set(idle.index[idle])):
            why = "; ".join(filter(None, [edited, verdict.why]))
            rows.append([claim.id, claim.claim, setting, verdict.word, *verdict.numbers, claim.smallest_effect, why])
    return pd.DataFrame(rows, columns=["id", "claim", "setting", "verdict", *NUMBERS, "smallest", "evidence"])


def _of_claim(evidence: Evidence, claim: Claim, idle: set[str]) -> list[tuple[str, Verdict]]:
    """(setting, verdict) for every setting that a claim is judged on, and the data sets on which it was not run. ``idle``:
    where Hi-MoE's network adds nothing to its linear read-out."""
    judged = [s for s in evidence.judged if applies(claim, dataset_of(s))]
    rows = [(s, _against_some(evidence, s, claim, judge(evidence, s, claim, idle))) for s in judged]
    if absent := [d for d in _asked(claim) if d not in map(dataset_of, judged)]:
        there = set(map(dataset_of, evidence.settings)) & set(absent)
        why = "no protocol of this run keeps people apart" if there else "no real recordings of it in this run"
        rows.append((", ".join(dataset_info(d).title for d in absent), Verdict(verdicts.NOT_RUN, why)))
    return rows


def _against_some(evidence: Evidence, setting: str, claim: Claim, verdict: Verdict) -> Verdict:
    """A claim over every rival can be contradicted by one of them; it is supported by none of a few that somebody picked: the
    networks shipped here that can be fitted in this setting must all be in the run."""
    if claim.against == "ablations" or verdict.word not in (verdicts.SUPPORTED, verdicts.EQUIVALENT):
        return verdict
    where = dataset_of(setting), evidence.protocol_of(setting)
    config, fitted = evidence.config, evidence.models_of(setting)
    possible = [m for m in registry.available("models") if registry.is_network(m) and m != STUDIED]
    absent = [m for m in possible if m not in fitted and (config.is_left_out(m, *where) or not config.unfit(m, *where))]
    if not absent:
        return verdict
    why = f"{verdict.word} against those in this run; {len(absent)} networks that could be rivals here are not"
    return Verdict(verdicts.INCONCLUSIVE, f"{why}; {verdict.why}", verdict.numbers)


def _asked(claim: Claim) -> list[str]:
    """Data sets whose recordings would test a claim."""
    return [d for d in registry.available("datasets") if applies(claim, d) and has_labels(claim, d)]


def judge(evidence: Evidence, setting: str, claim: Claim, idle: Collection[str] = ()) -> Verdict:
    """Verdict on a claim on one data set."""
    if not has_labels(claim, dataset_of(setting)):
        return Verdict(verdicts.UNTESTABLE, ONE_LABEL)
    where = dataset_of(setting), evidence.protocol_of(setting)
    others = others_of(evidence.config, *where, claim)
    if why := lacks(evidence.config, *where, claim):
        return Verdict(verdicts.NOT_RUN, why)
    failed = _failed(evidence, setting, [STUDIED, *others])
    left_over = [m for m in others if (setting, m) not in evidence.failed]
    if (setting, STUDIED) in evidence.failed or not left_over:
        return Verdict(verdicts.FAILED, failed)
    if claim.of_mechanism and setting in idle:
        return IDLE
    verdict = _of_scores(evidence, setting, claim, [STUDIED, *left_over])
    # one that failed saves nobody who is behind another, and is no win
    return Verdict(verdicts.FAILED, failed) if failed and verdict.word != verdicts.CONTRADICTED else verdict


def _of_scores(evidence: Evidence, setting: str, claim: Claim, models: list[str]) -> Verdict:
    """Verdict by the scores of these models."""
    scores = pick(evidence.all_scores, setting=setting, model=models)
    left = levels(scores, condition=claim.under or CLEAN)
    start = levels(scores, condition=claim.under or CLEAN, at="mildest")
    if claim.under and (most := max(float((start[m] - left[m]).mean()) for m in left)) < claim.smallest_effect:
        why = f"no model loses {claim.smallest_effect:g} of CCC (at most {number(most)}): nothing to tell apart"
        return Verdict(verdicts.UNTESTABLE, why)
    return _weigh(evidence, setting, claim, start, left)


def _weigh(evidence: Evidence, setting: str, claim: Claim, start: Levels, left: Levels) -> Verdict:
    """Word and numbers from the values of every model: with nothing to lose or lost, and as they are left."""
    others, leads = [m for m in left if m != STUDIED], _leads(left)
    n_seeds = leads.shape[1]
    lead = verdicts.smallest_lead(leads)
    word = str(verdicts.decide(lead.low, lead.high, claim.smallest_effect))
    settings, (design, level) = evidence.config.statistics, _design(left)
    seen = characteristics(design, claim.smallest_effect, settings.simulations, settings.seed, level)
    closest = [*others, verdicts.NOTHING][int(lead.closest)]
    named = closest if closest == verdicts.NOTHING else model_title(closest)
    why = [f"closest: {named}", _levels(claim, start, left, closest)]
    if reason := _not_enough(evidence, setting, n_seeds):
        word, seen = verdicts.INCONCLUSIVE, Characteristics(0.0, 0.0, np.nan)
        why.insert(0, reason)
    less = [m for m in others if claim.under and word == verdicts.SUPPORTED and _keeps_less(start, left, m, len(others))]
    if less:
        word = verdicts.INCONCLUSIVE
        why.insert(0, f"ahead, but it keeps less of its CCC than {', '.join(map(model_title, less))}")
    if claim.of_mechanism and np.isfinite(share := network_share(evidence, setting)):
        why.append(f"the network's part beside its linear read-out is {share:.0%}, which damps what its parts can show")
    numbers = (float(lead.value), float(lead.low), float(lead.high), seen.detectable, seen.power, seen.false_support)
    return Verdict(word, "; ".join(filter(None, why)), numbers)


def design_of(evidence: Evidence, setting: str, claim: Claim) -> tuple[Design, float] | None:
    """By what people, seeds, rivals and spread a claim is judged in a setting, and Hi-MoE's own CCC there; None where its
    verdict rests on no scores."""
    where = dataset_of(setting), evidence.protocol_of(setting)
    if not (applies(claim, where[0]) and has_labels(claim, where[0])) or lacks(evidence.config, *where, claim):
        return None
    models = [m for m in (STUDIED, *others_of(evidence.config, *where, claim)) if (setting, m) not in evidence.failed]
    scores = pick(evidence.all_scores, setting=setting, model=models)
    return _design(levels(scores, condition=claim.under or CLEAN)) if len(models) > 1 and models[0] == STUDIED else None


def _leads(left: Levels) -> np.ndarray:
    """Hi-MoE's over every other model, and over predicting nothing (n_people, n_seeds, n_others + 1)."""
    return np.stack([*(left[STUDIED] - values for model, values in left.items() if model != STUDIED), left[STUDIED]], axis=-1)


def _design(left: Levels) -> tuple[Design, float]:
    leads = _leads(left)
    return Design(leads.shape[0], leads.shape[1], spread_of(leads)), float(left[STUDIED].mean())


def _not_enough(evidence: Evidence, setting: str, n_seeds: int) -> str:
    """Why the luck of training is not in the interval; empty where it is: with several seeds, or one network for each
    person."""
    if not lacks_seeds(evidence.protocol_of(setting), n_seeds):
        return ""
    return shared_luck(n_seeds)


def _keeps_less(start: Levels, left: Levels, model: str, n_others: int) -> bool:
    return verdicts.keeps_less((left[STUDIED], start[STUDIED]), (left[model], start[model]), n_others)


def _levels(claim: Claim, start: Levels, left: Levels, closest: str) -> str:
    """CCC of Hi-MoE and of its closest rival and, under a condition, which share is kept of what."""
    parts = []
    for model in [STUDIED] + [closest] * (closest in left):
        text = f"{model_title(model)} {number(left[model].mean())}"
        if claim.under and start[model].mean() > 0:
            text += f" of {number(start[model].mean())} ({left[model].mean() / start[model].mean():.0%})"
        parts.append(text)
    return "CCC " + ", ".join(parts)


def network_share(evidence: Evidence, setting: str) -> float:
    """How much of Hi-MoE's prediction is its network's, beside the linear read-out: mean over folds and seeds; NaN without a
    read-out."""
    runs = [run for run in evidence.runs if run["setting"] == setting and run["model"] == STUDIED]
    shares = [fold["network_share"] for run in runs for fold in run["folds"].values()]
    known = [share for share in shares if share is not None]
    return float(np.mean(known)) if known else float("nan")


def _failed(evidence: Evidence, setting: str, models: list[str]) -> str:
    """Which of these models have folds that diverged; empty if none."""
    failed = {m: evidence.failed[setting, m] for m in dict.fromkeys(models) if (setting, m) in evidence.failed}
    return "; ".join(f"{model_title(m)} diverged in {len(folds)} of its folds" for m, folds in failed.items())
