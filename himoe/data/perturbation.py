"""What a condition does to trials, apart from the numbers in them: which tokens are lost, and from where in its trial each
modality's data come. Drawn from features as prepared, it is put to whatever a model is given in their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from himoe import io
from himoe.types import Tokens


class Perturbation(NamedTuple):
    """lost (n_tokens, M) bool; source (n_tokens, M) int64: the token of the trial whose data modality m shows, before any is
    lost. As many tokens as before, at the same times."""

    lost: np.ndarray
    source: np.ndarray

    @property
    def digest(self) -> str:
        """SHA-256 of what is lost and from where the rest comes: equal for all models that meet the same."""
        return io.digest(self.lost, self.source)


def loss(lost: np.ndarray) -> Perturbation:
    """Tokens that are ``lost`` (n_tokens, M); none is displaced."""
    return Perturbation(lost, np.repeat(np.arange(len(lost))[:, None], lost.shape[1], axis=1))


def displacement(source: np.ndarray) -> Perturbation:
    """Every modality's data from the tokens ``source`` (n_tokens, M), taken modulo the trial's length; none is lost.

    What leaves the trial at one end comes in at the other, where nothing is scored: were it absent there, that alone would
    tell the displacement, and with the ends cut off for every severity a trial would begin later than it did, also where
    nothing is displaced."""
    return Perturbation(np.zeros(source.shape, bool), (source % len(source)).astype(np.int64))


def joined(parts: Sequence[Perturbation], offsets: np.ndarray) -> Perturbation:
    """Those of several trials as one, of all their tokens: sources count from the first token of the first trial."""
    source = np.concatenate([part.source + first for part, first in zip(parts, offsets[:-1], strict=True)])
    return Perturbation(np.concatenate([part.lost for part in parts]), source)


def perturbed(tokens: Tokens, what: Perturbation) -> Tokens:
    """These tokens, displaced, and then without those that are lost: these are absent, and their features 0."""
    x, mask = tokens.x, tokens.mask
    moved = np.flatnonzero((what.source != np.arange(len(x))[:, None]).any(0))
    if len(moved):
        x, mask = x.copy(), np.take_along_axis(mask, what.source, axis=0)
    for m in moved:
        columns = tokens.layout.slices[tokens.layout.modalities[m]]
        x[:, columns] = tokens.x[what.source[:, m], columns]
    if what.lost.any():
        mask = mask & ~what.lost
        x = np.where(np.repeat(mask, [len(n) for n in tokens.layout.features], axis=1), x, 0.0)
    return replace(tokens, x=x, mask=mask)
