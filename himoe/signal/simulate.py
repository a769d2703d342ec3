"""Planted truth: physiology driven by a known latent valence and arousal.

Signal-to-noise ratio, everywhere: the log-envelope (or rate) of a channel is ``gain * (sqrt(snr) * drive + spontaneous)``
with ``drive`` and ``spontaneous`` of unit variance, so ``snr`` is the ratio of planted to spontaneous variance of the
quantity a feature measures. ``snr = 0`` plants nothing; labels are unchanged by it.
"""

from __future__ import annotations

import numpy as np

RATE = 8.0
VALENCE, AROUSAL = 0, 1
OU_SECONDS = 8.0
ENVELOPE_GAIN = 0.3
TOPOGRAPHY, STIMULI = 2**31, 2**31 + 1  # streams apart: [seed] and [seed, 0] are one stream in numpy
ORDER, BIAS, DRIFT = 1, 2, 3  # streams of a person, [seed, 1 + number, stream]
BIAS_RANGE = 8.0  # rating biases are given on a scale from 1 to 9
DRIFT_KEPT = 0.6  # correlation of an electrode's level from one trial to the next


def ornstein_uhlenbeck(shape: tuple[int, ...], seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Unit-variance process (..., n) on the RATE clock, with autocorrelation time ``seconds`` (Uhlenbeck & Ornstein 1930)."""
    keep = np.exp(-1 / (RATE * seconds))
    noise = rng.standard_normal(shape)
    out = np.empty(shape)
    out[..., 0] = noise[..., 0]
    for i in range(1, shape[-1]):
        out[..., i] = keep * out[..., i - 1] + np.sqrt(1 - keep**2) * noise[..., i]
    return out


def stimuli(n_stimuli: int, n_times: int, rng: np.random.Generator) -> np.ndarray:
    """Latent (n_stimuli, 2, n_times): a mean per stimulus (variance 0.5) plus movement within it (0.5)."""
    mean = rng.standard_normal((n_stimuli, 2, 1))
    return np.sqrt(0.5) * (mean + ornstein_uhlenbeck((n_stimuli, 2, n_times), OU_SECONDS, rng))


def appraise(stimulus: np.ndarray, rng: np.random.Generator, spread: float = 0.7) -> np.ndarray:
    """One person's latent (2, n): the stimulus' plus a constant appraisal (SD ``spread``), scaled to unit variance."""
    return (stimulus + spread * rng.standard_normal((2, 1))) / np.sqrt(1 + spread**2)


def rating(latent: np.ndarray, low: float, high: float, rng: np.random.Generator, bias: float | np.ndarray = 0) -> np.ndarray:
    """Trial ratings (2,) on [low, high]: time mean plus rating noise (SD 0.25), plus a person's ``bias`` in units of a scale
    from 1 to 9."""
    score = latent.mean(-1) + 0.25 * rng.standard_normal(2)
    return np.clip((low + high) / 2 + (high - low) * (score / 3.2 + bias / BIAS_RANGE), low, high)


def joystick(
    latent: np.ndarray, scale: tuple[float, float], lag: float, bias: np.ndarray, sfreq: float, n_times: int,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Ratings given while a stimulus runs, (2, n_times): the latent ``lag`` s later on ``scale``, with the hand's noise and a
    person's ``bias`` (2,) in units of a scale from 1 to 9."""
    late, (low, high) = round(lag * RATE), scale
    delayed = np.concatenate([np.repeat(latent[:, :1], late, axis=1), latent[:, :-late]], axis=1)
    score = (low + high) / 2 + (high - low) / 4.5 * upsample(delayed, sfreq, n_times)
    score = score + (high - low) * bias[:, None] / BIAS_RANGE
    return np.clip(score + 0.1 * rng.standard_normal(score.shape), low, high)


def rating_bias(spread: float, seed: int, number: int) -> np.ndarray:
    """How much one person rates above others whatever they feel, (2,), SD ``spread`` on a scale from 1 to 9. People use scales
    differently, and nothing recorded tells how."""
    return spread * np.random.default_rng([seed, 1 + number, BIAS]).standard_normal(2)


def presented(n_trials: int, seed: int, number: int) -> np.ndarray:
    """The order in which one person met the stimuli, (n_trials,): position k showed stimulus ``presented[k]``."""
    return np.random.default_rng([seed, 1 + number, ORDER]).permutation(n_trials)


def electrode_drift(order: np.ndarray, n_chans: int, spread: float, seed: int, number: int) -> np.ndarray:
    """ln of the gain of each channel in each trial, (n_trials, n_chans), SD ``spread``: a first-order process over trials in
    the ``order`` in which they were presented, constant within a trial and the baseline before it. Its size and correlation are
    those of recorded EEG: minute means of ln amplitude of the channels of eSports Sensors have SD 0.15 (median of 29 sessions)
    and correlate 0.33 with the next minute's, 0 over five, as SD 0.11 and 0.6 a minute beside white noise would. Part of that
    is brain and muscle, not electrodes: it is an upper bound."""
    noise = np.random.default_rng([seed, 1 + number, DRIFT]).standard_normal((len(order), n_chans))
    level = np.empty_like(noise)
    before = noise[0]
    for position, trial in enumerate(order):
        if position:
            before = DRIFT_KEPT * before + np.sqrt(1 - DRIFT_KEPT**2) * noise[position]
        level[trial] = before
    return spread * level


def modulation(drive: np.ndarray, snr: float, rng: np.random.Generator) -> np.ndarray:
    """``sqrt(snr) * drive + spontaneous`` for each row of ``drive`` (n_rows, n)."""
    return np.sqrt(snr) * drive + ornstein_uhlenbeck(drive.shape, OU_SECONDS, rng)


def upsample(values: np.ndarray, sfreq: float, n_times: int) -> np.ndarray:
    """From the RATE clock to ``n_times`` samples at ``sfreq``, linearly, along the last axis."""
    at = np.arange(n_times) / sfreq * RATE
    low = np.minimum(at.astype(int), values.shape[-1] - 2)
    share = np.minimum(at - low, 1.0)
    return values[..., low] * (1 - share) + values[..., low + 1] * share


def band_noise(shape: tuple[int, int], sfreq: float, l_freq: float, h_freq: float, rng: np.random.Generator) -> np.ndarray:
    """1/f noise within a band, unit variance per row, (n_chans, n_times)."""
    freqs = np.fft.rfftfreq(shape[1], 1 / sfreq)
    spectrum = np.fft.rfft(rng.standard_normal(shape))
    inside = (freqs >= l_freq) & (freqs < h_freq)
    out = np.fft.irfft(spectrum * np.where(inside, 1 / np.sqrt(np.maximum(freqs, l_freq)), 0.0), shape[1])
    return out / out.std(axis=1, keepdims=True)


def topography(n_chans: int, n_bands: int, seed: int) -> np.ndarray:
    """Mixing of (valence, arousal) into each channel's band power: (n_chans, n_bands, 2), unit rows; same for all."""
    weights = np.random.default_rng([seed, TOPOGRAPHY]).standard_normal((n_chans, n_bands, 2))
    return weights / np.linalg.norm(weights, axis=-1, keepdims=True)


def eeg(
    latent: np.ndarray, mixing: np.ndarray, bands: list[tuple[float, float]], sfreq: float, n_times: int,
    snr: float, rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """EEG in uV (n_chans, n_times): per band, 1/f noise times a log-envelope driven through ``mixing``."""
    n_chans = len(mixing)
    personal = mixing + 0.3 * rng.standard_normal(mixing.shape)
    personal /= np.linalg.norm(personal, axis=-1, keepdims=True)
    out = np.zeros((n_chans, n_times))
    for b, (l_freq, h_freq) in enumerate(bands):
        log_envelope = ENVELOPE_GAIN * modulation(personal[:, b] @ latent, snr, rng)
        noise = band_noise((n_chans, n_times), sfreq, l_freq, h_freq, rng)
        out += 8.0 / (1 + b) * noise * np.exp(upsample(log_envelope, sfreq, n_times))
    return out


def bateman(rise: float, decay: float, seconds: float) -> np.ndarray:
    """An organ's impulse response on the RATE clock, unit area: two exponentials, ``rise`` < ``decay`` (s)."""
    t = np.arange(int(seconds * RATE)) / RATE
    response = np.exp(-t / decay) - np.exp(-t / rise)
    return response / response.sum()


def conductance(latent: np.ndarray, sfreq: float, n_times: int, snr: float, rng: np.random.Generator) -> np.ndarray:
    """Skin conductance in uS (1, n_times): arousal drives a Bateman response (0.75 s rise, 2 s decay), hence lags by ~2 s."""
    drive = np.exp(0.6 * modulation(latent[AROUSAL][None], snr, rng))
    response = bateman(0.75, 2.0, 12.0)
    n = len(response)
    padded = np.concatenate([np.repeat(drive[:, :1], n, axis=1), drive], axis=1)
    phasic = np.convolve(padded[0], response)[n : n + drive.shape[1]]
    return upsample((4.0 * np.exp(0.3 * rng.standard_normal()) + phasic)[None], sfreq, n_times)


def beat_phase(latent: np.ndarray, sfreq: float, n_times: int, snr: float, rng: np.random.Generator) -> np.ndarray:
    """Cardiac phase in beats (n_times,): arousal raises the heart rate by 3/min per unit of modulation."""
    rate = 70 + 6 * rng.standard_normal() + 3.0 * modulation(latent[AROUSAL][None], snr, rng)[0]
    return np.cumsum(np.clip(upsample(rate[None], sfreq, n_times)[0], 45, 140) / 60 / sfreq) + rng.random()


def pulse_wave(phase: np.ndarray) -> np.ndarray:
    """Blood-volume pulse (1, n_times) from cardiac phase: systolic and dicrotic waves."""
    return _beat(phase, ((1.0, 0.3, 0.12), (0.35, 0.62, 0.12)))


def ecg_wave(phase: np.ndarray) -> np.ndarray:
    """ECG in mV (1, n_times) from cardiac phase: P, QRS and T as Gaussians."""
    waves = ((0.12, 0.2, 0.03), (-0.15, 0.365, 0.008), (1.0, 0.38, 0.009), (-0.2, 0.4, 0.01), (0.3, 0.6, 0.05))
    return _beat(phase, waves)


def _beat(phase: np.ndarray, waves: tuple[tuple[float, float, float], ...]) -> np.ndarray:
    """Gaussian waves (amplitude, phase, width) repeated every beat, without a step where one beat becomes the next."""
    out = np.zeros_like(phase)
    for amplitude, centre, width in waves:
        distance = (phase - centre + 0.5) % 1.0 - 0.5  # in beats, -0.5 .. 0.5
        out += amplitude * np.exp(-((distance / width) ** 2))
    return out[None]


def breathing(latent: np.ndarray, sfreq: float, n_times: int, snr: float, rng: np.random.Generator) -> np.ndarray:
    """Respiration (1, n_times), arbitrary units: arousal raises the rate."""
    rate = 15 + 1.0 * modulation(latent[AROUSAL][None], snr, rng)[0]
    phase = np.cumsum(np.clip(upsample(rate[None], sfreq, n_times)[0], 8, 28) / 60 / sfreq) + rng.random()
    return np.sin(2 * np.pi * phase)[None]


def muscle(latent: np.ndarray, sfreq: float, n_times: int, snr: float, rng: np.random.Generator) -> np.ndarray:
    """Zygomatic EMG in uV (1, n_times): valence drives its envelope."""
    envelope = np.exp(upsample(ENVELOPE_GAIN * modulation(latent[VALENCE][None], snr, rng), sfreq, n_times))
    return 5.0 * band_noise((1, n_times), sfreq, 20.0, sfreq / 2, rng) * envelope


def slow(sfreq: float, n_times: int, scale: float, rng: np.random.Generator) -> np.ndarray:
    """A drift that holds no information (1, n_times): eye movements, temperature."""
    n = int(np.ceil(n_times / sfreq * RATE)) + 2
    return scale * upsample(ornstein_uhlenbeck((1, n), 3.0, rng), sfreq, n_times)
