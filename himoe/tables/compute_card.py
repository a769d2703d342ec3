"""What each fit cost: parameters, epochs chosen on inner validation (median and range over folds), wall and CPU time of the
whole shard, peak memory of its process; multiply-accumulates (matrix products and convolutions) to predict one window, and the
milliseconds to predict one trial alone, median over folds: what a user who feeds trials one by one waits for."""

from statistics import median_low

import numpy as np
import pandas as pd

from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import failures, number
from himoe.report.titles import model_title, setting_title

TITLE = "Compute card"
SECTION = "cost"
NEEDS = ("runs",)
COST = ["wall_seconds", "cpu_seconds", "peak_mb", "peak_gpu_mb", "device", "device_name", "threads", "stack", "precision"]


def make(evidence: Evidence) -> TableItem:
    """One row per fitted shard."""
    rows = []
    for run in evidence.runs:
        folds = list(run["folds"].values())
        ended = [f for f in folds if not f["failed"]]
        rows.append({
            **{k: run[k] for k in ("setting", "protocol", "model", "seed", "shard")}, "n_folds": len(folds),
            "failed": len(folds) - len(ended), "n_epochs": sum(len(f["history"]) for f in folds),
            **{k: max((f[k] for f in folds), default=0) for k in ("n_parameters", "n_macs")},
            "trial_ms": float(np.median([f.get("trial_ms", np.nan) for f in folds] or [np.nan])),
            "best_epochs": " ".join(str(f["best_epoch"]) for f in ended) if any(f["history"] for f in folds) else "",
            **{k: run[k] for k in COST},
        })  # fmt: skip
    data = pd.DataFrame(rows)
    shown = pd.DataFrame({
        "data set": data["setting"].map(setting_title), "model": data["model"].map(model_title), "seed": data["seed"],
        "folds · best epochs": [
            f"{n}" + (f" ({k} failed)" if k else "") + (f" · {_range(epochs)}" if epochs else "")
            for n, k, epochs in data[["n_folds", "failed", "best_epochs"]].to_numpy().tolist()
        ],
        "parameters · MACs": [
            f"{p:,}" + (f" · {number(m / 1e6, 1)} M" if m else "")
            for p, m in data[["n_parameters", "n_macs"]].to_numpy().tolist()
        ],
        "ms a trial": [number(ms, 1 if ms >= 1 else 2) for ms in data["trial_ms"]],
        "wall · CPU, s": [f"{number(w, 1)} · {number(c, 1)}" for w, c in data[["wall_seconds", "cpu_seconds"]].to_numpy()],
        "peak, MB": data["peak_mb"].map(lambda v: number(v, 0)),
    })  # fmt: skip
    total = data["cpu_seconds"].sum()
    devices = " and ".join(sorted({name or device for name, device in zip(data["device_name"], data["device"], strict=True)}))
    versions = {", ".join(f"{k} {run['environment'][k]}" for k in ("python", "torch", "numpy")) for run in evidence.runs}
    note = f"Versions: {'; '.join(sorted(versions))}. Config, data hashes and validation curves: run.json of each fit."
    finding = f"All fits together took {total:.0f} s of CPU time on {devices}."
    if len(studied := data[data["model"] == STUDIED]["trial_ms"].dropna()):
        finding += f" Hi-MoE predicts a trial in {number(studied.median(), 1)} ms."
    return TableItem(data, shown, finding, "\n".join([*failures(evidence), note]))


def _range(epochs: str) -> str:
    """``10 (4 to 12)`` of ``4 10 12``."""
    each = sorted(map(int, epochs.split()))
    return f"{median_low(each)}" + (f" ({each[0]} to {each[-1]})" if each[0] < each[-1] else "")
