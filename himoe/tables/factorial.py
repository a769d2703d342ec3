"""What each part of Hi-MoE is worth over all eight models in which alignment, modality experts and emotion experts are there
or not (config/factorial.yaml). The effect of a part is the mean CCC of the four models that have it less that of the four
that have not; of two parts together, half of what the effect of one changes when the other is there. Over all eight, an
effect does not hang on what else is switched on, as that of a single ablation does. Clean input, or the CCC left under a
condition (mean over its severities beyond the mildest); targets averaged; 95% intervals over people and seeds, one effect
at a time."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from himoe.config.run import Config
from himoe.config.severities import of_ablations
from himoe.names import STUDIED, model_variant
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import MISSING, intervals
from himoe.report.titles import setting_title
from himoe.stats.frames import pick
from himoe.stats.intervals import interval
from himoe.stats.levels import CLEAN, Levels, levels

TITLE = "The 2^3 of Hi-MoE's parts"
SECTION = "model"
NEEDS = ("scores",)
REQUIRES = {"ablations": "*"}
PARTS = {  # part -> how it is switched off
    "alignment": {"alignment": "none"},
    "modality experts": {"router": "concat"},
    "emotion experts": {"emotion_router": "single"},
}
Cell = tuple[bool, ...]  # which of PARTS a model has


def make(evidence: Evidence) -> TableItem:
    """One row per data set and effect."""
    cells, rows = cells_of(evidence.config), []
    for setting in evidence.settings if len(cells) == 2 ** len(PARTS) else []:
        scores = pick(evidence.all_scores, setting=setting, model=list(cells.values()))
        if not set(cells.values()) <= set(scores["model"]):
            continue
        for condition in (CLEAN, *(c for c in of_ablations(evidence.config) if setting in evidence.perturbed(c))):
            rows += [[setting, condition, *row] for row in effects(levels(scores, condition=condition), cells)]
    data = pd.DataFrame(rows, columns=["setting", "condition", "effect", "value", "low", "high", "n_subjects"])
    wide: dict[tuple[str, str], dict[str, Any]] = {}
    for row, cell in zip(data.itertuples(), intervals(data[["value", "low", "high"]].to_numpy(float)), strict=True):
        name = "CCC [95% CI]" if row.condition == CLEAN else f"CCC left, {row.condition.replace('_', ' ')}"
        wide.setdefault((row.setting, row.effect), {"data set": setting_title(row.setting), "part": row.effect})[name] = cell
    note = "" if len(rows) else "Needs the seven ablations of config/factorial.yaml, all of them fitted on a data set."
    return TableItem(data, pd.DataFrame(list(wide.values())).fillna(MISSING), _finding(data), note)


def cells_of(config: Config) -> dict[Cell, str]:
    """The model that has these parts and no others, if the run has it; an ablation that changes anything else is none."""
    by_settings = {frozenset(options.items()): model_variant(STUDIED, name) for name, options in config.ablations.items()}
    by_settings[frozenset()] = STUDIED
    out = {}
    for cell in np.ndindex(*[2] * len(PARTS)):
        off = [settings for there, settings in zip(cell, PARTS.values(), strict=True) if not there]
        wanted = frozenset(item for settings in off for item in settings.items())
        if wanted in by_settings:
            out[tuple(map(bool, cell))] = by_settings[wanted]
    return out


def effects(values: Levels, cells: dict[Cell, str]) -> list[list[Any]]:
    """(effect, mean, low, high, n_people) of each part, and of each two and all three together."""
    rows = []
    for size in range(1, len(PARTS) + 1):
        for chosen in combinations(range(len(PARTS)), size):
            signs = {cell: np.prod([1 if cell[i] else -1 for i in chosen]) for cell in cells}
            contrast = np.sum([sign * values[cells[cell]] for cell, sign in signs.items()], axis=0) * 2 / len(cells)
            found = interval(contrast)
            name = " x ".join(list(PARTS)[i] for i in chosen)
            rows.append([name, float(found.mean), float(found.low), float(found.high), len(contrast)])
    return rows


def _finding(data: pd.DataFrame) -> str:
    """Which parts help on clean input, by data set."""
    alone = data[(data["condition"] == CLEAN) & data["effect"].isin(list(PARTS))]
    sentences = []
    for setting, part in alone.groupby("setting", sort=False):
        helps, harms = part[part["low"] > 0]["effect"].tolist(), part[part["high"] < 0]["effect"].tolist()
        told = [f"{word}: {', '.join(names) or 'none'}" for word, names in (("above 0", helps), ("below 0", harms))]
        sentences.append(f"{setting_title(str(setting))}, effects with an interval {'; '.join(told)}.")
    return " ".join(sentences) or "No data set has all eight models."
