"""Numbers of the paper beside ours, as entered in config/reported.yaml by someone who has read them there: value, table, page.
The file ships without values, because only the abstract was at hand; nothing is guessed. Whether ours is the same is asked by
two one-sided t tests (TOST, Schuirmann 1987) over people and seeds, against the difference that the entry's `within` says does
not matter: equivalent where p < .05, which is where the 90% interval of the difference lies within it. Where it does not, ours
is above or below the paper's where the 95% interval of the difference, as of all leads here, is above or below 0: the 90%
interval is for equivalence alone. Without such a bound nothing can be equivalent, and nothing here shows when a bound was set.
The paper's own error is not known and in none of this, and its folds, people left out and preparation may be others."""

import numpy as np
import pandas as pd

from himoe.config.reported import Reported, parse_reported
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import FAILED, MISSING, number, p_value
from himoe.report.text import interval as text_of
from himoe.report.titles import dataset_of, model_title, setting_title
from himoe.stats.equivalence import tost
from himoe.stats.frames import pick
from himoe.stats.intervals import ALPHA, interval
from himoe.stats.levels import levels

TITLE = "Reported and replicated"
SECTION = "comparison"
NEEDS = ("scores", "reported")
REQUIRES = {"recordings": "*"}  # a number of the paper says nothing of a twin
ENTERED = ["target", "model", "metric", "value", "within", "table", "page"]
COLUMNS = [
    "setting",
    *ENTERED,
    "replicated",
    "delta",
    "low",
    "high",
    "low_90",
    "high_90",
    "delta_in_sd",
    "p_tost",
    "n_subjects",
    "word",
]
EMPTY = "No number of the paper has been read yet: config/reported.yaml holds no values, so that nothing is tested."
NOT_RUN, NO_BOUND, SAME, UNTOLD = "not run", "no bound stated", "equivalent", "inconclusive"


def make(evidence: Evidence) -> TableItem:
    """One row per reported value and setting; ours is the mean over people and seeds."""
    rows = []
    for entry in parse_reported(evidence.yaml("reported")["values"]):
        for setting in [s for s in evidence.settings if dataset_of(s) == entry.dataset]:
            part = pick(evidence.scores, setting=setting, target=entry.target, model=entry.model)
            values = levels(part, entry.metric).get(entry.model) if len(part) else None
            rows.append([setting, *(getattr(entry, name) for name in ENTERED), *_compared(entry, values)])
    data = pd.DataFrame(rows, columns=COLUMNS)
    return TableItem(data, _shown(data), _finding(data), "" if rows else EMPTY)


def _compared(entry: Reported, values: np.ndarray | None) -> tuple[float | str, ...]:
    """From ``replicated`` to ``word`` of COLUMNS, of values (n_people, n_seeds)."""
    if values is None or not values.size:
        return (*[np.nan] * 8, 0, NOT_RUN)
    margin = entry.within if entry.within is not None else np.nan
    gap = values - entry.value
    found, (_, low, high) = tost(gap, margin), map(float, interval(gap))
    spread = values.mean(1).std(ddof=1) if len(values) > 1 else np.nan
    in_sd = found.mean / spread if spread > 0 else np.nan
    numbers = (found.mean + entry.value, found.mean, low, high, found.low, found.high, in_sd, found.p)
    return (*numbers, len(values), _word(found.mean, low, high, found.p))


def _word(mean: float, low: float, high: float, p: float) -> str:
    """What is shown: equivalence first, then a difference (its 95% interval ``low`` to ``high`` without 0), else nothing."""
    if np.isnan(mean):
        return FAILED
    if p < ALPHA:
        return SAME
    word = "above the paper's" if low > 0 else "below the paper's" if high < 0 else UNTOLD
    return f"{word}; {NO_BOUND}" if np.isnan(p) else word


def _shown(data: pd.DataFrame) -> pd.DataFrame:
    ours = [FAILED if word == FAILED else number(v) for v, word in zip(data["replicated"], data["word"], strict=True)]
    names = [f"{setting_title(s)}, {t}" for s, t in zip(data["setting"], data["target"], strict=True)]
    return pd.DataFrame({
        "data set": names, "model": data["model"].map(model_title), "metric": data["metric"],
        "reported": data["value"].map(number), "ours": ours,
        "difference [95% CI]": [text_of(*gap) for gap in data[["delta", "low", "high"]].to_numpy(float)],
        "p (TOST), within": [
            MISSING if p != p else f"{p_value(p)}, ±{number(within)}"
            for p, within in zip(data["p_tost"].astype(float), data["within"].astype(float), strict=True)
        ],
        "ours is": data["word"],
    })  # fmt: skip


def _finding(data: pd.DataFrame) -> str:
    counts = ", ".join(f"{n} {word}" for word, n in data["word"].value_counts().items())
    return f"{len(data)} reported values" + (f": {counts}." if counts else ".")
