"""Routing around an outage: what becomes of the shares of the modalities that are lost, of those that remain, and of the null
token, step by step, beside the shares of the same steps with nothing lost.

Axes: N tokens of n trials, M modalities, S = M + 1 parts (modalities and the null token).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from himoe import registry
from himoe.types import Tokens

SHARE = "modality_share"  # the routing quantity that is followed: (.., S), modalities in their order, then the null token
REACH = 5.0  # s before and after the onset, and the end, of an outage
GROUPS = ("lost", "remaining", "null token")


def spans_of(recorded: Tokens, condition: str, severity: float) -> list[slice] | None:
    """Tokens of each trial, counted from its first one, in which the condition loses modalities; None where it knows none."""
    plugin = registry.load("conditions", condition)
    if not severity or not hasattr(plugin, "span"):
        return None
    return [plugin.span(int(n), severity, recorded.layout.token_rate) for n in np.diff(recorded.offsets)]


def around(
    shares: np.ndarray, as_clean: np.ndarray, tokens: Tokens, clean: Tokens, spans: Sequence[slice]
) -> dict[str, np.ndarray]:
    """Quantities by trial, from ``shares`` (N, S) under an outage and ``as_clean`` (N, S) of the same trials as recorded.

    - ``outage_onset``, ``outage_end`` (n, n_steps, 3, 2): the summed share of each of :data:`GROUPS`, clean and under the
      outage, from :data:`REACH` before the first token of the outage (of what follows it) to as long after; NaN outside the
      trial.
    - ``outage_share`` (n, S, 2): mean over the outage of each part's share, clean and under it.
    - ``outage_lost`` (n, M): 1 where a modality that was recorded in the outage's time is lost, 0 where it remains; NaN where
      it was not recorded.
    """
    reach = max(1, round(REACH * tokens.layout.token_rate))
    rows = [
        _of_trial(np.stack([as_clean[at], shares[at]], axis=-1), clean.mask[at], tokens.mask[at], span, reach)
        for at, span in zip(map(slice, tokens.offsets[:-1], tokens.offsets[1:]), spans, strict=True)
    ]
    names = ("outage_onset", "outage_end", "outage_share", "outage_lost")
    return dict(zip(names, map(np.stack, zip(*rows, strict=True)), strict=True))


def _of_trial(
    both: np.ndarray, recorded: np.ndarray, left: np.ndarray, span: slice, reach: int
) -> tuple[np.ndarray, ...]:  # fmt: skip
    """Of one trial: shares ``both`` (T, S, 2), presence ``recorded`` and ``left`` (T, M)."""
    there = recorded[span].any(0)
    lost = there & ~left[span].any(0)
    parts = (lost, there & ~lost)
    groups = np.stack([*(both[:, :-1][:, part].sum(1) for part in parts), both[:, -1]], axis=1)  # (T, 3, 2)
    edges = [_window(groups, at, reach) for at in (span.start, span.stop)]
    return *edges, both[span].mean(0), np.where(there, lost.astype(float), np.nan)


def _window(values: np.ndarray, at: int, reach: int) -> np.ndarray:
    """``values`` (T, ...) from ``reach`` tokens before ``at`` to as many from it on, (2 reach, ...); NaN outside."""
    out = np.full((2 * reach, *values.shape[1:]), np.nan)
    steps = at + np.arange(-reach, reach)
    inside = (steps >= 0) & (steps < len(values))
    out[inside] = values[steps[inside]]
    return out
