"""What a peer does with the same input, run by the python of an environment that has it; prints one JSON line.

``python peer.py de FOLDER`` · ``python peer.py cache FOLDER`` · ``python peer.py loader FOLDER``
``python peer.py dreamer FILE N_SUBJECTS``
"""

import json
import logging
import os
import sys
import time
from functools import lru_cache

import numpy as np

BANDS = {"theta": [4, 8], "alpha": [8, 14], "beta": [14, 31], "gamma": [31, 49]}


def differential_entropy(folder):
    """BandDifferentialEntropy of windows (n, 32, 128), as shipped and with its filter design memoised."""
    from torcheeg import transforms
    from torcheeg.transforms.numpy import band

    windows = np.load(f"{folder}/windows.npy").astype(np.float64)
    transform = transforms.BandDifferentialEntropy(band_dict=BANDS)
    out = {"seconds": [], "memoised": []}
    values = None
    plain = band.butter_bandpass
    for _ in range(3):
        for name, design, n in (("seconds", plain, 30), ("memoised", lru_cache(plain), len(windows))):
            band.butter_bandpass = design
            started = time.process_time()
            made = [transform(eeg=w)["eeg"] for w in windows[:n]]
            out[name].append((time.process_time() - started) / n)
            values = made if n == len(windows) else values
    np.save(f"{folder}/peer.npy", np.array(values))
    return out


def cache(folder):
    """DEAPDataset's lmdb cache of one subject: seconds to build, seconds per window read at random, bytes, files."""
    from torcheeg.datasets import DEAPDataset

    started = time.process_time()
    data = DEAPDataset(root_path=f"{folder}/dat", io_path=f"{folder}/lmdb", io_size=1 << 30, verbose=False)
    built = time.process_time() - started
    order = np.random.default_rng(0).permutation(len(data))
    total, started = 0.0, time.process_time()
    for i in order:
        total += float(data[int(i)][0][0, 0])
    read = (time.process_time() - started) / len(order)
    files = [os.path.join(base, f) for base, _, names in os.walk(f"{folder}/lmdb") for f in names]
    used = sum(os.stat(f).st_blocks * 512 for f in files)
    return {"built": built, "read": read, "bytes": used, "files": len(files), "windows": len(order)}


def dreamer(path, n_subjects):
    """DREAMERDataset's import of raw windows."""
    import tempfile

    from torcheeg.datasets import DREAMERDataset

    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        DREAMERDataset(mat_path=path, io_path=f"{folder}/io", io_size=1 << 31, num_baseline=10, verbose=False)
        return {"seconds": time.process_time() - started, "subjects": int(n_subjects)}


def loader(folder):
    """Windows (n, channels, times) of the lmdb cache through torch's DataLoader as torcheeg's guide uses it, batches of 32."""
    import torch
    from torch.utils.data import DataLoader
    from torcheeg import transforms
    from torcheeg.datasets import DEAPDataset

    torch.set_num_threads(1)
    data = DEAPDataset(
        root_path=f"{folder}/dat", io_path=f"{folder}/lmdb", io_size=1 << 30, verbose=False,
        online_transform=transforms.ToTensor(), label_transform=transforms.Select(["valence", "arousal"]),
    )  # fmt: skip
    seconds = []
    for _ in range(3):
        started = time.process_time()
        total = sum(len(x) for x, _ in DataLoader(data, batch_size=32, shuffle=True))
        seconds.append(time.process_time() - started)
    return {"seconds": seconds, "windows": total}


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    done = {"de": differential_entropy, "cache": cache, "dreamer": dreamer, "loader": loader}[sys.argv[1]](*sys.argv[2:])
    with open("/proc/self/status") as status:
        print(json.dumps(done | {"peak_mb": int(status.read().split("VmHWM:")[1].split()[0]) / 1024}))
