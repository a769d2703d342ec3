"""The verdicts of a run in words: the outcome in the title, how many claims hold, and what would settle the others."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, isfinite
from typing import Any, NamedTuple

from himoe.config.protocols import MIN_SEEDS, lacks_seeds
from himoe.report.evidence import Evidence
from himoe.report.judge import ONE_LABEL
from himoe.report.text import listed, number
from himoe.stats import verdicts

MIXED, BOTH = "supported in part", "supported and contradicted"
COUNTED = {  # how a number of claims reads, in the order of interest
    verdicts.SUPPORTED: "supported", MIXED: "supported on some of the data",
    BOTH: "supported on some of the data and contradicted on other", verdicts.CONTRADICTED: "contradicted",
    verdicts.EQUIVALENT: "no better and no worse", verdicts.INCONCLUSIVE: "undecided", verdicts.FAILED: "failed",
    verdicts.UNTESTABLE: "untestable on this data", verdicts.NOT_RUN: "not run",
}  # fmt: skip
RECORDINGS = "config/paper.yaml --config data_root=/path/to/data"
OPEN = "config/open.yaml --config data_root=/path/to/data"
ABLATIONS = "config/ablations.yaml"
NEEDS = "needs "  # how the reason of a claim that was not run begins


def overall(words: Iterable[str]) -> str:
    """One word for a claim from its verdicts on all data: supported or equivalent only where every verdict that could be made
    says so; contradicted where one is and none is supported."""
    made = [w for w in words if w in verdicts.WORDS]
    if not made:
        rest = list(words)
        return next((w for w in (verdicts.FAILED, verdicts.UNTESTABLE) if w in rest), verdicts.NOT_RUN)
    if {verdicts.SUPPORTED, verdicts.CONTRADICTED} <= set(made):
        return BOTH
    if verdicts.SUPPORTED in made:
        return verdicts.SUPPORTED if set(made) == {verdicts.SUPPORTED} else MIXED
    if verdicts.CONTRADICTED in made:
        return verdicts.CONTRADICTED
    return verdicts.EQUIVALENT if set(made) == {verdicts.EQUIVALENT} else verdicts.INCONCLUSIVE


def counted(words: list[str]) -> str:
    """``none of 7 claims is supported, 2 are undecided, 5 not run``; those that hold first, never without the others."""
    n = sum(w == verdicts.SUPPORTED for w in words)
    parts = [f"{n or 'none'} of {len(words)} claims {'is' if n < 2 else 'are'} supported"]
    others = _others(words)
    parts += [f"{k} {'is' if k == 1 else 'are'} {text}" if i == 0 else f"{k} {text}" for i, (k, text) in enumerate(others)]
    return ", ".join(parts)


def _others(words: list[str]) -> list[tuple[int, str]]:
    """How many claims have each word that is not "supported"."""
    return [(words.count(word), text) for word, text in COUNTED.items() if word != verdicts.SUPPORTED and word in words]


def headline(words: list[str], synthetic: bool) -> str:
    """The title of the page."""
    n, untested = words.count(verdicts.SUPPORTED), [verdicts.UNTESTABLE, verdicts.NOT_RUN]
    parts = [f"{n or 'none'} of {len(words)} claims supported"]
    parts += [f"{k} {text}" for k, text in _others([w for w in words if w not in untested])]
    parts += [f"{k} not tested" for k in [sum(w in untested for w in words)] if k]
    return f"Hi-MoE{' on simulated data' if synthetic else ''}: {', '.join(parts)}"


def decided_claims(claims: dict[str, str], texts: dict[str, str]) -> str:
    """How many claims hold, and what those say that are supported or contradicted; ``claims``: id -> word over all data."""
    parts = [_sentence(counted(list(claims.values())))]
    for word in (verdicts.SUPPORTED, MIXED, BOTH, verdicts.CONTRADICTED, verdicts.EQUIVALENT):
        if there := [f"{texts[i]} ({i})" for i, w in claims.items() if w == word]:
            parts.append(f"{_sentence(COUNTED[word]).removesuffix('.')}: {listed(there)}.")
    return " ".join(parts)


class Settling(NamedTuple):
    """What would settle a claim, and the config file that a command needs for it (empty: none of ours can)."""

    words: str
    config: str


def settling(row: Any, evidence: Evidence, protocol: str, n_people: int) -> Settling | None:
    """For a verdict (row of :func:`himoe.report.judge.judge_all`) that decides nothing; None for one that does. Seeds first:
    without them no number of people helps. With one seed the lead that is seen falls with the root of the number of people."""
    n_seeds = len(evidence.config.seeds)
    if row.verdict == verdicts.UNTESTABLE and ONE_LABEL in row.evidence:
        return Settling("recordings whose labels vary within a trial: with one label per trial nothing can show", OPEN)
    if row.verdict == verdicts.NOT_RUN:
        if "ablations" in row.evidence:
            return Settling("fits of Hi-MoE with parts changed", ABLATIONS)
        return Settling(row.evidence.removeprefix(NEEDS), "") if row.evidence.startswith(NEEDS) else None
    if row.verdict != verdicts.INCONCLUSIVE:
        return None
    if lacks_seeds(protocol, n_seeds):
        return Settling(
            f"{MIN_SEEDS} seeds instead of {n_seeds}: people share networks, whose luck is in no interval yet", "seeds"
        )
    if not isfinite(row.detectable) or row.detectable <= row.smallest:
        return Settling("the lead of interest was visible: why it is undecided, its card says", "")
    more = "more people and seeds" if n_seeds > 1 else f"about {ceil(n_people * (row.detectable / row.smallest) ** 2)} people"
    return Settling(f"{more}: {n_people} show a lead of {number(row.detectable)}, of interest is {row.smallest:g}", "")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
