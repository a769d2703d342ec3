"""What each fit cost: parameters, epochs chosen on inner validation, wall and CPU time of the whole shard, peak memory of
its process."""

import pandas as pd

from himoe.items import Evidence, Made, model_title, setting_title
from himoe.tables._text import number

TITLE = "Compute card"
SECTION = "run"
NEEDS = ("runs",)


def make(evidence: Evidence) -> Made:
    """One row per fitted shard."""
    rows = []
    for run in evidence.runs:
        folds = list(run["folds"].values())
        epochs = [f["best_epoch"] for f in folds]
        rows.append({
            **{k: run[k] for k in ("setting", "protocol", "model", "seed", "shard")},
            "n_folds": len(folds), "n_parameters": max((f["n_parameters"] for f in folds), default=0),
            "best_epochs": " ".join(map(str, epochs)) if any(epochs) else "", "wall_seconds": run["wall_seconds"],
            "cpu_seconds": run["cpu_seconds"], "peak_mb": run["peak_mb"], "device": run["device"], "threads": run["threads"],
        })  # fmt: skip
    data = pd.DataFrame(rows)
    shown = pd.DataFrame({
        "data set": data["setting"].map(setting_title), "model": data["model"].map(model_title), "seed": data["seed"],
        "folds": data["n_folds"], "parameters": data["n_parameters"].map(lambda n: f"{n:,}"),
        "best epochs": data["best_epochs"].replace("", "–"), "wall, s": data["wall_seconds"].map(lambda v: number(v, 1)),
        "peak, MB": data["peak_mb"].map(lambda v: number(v, 0)),
    })  # fmt: skip
    total = data["cpu_seconds"].sum()
    return Made(data, shown, f"All fits together took {total:.0f} s of CPU time on {data['device'].iloc[0]}.")
