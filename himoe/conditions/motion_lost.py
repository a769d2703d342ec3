"""Not at random: in bursts of motion all sensors are lost at once but those of motion itself. Where motion was recorded
(modalities named motion or imu_...), bursts are the moments at which it changes most; elsewhere those of highest amplitude over
all modalities, and every one of them is lost. What is lost at a low severity is lost at a higher one too."""

from __future__ import annotations

import numpy as np

from himoe.conditions._present import amplitude, strongest
from himoe.data.perturbation import Perturbation, loss
from himoe.types import Tokens

TITLE = "loss in bursts of motion"
UNIT = "share of moments lost"
LIMITS = (0, 1)
MOTION = ("motion", "imu")  # how the names of modalities of motion begin


def draw(tokens: Tokens, severity: float, rng: np.random.Generator) -> Perturbation:
    """One trial without the ``severity`` of its moments at which there is most motion."""
    moves = np.array([name.startswith(MOTION) for name in tokens.layout.modalities])
    moves &= tokens.mask.any(0)
    measure, of = (_change, np.flatnonzero(moves).tolist()) if moves.any() else (amplitude, range(len(moves)))
    by_modality = np.stack([measure(tokens, m) for m in of])  # (n, n_tokens)
    seen = np.isfinite(by_modality)
    strength = np.where(seen, by_modality, 0.0).sum(0) / np.maximum(seen.sum(0), 1)
    strength[~seen.any(0)] = -np.inf  # no burst where nothing was seen
    return loss(strongest(strength, severity)[:, None] & ~moves)


def _change(tokens: Tokens, modality: int) -> np.ndarray:
    """By how much a modality differs from the token before (n_tokens,): root mean square over features, each in units of its
    spread in the trial; NaN where either is absent, and in the first token."""
    there = tokens.mask[:, modality]
    x = tokens.x[:, tokens.layout.slices[tokens.layout.modalities[modality]]].astype(np.float64)
    spread = x[there].std(0)
    steps = np.diff(x, axis=0) / np.where(spread > 1e-9, spread, np.inf)
    change = np.where(there[1:] & there[:-1], np.sqrt((steps**2).mean(1)), np.nan)
    return np.concatenate([[np.nan], change])


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: none."""
    return 0
