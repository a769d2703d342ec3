"""The findings of this run in words, each made from its numbers: what predicts, where Hi-MoE stands, what it adds to a linear
line and to late fusion, whether anything is known beyond the clip, which claims hold, and what would settle the others. CCC is
the mean over people, seeds and targets on clean input; ahead and behind mean an interval (95%, over people and seeds) above or
below 0, one comparison at a time. Beyond the clip: what the other people's ratings of the clip leave of a person's own ratings,
correlated with what they leave of the predictions; known is what remains so when all models are looked at. Where a run holds
real recordings, simulated data are left out."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any

import numpy as np
import pandas as pd

from himoe import registry
from himoe.config.claims import parse_claims
from himoe.config.protocols import MIN_SEEDS
from himoe.names import STUDIED
from himoe.report.absence import what_matters
from himoe.report.evidence import Evidence
from himoe.report.forest import Bar, panel
from himoe.report.items import TableItem
from himoe.report.judge import judge_all
from himoe.report.outcome import decided_claims, headline, overall
from himoe.report.standing import against, predicts, rank, stands, without_score
from himoe.report.text import interval, number, stamped
from himoe.report.titles import dataset_of, model_title, short_titles
from himoe.stats import intervals, verdicts
from himoe.stats.frames import pick
from himoe.stats.levels import CLEAN, Levels, levels
from himoe.stats.sides import SIDES

TITLE = "The answer"
SECTION = "answer"
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
    parts = pick(first, question=[STANDS, BEYOND])["answer"].tolist()
    finding = f"{titles.iloc[0]}: {' '.join(parts)}" if parts else f"{model_title(STUDIED)} is not in this run."
    return TableItem(data, shown, finding, page=_page(evidence, judged))


def _page(evidence: Evidence, judged: pd.DataFrame) -> dict[str, Any]:
    """The title, three to five questions with an answer in plain words, and the picture of Hi-MoE's leads; the first settings
    of the run, as many as can be read at a glance."""
    settings = _settings(evidence)
    short = short_titles(settings)
    words = {str(i): overall(part["verdict"]) for i, part in pick(judged, setting=settings).groupby("id", sort=True)}
    texts = dict(zip(judged["id"], judged["claim"], strict=True))
    words |= {i: verdicts.NOT_RUN for i in texts if i not in words}
    parts = {HOLDS: [decided_claims(dict(sorted(words.items())), texts)]}
    panels, band = [], next(c.smallest_effect for c in parse_claims(evidence.yaml("claims")) if c.against == "rivals")
    for setting in settings[:AT_A_GLANCE]:
        scores = pick(evidence.all_scores, setting=setting, condition=CLEAN)
        competing, failed = _competing(evidence, setting, scores)
        start = f"{short[setting]}: " if len(settings) > 1 else ""
        if STUDIED in competing:
            parts.setdefault(STANDS, []).append(start + stands(competing) + without_score(failed))
            bars = [Bar(model_title(a.model), a.lead, a.low, a.high, a.side) for a in against(competing)]
            panels.append(panel(short[setting], bars, band, ("worse", "Hi-MoE better"), 290))
        elif STUDIED in failed:
            parts.setdefault(STANDS, []).append(f"{start}nowhere.{without_score(failed)}")
        if competing:
            parts.setdefault(BEST, []).append(start + predicts(competing))
        if STUDIED in competing and (matters := what_matters(evidence, setting)):
            parts.setdefault(MATTERS, []).append(start + matters)
        if beyond := _known(scores, competing):
            parts.setdefault(BEYOND, []).append(start + beyond)
    if evidence.audits:
        parts[LEAKS] = [_leaks(evidence)]
    few = [s for s in settings if evidence.has_few_seeds(s)]
    return {
        "outcome": headline(list(words.values()), all(registry.is_synthetic(dataset_of(s)) for s in settings)),
        "box": [{"question": asked, "answers": list(map(_capital, answers))} for asked, answers in parts.items()],
        "panels": panels, "caution": FEW_SEEDS if few else "", "more": len(settings) - min(len(settings), AT_A_GLANCE),
    }  # fmt: skip


def _known(scores: pd.DataFrame, competing: Levels) -> str:
    """The short answer to what is known beyond the clip, of Hi-MoE too."""
    known, left = _knowing(scores, competing)
    if not left:
        return ""
    himoe = f"{', ' if known else ''}{'' if STUDIED in known else 'not '}for {model_title(STUDIED)}"
    shown = f"shown for {len(known)} of {len(left)} models" + himoe * (bool(known) and STUDIED in left)
    return f"{shown if known else f'not shown for any of {len(left)} models'}."


def _leaks(evidence: Evidence) -> str:
    """What the run itself checked between training and scoring; a refusal would have stopped it."""
    found = [finding["verdict"] for sheet in evidence.audits for finding in sheet["findings"]]
    checked = [verdict for verdict in found if verdict != "reported"]  # only measured
    others = "".join(f", {checked.count(v)} {v}" for v in dict.fromkeys(checked) if v != "passed")
    return f"{checked.count('passed')} of {len(checked)} checks passed{others}; what was only measured is in the audit."


def _settings(evidence: Evidence) -> list[str]:
    """Settings that can answer: those of real recordings, or all where there are none."""
    return [s for s in evidence.judged if not registry.is_synthetic(dataset_of(s))] or evidence.judged


PREDICTS, STANDS, ADDS = "What predicts?", "Where does Hi-MoE stand?", "What does it add?"
BEST, MATTERS, LEAKS = "Which model predicts best?", "Which modality matters?", "Did anything leak?"
AT_A_GLANCE = 2  # settings
KNOWN = "Something is known beyond the clip"
BEYOND, HOLDS, SETTLES = "Is anything known beyond the clip?", "Which claims hold?", "What would settle the others?"


def _answers(evidence: Evidence, setting: str, judged: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """(question, answer) of one setting."""
    scores = pick(evidence.all_scores, setting=setting, condition=CLEAN)
    competing, failed = _competing(evidence, setting, scores)
    if not competing:
        return
    raters = levels(pick(scores, model=RATERS), "ccc")  # of the people who share a clip with somebody
    yield PREDICTS, _predicts(evidence, setting, raters, competing)
    few = evidence.has_few_seeds(setting)
    caution = f" {FEW_SEEDS}" if few else ""
    caution += f" Without a score, for a fold diverged: {', '.join(map(model_title, failed))}." if failed else ""
    if STUDIED in failed:
        yield STANDS, f"Nothing is said of {model_title(STUDIED)}: a fold of it diverged."
    elif STUDIED in competing:
        yield STANDS, _stands(competing) + caution
        if adds := _adds(competing):
            yield ADDS, adds + caution
    if STUDIED in competing and (matters := what_matters(evidence, setting)):
        yield MATTERS, _capital(matters)
    if beyond := _beyond(scores, competing):
        yield BEYOND, beyond
    of_setting = judged[judged["setting"] == setting]
    here = of_setting[of_setting["verdict"] != verdicts.NOT_RUN]
    if len(here):
        yield HOLDS, _holds(of_setting)
    if settles := _settles(here, *next(iter(competing.values())).shape):
        yield SETTLES, settles


def _competing(evidence: Evidence, setting: str, scores: pd.DataFrame) -> tuple[Levels, list[str]]:
    """CCC of the models that compete in a setting, in their order, and those that have none because a fold diverged."""
    wanted = [m for m in evidence.models_of(setting) if m in evidence.models and not registry.is_reference(m)]
    values = levels(pick(scores, model=wanted), "ccc")
    failed = [m for m in wanted if m not in values or np.isnan(values[m]).any()]
    return {m: values[m] for m in wanted if m not in failed}, failed


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
    sides = {words: [model_title(a.model) for a in against(competing) if a.side == side] for side, words in SIDES.items()}
    parts = [f"{words} {len(names)} ({', '.join(names)})" if names else f"{words} none" for words, names in sides.items()]
    level = f"CCC {_text(competing[STUDIED])}, rank {rank(competing)} of {len(competing)} by the mean"
    return f"{model_title(STUDIED)}: {level}; {'; '.join(parts)}."


def _adds(competing: Levels) -> str:
    """Its lead over the linear line and over late fusion."""
    parts = []
    for other in (m for m in BASELINES if m in competing):
        lead = intervals.interval(competing[STUDIED] - competing[other])
        word = "more than" if lead.low > 0 else "less than" if lead.high < 0 else "no difference shown from"
        parts.append(f"{word} {model_title(other)}: {interval(float(lead.mean), float(lead.low), float(lead.high))}")
    return _sentence("CCC, " + "; ".join(parts)) if parts else ""


def _beyond(scores: pd.DataFrame, competing: Levels) -> str:
    """PCC with what the others' ratings leave of a person's own: of Hi-MoE, the baselines and the best model. Known is what
    remains known when as many models are looked at (Bonferroni)."""
    known, left = _knowing(scores, competing)
    if not left:
        return ""
    shown = dict.fromkeys([m for m in (STUDIED, *BASELINES) if m in left] + [max(left, key=lambda m: left[m].mean())])
    who = f"{KNOWN}, by {', '.join(map(model_title, known))}"
    single = sum(bool(intervals.interval(v).low > 0) for v in left.values())
    nobody = "Nothing is shown to be known beyond the clip"
    if single and not known:
        nobody += f": {single} of {len(left)} models have an interval above 0, none once corrected for looking at all of them"
    word = who if known else nobody
    return f"{word}. PCC {', '.join(f'{model_title(m)} {_text(left[m])}' for m in shown)}."


def _knowing(scores: pd.DataFrame, competing: Levels) -> tuple[list[str], Levels]:
    """Models that are shown to know something beyond the clip, and what is left of all."""
    found = levels(pick(scores, model=list(competing)), "residual_pcc")
    left = {m: v for m, v in found.items() if not np.isnan(v).any()}
    return [m for m in left if intervals.interval(left[m], intervals.ALPHA / len(left)).low > 0], left


def _holds(here: pd.DataFrame) -> str:
    """Claims by word, those that hold first, and what they say."""
    named = here.assign(named=here["id"] + " (" + here["claim"] + ")")
    by_word = {word: part["named"].tolist() for word, part in named.groupby("verdict")}
    order = [*verdicts.WORDS, verdicts.UNTESTABLE, verdicts.FAILED, verdicts.NOT_RUN]
    parts = [] if verdicts.SUPPORTED in by_word else ["none is supported"]
    parts += [f"{word}: {', '.join(by_word[word])}" for word in order if word in by_word]
    edited = here[here["evidence"].str.startswith("changed after")]["id"].tolist()
    parts += [f"changed after results existed: {', '.join(edited)}"] if edited else []
    return _sentence("; ".join(parts))


def _settles(here: pd.DataFrame, n_people: int, n_seeds: int) -> str:
    """What claims that are inconclusive would need: seeds, or people. With one seed the lead that is seen falls with the root
    of the number of people; with several what seeds share does not fall with it, and no number is named."""
    parts = []
    for row in here[here["verdict"] == verdicts.INCONCLUSIVE].itertuples():
        seen = f"{row.id} sees a lead of {number(row.detectable)} with 80% power"
        if np.isnan(row.detectable):
            parts.append(f"{row.id} needs {MIN_SEEDS} seeds")
        elif row.detectable <= row.smallest:
            parts.append(f"{seen}, the smallest of interest: why it is undecided, the table of claims says")
        elif n_seeds > 1:
            parts.append(f"{seen}; {row.smallest:g} asks for more people, and more seeds")
        else:
            wanted = ceil(n_people * (row.detectable / row.smallest) ** 2)
            parts.append(f"{seen}; {row.smallest:g} asks for about {wanted} people")
    return _sentence("; ".join(parts)) if parts else ""


def _text(values: np.ndarray) -> str:
    found = intervals.interval(values)
    return interval(float(found.mean), float(found.low), float(found.high))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
