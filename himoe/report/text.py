"""How numbers and verdicts read in tables."""

from __future__ import annotations

import math
import re

import numpy as np

from himoe import registry
from himoe.report.evidence import Evidence
from himoe.report.titles import dataset_of, model_title, setting_title

FAILED = "failed: diverged"
MISSING = "–"
LONGEST_SUBJECT = 100  # letters before the colon of a finding
VERDICTS = {
    "supported": "✓ supported",
    "contradicted": "✗ contradicted",
    "equivalent": "= equivalent",
    "inconclusive": "? inconclusive",
    "untestable on this data": "⊘ untestable on this data",
    "failed": f"✗ {FAILED}",
    "not run": f"{MISSING} not run",
}


def number(value: float, digits: int = 3) -> str:
    """Fixed decimals; a dash for what does not exist; never a negative zero."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def interval(mean: float, low: float, high: float, digits: int = 3) -> str:
    """Mean with its interval, if there is one; a dash for what does not exist."""
    if math.isnan(mean):
        return MISSING
    if math.isnan(low):
        return number(mean, digits)
    return f"{number(mean, digits)} [{number(low, digits)}, {number(high, digits)}]"


def intervals(rows: np.ndarray, missing: str = FAILED, digits: int = 3) -> list[str]:
    """Text of each row (mean, low, high); ``missing`` where the mean does not exist."""
    return [missing if math.isnan(mean) else interval(mean, low, high, digits) for mean, low, high in rows.tolist()]


def p_value(p: float) -> str:
    """A p value, never 0."""
    return "< 0.001" if p < 0.001 else number(p)


def stamped(setting: str) -> str:
    """A data set's name, marked where it is simulated."""
    return setting_title(setting) + (" (synthetic)" if registry.is_synthetic(dataset_of(setting)) else "")


def failures(evidence: Evidence) -> list[str]:
    """One sentence per data set and model that has folds without a prediction."""
    sentences = []
    for (setting, model), folds in evidence.failed.items():
        names = ", ".join(folds[:6]) + (f" and {len(folds) - 6} more" if len(folds) > 6 else "")
        sentences.append(
            f"Failed: {model_title(model)} on {setting_title(setting)} diverged in {names}. Their subjects have no score, so "
            "the model has none on this data set; run.json of the fit says when and where."
        )
    return sentences


def listed(names: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def statements(finding: str) -> list[tuple[str, str]]:
    """(what it is about, what is found) of each sentence: ``DEAP twin: ...`` is about the DEAP twin; empty where none says."""
    out = []
    for sentence in re.split(r"(?<=[.!?]) (?=[A-Z])", finding):
        about, colon, found = sentence.partition(": ")
        is_name = colon and len(about) <= LONGEST_SUBJECT
        out.append((f"{about}:", found) if is_name else ("", sentence))
    return out
