"""The findings of this run in words, each made from its numbers: what predicts, where Hi-MoE stands, what it adds to a linear
line and to late fusion, whether anything is known beyond the clip, which claims hold, and what would settle the others. CCC is
the mean over people, seeds and targets on clean input; ahead and behind mean an interval (95%, over people and seeds) above or
below 0, one comparison at a time. Beyond the clip: what the other people's ratings of the clip leave of a person's own ratings,
correlated with what they leave of the predictions; known is what remains so when all models are looked at. Where a run holds
real recordings, simulated data are left out."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import numpy as np
import pandas as pd

from himoe import registry
from himoe.config.protocols import MIN_SEEDS, lacks_seeds
from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.judge import judge_all
from himoe.report.text import interval, number, stamped
from himoe.report.titles import dataset_of, model_title
from himoe.stats import intervals, verdicts
from himoe.stats.frames import pick
from himoe.stats.levels import CLEAN, Levels, levels

TITLE = "The answer"
SECTION = "verdict"
NEEDS = ("scores", "predictions", "routing", "claims", "runs", "audits")
BASELINES = ("ridge", "late_fusion")  # what Hi-MoE must add something to
RATERS = "leave_one_rater_out"
COLUMNS = ["setting", "question", "answer"]
FEW_SEEDS = f"People share networks of fewer than {MIN_SEEDS} seeds: the luck of training is in none of these intervals."


def make(evidence: Evidence) -> TableItem:
    """One row per setting in which people are kept apart, and question."""
    judged = judge_all(evidence)
    rows = [(setting, *row) for setting in _settings(evidence) for row in _answers(evidence, setting, judged)]
    data = pd.DataFrame(rows, columns=COLUMNS)
    titles = data["setting"].map(stamped)
    shown = pd.DataFrame({"data set": titles, "question": data["question"], "answer": data["answer"]})
    first = data[data["setting"] == data["setting"].iloc[0]] if len(data) else data
    told = pick(first, question=[STANDS, BEYOND])["answer"].tolist()
    finding = f"{titles.iloc[0]}: {' '.join(told)}" if told else f"{model_title(STUDIED)} is not in this run."
    return TableItem(data, shown, finding)


def _settings(evidence: Evidence) -> list[str]:
    """Settings that can answer: those of real recordings, or all where there are none."""
    return [s for s in evidence.judged if not registry.is_synthetic(dataset_of(s))] or evidence.judged


PREDICTS, STANDS, ADDS = "What predicts?", "Where does Hi-MoE stand?", "What does it add?"
KNOWN = "Something is known beyond the clip"
BEYOND, HOLDS, SETTLES = "Is anything known beyond the clip?", "Which claims hold?", "What would settle the others?"


def _answers(evidence: Evidence, setting: str, judged: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """(question, answer) of one setting."""
    scores = pick(evidence.all_scores, setting=setting, condition=CLEAN)
    wanted = [m for m in evidence.models_of(setting) if m in evidence.models and not registry.is_reference(m)]
    values = levels(pick(scores, model=wanted), "ccc")
    failed = [m for m in wanted if m not in values or np.isnan(values[m]).any()]
    competing = {m: v for m, v in values.items() if m not in failed}
    if not competing:
        return
    raters = levels(pick(scores, model=RATERS), "ccc")  # of the people who share a clip with somebody
    yield PREDICTS, _predicts(evidence, setting, raters, competing)
    few = lacks_seeds(evidence.protocol_of(setting), len(evidence.config.seeds))
    caution = f" {FEW_SEEDS}" if few else ""
    caution += f" Without a score, for a fold diverged: {', '.join(map(model_title, failed))}." if failed else ""
    if STUDIED in failed:
        yield STANDS, f"Nothing is said of {model_title(STUDIED)}: a fold of it diverged."
    elif STUDIED in competing:
        yield STANDS, _stands(competing) + caution
        if adds := _adds(competing):
            yield ADDS, adds + caution
    if beyond := _beyond(scores, competing):
        yield BEYOND, beyond
    of_setting = judged[judged["setting"] == setting]
    here = of_setting[of_setting["verdict"] != verdicts.NOT_RUN]
    if len(here):
        yield HOLDS, _holds(of_setting)
    if settles := _settles(here, *next(iter(competing.values())).shape):
        yield SETTLES, settles


def _predicts(evidence: Evidence, setting: str, raters: Levels, competing: Levels) -> str:
    """The best model beside what is had from the clip alone."""
    best = max(competing, key=lambda m: competing[m].mean())
    text = f"The best model, {model_title(best)}, reaches CCC {_text(competing[best])}"
    if competing[best].mean() <= 0:
        text = f"No model's CCC is above 0; the highest is {model_title(best)}'s, {_text(competing[best])}"
    if RATERS in raters:
        more = "more" if raters[RATERS].mean() > competing[best].mean() else "less"
        text += (
            f"; the mean of the other people's ratings of the same clip, without any signal, {more}: {_text(raters[RATERS])}"
        )
    where = {"dataset": dataset_of(setting), "protocol": evidence.protocol_of(setting)}
    findings = [f for sheet in evidence.audits if where.items() <= sheet.items() for f in sheet["findings"]]
    probe = next((f["evidence"] for f in findings if f["check"] == "clip"), "")
    return text + (f". A linear probe names the clip from the features of people left out: {probe}." if probe else ".")


def _stands(competing: Levels) -> str:
    """Rank, and who is ahead, behind and neither; a tie is called undecided."""
    means = {m: values.mean() for m, values in competing.items()}
    rank = 1 + sum(mean > means[STUDIED] for mean in means.values())
    sides: dict[str, list[str]] = {"ahead of": [], "behind": [], "undecided against": []}
    for other, values in competing.items():
        if other != STUDIED:
            found = intervals.interval(competing[STUDIED] - values)
            side = "ahead of" if found.low > 0 else "behind" if found.high < 0 else "undecided against"
            sides[side].append(model_title(other))
    told = [f"{side} {len(names)} ({', '.join(names)})" if names else f"{side} none" for side, names in sides.items()]
    return (
        f"{model_title(STUDIED)}: CCC {_text(competing[STUDIED])}, rank {rank} of {len(means)} by the mean; {'; '.join(told)}."
    )


def _adds(competing: Levels) -> str:
    """Its lead over the linear line and over late fusion."""
    told = []
    for other in (m for m in BASELINES if m in competing):
        lead = intervals.interval(competing[STUDIED] - competing[other])
        word = "more than" if lead.low > 0 else "less than" if lead.high < 0 else "no difference shown from"
        told.append(f"{word} {model_title(other)}: {interval(float(lead.mean), float(lead.low), float(lead.high))}")
    return _sentence("CCC, " + "; ".join(told)) if told else ""


def _beyond(scores: pd.DataFrame, competing: Levels) -> str:
    """PCC with what the others' ratings leave of a person's own: of Hi-MoE, the baselines and the best model. Known is what
    remains known when as many models are looked at (Bonferroni)."""
    found = levels(pick(scores, model=list(competing)), "residual_pcc")
    left = {m: v for m, v in found.items() if not np.isnan(v).any()}
    if not left:
        return ""
    named = dict.fromkeys([m for m in (STUDIED, *BASELINES) if m in left] + [max(left, key=lambda m: left[m].mean())])
    known = [m for m in left if intervals.interval(left[m], intervals.ALPHA / len(left)).low > 0]
    who = f"{KNOWN}, by {', '.join(map(model_title, known))}"
    single = sum(bool(intervals.interval(v).low > 0) for v in left.values())
    nobody = "Nothing is shown to be known beyond the clip"
    if single and not known:
        nobody += f": {single} of {len(left)} models have an interval above 0, none once corrected for looking at all of them"
    word = who if known else nobody
    return f"{word}. PCC {', '.join(f'{model_title(m)} {_text(left[m])}' for m in named)}."


def _holds(here: pd.DataFrame) -> str:
    """Claims by word, those that hold first, and what they say."""
    named = here.assign(named=here["id"] + " (" + here["claim"] + ")")
    by_word = {word: part["named"].tolist() for word, part in named.groupby("verdict")}
    order = [*verdicts.WORDS, verdicts.UNTESTABLE, verdicts.FAILED, verdicts.NOT_RUN]
    told = [] if verdicts.SUPPORTED in by_word else ["none is supported"]
    told += [f"{word}: {', '.join(by_word[word])}" for word in order if word in by_word]
    edited = here[here["evidence"].str.startswith("changed after")]["id"].tolist()
    told += [f"changed after results existed: {', '.join(edited)}"] if edited else []
    return _sentence("; ".join(told))


def _settles(here: pd.DataFrame, n_people: int, n_seeds: int) -> str:
    """What claims that are inconclusive would need: seeds, or people. With one seed the lead that is seen falls with the root
    of the number of people; with several what seeds share does not fall with it, and no number is named."""
    told = []
    for row in here[here["verdict"] == verdicts.INCONCLUSIVE].itertuples():
        seen = f"{row.id} sees a lead of {number(row.detectable)} with 80% power"
        if np.isnan(row.detectable):
            told.append(f"{row.id} needs {MIN_SEEDS} seeds")
        elif row.detectable <= row.smallest:
            told.append(f"{seen}, the smallest of interest: why it is undecided, the table of claims says")
        elif n_seeds > 1:
            told.append(f"{seen}; {row.smallest:g} asks for more people, and more seeds")
        else:
            wanted = ceil(n_people * (row.detectable / row.smallest) ** 2)
            told.append(f"{seen}; {row.smallest:g} asks for about {wanted} people")
    return _sentence("; ".join(told)) if told else ""


def _text(values: np.ndarray) -> str:
    found = intervals.interval(values)
    return interval(float(found.mean), float(found.low), float(found.high))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
