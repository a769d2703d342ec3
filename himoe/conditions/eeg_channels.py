"""Channels of the EEG are lost for a whole trial, drawn at random: what is computed of them is at the person's mean, their
samples are flat, their baseline is unknown. With fewer than half of the channels left the EEG is absent. That is what preparing
the cleaned recordings without them would give (where all channels are measured, features.quality.min_measured at its default):
the other channels, referenced before, stay as they are. Those that are lost at a low severity are lost at a higher one too."""

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
    baseline = None if baseline is None else baseline.copy()
    for m, name in enumerate(layout.modalities):
        if name.startswith(MODALITY):
            of = np.array([re.sub(r"[/ ][^/ ]*$", "", feature) for feature in layout.features[m]])  # CHANNEL/BAND, CHANNEL k
            channels = list(dict.fromkeys(of.tolist()))
            lost = rng.permutation(len(channels))[: round(severity * len(channels))]
            columns = layout.slices[name].start + np.flatnonzero(np.isin(of, [channels[i] for i in lost]))
            mask[:, m] &= len(channels) - len(lost) >= LEFT * len(channels)
            x[:, columns] = 0.0
            x[~mask[:, m], layout.slices[name]] = 0.0
            if baseline is not None:
                baseline[:, columns] = 0.0
    return replace(tokens, x=x, mask=mask, baseline=baseline)


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: none."""
    return 0
