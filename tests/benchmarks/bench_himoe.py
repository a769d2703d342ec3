"""Hi-MoE beside itself without read-out and calibration, late fusion and both ridges: planted draws that nothing was chosen on.

All is fitted by the workflow; `python -m tests.benchmarks.bench_himoe FOLDER` keeps what is fitted, and goes on from there.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from himoe.stats.frames import pick
from himoe.stats.intervals import interval
from himoe.stats.levels import CLEAN, Levels, levels
from tests.benchmarks.cost import measured
from tests.conftest import ROOT
from tests.workflow.runs import checkout

DRAWS, SEEDS, FIRST_SEED = 3, [0, 1], 7300
SHAPES = {"per token": "planted-base", "per trial": "planted_rated-plain"}  # entries of config/planted.yaml
SIDES = {
    "before": (["himoe"], {"readout": "none", "calibration": "none"}),
    "now": (["himoe", "late_fusion", "ridge", "ridge_token"], {"readout": "ridge", "calibration": "ccc"}),
}  # the models of a run, and what of its training differs
DIFFERENCES = [("himoe", "himoe before"), ("himoe", "late_fusion"), ("himoe", "ridge")]


def write_config(path: Path, models: list[str], training: dict[str, str]) -> None:
    """config/planted.yaml on draws of another seed: these models, two seeds each."""
    config = yaml.safe_load((ROOT / "config/planted.yaml").read_text())
    names = {name.partition("-")[2] for name in SHAPES.values()}
    config |= {
        "title": "Before and after",
        "datasets": [f"{name}.{draw}" for name in SHAPES.values() for draw in range(DRAWS)],
        "planted": {name: config["planted"][name] | {"seed": FIRST_SEED, "models": []} for name in names},
        "models": models,
        "ablations": {},
        "seeds": SEEDS,
        "training": config["training"] | training,
    }
    config["planted"]["plain"]["conditions"] = []  # a rating of a trial hardly depends on when something was felt
    path.write_text(yaml.safe_dump(config, sort_keys=False))


def scores_of(folder: Path, side: str) -> pd.DataFrame:
    """Scores of one side's run, made in a checkout of its own unless they are there."""
    place = folder / side
    if not (place / "Snakefile").exists():
        place.mkdir(parents=True, exist_ok=True)
        write_config(checkout(place) / "mine.yaml", *SIDES[side])
    command = [sys.executable, "-m", "snakemake", "results/scores.csv", "--cores", "1", "--configfile", "mine.yaml"]
    subprocess.run(command, cwd=place, check=True, capture_output=True, text=True)
    return pd.read_csv(place / "results/scores.csv", dtype={"subject": str})


def of_draws(scores: pd.DataFrame, side: str, name: str, conditions: list[str]) -> Levels:
    """Model -> mean CCC (people of all draws, seeds), mean over conditions beyond their mildest severity."""
    by_draw = []
    for draw in range(DRAWS):
        of_draw = pick(scores, dataset=f"{name}.{draw}", model=SIDES[side][0])  # not the ceilings
        found = [levels(of_draw, condition=condition) for condition in conditions]
        by_draw.append({model: np.mean([one[model] for one in found], axis=0) for model in found[0]})
    return {model: np.concatenate([one[model] for one in by_draw]) for model in by_draw[0]}


def print_table(before: pd.DataFrame, now: pd.DataFrame, shape: str, conditions: list[str]) -> Levels:
    """Means, intervals over people and seeds, and means of the draws; then differences within people. Returns the values."""
    values = of_draws(now, "now", SHAPES[shape], conditions)
    values |= {f"{model} before": found for model, found in of_draws(before, "before", SHAPES[shape], conditions).items()}
    rows = values | {f"{a} - {b}": values[a] - values[b] for a, b in DIFFERENCES}
    print(f"\n| {shape}, {'clean' if conditions == [CLEAN] else 'perturbed'} | mean [95%] | draws |\n|---|---|---|")
    for model, found in rows.items():
        mean, low, high = interval(found)
        draws = " ".join(f"{part.mean():.3f}" for part in np.split(found, DRAWS))
        print(f"| {model} | {mean:.3f} [{low:.3f}, {high:.3f}] | {draws} |")
    return values


def compare(folder: Path) -> dict[str, Levels]:
    """Fit what is missing in ``folder`` and print every table."""
    with measured() as cost:
        before, now = (scores_of(folder, side) for side in SIDES)
    perturbed = list(yaml.safe_load((ROOT / "config/planted.yaml").read_text())["conditions"])
    print(f"\nmean CCC of unseen people, {DRAWS} draws of 12, {len(SEEDS)} seeds; {cost.cpu / 60:.0f} CPU-min")
    return {
        "per token": print_table(before, now, "per token", [CLEAN]),
        "per token, perturbed": print_table(before, now, "per token", perturbed),
        "per trial": print_table(before, now, "per trial", [CLEAN]),
    }


def test_himoe_now_is_no_worse_than_before(tmp_path: Path) -> None:
    """Clean or perturbed, the mean over draws, people and seeds."""
    for shape, values in compare(tmp_path).items():
        assert values["himoe"].mean() >= values["himoe before"].mean(), shape


if __name__ == "__main__":
    compare(Path(sys.argv[1]))
