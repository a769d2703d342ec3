"""Three in ten tokens of every modality are lost, each modality on its own, in gaps that last as long as the severity says on
average: a Markov chain, whose loss is the same for every length of gap. At severity 0 nothing is lost. Long gaps of short
trials are cut off by the trial's ends."""

from __future__ import annotations

import numpy as np

from himoe.conditions._shift import steps
from himoe.data.perturbation import Perturbation, loss
from himoe.types import Tokens

TITLE = "gaps, 30% missing"
UNIT = "s on average"
WHOLE_TOKENS = True
RATE = 0.3


def draw(tokens: Tokens, severity: float, rng: np.random.Generator) -> Perturbation:
    """One trial with gaps of ``severity`` s on average, present and lost times both geometric."""
    n, n_modalities = tokens.mask.shape
    lost, mean = np.zeros((n, n_modalities), bool), steps(severity, tokens.layout.token_rate, "gaps")
    means = np.array([mean * (1 - RATE) / RATE, mean])  # of tokens that are present, and lost, one after the other
    for m in range(n_modalities if mean else 0):
        begins_lost = int(rng.random() < RATE)  # as at any time: the chain is stationary, its runs have no memory
        states = (begins_lost + np.arange(n)) % 2
        runs = rng.geometric(1 / np.maximum(means[states], 1))
        lost[:, m] = np.repeat(states == 1, np.minimum(runs, n))[:n]
    return loss(lost)


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: none."""
    return 0
