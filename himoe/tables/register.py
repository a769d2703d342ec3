"""Every setting of the run and of each model with its source: the paper's abstract, a cited work, or a decision of ours.
What is ours is what a reader should question first."""

from typing import Any

import pandas as pd

from himoe.config.sections import walk
from himoe.names import plugin_of
from himoe.registry import config_class
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem

TITLE = "Decision register"
SECTION = "appendix"
NEEDS = ("runs",)
RESULTS = False
DESCRIBES = "models"


def make(evidence: Evidence) -> TableItem:
    """One row per setting."""
    rows = [row for row in walk(evidence.config) if row[0] not in ("data_root", "compare")]  # where files stand decides nothing
    models: dict[str, list[list[Any]]] = {}
    for run in evidence.runs:
        models.setdefault(run["model"], run["model_config"])
    for model, settings in models.items():
        rows += [(f"{model}.{key}", value, *words) for key, value, *words in _in_words_of_today(model, settings)]
    data = pd.DataFrame(rows, columns=["setting", "value", "meaning", "source"])
    data["value"] = data["value"].map(str)
    ours = int(data["source"].str.startswith("ours").sum())
    return TableItem(data, data, f"{ours} of {len(data)} settings are decisions of ours.")


def _in_words_of_today(model: str, settings: list[list[Any]]) -> list[list[Any]]:
    """Settings as recorded by a fit, with meaning and source as the code says them now: rewording them fits nothing anew."""
    today = {key: words for key, _, *words in walk(config_class(plugin_of("models", model))())}
    return [[key, value, *today.get(key, words)] for key, value, *words in settings]
