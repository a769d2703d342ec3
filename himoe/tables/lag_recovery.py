"""Is a known extra lag found? Modalities of test trials are displaced in time by so many seconds (one, half of them or every
one, drawn at random), and Hi-MoE's lag bank estimates the lag of each from its tokens alone. Only relative lags can be found:
both are relative to the modalities left in place (to the mean of all, where every one was moved), and the lag that was
estimated before anything was displaced is subtracted. Within one token: share of estimates as close as the clock allows; by
chance: the same if estimates belonged to the lags of other trials of the same severity (1000 permutations of whole trials,
with p, the share of them in which as many are found), people weighing alike in both. Slope of estimated on injected: 1 if
every lag is found; a wrong lag is far off, so that a few of them lower it much. Beside it the lag that is found with nothing
injected (mean and standard deviation over trials). 95% intervals over people and seeds; rows of one modality are parts of the
row of all. Trials of a fold that failed under one seed are left out under all."""

import numpy as np
import pandas as pd

from himoe import registry
from himoe.config.facts import dataset_info
from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import interval, number, p_value
from himoe.report.titles import dataset_of, failed_folds, few_seeds, setting_title
from himoe.stats.frames import pick
from himoe.stats.intervals import ALPHA, Interval
from himoe.stats.lags import QUANTITIES, Recovered, recovered, recovery

TITLE = "Recovery of injected lags"
SECTION = "async"
NEEDS = ("routing", "runs")
CONDITIONS = ("shift", "shift_half", "shift_all")
REQUIRES = {"models": "himoe", "conditions": ("shift", "shift_half", "shift_all")}
ALL = "all"
FEWEST = 3  # people that an interval asks for
NO_BOUNDS = np.array(np.nan), np.array(np.nan)
MAX_LAG = 8.0  # s, where the run's config does not say: himoe.max_lag, whose plug-in no report may import
COLUMNS = [
    "setting", "condition", "modality", "n_people", "n_lags", "slope", "slope_low", "slope_high", "p", "error", "within",
    "within_low", "within_high", "chance", "rest", "rest_spread",
]  # fmt: skip


def make(evidence: Evidence) -> TableItem:
    """One row per data set, condition and displaced modality, all of them first."""
    routed, rows = evidence.routed(list(CONDITIONS), QUANTITIES), []
    for setting in evidence.leading:
        token, routing = 1 / dataset_info(dataset_of(setting)).token_rate, pick(routed, setting=setting)
        names = evidence.config.modalities_of(dataset_of(setting))
        for condition in CONDITIONS:
            lags = recovery(routing, condition)
            parts = {ALL: lags} | {names[int(part)]: of for part, of in lags.groupby("part")} if len(lags) else {}
            rows += [[setting, condition, name, *_flat(recovered(of, token))] for name, of in parts.items()]
    data = pd.DataFrame(rows, columns=COLUMNS)
    titles = {c: registry.peek("conditions", c)["TITLE"].removeprefix("constant shift of ") for c in CONDITIONS}
    shown = pd.DataFrame({
        "data set": data["setting"].map(setting_title),
        "moved": [f"{titles[r.condition]}: {r.modality.replace('_', ' ')}" for r in data.itertuples()],
        "people (lags)": [f"{r.n_people} ({r.n_lags})" for r in data.itertuples()],
        "slope [95% CI]": [interval(r.slope, r.slope_low, r.slope_high, 2) for r in data.itertuples()],
        "median error, s": [number(v, 2) for v in data["error"]],
        "within one token [95% CI]": [interval(r.within, r.within_low, r.within_high, 2) for r in data.itertuples()],
        "by chance (p)": [f"{number(r.chance, 2)} ({p_value(r.p)})" for r in data.itertuples()],
        "nothing injected, s": [f"{number(r.rest, 2)} ± {number(r.rest_spread, 2)}" for r in data.itertuples()],
    })  # fmt: skip
    rated = [s for s in evidence.leading if not dataset_info(dataset_of(s)).per_token]
    return TableItem(
        data, shown, _finding(data, evidence), _note(data, evidence.config.options(STUDIED).get("max_lag", MAX_LAG), rated)
    )


def _flat(found: Recovered) -> list[float]:
    """In the order of the columns; of two people there is no interval to speak of."""
    slope, within = (of if found.n_people >= FEWEST else Interval(of.mean, *NO_BOUNDS) for of in (found.slope, found.within))
    return [
        found.n_people, found.n_lags, *map(float, slope), found.p, found.error, *map(float, within), found.chance, found.rest,
        found.rest_spread,
    ]  # fmt: skip


def _finding(data: pd.DataFrame, evidence: Evidence) -> str:
    """A sentence per data set and condition, and which modality's lags are found best."""
    sentences = []
    for (setting, condition), part in data.groupby(["setting", "condition"], sort=False):
        whole, each = part.iloc[0], part.iloc[1:]
        who = f"{setting_title(setting)}, {registry.peek('conditions', condition)['TITLE']}{failed_folds(evidence, setting)}"
        if each["slope"].isna().all():
            sentences.append(f"{who}: no lag to tell of.")
            continue
        best, n_found = each.loc[each["slope"].idxmax()], (each["p"] < ALPHA).sum()
        sentences.append(
            f"{who}: {whole['within']:.0%} within one token (chance {whole['chance']:.0%}), slope "
            f"{interval(whole['slope'], whole['slope_low'], whole['slope_high'], 2)}; more than by chance of {n_found} of "
            f"{len(each)} modalities{few_seeds(evidence, setting)} (largest slope: {best['modality'].replace('_', ' ')}, "
            f"{number(best['slope'], 2)})."
        )
    return " ".join(sentences) or "No lag was injected or estimated."


def _note(data: pd.DataFrame, reach: float, rated: list[str]) -> str:
    """What cannot be found, what rests on it, and what such lags say where there is one label per trial."""
    notes = [
        f"The bank holds lags of up to {reach:g} s: one that is injected on top of a lag of the other end is out of its reach.",
        "No verdict rests on this table: claim C6 asks for the level of CCC alone.",
    ]
    if rated:
        notes.append(
            f"{', '.join(map(setting_title, rated))}: with one label per trial the table says whether modalities are brought "
            "into step with one another. It cannot say whether they are in step with the emotion, nor of what use that is: "
            "what is judged, the mean over a trial, hardly changes with their lags."
        )
    return "\n".join(notes) if len(data) else ""
