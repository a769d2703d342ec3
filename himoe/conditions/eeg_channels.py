"""Channels of the EEG are lost for a whole trial, drawn at random: what is computed of them is 0 (the person's mean, if
features are normalised), their samples are flat, their baseline is unknown. With fewer than half of the channels left the EEG
is absent. That is what preparing the cleaned recordings without them would give (where all channels are measured, and with the
default of features.quality.min_measured): the other channels, referenced before, stay as they are. Those that are lost at a low
severity are lost at a higher one too."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from himoe.types import Tokens

TITLE = "EEG channels lost"
UNIT = "share of channels"
LIMITS = (0, 1)
MODALITY = "eeg"
LEFT = 0.5  # share of channels with which the EEG is still there


def apply(tokens: Tokens, severity: float, rng: np.random.Generator) -> Tokens:
    """One trial without ``severity`` of its EEG's channels."""
    layout, x, mask, baseline = tokens.layout, tokens.x.copy(), tokens.mask.copy(), tokens.baseline
    m, columns = layout.modalities.index(MODALITY), layout.slices[MODALITY]
    of = np.array([re.sub(r"[/ ][^/ ]*$", "", feature) for feature in layout.features[m]])  # CHANNEL/BAND, CHANNEL k
    channels = list(dict.fromkeys(of.tolist()))
    lost = rng.permutation(len(channels))[: round(severity * len(channels))]
    silent = columns.start + np.flatnonzero(np.isin(of, [channels[i] for i in lost]))
    mask[:, m] &= len(channels) - len(lost) >= LEFT * len(channels)
    x[:, silent] = 0.0
    x[~mask[:, m], columns] = 0.0
    if baseline is not None:
        baseline = baseline.copy()
        baseline[:, silent] = 0.0
    return replace(tokens, x=x, mask=mask, baseline=baseline)


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: none."""
    return 0
