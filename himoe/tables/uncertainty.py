"""What several seeds of a model say together. Ensemble: the mean prediction over seeds, scored as one more predictor, less the
mean score of single seeds, with a 95% interval over people. Coverage: how often a rating lies within an interval about the
ensemble that should hold 50, 80 and 95%. By seeds: from their spread, as if what seeds disagree on were all that is unknown; it
is not, so that too few ratings are held, and how many too few is what is found. By other people: half as wide as so many of the
absolute residuals of the other test people, who have equal weight (split conformal). That one needs their labels: it describes
what intervals could be had once such people had rated, and is no interval that a model gives here; with fewer than 20 people
one of 95% is the whole scale. Clean input, people of equal weight; with one seed only the last is told."""

from __future__ import annotations

import numpy as np
import pandas as pd

from himoe.config.facts import dataset_info
from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import FAILED, listed, number
from himoe.report.text import interval as text_of
from himoe.report.titles import dataset_of, model_title, setting_title
from himoe.stats.ensembles import NOMINAL, covered, others_halves, spread_halves
from himoe.stats.frames import pick
from himoe.stats.intervals import interval
from himoe.stats.metrics import ccc

TITLE = "Ensembles of seeds, and what their spread is worth"
SECTION = "trust"
NEEDS = ("predictions",)
LEVELS = [f"{100 * level:.0f}" for level in NOMINAL]  # %
COLUMNS = [
    "setting", "target", "model", "single", "ensemble", "gain", "low", "high", *(f"by_seeds_{n}" for n in LEVELS),
    *(f"by_others_{n}" for n in LEVELS), *(f"half_width_{n}" for n in LEVELS), "n_subjects", "n_seeds",
]  # fmt: skip
ONE, ALIKE = "not told with one seed", "all seeds say the same"


def make(evidence: Evidence) -> TableItem:
    """One row per data set, target and model that could be used on a new person."""
    rows = []
    for setting in evidence.judged:
        scale = float(np.ptp(dataset_info(dataset_of(setting)).target_range))
        for target in evidence.targets_of(setting):
            here = pick(evidence.predictions, setting=setting, target=target)
            for model in [m for m in (STUDIED, *evidence.config.rivals) if m in evidence.models_of(setting)]:
                rows.append([setting, target, model, *_of_model(pick(here, model=model), scale)])
    data = pd.DataFrame(rows, columns=COLUMNS)
    return TableItem(data, _shown(data), _finding(data))


def _of_model(rows: pd.DataFrame, scale: float) -> list[float]:
    """From ``single`` to ``n_seeds`` of COLUMNS."""
    n_seeds = rows["seed"].nunique()
    rows = rows.sort_values(["seed", "subject", "trial", "fold", "time"])
    said = rows["y_pred"].to_numpy(float).reshape(n_seeds, -1).T  # (n, n_seeds)
    first = rows.iloc[: len(said)]
    person = first["subject"].to_numpy(str)
    true, reference = (first[name].to_numpy(float) for name in ("y_true", "y_reference"))
    sizes = [len(np.unique(person)), n_seeds]
    if np.isnan(said).any():
        return [*[np.nan] * (len(COLUMNS) - 5), *sizes]
    mean = said.mean(1)
    single = np.mean([_by_person(true, column, reference, person) for column in said.T], axis=0)
    together = _by_person(true, mean, reference, person)
    residuals, gain = np.abs(true - mean), interval((together - single)[:, None])
    several, spread = n_seeds > 1, np.ptp(said, axis=1).max() > 0
    seeds = [covered(residuals, spread_halves(said, level), person) if spread else np.nan for level in NOMINAL]
    halves = others_halves(residuals, person)
    others = [covered(residuals, half, person) for half in halves]
    widths = np.minimum(halves, scale).mean(1)
    gains = map(float, gain) if several else [np.nan] * 3
    return [single.mean(), together.mean() if several else np.nan, *gains, *seeds, *others, *widths, *sizes]


def _by_person(true: np.ndarray, said: np.ndarray, reference: np.ndarray, person: np.ndarray) -> np.ndarray:
    """CCC of each person, of deviations from the training mean of each row's fold, as in scores."""
    true, said = true - reference, said - reference
    return np.array([ccc(true[person == name], said[person == name]) for name in np.unique(person)])


def _shown(data: pd.DataFrame) -> pd.DataFrame:
    failed, one = data["single"].isna(), data["n_seeds"] == 1
    pairs = [f"{number(a)}, {number(b)}" for a, b in zip(data["single"], data["ensemble"], strict=True)]
    both = pd.Series(pairs, data.index, object).mask(one, data["single"].map(number))
    gains = pd.Series([text_of(*gap) for gap in data[["gain", "low", "high"]].to_numpy(float)], data.index, object)
    by_seeds = _joined(data, "by_seeds").mask(data[f"by_seeds_{LEVELS[0]}"].isna(), ALIKE).mask(one, ONE)
    widths = pd.Series([" / ".join(number(v, 2) for v in row) for row in data[[f"half_width_{n}" for n in LEVELS]].to_numpy()])
    named = [f"{setting_title(s)}, {t}" for s, t in zip(data["setting"], data["target"], strict=True)]
    return pd.DataFrame({
        "data set": named, "model": data["model"].map(model_title),
        "CCC: single seed, ensemble": both.mask(failed, FAILED),
        "ensemble less single [95% CI]": gains.mask(one, ONE).mask(failed, FAILED),
        f"{' / '.join(LEVELS)}% by seeds hold": by_seeds.mask(failed, FAILED),
        "by other people": _joined(data, "by_others").mask(failed, FAILED),
        "their half width, points": widths.mask(failed, FAILED), "seeds": data["n_seeds"],
    })  # fmt: skip


def _joined(data: pd.DataFrame, name: str) -> pd.Series:
    rows = data[[f"{name}_{n}" for n in LEVELS]].to_numpy(float)
    return pd.Series([" / ".join(f"{v:.0%}" for v in row) for row in rows], data.index, object)


def _finding(data: pd.DataFrame) -> str:
    """What an ensemble gains, by target, and how much its spread holds, mean over targets, of Hi-MoE, by data set."""
    sentences = []
    for setting, part in pick(data, model=STUDIED).groupby("setting", sort=False):
        mean = part[[f"by_seeds_{LEVELS[-1]}", f"by_others_{LEVELS[-1]}"]].mean(skipna=False)
        title = f"{setting_title(str(setting))}, Hi-MoE"
        if part["single"].isna().any():
            sentences.append(f"{title}: failed.")
            continue
        others = f"other people's residuals hold {mean.iloc[1]:.0%}"
        if part["n_seeds"].eq(1).any():
            sentences.append(f"{title}: of an ensemble {ONE}; at 95% {others}.")
        else:
            gains = [f"{r.target} {text_of(r.gain, r.low, r.high)}" for r in part.itertuples()]
            gain = f"for these {part['n_seeds'].iloc[0]} seeds the ensemble's CCC less a single seed's is {listed(gains)}"
            sentences.append(f"{title}: {gain}; of ratings the 95% interval by seeds holds {mean.iloc[0]:.0%}, {others}.")
    return " ".join(sentences) or "Hi-MoE is not in this run."
