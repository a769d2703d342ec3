"""Conditions of the workflow put to tokens of one's own: what is missing, what is out of step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from himoe.config.feasibility import check_limits
from himoe.evaluate import conditions
from himoe.registry import check
from himoe.types import HimoeError, Tokens

if TYPE_CHECKING:
    import numpy as np


def apply(tokens: Tokens, name: str, severity: float, seed: int = 0) -> Tokens:
    """Trials under a condition: tokens lost or displaced, or values changed.

    Parameters
    ----------
    tokens
        Trials that a model is to predict.
    name
        A condition, one of ``himoe.available("conditions")``: ``missing_rate``, ``gaps``, ``shift``, ``jitter``, ...
    severity
        How much of it, in the condition's own unit (a share of tokens, s, a number of modalities); 0 changes nothing.
    seed
        What is lost or displaced depends on it, the condition and the trial's name: the same for every model, and
        what is lost at a low severity is lost at a higher one too.

    Returns
    -------
    Tokens
        As many tokens at the same times. Absent ones are masked and 0; where labels vary within a trial those at its ends,
        which hold no longer there, are NaN.

    Raises
    ------
    HimoeError
        If there is no such condition, or the severity is impossible on these trials.

    Examples
    --------
    >>> import himoe
    >>> tokens, _ = himoe.simulate(people=3, trials=2, seconds=20)
    >>> harder = himoe.conditions.apply(tokens, "missing_rate", 0.5, seed=1)
    >>> float(tokens.mask.mean()), round(float(harder.mask.mean()), 1)
    (1.0, 0.5)
    """
    check("conditions", name)
    check_limits(name, [severity], "conditions")
    try:
        return conditions.under_condition(tokens, name, [severity], seed)[severity].tokens
    except (ValueError, IndexError) as error:
        raise HimoeError(f"conditions.{name}: severity {severity:g} is not possible here ({error})") from error


def injected_lags(tokens: Tokens, name: str, severity: float, seed: int = 0) -> np.ndarray:
    """By how many seconds :func:`apply` makes each modality late: what an estimated lag is held against.

    Parameters
    ----------
    tokens, name, severity, seed
        As in :func:`apply`.

    Returns
    -------
    numpy.ndarray
        (n_trials, n_modalities) s, negative where early. Only lags between modalities can be found from recordings.

    Raises
    ------
    HimoeError
        If there is no such condition, the severity is impossible, or it displaces no modality as a whole.

    Examples
    --------
    >>> import himoe
    >>> tokens, _ = himoe.simulate(people=3, trials=2, seconds=20)
    >>> abs(himoe.conditions.injected_lags(tokens, "shift", 2.0)).sum(axis=1).tolist()  # one modality a trial
    [2.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    """
    check("conditions", name)
    check_limits(name, [severity], "conditions")
    lags = conditions.injected_lags(tokens, name, severity, seed)
    if lags is None:
        raise HimoeError(f"conditions.{name}: it displaces no modality as a whole; shift, shift_half and shift_all do")
    return lags
