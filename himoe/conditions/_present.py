"""Loss of tokens: what the conditions that make a trial incomplete share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from himoe.data.perturbation import Perturbation, loss
from himoe.types import Tokens


def shuffled(tokens: Tokens, rng: np.random.Generator) -> np.ndarray:
    """The modalities that are present somewhere in a trial, in random order (n,)."""
    return rng.permutation(np.flatnonzero(tokens.mask.any(0)))


def out_at_once(tokens: Tokens, n_left: Callable[[int], int], seconds: float, rng: np.random.Generator) -> Perturbation:
    """One trial of whose n present modalities only ``n_left(n)``, drawn at random, are left for ``seconds`` after a third."""
    present = shuffled(tokens, rng)
    gone = present[: max(0, len(present) - n_left(len(present)))]
    return without(tokens, gone, after_a_third(len(tokens.x), seconds, tokens.layout.token_rate))


def after_a_third(n_tokens: int, seconds: float, token_rate: float) -> slice:
    """Tokens of a trial of ``n_tokens`` from a third of it on, ``seconds`` long or to its end."""
    start = n_tokens // 3
    return slice(start, min(start + round(seconds * token_rate), n_tokens))


def some_out(tokens: Tokens, n: float, at: slice, rng: np.random.Generator) -> Perturbation:
    """One trial of whose present modalities ``n``, drawn at random, are absent there, but not the last one."""
    present = shuffled(tokens, rng)
    return without(tokens, present[: max(0, min(round(n), len(present) - 1))], at)


def without(tokens: Tokens, modalities: np.ndarray | tuple[int, ...], at: slice = slice(None)) -> Perturbation:
    """One trial without these modalities there."""
    lost = np.zeros(tokens.mask.shape, bool)
    for m in modalities:
        lost[at, m] = True
    return loss(lost)


def strongest(strength: np.ndarray, share: float) -> np.ndarray:
    """Which values (n,) are among the ``share`` of them that is largest, bool (n,); of equal ones those that come first."""
    lost = np.zeros(len(strength), bool)
    lost[np.argsort(-strength, kind="stable")[: round(share * len(strength))]] = True
    return lost


def amplitude(tokens: Tokens, modality: int) -> np.ndarray:
    """How high a modality's features are in each token of a trial (n_tokens,): mean over features of their z-scores in the
    trial, over the tokens in which it is present; NaN where it is not."""
    there = tokens.mask[:, modality]
    x = tokens.x[there, tokens.layout.slices[tokens.layout.modalities[modality]]].astype(np.float64)
    out = np.full(len(there), np.nan)
    if len(x):
        spread = x.std(0)
        out[there] = ((x - x.mean(0)) / np.where(spread > 1e-9, spread, np.inf)).mean(1)
    return out
