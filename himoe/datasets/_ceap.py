"""What both editions of CEAP-360VR share: directions, change over time, and the simulated recording that their twins are of."""

from __future__ import annotations

import numpy as np

from himoe.signal import simulate

VIDEOS = ("V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8")
LOW, HIGH = 1.0, 9.0  # of a rating
GRAVITY = 9.80665  # m/s^2
ACC_STEP = GRAVITY / 64  # of the wristband's accelerometer
RATES = {"acc": 32.0, "bvp": 64.0, "eda": 4.0, "skt": 4.0, "hr": 1.0, "eyes": 120.0}  # Hz
TWIN_ANNOTATOR_LAG = 2.0  # s
BLINK_EVERY, BLINK_SECONDS = 6.0, 0.15


def direction(pitch: np.ndarray, yaw: np.ndarray) -> np.ndarray:
    """Unit vectors (right, up, ahead), (3, n), of angles in degrees: unlike yaw they have no jump behind the head."""
    p, y = np.radians(pitch), np.radians(yaw)
    return np.stack([np.cos(p) * np.sin(y), np.sin(p), np.cos(p) * np.cos(y)])


def with_speed(rows: np.ndarray, sfreq: float) -> np.ndarray:
    """Rows (n_rows, n_times) and below them the length of their change per second; of the first sample that of the second."""
    speed = np.linalg.norm(np.diff(rows), axis=0) * sfreq
    return np.concatenate([rows, np.concatenate([speed[:1], speed])[None]])


def simulate_ratings(latent: np.ndarray, sfreq: float, n_times: int, bias: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Joystick ratings (2, n_times) of valence and arousal."""
    return simulate.joystick(latent, (LOW, HIGH), TWIN_ANNOTATOR_LAG, bias, sfreq, n_times, rng)


def simulate_clip(latent: np.ndarray, seconds: float, snr: float, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """What wristband and headset record of one clip, each (n_chans, n_times) at its rate of ``RATES``, in the owners' units.

    Arousal drives conductance, heart and pupils, valence how far the head turns; temperature, gaze and wrist say nothing.
    ``beats`` are the times of beats, s.
    """
    n = {name: round(seconds * sfreq) for name, sfreq in RATES.items()}
    phase = simulate.beat_phase(latent, RATES["bvp"], n["bvp"], snr, rng)
    times = np.arange(n["bvp"]) / RATES["bvp"]
    beats = np.interp(np.arange(np.ceil(phase[0]), phase[-1]), phase, times)
    rate = 60 * np.gradient(np.interp(np.arange(n["hr"]) / RATES["hr"], times, phase))
    pulse = simulate.pulse_wave(phase)
    arousal, valence = (simulate.modulation(latent[[row]], snr, rng) for row in (simulate.AROUSAL, simulate.VALENCE))
    pupils = 3.5 + 0.3 * simulate.upsample(arousal, RATES["eyes"], n["eyes"]) + 0.02 * rng.standard_normal((2, n["eyes"]))
    turned = 40 * np.exp(simulate.ENVELOPE_GAIN * simulate.upsample(valence, RATES["eyes"], n["eyes"]))
    wander = [simulate.slow(RATES["eyes"], n["eyes"], scale, rng) for scale in (8.0, 15.0, 6.0, 1.0)]
    return {
        "acc": np.array([[-52.0], [23.0], [30.0]]) + 2 * rng.standard_normal((3, n["acc"])),
        "bvp": 60 * (pulse - pulse.mean()),
        "eda": 0.1 * simulate.conductance(latent, RATES["eda"], n["eda"], snr, rng),
        "skt": 32 + simulate.slow(RATES["skt"], n["skt"], 0.2, rng),
        "hr": rate[None],
        "beats": beats[None],
        "pupils": pupils * ~_blinks(n["eyes"], rng),
        "gaze": np.concatenate([np.clip(wander[0], -80, 80), np.clip(2 * wander[1], -179, 179)]),
        "head": np.concatenate([np.clip(wander[2], -80, 80), np.clip(turned * wander[3], -179, 179)]),
    }


def _blinks(n_times: int, rng: np.random.Generator) -> np.ndarray:
    """Samples (n_times,) bool at which the eyes are shut, about every ``BLINK_EVERY`` s."""
    begins = rng.random(n_times) < 1 / (BLINK_EVERY * RATES["eyes"])
    return np.convolve(begins, np.ones(round(BLINK_SECONDS * RATES["eyes"])))[:n_times] > 0
