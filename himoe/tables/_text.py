"""How numbers and verdicts read in tables."""

from __future__ import annotations

import math

from himoe import registry
from himoe.items import Evidence, dataset_of, model_title, setting_title

VERDICTS = {
    "supported": "✓ supported",
    "not supported": "✗ not supported",
    "untestable on this data": "⊘ untestable on this data",
    "not run": "– not run",
}


def number(value: float, digits: int = 3) -> str:
    """Fixed decimals; a dash for what does not exist; never a negative zero."""
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


FAILED = "failed: diverged"


def interval(mean: float, low: float, high: float, digits: int = 3) -> str:
    """Mean with its interval; what is not a number has failed."""
    if math.isnan(mean):
        return FAILED
    return f"{number(mean, digits)} [{number(low, digits)}, {number(high, digits)}]"


def p_value(p: float) -> str:
    """A p value, never 0."""
    return "< 0.001" if p < 0.001 else number(p)


def stamped(setting: str) -> str:
    """A data set's name, marked where it is simulated."""
    return setting_title(setting) + (" (synthetic)" if registry.is_twin(dataset_of(setting)) else "")


def failures(evidence: Evidence) -> list[str]:
    """One sentence per fold that has no prediction."""
    return [
        f"Failed: {model_title(run['model'])} on {setting_title(run['setting'])}, seed {run['seed']}, fold {fold} "
        f"{told['failed']}; its subjects have no score, so the model has none on this data set."
        for run in evidence.runs
        for fold, told in run["folds"].items()
        if told["failed"]
    ]
