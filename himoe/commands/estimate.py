"""What a run may take in time and disk, by what is known: run records of earlier fits, sizes of data sets; else no figure."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from himoe import io, registry
from himoe.config.facts import dataset_info
from himoe.config.run import Config

RESULTS = Path("results")


def recorded() -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Run records of earlier fits in this folder, by data set and model."""
    out: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for path in sorted(RESULTS.glob("*/*/*/seed-*/shard-*/run.json")):
        run = io.read_json(path)
        out.setdefault((run["dataset"], run["model"]), []).append(run)
    return out


def seconds_of(fit: dict[str, str], config: Config, records: list[dict[str, Any]]) -> float | None:
    """Wall time of a fit, by earlier ones of the same model, data set and settings, in proportion to the number of folds;
    None if there was none."""
    folds = config.shard_sizes(fit["dataset"], fit["protocol"])[int(fit["shard"])]
    seconds = [run["wall_seconds"] / len(run["folds"]) * folds for run in records if _alike(run, fit["model"], config)]
    return sum(seconds) / len(seconds) if seconds else None


def _alike(run: dict[str, Any], model: str, config: Config) -> bool:
    """Whether an earlier fit was made as this one will be."""
    if model not in config.models_of(run["dataset"], run["protocol"]):
        return False
    spec = config.fit_spec(run["dataset"], run["protocol"], model, run["seed"], 0).model_dump(mode="json")
    return bool(run["folds"]) and all(run.get(key) == spec[key] for key in ("options", "training", "tuning"))


def time_left(fits: list[dict[str, str]], config: Config, cores: int) -> str:
    """A sentence: time of the fits that are left, where earlier ones were timed."""
    if not fits:
        return "no fit is left"
    known = recorded()
    if not known:
        return "no estimate: nothing was fitted yet"
    each = [seconds_of(fit, config, known.get((fit["dataset"], fit["model"]), [])) for fit in fits]
    timed = [seconds for seconds in each if seconds is not None]
    if not timed:
        return "no estimate: none of these fits was made with these settings before"
    several = max(1, cores // config.execution.threads)
    least = max(sum(timed) / several, max(timed))
    rest = len(each) - len(timed)
    unknown = f"; and {rest} fits that no earlier one resembles" if rest else ""
    return (
        f"about {_duration(least)} on {cores} core(s) for {len(timed)} fits, by run.json of earlier ones{unknown}; fits alone"
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def recordings_bytes(config: Config, dataset: str) -> int | None:
    """Bytes of the cleaned recordings without their baselines: a 32-bit number a sample; None where trials differ in number
    or length."""
    size = config.size(dataset)
    if registry.is_planted(dataset):
        return 0
    if size.n_trials is None or size.seconds is None:
        return None
    per_second = sum(len(m.channels) * m.sfreq for m in dataset_info(dataset).modalities)
    return round(4 * len(size.subjects) * size.n_trials * size.seconds * per_second)


def disk(config: Config) -> str:
    """A sentence: what cleaned recordings take, what is there already, what is free."""
    sizes = {d: recordings_bytes(config, d) for d in config.prepared}
    known, unknown = sum(filter(None, sizes.values())), [d for d, size in sizes.items() if size is None]
    recordings = f"cleaned recordings {_bytes(known)} and their baselines" if known or not unknown else "cleaned recordings"
    recordings += f" ({', '.join(unknown)} unknown: trials differ in length)" if unknown else ""
    there = sum(p.stat().st_size for p in RESULTS.rglob("*") if p.is_file() and not p.is_symlink())
    return f"{recordings}; results/ holds {_bytes(there)} now; {_bytes(shutil.disk_usage('.').free)} are free"


def _bytes(n: float) -> str:
    return f"{n / 1e9:.1f} GB" if n >= 1e9 else f"{n / 1e6:.0f} MB"
