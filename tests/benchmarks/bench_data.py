"""The data layer against its pass lines (G1-G3) and against peers; set HIMOE_PEER_PYTHON to a python that has torcheeg 1.1.3.

Ratios of CPU seconds, one thread, medians of interleaved repeats. Peak memory is that of a process that does nothing else.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from himoe.datasets import deap, dreamer
from himoe.signal import clock, eeg
from himoe.types import Signal, Size
from tests.benchmarks.sides import ours, peer

OURS_DE = """
import numpy as np
from himoe.signal import eeg
folder = sys.argv[1]
windows = np.load(folder + "/windows.npy")
bands = ((4.0, 8.0), (8.0, 14.0), (14.0, 31.0), (31.0, 49.0))
eeg.local_power(windows[0], 128.0, bands)
seconds = []
for _ in range(5):
    started = time.process_time()
    for i in range(0, len(windows), 64):
        block = windows[i : i + 64]
        power = eeg.local_power(block.reshape(-1, 128), 128.0, bands)
    seconds.append((time.process_time() - started) / len(windows))
power = np.concatenate([eeg.local_power(w, 128.0, bands) for w in windows]).reshape(len(windows), 32, 4)
np.save(folder + "/ours.npy", 0.5 * np.log(2 * np.pi * np.e * power))
done(seconds=seconds)
"""


def test_g1_window_local_entropy_against_torcheeg(tmp_path):
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.standard_normal((400, 32, 128)), axis=-1)
    np.save(tmp_path / "windows.npy", (10 * walk / walk.std()).astype(np.float32))
    theirs, mine = peer("de", tmp_path), ours(OURS_DE, tmp_path)
    second, memoised, spent = (statistics.median(x) for x in (theirs["seconds"], theirs["memoised"], mine["seconds"]))
    off = np.abs(np.load(tmp_path / "ours.npy") - np.load(tmp_path / "peer.npy") * np.log(2)).max()
    print(f"\nG1 window-local DE: {1 / spent:,.0f} windows (32 x 128) per CPU-s; largest difference {off:.1e} (line 1e-5)")
    print(f"   torcheeg {1 / second:,.1f}: {second / spent:.0f}x (line 100)")
    print(f"   torcheeg, filter design memoised {1 / memoised:,.1f}: {memoised / spent:.0f}x (line 20)")
    share = mine["peak_mb"] / theirs["peak_mb"]
    print(f"   peak memory {mine['peak_mb']:.0f} MB against {theirs['peak_mb']:.0f} MB: {share:.2f} (line 0.33)")
    assert second / spent >= 100
    assert memoised / spent >= 20
    assert off <= 1e-5
    assert share <= 1 / 3


def libeer_style(trial: np.ndarray, sfreq: float, bands, n_window: int) -> np.ndarray:
    """Whole-trial entropy the way LibEER's ``de_extraction`` goes about it: filtfilt, then one variance per window."""
    from scipy.signal import butter, filtfilt

    out = np.zeros((trial.shape[1] // n_window, len(trial), len(bands)))
    for b, band in enumerate(bands):
        filtered = filtfilt(*butter(3, [band[0] / (sfreq / 2), band[1] / (sfreq / 2)], "bandpass"), trial)
        for i in range(len(out)):
            window = filtered[:, i * n_window : (i + 1) * n_window]
            out[i, :, b] = 0.5 * np.log2(2 * np.pi * np.e * np.var(window, axis=1, ddof=1))
    return out


def test_g1_whole_trial_entropy_against_libeer_style():
    rng = np.random.default_rng(0)
    trial = np.cumsum(rng.standard_normal((32, 60 * 128)), axis=1)
    trial = 1e-5 * (trial - trial.mean(1, keepdims=True)) / trial.std()
    signal, times, bands = Signal(trial, 128.0), clock.token_times(60, 1, 1), tuple(eeg.BANDS.values())
    made = eeg.differential_entropy(signal, times, 1.0, bands).reshape(60, 32, 4)
    theirs = libeer_style(trial, 128.0, bands, 128) * np.log(2)
    spent = {"ours": [], "theirs": []}
    for _ in range(7):
        for name, work in (
            ("ours", lambda: eeg.differential_entropy(signal, times, 1.0, bands)),
            ("theirs", lambda: libeer_style(trial, 128.0, bands, 128)),
        ):
            started = time.process_time()
            work()
            spent[name].append(time.process_time() - started)
    a, b = (statistics.median(x) for x in spent.values())
    alike = np.corrcoef(made[3:-3].ravel(), theirs[3:-3].ravel())[0, 1]
    print(f"\nG1 whole-trial DE: {1e3 * a:.1f} ms per trial; LibEER-style {1e3 * b:.1f} ms: {b / a:.1f}x (line 3)")
    print(f"   correlation {alike:.4f}; LibEER itself is no package: its memory is not measured")
    assert b / a >= 3
    assert alike > 0.99


OURS_CACHE = """
import os
from pathlib import Path
import numpy as np
from himoe.datasets import deap
from himoe.data.recordings import read_trials, write_trials
from himoe.signal import clock
from himoe.types import Record, Size
folder = Path(sys.argv[1])
started = time.process_time()
trials = list(deap.read(folder / "dat", Record("s01", ("s01.dat",), "python"), Size(("s01",), 40, 60.0)))
write_trials(folder / "s01.safetensors", trials)
built = time.process_time() - started
started = time.process_time()
times = clock.token_times(60.0, 1.0, 1.0)
views = [clock.raw_windows(t.signals["eeg"], times, 1.0).data for t in read_trials(folder / "s01.safetensors")]
opened = time.process_time() - started
order = np.random.default_rng(0).permutation(40 * len(times))
total, started = 0.0, time.process_time()
for i in order:
    total += float(np.ascontiguousarray(views[i // len(times)][i % len(times)])[0, 0])
read = (time.process_time() - started) / len(order)
done(opened=opened, built=built, read=read, bytes=os.path.getsize(folder / "s01.safetensors"), files=1, windows=len(order))
"""


def test_g2_raw_windows_against_torcheegs_lmdb(tmp_path):
    (tmp_path / "dat").mkdir()
    deap.synthesize(tmp_path / "dat", Size(("s01",), 40, 60.0), "python", 1.0, 0)
    theirs, mine = peer("cache", tmp_path), ours(OURS_CACHE, tmp_path)
    share = mine["bytes"] * 32 / 40 / theirs["bytes"]  # we keep all 40 channels, torcheeg the 32 of the EEG
    built, read = theirs["built"] / mine["built"], theirs["read"] / mine["read"]
    print(f"\nG2 raw windows of one DEAP subject, {mine['windows']} against {theirs['windows']}")
    print(f"   built in {mine['built']:.2f} s against {theirs['built']:.2f} s: {built:.1f}x; opened in {mine['opened']:.2f} s")
    print(f"   a window at random {1e6 * mine['read']:.1f} us against {1e6 * theirs['read']:.1f} us: {read:.1f}x (line 5)")
    print(f"   EEG bytes {share:.2f} of theirs (line 0.5); {mine['files']} file against {theirs['files']}")
    print(f"   peak memory {mine['peak_mb']:.0f} MB against {theirs['peak_mb']:.0f} MB")
    assert read >= 5
    assert built >= 1
    assert share <= 0.5


OURS_DREAMER = """
from pathlib import Path
import tempfile
from himoe.datasets import dreamer
from himoe.types import Size
with tempfile.TemporaryDirectory() as folder:
    started = time.process_time()
    dreamer.unpack(Path(sys.argv[1]), Path(folder), Size(dreamer.INFO.subjects[: int(sys.argv[2])], 18, 60.0))
    done(seconds=time.process_time() - started)
"""


def test_g3_dreamer_import_is_linear_and_flat(tmp_path):
    spent, peak = {}, {}
    for n in (2, 4, 8):
        root = tmp_path / str(n)
        root.mkdir()
        dreamer.synthesize(root, Size(dreamer.INFO.subjects[:n], 18, 60.0), "matlab", 0.3, 0)
        runs = [ours(OURS_DREAMER, root, n) for _ in range(3)]
        spent[n], peak[n] = (statistics.median(r[k] for r in runs) for k in ("seconds", "peak_mb"))
    print("\nG3 DREAMER import: " + ", ".join(f"{n} subjects {spent[n]:.2f} CPU-s, peak {peak[n]:.0f} MB" for n in spent))
    print(f"   8 against 4 subjects {spent[8] / spent[4]:.2f}x (line 2.2); 8 against 2: {peak[8] - peak[2]:+.0f} MB (line +20)")
    assert spent[8] <= 2.2 * spent[4]
    assert peak[8] - peak[2] <= 20
    theirs = peer("dreamer", tmp_path / "8/DREAMER.mat", 8)
    ratio = theirs["seconds"] / spent[8]
    print(f"   torcheeg {theirs['seconds']:.1f} CPU-s, peak {theirs['peak_mb']:.0f} MB: {ratio:.1f}x (line 5)")
    assert ratio >= 5
