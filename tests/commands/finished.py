"""A finished run without any content."""

from __future__ import annotations

import json

from himoe.config.run import Config

FIT = "deap/subject_kfold/{}/seed-0/shard-0"
KEPT = [
    "report.html", "results.json", "scores.csv", "tables/main.csv", "figures/routing.svg", "deap/card.json",
    "deap/subject_kfold/audit.json", FIT.format("himoe") + "/run.json", FIT.format("himoe") + "/weights.safetensors",
    FIT.format("nearest-shuffled_labels") + "/run.json",
]  # fmt: skip
NEVER = [
    "deap/source/s01.dat", "deap/unpacked/s01.npz", "deap/subjects/s01.npz", "deap/subjects/s01.safetensors",
    "deap/manifest.json", FIT.format("himoe") + "/predictions.parquet", FIT.format("himoe") + "/routing.parquet",
    FIT.format("nearest-shuffled_labels") + "/weights.safetensors", "logs/fit.log",
    "esports/card.json", "tables/ladder.csv", FIT.format("mult") + "/weights.safetensors",  # of another run
]  # fmt: skip


def finished_run(folder, **config):
    """The files of a run, as empty as can be."""
    for name in (*KEPT, *NEVER):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    identity = {"commit": "0123456789ab", "versions": "python 3.11.7, torch 2.13.0, numpy 2.4.6, snakemake 9.27.1"}
    small = {"datasets": ["deap", "case", "deap_twin"], "models": ["himoe", "nearest-shuffled_labels"]}
    settings = Config(**small | config).model_dump(mode="json")
    (folder / "results.json").write_text(json.dumps({"title": "A run", "identity": identity, "config": settings, "items": []}))
    return folder
