"""How planted tokens are made: which modality carries the label, how strongly and when is known, because it is put there.

A latent valence and arousal per stimulus and time drives the features of every modality: band power of the EEG through a mixing
matrix, skin conductance, pulse and the rest through the impulse response of the organ, all over 1/f noise. What a study
varies is a setting of :class:`himoe.config.sections.Planted`; what was drawn is in the truth returned beside the tokens.

Signal-to-noise ratio: variance of the driven over that of the spontaneous part of each feature, on the token clock. 0 plants
nothing; labels are unchanged by it.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from himoe import io
from himoe.data.processes import in_processes
from himoe.signal import simulate
from himoe.signal.clock import token_times, window_mean
from himoe.signal.simulate import RATE
from himoe.types import Layout, Signal, Tokens, TrialInfo

if TYPE_CHECKING:
    from himoe.config.sections import Planted

RESPONSE = {"gsr": (0.75, 2.0), "ecg": (1.0, 1.5), "resp": (1.0, 1.5)}  # rise and decay, s; the others follow at once
WINDOW = 2.0  # s of a token
APPRAISAL_SD = 0.5  # of what differs between people's latents of one stimulus
RATING_NOISE = 0.25
MIXING, STIMULI, PERSON, LAGS, BIAS = (2**31 + i for i in range(5))  # streams of random numbers
MARGIN = 24.0  # s simulated before and after a trial, so that responses and lags have a past and a future
CLUSTER_RADIUS, CLUSTER_SPREAD = 1.3, 0.4
GAP_SECONDS = 5.0


def tokens_of(
    subjects: tuple[str, ...], settings: Planted, layout: Layout, threads: int = 1
) -> tuple[dict[str, Tokens], dict[str, Any]]:  # fmt: skip
    """Tokens of every subject, and the truth: ``informative`` (modality -> SNR), ``cluster`` (trial -> number; empty
    without clusters) and ``lag`` (subject -> trial -> modality -> s). ``threads``: processes, which change no bit."""
    rng = np.random.default_rng([settings.seed, MIXING])
    mixing = _mixing(layout.n_features, 4 if settings.state_dependent else 1, rng)
    stimuli = _stimuli(settings, np.random.default_rng([settings.seed, STIMULI]))
    names = [f"v{i + 1:02d}" for i in range(settings.trials)]
    lags = {}
    for i, subject in enumerate(subjects):
        rng = np.random.default_rng([settings.seed, LAGS, i])
        lags[subject] = {name: _lags(layout, settings.lag, rng) for name in names}
    person = partial(_person, stimuli, mixing, lags, layout, settings)
    people = dict(zip(subjects, in_processes(person, enumerate(subjects), threads), strict=True))
    clusters = {name: i % settings.clusters for i, name in enumerate(names)} if settings.clusters else {}
    return people, {"informative": _snr(layout, settings), "cluster": clusters, "lag": lags}


def _snr(layout: Layout, settings: Planted) -> dict[str, float]:
    return {m: settings.snr * settings.informative.get(m, 1.0) for m in layout.modalities}


def _mixing(n_features: int, n_states: int, rng: np.random.Generator) -> np.ndarray:
    """Weights of (valence, arousal) on each feature in each state, (n_states, n_features, 2), unit rows; the same for all."""
    w = rng.standard_normal((n_states, n_features, 2))
    return w / np.linalg.norm(w, axis=-1, keepdims=True)


def _stimuli(settings: Planted, rng: np.random.Generator) -> np.ndarray:
    """(trials, 2, n) on the RATE clock, margins included: a mean (variance 0.5) and movement within (0.5), or clusters."""
    n = round((settings.seconds + 2 * MARGIN) * RATE)
    moving = simulate.ornstein_uhlenbeck((settings.trials, 2, n), settings.timescale, rng)
    if not settings.clusters:
        return np.sqrt(0.5) * (rng.standard_normal((settings.trials, 2, 1)) + moving)
    angle = 2 * np.pi * (np.arange(settings.trials) % settings.clusters + 0.5) / settings.clusters
    return CLUSTER_RADIUS * np.stack([np.cos(angle), np.sin(angle)], -1)[..., None] + CLUSTER_SPREAD * moving


def _lags(layout: Layout, largest: float, rng: np.random.Generator) -> dict[str, float]:
    """Displacement of each modality of a trial, s: whole tokens."""
    most = round(largest * layout.token_rate)
    steps = rng.integers(-most, most + 1, len(layout.modalities))
    return {m: float(k / layout.token_rate) for m, k in zip(layout.modalities, steps, strict=True)}


def _person(
    stimuli: np.ndarray, mixing: np.ndarray, lags: dict[str, dict[str, dict[str, float]]], layout: Layout, settings: Planted,
    who: tuple[int, str],
) -> Tokens:  # fmt: skip
    """All trials of one person, ``who`` a number and a name; features have unit spontaneous variance before they are z-scored
    over the session."""
    (i, subject), effect = who, settings.subject_effect
    if not settings.shared_stimuli:
        stimuli = _stimuli(settings, np.random.default_rng([settings.seed, STIMULI, i + 1]))  # [s, 0] is [s] in numpy
    bias = settings.rating_bias * np.random.default_rng([settings.seed, BIAS, i]).standard_normal(2)
    bias = 0 * bias if layout.per_token else bias  # a trace of every moment is compared with itself
    rng = np.random.default_rng([settings.seed, PERSON, i])
    mixing = mixing + 0.3 * effect * rng.standard_normal(mixing.shape)
    times = token_times(settings.seconds, layout.token_rate, WINDOW)
    driven_parts, noise_parts, labels, masks = [], [], [], []
    for stimulus, lag in zip(stimuli, lags[subject].values(), strict=True):
        latent = (stimulus + effect * APPRAISAL_SD * rng.standard_normal((2, 1))) / np.hypot(1, effect * APPRAISAL_SD)
        driven_parts.append(_driven(latent, mixing, lag, times, layout, settings, rng))
        noise_parts.append(_windows(pink((layout.n_features, latent.shape[1]), rng), times))
        labels.append(_label(latent, times, layout.per_token, bias, rng))
        masks.append(_present(len(times), layout, settings.gaps, rng))
    driven, noise = np.concatenate(driven_parts), np.concatenate(noise_parts)  # (n_tokens, n_features)
    widths = [len(names) for names in layout.features]
    snr = np.repeat(list(_snr(layout, settings).values()), widths)
    x = np.sqrt(snr) * driven / driven.std(0) + (noise - noise.mean(0)) / noise.std(0)
    x = ((x - x.mean(0)) / x.std(0)).astype(np.float32)
    mask = np.concatenate(masks)
    x[~np.repeat(mask, widths, axis=1)] = 0
    offsets = np.arange(len(stimuli) + 1) * len(times)
    digests = [io.digest(x[a:b], mask[a:b]) for a, b in pairwise(offsets)]
    trials = tuple(TrialInfo(subject, "1", name, name, d) for name, d in zip(lags[subject], digests, strict=True))
    time = np.tile(times, len(stimuli)).astype(np.float32)
    return Tokens(x, mask, time, np.concatenate(labels).astype(np.float32), offsets, trials, layout)


def _driven(
    latent: np.ndarray, mixing: np.ndarray, lag: dict[str, float], times: np.ndarray, layout: Layout, settings: Planted,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Every feature's response to the latent (2, n) at the tokens, (n_tokens, n_features)."""
    columns = []
    drift = settings.drift * rng.uniform(-1, 1, len(layout.modalities))
    for (modality, at), slope in zip(layout.slices.items(), drift, strict=True):
        driver = latent
        if rng.random() < settings.conflict:  # this modality of this trial follows something else
            driver = simulate.ornstein_uhlenbeck(latent.shape, settings.timescale, rng)
        state = (driver[0] < 0) * 2 + (driver[1] < 0) if len(mixing) > 1 else np.zeros(driver.shape[1], int)
        signal = np.einsum("nfc,cn->fn", mixing[state][:, at], driver)
        if modality in RESPONSE:
            signal = _respond(signal, *RESPONSE[modality])
        columns.append(_windows(signal, times - lag[modality] - slope * times / settings.seconds))
    return np.concatenate(columns, axis=1)


