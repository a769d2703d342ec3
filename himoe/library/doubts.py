"""What of a recording lies outside of what a model was trained on: lines of warning. That there is none proves nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from himoe.library.inputs import Inputs
from himoe.library.matching import Matched
from himoe.signal.quality import REASONS
from himoe.train.scaling import Scaler
from himoe.types import Tokens, Trial

FAR = 5.0  # SD of the training rows: of a normal feature one in two million is further away
MANY = 0.02  # share of a modality's values that may be as far
FACTOR = 2.0  # a trial that many times longer or shorter than those of training


def doubts(
    inputs: Inputs, matched: Matched, trials: Sequence[Trial], counts: dict[str, dict[str, int]], short: Sequence[str] = ()
) -> Iterator[str]:  # fmt: skip
    """Of what was recorded, before anything is predicted; ``counts`` are the quality gate's, modality by modality; ``short``
    are the names of trials without a whole window."""
    for m in inputs.modalities:
        found = matched.channels.get(m.name, {})
        if not found:
            yield f"{m.name} was not recorded: predicted without it"
            continue
        if lacking := [c for c in m.channels if c not in found]:
            yield f"{m.name}: {len(lacking)} of {len(m.channels)} channels were not recorded ({', '.join(lacking[:8])})"
        if slow := [c.name for c in found.values() if c.sfreq < 0.99 * m.sfreq]:
            yield f"{m.name}: {slow[0]} has fewer samples a second than the {m.sfreq:g} of the training data"
        if not any(m.name in t.signals and t.signals[m.name].start < 0 for t in trials) and m.baseline:
            yield f"{m.name}: no rest before the trials; it was trained with {m.baseline:g} s (`baseline` in the mapping)"
        yield from _refused(m.name, counts[m.name])
    if unread := matched.unread:
        yield f"not read: {', '.join(unread[:12])}{' ...' if len(unread) > 12 else ''}"
    if short:
        names = ", ".join(short[:12])
        yield f"left out, for they are shorter than a window of {inputs.token_window:g} s: {len(short)} trial(s) ({names})"
    if inputs.options["normalise"]["by"] == "session" and inputs.trials and len(trials) < inputs.trials / FACTOR:
        yield (
            f"features are normalised over {len(trials)} trial(s) of this person, in training over {inputs.trials:.0f}: what "
            "is normal for this person is hardly known"
        )
    lengths = [t.seconds for t in trials]
    if inputs.seconds and (min(lengths) < inputs.seconds / FACTOR or max(lengths) > inputs.seconds * FACTOR):
        yield f"trials of {min(lengths):g} to {max(lengths):g} s; in training they lasted {inputs.seconds:.0f} s on average"


def _refused(modality: str, counts: dict[str, int]) -> Iterator[str]:
    """Of a modality of which the quality gate refused much."""
    if counts["tokens"] and counts["present"] < 0.5 * counts["tokens"]:
        reasons = {name: counts[name] for name in (*REASONS, "too_short") if counts[name]}
        said = (
            ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in reasons.items()) or "features that could not be measured"
        )
        yield f"{modality}: present in {counts['present']} of {counts['tokens']} tokens ({said} of {counts['windows']} windows)"


def far_out(tokens: Tokens, scalers: Sequence[Scaler]) -> Iterator[str]:
    """Modalities of which many values are further from the training rows' mean than :data:`FAR` of their SD."""
    z = np.abs(np.mean([s.transform(tokens).x for s in scalers], axis=0))
    for m, (name, at) in enumerate(tokens.layout.slices.items()):
        values = z[tokens.mask[:, m], at]
        if values.size and (share := (values > FAR).mean()) > MANY:
            worst = tokens.layout.features[m][int((values > FAR).mean(0).argmax())]
            yield f"{name}: {share:.0%} of its values are further than {FAR:g} SD from what was trained on, {worst} most"
