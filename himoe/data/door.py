"""The door: trials as a data set's reader yields them, irregular series on a grid and all in the units that are worked with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from himoe import registry
from himoe.signal.clock import on_grid
from himoe.signal.units import AS_IT_IS, UNITS, check_units, recorded_units
from himoe.types import HimoeError, Modality, Record, Signal, Size, Trial

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

NUMBERS = "fiu"  # kinds of numpy's types


def read_trials_of(dataset: str, folder: Path, record: Record, size: Size, **options: Any) -> Iterator[Trial]:
    """A subject's trials, by the reader of the data set's plug-in; ``options`` are the reader's own."""
    plugin = registry.load("datasets", dataset)
    for modality in plugin.INFO.modalities:
        check_units(modality, dataset)
    for trial in plugin.read(folder, record, size, **options):
        yield let_in(trial, plugin.INFO.modalities)


def let_in(trial: Trial, modalities: tuple[Modality, ...]) -> Trial:
    """A trial with regular signals in the units inside; what is so already is the very same.

    An irregular series (``Signal.times``) is put on the grid of its modality, ``sfreq``, from ``start`` to the end of the trial
    (a pre-trial recording: to its last value, which is in it): linear between two values that are at most ``max_gap`` s apart,
    held for half of that before the first and after the last one, NaN elsewhere, so that tokens there are absent
    (:func:`himoe.signal.clock.on_grid`).

    Raises
    ------
    HimoeError
        With subject, trial and modality, where values are no real numbers, or times do not fit them, or fall, or no
        ``max_gap`` is declared.
    """
    known, where = {m.name: m for m in modalities}, f"{trial.subject} {trial.trial}"

    def through(name: str, signal: Signal, seconds: float | None) -> Signal:
        if (modality := known.get(name)) is None:
            return signal
        _refuse_no_numbers(signal.data, f"{where}: {name}")
        if signal.times is not None:
            signal = _regular(signal, signal.times, modality, seconds, f"{where}: {name}")
        units = recorded_units(modality)
        if all(UNITS[unit or "1"][1:] == AS_IT_IS for unit in units):
            return signal
        scales = np.array([UNITS[unit][1:] for unit in units])  # (n_chans, 2)
        return replace(signal, data=signal.data * scales[:, :1] + scales[:, 1:])

    _refuse_no_numbers(trial.targets, f"{where}: targets")
    signals = {name: through(name, signal, trial.seconds) for name, signal in trial.signals.items()}
    baseline = {name: through(name, signal, None) for name, signal in trial.baseline.items()}
    return replace(trial, signals=signals, baseline=baseline)


def real_numbers(values: ArrayLike, where: str) -> np.ndarray:
    """``values`` as float64, None as NaN; HimoeError, beginning with ``where``, where they are truth values, text or complex,
    of which numpy makes numbers without a word."""
    array = np.asarray(values)
    if array.dtype.kind == "O":
        odd = [type(value).__name__ for value in array.flat if isinstance(value, bool | np.bool_ | str | bytes | complex)]
        if odd:
            raise HimoeError(f"{where}: values of type {odd[0]}, expected real numbers")
    else:
        _refuse_no_numbers(array, where)
    return array.astype(np.float64)


def _refuse_no_numbers(array: np.ndarray, where: str) -> None:
    if array.dtype.kind not in NUMBERS:
        raise HimoeError(f"{where}: values of type {array.dtype}, expected real numbers")


def _regular(signal: Signal, times: np.ndarray, modality: Modality, seconds: float | None, where: str) -> Signal:
    """On the modality's grid until ``seconds`` from stimulus onset, or to the last point that is not after the last value."""
    if signal.data.ndim != 2 or times.shape != signal.data.shape[1:]:
        raise HimoeError(f"{where}: {times.shape} times for values of shape {signal.data.shape}; expected one for each column")
    if not np.isfinite(times).all() or (np.diff(times) < 0).any():
        raise HimoeError(f"{where}: times that fall, or are no numbers; sort the values by their times")
    if not modality.max_gap > 0:
        raise HimoeError(f"{where}: an irregular series; say max_gap of the modality: within how many s a value holds")
    last = float(times[-1]) if len(times) else signal.start - 1 / modality.sfreq
    n_grid = max(math.floor((last - signal.start) * modality.sfreq + 1e-6) + 1, 0)
    length = n_grid / modality.sfreq if seconds is None else seconds - signal.start
    data = on_grid(times, signal.data, modality.sfreq, signal.start, length, modality.max_gap)
    return Signal(data, modality.sfreq, signal.start)