def _respond(signal: np.ndarray, rise: float, decay: float) -> np.ndarray:
    """A drive (n_rows, n) filtered by an organ's impulse response."""
    response = simulate.bateman(rise, decay, MARGIN)
    n = signal.shape[1] + len(response)
    spectrum = np.fft.rfft(signal, n) * np.fft.rfft(response, n)
    return np.fft.irfft(spectrum, n)[:, : signal.shape[1]]


def _windows(signal: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Mean of (n_rows, n) over each token's window, (n_tokens, n_rows); the signal starts MARGIN before the trial."""
    return window_mean(signal, Signal(signal, RATE, -MARGIN), times, WINDOW)


def _label(
    latent: np.ndarray, times: np.ndarray, per_token: bool, bias: np.ndarray, rng: np.random.Generator
) -> np.ndarray:  # fmt: skip
    """Ratings (n_tokens, 2) on 1 to 9, with a person's bias (2,): of every moment, or of the trial's mean."""
    inside = np.stack([np.interp(times, np.arange(latent.shape[1]) / RATE - MARGIN, row) for row in latent], 1)
    noise = RATING_NOISE * rng.standard_normal((len(times) if per_token else 1, 2))
    rated = inside if per_token else np.repeat(inside.mean(0, keepdims=True), len(times), axis=0)
    return np.clip(5 + bias + 1.6 * (rated + noise), 1, 9)


def _present(n_tokens: int, layout: Layout, share: float, rng: np.random.Generator) -> np.ndarray:
    """Presence (n_tokens, n_modalities) with outages of exponential length that take this share of the time (Markov)."""
    leave = 1 / (GAP_SECONDS * layout.token_rate)
    enter = leave * share / max(1 - share, 1e-9)
    there, rows = rng.random(len(layout.modalities)) >= share, []
    for _ in range(n_tokens):
        there = np.where(there, rng.random(len(there)) >= enter, rng.random(len(there)) < leave)
        rows.append(there)
    return np.array(rows)


def pink(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """1/f noise (n_rows, n): power falls with frequency, no offset."""
    freqs = np.fft.rfftfreq(shape[1])
    spectrum = np.fft.rfft(rng.standard_normal(shape))
    spectrum[:, 1:] /= np.sqrt(freqs[1:])
    spectrum[:, 0] = 0
    return np.fft.irfft(spectrum, shape[1])
