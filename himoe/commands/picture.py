"""One trial as a picture: its signals, when each was present, what is predicted beside what was rated, lags and shares.

``predict`` draws it of a recording of one's own, ``show`` of a trial of a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from himoe import io
from himoe.report.style import LIGHT, WIDTH, fit_text, stamp, themed
from himoe.types import HimoeError, Trial

MOST_POINTS = 2000  # of a trace: more than a page has pixels
SUFFIXES = (".png", ".svg", ".pdf")
SYNTHETIC = "SYNTHETIC"
Trace = tuple[np.ndarray, np.ndarray]  # times (n,), s; values (n,)


@dataclass(frozen=True)
class Shown:
    """One trial. ``traces``: modality -> what is drawn of it; ``time`` (n_tokens,) s and ``present`` (n_tokens, n_modalities);
    ``predicted`` and ``rated``: target -> trace, of one value where there is one for the whole trial; ``lags``: modality -> s;
    ``shares``: modality or ``null`` -> mean share."""

    title: str
    traces: dict[str, Trace]
    time: np.ndarray
    present: np.ndarray
    predicted: dict[str, Trace]
    rated: dict[str, Trace] = field(default_factory=dict)
    lags: dict[str, float] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    target_range: tuple[float, float] | None = None
    synthetic: bool = False


def traces_of(trial: Trial, modalities: Sequence[str]) -> dict[str, Trace]:
    """The first channel of each modality of a trial, from its onset on; nothing of one that was not recorded."""
    out: dict[str, Trace] = {}
    for name in modalities:
        signal = trial.signals.get(name)
        if signal is None:
            out[name] = (np.zeros(0), np.zeros(0))
            continue
        times = signal.start + np.arange(signal.data.shape[1]) / signal.sfreq
        out[name] = (times[times >= 0], np.asarray(signal.data[0, times >= 0], np.float64))
    return out


def draw(path: str | Path, trials: Sequence[Shown]) -> None:
    """Write the picture of one or several trials, one below the other; the kind by the suffix.

    Raises
    ------
    HimoeError
        If the suffix is none of :data:`SUFFIXES`.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise HimoeError(f"{path}: a picture ends in {', '.join(SUFFIXES)}")
    with themed(LIGHT, WIDTH):
        heights = [_heights(trial) for trial in trials]
        figure = plt.figure(figsize=(WIDTH, sum(map(sum, heights)) + 0.5 * len(trials)))
        parts = figure.subfigures(len(trials), 1, height_ratios=[sum(h) + 0.5 for h in heights], squeeze=False)[:, 0]
        for part, trial, height in zip(parts, trials, heights, strict=True):
            part.suptitle(trial.title, fontsize=10, weight="bold", x=0.01, ha="left")
            grid = part.add_gridspec(len(height), 2, height_ratios=height)
            _timed([part.add_subplot(grid[i, :]) for i in range(len(height) - 1)], trial)
            _bars(part.add_subplot(grid[-1, 0]), trial.lags, "lag, s (behind the others)")
            _bars(part.add_subplot(grid[-1, 1]), trial.shares, "share in what is fused")
        if any(trial.synthetic for trial in trials):
            stamp(figure, SYNTHETIC, LIGHT)
        fit_text(figure)
        with io.atomic(path) as temporary:
            figure.savefig(temporary, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
        plt.close(figure)


def _heights(trial: Shown) -> list[float]:
    """Inches of each row: traces, presence, targets, bars."""
    n_bars = max(len(trial.lags), len(trial.shares), 2)
    return (
        [0.45] * len(trial.traces) + [0.2 * trial.present.shape[1] + 0.3] + [1.1] * len(trial.predicted) + [0.17 * n_bars + 0.5]
    )


def _timed(axes: list[Axes], trial: Shown) -> None:
    """What has a time: traces, presence, targets, on one axis of time."""
    names, span = list(trial.traces), _span(trial)
    for ax, (name, (times, values)) in zip(axes, trial.traces.items(), strict=False):
        step = max(1, len(times) // MOST_POINTS)
        ax.plot(times[::step], values[::step], color=LIGHT.text, lw=0.6)
        ax.set_yticks([])
        ax.grid(visible=False)
        ax.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
    _presence(axes[len(names)], trial)
    for ax, (target, trace) in zip(axes[len(names) + 1 :], trial.predicted.items(), strict=True):
        _line(ax, trace, span, LIGHT.accent, "predicted")
        if target in trial.rated:
            _line(ax, trial.rated[target], span, LIGHT.text, "rated")
        ax.set_ylabel(target)
        if trial.target_range:  # predictions may leave the scale, and are drawn where they are
            ends = [*trial.target_range, *map(float, trace[1][np.isfinite(trace[1])])]
            ax.set_ylim(min(ends), max(ends))
    axes[len(names) + 1].legend(loc="upper right", fontsize=8, ncols=2)
    for ax in axes:
        ax.set_xlim(*span)
        ax.tick_params(labelbottom=ax is axes[-1])
    axes[-1].set_xlabel("s from the onset of the trial")


def _span(trial: Shown) -> tuple[float, float]:
    """First and last second that is drawn: of tokens and traces."""
    times = [trial.time, *(times for times, _ in trial.traces.values() if len(times))]
    return float(min(t[0] for t in times)), float(max(t[-1] for t in times))


def _presence(ax: Axes, trial: Shown) -> None:
    """A strip for each modality, dark where its token was present."""
    names = list(trial.traces)
    step = float(np.median(np.diff(trial.time))) if len(trial.time) > 1 else 1.0
    for row, there in enumerate(trial.present.T):
        starts = trial.time[there] - step / 2
        ax.broken_barh([(float(start), step) for start in starts], (row - 0.35, 0.7), color=LIGHT.palette[0], lw=0)
    ax.set_yticks(range(len(names)), names, fontsize=7)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(visible=False)
    ax.set_ylabel("present", fontsize=8)


def _line(ax: Axes, trace: Trace, span: tuple[float, float], colour: str, label: str) -> None:
    """A trace; one value is a line over the whole trial."""
    times, values = trace
    if len(values) == 1:
        ax.plot(span, [values[0]] * 2, color=colour, lw=1.6, label=label)
    else:
        ax.plot(times, values, color=colour, lw=1.2, label=label)


def _bars(ax: Axes, values: dict[str, float], title: str) -> None:
    """A bar for each name; says so where the model tells none."""
    ax.set_title(title, fontsize=8.5)
    if not values:
        ax.set_axis_off()
        ax.text(0, 0.5, "the model tells none", transform=ax.transAxes, fontsize=8)
        return
    ax.barh(range(len(values)), list(values.values()), color=LIGHT.palette[0])
    ax.set_yticks(range(len(values)), list(values), fontsize=7)
    ax.invert_yaxis()
    ax.axvline(0, color=LIGHT.text, lw=0.8)
