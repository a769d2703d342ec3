"""What can be had without physiology, and what no model of unseen people can beat: references made of the labels of a run at
scoring time (``himoe.names.CEILINGS``), and what of a prediction tells how a person differs from the others on one clip.

They use labels of other test people and of the person itself. That is why they are references: no model may do so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from himoe import io, registry
from himoe.evaluate.conditions import CLEAN
from himoe.splits.files import SPLIT_COLUMNS
from himoe.stats.frames import pick
from himoe.stats.metrics import ccc, pcc

FIT = ["dataset", "protocol", "model", "seed"]
LABEL = ["subject", "trial", "moment", "target"]  # what names one label
SAME = ["target", "stimulus", "moment"]  # what labels of several people must share to be of the same thing
AROUND = (2, 8)  # s on either side of a moment
MEANS = ("others", *(f"others_{s}s" for s in AROUND), "others_clip")  # what the others say of a clip
FREE = 3  # labels of a person beyond a mean and what is taken away, for a score of what is left
ROUNDING = 1e-5  # a residual smaller than this share of what it is a residual of is none


def stimuli_of(splits: str) -> pd.DataFrame:
    """``subject``, ``trial``, ``stimulus`` of every trial in a split file."""
    frame = io.read_table(splits, dtype=dict.fromkeys(SPLIT_COLUMNS[1:], str))
    return frame[["subject", "trial", "stimulus"]].drop_duplicates()


def true_labels(predictions: pd.DataFrame, stimuli: pd.DataFrame) -> pd.DataFrame:
    """Every label once, clean input, as rows of predictions with ``stimulus``, ``moment`` (ms; -1 where there is one label per
    trial) and ``others``: the :func:`mean_of_others`. A control may change labels, so none of its rows is read."""
    rows = _without_controls(pick(predictions, condition=CLEAN))
    if rows.empty:
        return rows.assign(stimulus="", moment=0, others=np.nan)
    first = rows.iloc[0]
    labels = _with_moment(pick(rows, model=first["model"], seed=first["seed"]))
    labels = labels.merge(stimuli, on=["subject", "trial"], validate="many_to_one")
    return labels.assign(others=mean_of_others(labels))


def mean_of_others(labels: pd.DataFrame) -> np.ndarray:
    """For each label (n,) the mean of the other people's of the same stimulus and moment; NaN where nobody else has one.

    People have equal weight, however often each met the stimulus.
    """
    people = labels.groupby([*SAME, "subject"])["y_true"].mean()
    others = _without_each(people, people.groupby(level=SAME))
    return others.loc[pd.MultiIndex.from_frame(labels[[*SAME, "subject"]])].to_numpy()


def references(labels: pd.DataFrame) -> pd.DataFrame:
    """The ceilings as if they were predictions, in rows as the models'; labels without one are left out.

    - ``leave_one_rater_out``: the mean of the other people on the same stimulus (and moment): agreement, no physiology.
    - ``rating_bias``: a person's own ratings less their mean, plus the mean of the other people's means: all of the person is
      known but the level. With spread s and the level off by d its CCC is 2 s^2 / (2 s^2 + d^2).
    - ``rating_bias_and_spread``: the same, its spread replaced by the mean of the other people's.
    """
    if labels.empty:
        return labels
    own = labels.groupby(["target", "subject"])["y_true"].agg(level="mean", spread=_spread)
    others = _without_each(own, own.groupby("target"))
    at = pd.MultiIndex.from_frame(labels[["target", "subject"]])
    level, spread = (own[name].loc[at].to_numpy() for name in ("level", "spread"))
    others_level, others_spread = (others[name].loc[at].to_numpy() for name in ("level", "spread"))
    pattern = labels["y_true"].to_numpy() - level
    unit = pattern / np.where(spread > 0, spread, 1.0)
    values = {
        "leave_one_rater_out": labels["others"].to_numpy(),
        "rating_bias": others_level + pattern,
        "rating_bias_and_spread": others_level + others_spread * unit,
    }
    raw = ["y_raw"] if "y_raw" in labels else []  # nothing was calibrated
    parts = [labels.assign(model=name, **dict.fromkeys(["y_pred", *raw], value)) for name, value in values.items()]
    return pd.concat(parts, ignore_index=True).dropna(subset="y_pred").drop(columns=["stimulus", "moment", "others"])


def residual_scores(predictions: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """``residual_pcc`` and ``residual_ccc`` of every model and person, clean input: does a prediction tell how the person
    differs from the others on the same clip?

    They compare what the other people's ratings of the clip leave of the ratings with what they leave of the predictions. What
    the others say is taken away as a plane on four of their means: of the moment, of the :data:`AROUND` s about it, and of the
    whole clip. The mean of the moment alone would not do: neighbouring moments say more of this person, and a mean over the
    clip, which knows no physiology, had a PCC of .05 to .07 on CEAP-360VR (with all four: tests/evaluate/test_ceilings.py).
    (To subtract the others' mean rating from ratings, and the mean prediction for others from predictions, would not do: a
    person that is left out moves what the others are told towards its own rating and not what itself is told, and
    ``stimulus_mean`` gets a PCC of -1 under ``loso``.)

    A person needs three labels that others share beyond its mean and what is taken away, or it has no row; the value is NaN
    where the fold failed.
    """
    columns = [*FIT, "subject", "condition", "severity", "target", "metric", "value", "n"]
    clean = _with_moment(_without_controls(pick(predictions, condition=CLEAN)))
    known = about_the_clip(labels.dropna(subset="others"))
    both = clean.merge(known[[*LABEL, *MEANS]], on=LABEL, validate="many_to_one")
    rows: list[tuple] = []
    for key, part in both.groupby([*FIT, "subject", "condition", "severity", "target"], sort=True):
        others = part[list(MEANS)].to_numpy(float)
        if len(part) - 1 - np.linalg.matrix_rank(others - others.mean(0)) < FREE:
            continue
        true = beyond(part["y_true"].to_numpy(float), others)
        # a person tested in several folds meets several training means, as in score()
        predicted = beyond((part["y_pred"] - part["y_reference"]).to_numpy(float), others)
        for name, metric in (("residual_pcc", pcc), ("residual_ccc", ccc)):
            value = np.nan if np.isnan(predicted).any() else metric(true, predicted)
            rows.append((*key, name, value, len(part)))
    return pd.DataFrame(rows, columns=columns)


def about_the_clip(labels: pd.DataFrame) -> pd.DataFrame:
    """Labels with the :data:`MEANS`: ``others``, its mean over so many seconds on either side, and over the clip."""
    labels = labels.sort_values([*SAME, "subject", "trial"], ignore_index=True)
    series = labels.groupby(["target", "stimulus", "subject", "trial"])["others"]
    steps = labels.groupby(["target", "stimulus", "subject", "trial"])["moment"].diff()
    step = float(steps.median()) / 1000 if steps.notna().any() else 1.0  # s
    for seconds in AROUND:
        width = 2 * round(seconds / step) + 1
        labels[f"others_{seconds}s"] = series.transform(lambda v: v.rolling(width, center=True, min_periods=1).mean())  # noqa: B023
    return labels.assign(others_clip=series.transform("mean"))


def beyond(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """What a least-squares plane on ``others`` (n, k) leaves of ``values`` (n,); all NaN where a value is."""
    values, others = values - values.mean(), others - others.mean(0)
    if np.isnan(values).any():
        return np.full_like(values, np.nan)
    left = values - others @ np.linalg.lstsq(others, values, rcond=1e-8)[0]
    return np.zeros_like(left) if np.linalg.norm(left) < ROUNDING * np.linalg.norm(values) else left


def _without_controls(predictions: pd.DataFrame) -> pd.DataFrame:
    return pick(predictions, model=[m for m in predictions["model"].unique() if not registry.control_of(m)])


def _with_moment(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(moment=(rows["time"].astype(float) * 1000).round().fillna(-1).astype(int))


def _spread(values: pd.Series) -> float:
    return float(values.std(ddof=0))


def _without_each(values: Any, groups: Any) -> Any:
    """For each value the mean of the others of its group; NaN where it is alone."""
    n = groups.transform("count")
    return (groups.transform("sum") - values) / (n - 1).where(n > 1)
