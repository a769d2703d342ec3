"""Leads and their intervals as the geometry of a small picture: the template draws it as SVG, nothing here is markup."""

from __future__ import annotations

from math import floor, log10
from typing import Any, NamedTuple

import numpy as np

from himoe.report.text import number

ROW, TOP, BOTTOM, RIGHT, TICK = 17, 6, 30, 10, 38  # px; TICK: room for the number at a tick
GAP, LETTER = 8, 6  # px; between a label and the picture, a letter's width


class Bar(NamedTuple):
    """A line of the picture."""

    label: str
    lead: float
    low: float
    high: float
    side: str


def panel(
    title: str, bars: list[Bar], band: float, ends: tuple[str, ...] = (), width: int = 330, label: int = 120
) -> dict[str, Any]:
    """Places in px of one panel: a line for each bar, ticks, the zero and ``band`` either side of it; ``ends`` are words on
    what lies left and right of zero. A bar without an interval (a fold diverged) keeps its line and has no picture."""
    known = [v for bar in bars for v in (bar.low, bar.high) if np.isfinite(v)]
    low, high = min([*known, -2 * band]), max([*known, 2 * band])
    step = tick_step(high - low, (width - label - RIGHT) // TICK)

    def place(value: float) -> float:
        return round(label + (value - low) / (high - low) * (width - label - RIGHT), 1)

    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    digits = max(0, -floor(log10(step)))
    height = TOP + ROW * len(bars) + BOTTOM
    rows = [
        {"name": bar.label, "label": _fitted(bar.label, label), "side": bar.side, "text": _text(bar),
         "y": TOP + ROW * i + ROW / 2, "x": [place(v) for v in (bar.low, bar.lead, bar.high)] if np.isfinite(bar.low) else None}
        for i, bar in enumerate(bars)
    ]  # fmt: skip
    return {
        "title": title, "width": width, "height": height, "label": label, "foot": height - BOTTOM, "zero": place(0.0),
        "ends": list(ends), "band": [place(-band), round(place(band) - place(-band), 1)], "rows": rows,
        "ticks": [[place(k * step), number(k * step, digits)] for k in range(first, last + 1)],
    }  # fmt: skip


def tick_step(span: float, most: int) -> float:
    """The smallest step of 1, 2 or 5 times a power of ten that cuts a span into no more than so many parts."""
    power = 10.0 ** floor(log10(span / most))
    return next(k * power for k in (1, 2, 5, 10) if span <= k * power * most * (1 + 1e-9))


def _fitted(text: str, width: int) -> str:
    """What of a label fits into so many px."""
    n = (width - GAP) // LETTER
    return text if len(text) <= n else f"{text[: n - 1]}…"


def _text(bar: Bar) -> str:
    if not np.isfinite(bar.low):
        return f"{bar.label}: no score, a fold diverged"
    return f"{bar.label}: {number(bar.lead)} [{number(bar.low)}, {number(bar.high)}], {bar.side}"
