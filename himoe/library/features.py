"""Features of a recording on the token clock, as the workflow computes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from himoe.data.door import real_numbers
from himoe.signal.clock import token_times
from himoe.signal.features import RECIPES, recipe
from himoe.types import HimoeError, Signal

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike


def recipes() -> list[str]:
    """Names of the recipes that :func:`extract` knows, one for each kind of signal.

    Returns
    -------
    list of str
        ``eeg_de`` (differential entropy of four bands), ``gsr``, ``ppg``, ``ecg``, ``respiration``, ...

    Examples
    --------
    >>> import himoe
    >>> {"eeg_de", "gsr", "ppg", "respiration"} <= set(himoe.features.recipes())
    True
    """
    return list(RECIPES)


def extract(
    data: ArrayLike, sfreq: float, recipe_name: str, *, channels: Sequence[str] | None = None, token_rate: float = 2.0,
    window: float = 2.0,
) -> pd.DataFrame:  # fmt: skip
    """Features of one recording, one row a token.

    Parameters
    ----------
    data
        (n_chans, n_times), or (n_times,) of one channel, in V, S, degrees Celsius (degC); NaN where nothing was recorded.
    sfreq
        Samples per second, Hz.
    recipe_name
        One of :func:`recipes`.
    channels
        Names of the channels; ``0`` and on without them.
    token_rate, window
        Tokens per second, Hz, and the length of a token's window, s.

    Returns
    -------
    pandas.DataFrame
        A column a feature, indexed by the time of the windows' centres, s; NaN where a window could not be measured.

    Raises
    ------
    HimoeError
        If there is no such recipe, the recording is shorter than the recipe needs, or channels and rows disagree in number.

    Notes
    -----
    EEG: differential entropy 0.5 ln(2 pi e var), Shi, Jiao & Lu (2013). Skin conductance, pulse and breathing: neurokit2
    (Makowski et al. 2021). A run also gates quality, subtracts baselines and standardises over a session:
    :func:`himoe.read_recording`.

    Examples
    --------
    A wave of 10 Hz and 1 uV, variance 0.5 (uV)^2, is all alpha (8 to 14 Hz): 0.5 ln(2 pi e 0.5e-12) = -12.74 nats of V.

    >>> import numpy as np, himoe
    >>> wave = 1e-6 * np.sin(2 * np.pi * 10 * np.arange(128 * 20) / 128)
    >>> table = himoe.features.extract(wave, 128, "eeg_de", channels=["Oz"])
    >>> list(table.columns), len(table)
    (['Oz/theta', 'Oz/alpha', 'Oz/beta', 'Oz/gamma'], 37)
    >>> round(float(table.loc[10.0, "Oz/alpha"]), 2)
    -12.74
    """
    import pandas as pd

    signal = Signal(np.atleast_2d(real_numbers(data, "features")), float(sfreq))
    chosen = recipe(recipe_name)
    n_chans, n_times = signal.data.shape
    names = tuple(map(str, range(n_chans) if channels is None else channels))
    if len(names) != n_chans:
        raise HimoeError(f"features: {len(names)} channels are named, the recording has {n_chans}")
    seconds = n_times / sfreq
    if seconds < max(chosen.min_seconds, window):
        raise HimoeError(f"features: {recipe_name} needs {max(chosen.min_seconds, window):g} s, the recording has {seconds:g}")
    times = token_times(seconds, token_rate, window)
    return pd.DataFrame(chosen.run(signal, times, window), pd.Index(times, name="time"), list(chosen.names(names)))
