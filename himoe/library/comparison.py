"""Models compared as the report compares them: paired over people, with people and seeds both drawn at random."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from himoe.names import CLEAN, STUDIED, setting
from himoe.stats import paired
from himoe.stats.verdicts import decide, smallest_lead
from himoe.types import HimoeError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

NOTHING = "predicting nothing"  # CCC 0: always among the rivals
OWN = "own"  # the setting of values that come as arrays


class Judgement(NamedTuple):
    """``word``: supported, contradicted, equivalent or inconclusive; ``lead``: the smallest over any rival, between ``low`` and
    ``high``; ``closest``: the rival that it is over."""

    word: str
    lead: float
    low: float
    high: float
    closest: str


def compare(values: Mapping[str, ArrayLike] | pd.DataFrame, model: str = STUDIED, metric: str = "ccc") -> pd.DataFrame:
    """A model against every other one, paired over people.

    Parameters
    ----------
    values
        Model -> its metric for each person and seed, (n_people, n_seeds), or (n_people,) of one seed, targets averaged, people
        in the same order for all; or a table of scores as :func:`himoe.read_scores` gives it.
    model
        The one that the others are held against.
    metric
        Which metric of a table of scores is compared: ``ccc``, ``skill``, ``rmse``, ...

    Returns
    -------
    pandas.DataFrame
        A row an other model (and setting and target of a table): ``difference``, mean over people and seeds, with its 95%
        interval ``low`` to ``high``; ``p`` and ``p_holm`` (Holm 1979, over the other models); ``d``, Cohen's of the people;
        ``detectable``, the difference that would be seen with a chance of 80%; ``n_subjects``, ``n_seeds``.

    Raises
    ------
    HimoeError
        If ``model`` is not among them, there is no other, or people or seeds differ in number.

    Notes
    -----
    The interval is of a two-way layout of random effects, (MS_people + MS_seeds - MS_rest) / (n_people n_seeds), with
    Satterthwaite's degrees of freedom (Searle, Casella & McCulloch 1992) and Hall's (1992) correction for skewness.

    Examples
    --------
    Five people, one seed. The leads .1, .2, .3, .2, .2 have mean .2 and SD .0707: .2 -+ 2.776 * .0707 / sqrt(5).

    >>> import himoe
    >>> table = himoe.stats.compare({"himoe": [0.5, 0.6, 0.7, 0.6, 0.4], "ridge": [0.4, 0.4, 0.4, 0.4, 0.2]})
    >>> table[["other", "difference", "low", "high"]].round(3).to_numpy().tolist()
    [['ridge', 0.2, 0.112, 0.288]]
    """
    if isinstance(values, pd.DataFrame):
        scores = values if "setting" in values else values.assign(setting=_settings(values))
    else:
        scores = _table(_arrays(values, model), metric)
    if model not in set(scores["model"]):
        raise HimoeError(f"compare: there is no model '{model}' among {', '.join(sorted(set(scores['model'])))}")
    return paired.compare(scores, metric, sorted(set(scores["setting"])), model)


def judge(values: Mapping[str, ArrayLike], model: str = STUDIED, smallest: float = 0.02) -> Judgement:
    """Whether a model is ahead of *every* other one, in one word.

    Parameters
    ----------
    values
        Model -> its CCC for each person and seed, as in :func:`compare`. "Predicting nothing", CCC 0, is always a rival too.
    model
        The one that is judged.
    smallest
        The smallest lead of interest, fixed before anybody looks. Leads within it either way are equivalence.

    Returns
    -------
    Judgement
        ``supported`` if the whole interval of the smallest lead is above 0 (an intersection-union test, Berger 1982, which
        needs no correction), ``contradicted`` if below (Bonferroni's level), ``equivalent`` if within ``smallest``, else
        ``inconclusive``.

    Raises
    ------
    HimoeError
        As :func:`compare`.

    Examples
    --------
    >>> import himoe
    >>> himoe.stats.judge({"himoe": [0.5, 0.6, 0.7, 0.6, 0.4], "ridge": [0.4, 0.4, 0.4, 0.4, 0.2]}).word
    'supported'
    """
    levels = _arrays(values, model)
    others = [name for name in levels if name != model]
    leads = np.stack([*(levels[model] - levels[name] for name in others), levels[model]], axis=-1)
    lead = smallest_lead(leads)
    word = str(decide(lead.low, lead.high, smallest))
    return Judgement(word, float(lead.value), float(lead.low), float(lead.high), [*others, NOTHING][int(lead.closest)])


def _arrays(values: Mapping[str, ArrayLike], model: str) -> dict[str, np.ndarray]:
    """(n_people, n_seeds) of each model."""
    found = {name: np.asarray(of, np.float64) for name, of in values.items()}
    found = {name: of[:, None] if of.ndim == 1 else of for name, of in found.items()}
    if model not in found or len(found) < 2:
        raise HimoeError(f"compare: '{model}' and another model are needed, there is {', '.join(found) or 'none'}")
    for name, of in found.items():
        if of.ndim != 2 or of.shape != found[model].shape or len(of) < 2:
            shapes = f"{model} {found[model].shape}, {name} {of.shape}"
            raise HimoeError(f"compare: {shapes}: expected (people, seeds) of the same 2 or more people")
    return found


def _settings(scores: pd.DataFrame) -> list[str]:
    several = scores["protocol"].nunique() > 1
    return [setting(d, p, several) for d, p in zip(scores["dataset"], scores["protocol"], strict=True)]


def _table(levels: dict[str, np.ndarray], metric: str) -> pd.DataFrame:
    """The values as a table of scores."""
    rows = []
    for model, of in levels.items():
        people, seeds = np.indices(of.shape)
        rows.append(pd.DataFrame({"model": model, "subject": people.ravel(), "seed": seeds.ravel(), "value": of.ravel()}))
    return pd.concat(rows, ignore_index=True).assign(setting=OWN, target="all", condition=CLEAN, severity=0.0, metric=metric)
