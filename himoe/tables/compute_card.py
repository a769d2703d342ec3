"""What each fit cost: parameters, epochs chosen on inner validation, wall and CPU time of the whole shard, peak memory of
its process; multiply-accumulates (matrix products and convolutions) to predict one window."""

import pandas as pd

from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import MISSING, failures, number
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
        chosen = [MISSING if f["failed"] else str(f["best_epoch"]) for f in folds]
        rows.append({
            **{k: run[k] for k in ("setting", "protocol", "model", "seed", "shard")}, "n_folds": len(folds),
            "failed": sum(bool(f["failed"]) for f in folds), "n_epochs": sum(len(f["history"]) for f in folds),
            **{k: max((f[k] for f in folds), default=0) for k in ("n_parameters", "n_macs")},
            "best_epochs": " ".join(chosen) if any(f["history"] for f in folds) else "", **{k: run[k] for k in COST},
        })  # fmt: skip
    data = pd.DataFrame(rows)
    shown = pd.DataFrame({
        "data set": data["setting"].map(setting_title), "model": data["model"].map(model_title), "seed": data["seed"],
        "folds": [f"{n} ({k} failed)" if k else n for n, k in zip(data["n_folds"], data["failed"], strict=True)],
        "parameters · MACs": [
            f"{p:,}" + (f" · {number(m / 1e6, 1)} M" if m else "")
            for p, m in data[["n_parameters", "n_macs"]].to_numpy().tolist()
        ],
        "best epochs": data["best_epochs"].replace("", MISSING),
        "wall · CPU, s": [f"{number(w, 1)} · {number(c, 1)}" for w, c in data[["wall_seconds", "cpu_seconds"]].to_numpy()],
        "peak, MB": data["peak_mb"].map(lambda v: number(v, 0)),
    })  # fmt: skip
    total = data["cpu_seconds"].sum()
    devices = " and ".join(sorted({name or device for name, device in zip(data["device_name"], data["device"], strict=True)}))
    versions = {", ".join(f"{k} {run['environment'][k]}" for k in ("python", "torch", "numpy")) for run in evidence.runs}
    note = f"Versions: {'; '.join(sorted(versions))}. Config, data hashes and validation curves: run.json of each fit."
    finding = f"All fits together took {total:.0f} s of CPU time on {devices}."
    return TableItem(data, shown, finding, "\n".join([*failures(evidence), note]))
