"""Models compared as the report compares them: paired over people, with people and seeds both drawn at random."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from himoe.config.protocols import MIN_SEEDS, shared_luck
from himoe.data.door import real_numbers
from himoe.names import CEILINGS, CLEAN, STUDIED, parse_model, setting
from himoe.registry import hint
from himoe.stats import paired
from himoe.stats.verdicts import CONTRADICTED, FAILED, INCONCLUSIVE, NOTHING, decide, smallest_lead
from himoe.types import HimoeError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

OWN = "own"  # the setting of values that come as arrays
VALUE = "ccc"  # the metric that they are kept under: one that no sum over people is made of
COLUMNS = ("model", "seed", "subject", "condition", "severity", "target", "metric", "value")  # of a table of scores


class Judgement(NamedTuple):
    """``word``: supported, contradicted, equivalent, inconclusive or failed; ``lead``: the smallest over any rival, between
    ``low`` and ``high``; ``closest``: the rival that it is over; ``why``: what else than the interval made the word."""

    word: str
    lead: float
    low: float
    high: float
    closest: str
    why: str = ""


def compare(
    values: Mapping[str, ArrayLike] | pd.DataFrame, model: str = STUDIED, metric: str = "ccc",
    among: Collection[str] | None = None,
) -> pd.DataFrame:  # fmt: skip
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
    among
        The others that it is held against, which Holm's correction counts. Without it every other array, and of a table those
        that compete: no ablation, regime, control or model of fewer people (``himoe-flat``), and no ceiling, made of labels.

    Returns
    -------
    pandas.DataFrame
        A row an other model (and setting and target of a table): ``difference``, mean over people and seeds, with its 95%
        interval ``low`` to ``high``; ``p`` and ``p_holm`` (Holm 1979, over the other models); ``d``, Cohen's of the people;
        ``detectable``, the difference that would be seen with a chance of 80%; ``n_subjects``, ``n_seeds``.

    Raises
    ------
    HimoeError
        If ``model`` is not among them, there is no other, a name or the metric is unknown, or people or seeds differ.

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
        scores, of = _of_table(values, model, metric, among), metric
    else:
        chosen = values if among is None else {name: values[name] for name in _named(values, model, among)}
        scores, of = _table(_arrays(chosen, model)), VALUE
    try:
        found = paired.compare(scores, of, sorted(set(scores["setting"])), model)
    except ValueError as error:
        raise HimoeError(f"compare: {error}; give those that all have, or name with among those to compare") from error
    if found.empty:
        raise HimoeError(f"compare: no setting has scores of '{model}' and of another model on {CLEAN} input")
    return found.assign(metric=metric)


def judge(
    values: Mapping[str, ArrayLike], model: str = STUDIED, smallest: float = 0.02, shared_networks: bool = True
) -> Judgement:
    """Whether a model is ahead of *every* other one, in one word.

    Parameters
    ----------
    values
        Model -> its CCC for each person and seed, as in :func:`compare`. "Predicting nothing", CCC 0, is always a rival too.
    model
        The one that is judged.
    smallest
        The smallest lead of interest, fixed before anybody looks. Leads within it either way are equivalence.
    shared_networks
        Whether several people are predicted by one network, as under every protocol but ``loso``: its luck in training is then
        shared, and with fewer than three seeds no interval holds it. False where each person has networks of their own, or
        nothing is drawn in fitting.

    Returns
    -------
    Judgement
        ``supported`` if the whole interval of the smallest lead is above 0 (an intersection-union test, Berger 1982, which
        needs no correction), ``contradicted`` if below (Bonferroni's level), ``equivalent`` if within ``smallest``, else
        ``inconclusive``, as always with fewer than three seeds of shared networks; ``failed`` if a value is not finite, unless
        what is left of the rivals contradicts: as the report judges.

    Raises
    ------
    HimoeError
        As :func:`compare`.

    Examples
    --------
    >>> import himoe
    >>> ccc = {"himoe": [0.5, 0.6, 0.7, 0.6, 0.4], "ridge": [0.4, 0.4, 0.4, 0.4, 0.2]}
    >>> himoe.stats.judge(ccc, shared_networks=False).word  # every person has a network of their own
    'supported'
    >>> himoe.stats.judge(ccc).why
    '1 seed(s) of networks that people share: for the luck of training the interval needs 3'
    """
    levels = _arrays(values, model)
    whole = {name: of for name, of in levels.items() if np.isfinite(of).all()}
    failed = [name for name in levels if name not in whole]
    others = [name for name in whole if name != model]
    lost = f"values of {', '.join(failed)} are not finite" if failed else ""
    if model in failed or not others:
        return Judgement(FAILED, np.nan, np.nan, np.nan, "", lost)
    lead = smallest_lead(np.stack([*(whole[model] - whole[name] for name in others), whole[model]], axis=-1))
    word, why, n_seeds = str(decide(lead.low, lead.high, smallest)), "", whole[model].shape[1]
    if shared_networks and n_seeds < MIN_SEEDS:
        word, why = INCONCLUSIVE, shared_luck(n_seeds)
    if failed and word != CONTRADICTED:  # one that failed saves nobody who is behind another, and is no win
        word, why = FAILED, lost
    return Judgement(word, float(lead.value), float(lead.low), float(lead.high), [*others, NOTHING][int(lead.closest)], why)


def _of_table(table: pd.DataFrame, model: str, metric: str, among: Collection[str] | None) -> pd.DataFrame:
    """Rows of a table of scores, by setting, of the model and of those that it is held against."""
    place = ("setting",) if "setting" in table else ("dataset", "protocol")
    if lacking := [name for name in (*place, *COLUMNS) if name not in table]:
        raise HimoeError(f"compare: the table of scores has no column {', '.join(lacking)}")
    there, metrics = set(table["model"]), set(table["metric"])
    if metric not in metrics:
        hinted = hint(metric, metrics)
        raise HimoeError(
            f"compare: there is no metric '{metric}'; {hinted}{'; ' * bool(hinted)}valid names: {', '.join(sorted(metrics))}"
        )
    compete = [name for name in there if not parse_model(name).variant and name not in CEILINGS]
    wanted = _named(there, model, compete if among is None else among)
    scores = table[table["model"].isin(wanted)]
    return scores if "setting" in scores else scores.assign(setting=_settings(scores))


def _named(there: Collection[str], model: str, among: Collection[str]) -> list[str]:
    """The model and the others; HimoeError where one is not there, or there is no other."""
    wanted = list(dict.fromkeys([model, *among]))
    if unknown := [name for name in wanted if name not in there]:
        raise HimoeError(f"compare: there is no model '{unknown[0]}' among {', '.join(sorted(there))}")
    if len(wanted) < 2:
        raise HimoeError(f"compare: nothing to hold '{model}' against among {', '.join(sorted(there))}; name it with among")
    return wanted


def _arrays(values: Mapping[str, ArrayLike], model: str) -> dict[str, np.ndarray]:
    """(n_people, n_seeds) of each model."""
    found = {name: real_numbers(of, f"compare: {name}") for name, of in values.items()}
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


def _table(levels: dict[str, np.ndarray]) -> pd.DataFrame:
    """The values as a table of scores."""
    rows = []
    for model, of in levels.items():
        people, seeds = np.indices(of.shape)
        rows.append(pd.DataFrame({"model": model, "subject": people.ravel(), "seed": seeds.ravel(), "value": of.ravel()}))
    return pd.concat(rows, ignore_index=True).assign(setting=OWN, target="all", condition=CLEAN, severity=0.0, metric=VALUE)
