"""What a run may take in time and disk, by what is known: run records of earlier fits, sizes of data sets; else no figure."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from himoe import io, registry
from himoe.config.facts import dataset_info
from himoe.config.run import Config
from himoe.config.time_left import duration
from himoe.types import HimoeError

RESULTS = Path("results")
RECORDS = "*/*/*/seed-*/shard-*/run.json"


def recorded() -> dict[str, list[dict[str, Any]]]:
    """Run records of earlier fits in this folder, by model."""
    out: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(RESULTS.glob(RECORDS)):
        run = io.read_json(path)
        out.setdefault(run["model"], []).append(run)
    return out


class Cost(NamedTuple):
    """Seconds of a fit: of the wall clock, of the CPU, and of a GPU. ``rough``: not by a fit with these settings; ``most``: how
    many times as long it takes if it never stops early."""

    wall: float
    cpu: float
    gpu: float
    rough: bool = False
    most: float = 1.0


def cost_of(fit: dict[str, str], config: Config, records: Iterable[dict[str, Any]]) -> Cost | None:
    """What a fit costs, by the mean of earlier ones of the same model and options: those with the same settings on the same
    data set, in proportion to the number of folds, else any, in proportion to :func:`passes` too; None if there was none. Where
    some were made on a GPU, those alone, unless the config wants the CPU."""
    spec = config.fit_spec(fit["dataset"], fit["protocol"], fit["model"], int(fit["seed"]), int(fit["shard"]))
    found = [
        r
        for r in records
        if r["folds"] and r["model"] == spec.model and r["options"] == spec.model_dump(mode="json")["options"]
    ]
    on_gpu = [r for r in found if r["device"] != "cpu"]
    found = [r for r in found if r["device"] == "cpu"] if config.execution.device == "cpu" or not on_gpu else on_gpu
    same = [r for r in found if r["dataset"] == spec.dataset and _alike(r, config)]
    costs = []
    for record in same or found:
        share = len(spec.folds) / len(record["folds"])
        if not same:
            there, here = (passes(config, of) for of in (record, spec.model_dump(mode="json")))
            if there is None or here is None:
                continue
            share *= here / there
        costs.append([share * record["wall_seconds"], share * record["cpu_seconds"], most(record)])
    if not costs:
        return None
    wall, cpu, longest = (sum(column) / len(costs) for column in zip(*costs, strict=True))
    return Cost(wall, cpu, wall if on_gpu and found is on_gpu else 0.0, not same, longest)


def most(record: dict[str, Any]) -> float:
    """How many times as many epochs a recorded fit would have run, had none of its folds stopped early; 1 of what has none."""
    training, n_run, n_all = record["training"], 0, 0
    for fold in record["folds"].values():
        for tried in fold.get("tried", ()):
            if best := tried.get("best_epoch"):
                n_run += min(best + training["patience"], training["epochs"])
                n_all += training["epochs"]
        if training.get("refit") and fold.get("history"):
            n_run, n_all = n_run + fold["best_epoch"], n_all + training["epochs"]
    return n_all / n_run if n_run else 1.0


def passes(config: Config, record: dict[str, Any]) -> float | None:
    """Seconds of recordings that the fit of a fold goes through, to within a factor: people times trials times seconds, times
    epochs and configurations; None where the length of trials is not known before they are read."""
    try:
        size = config.size(record["dataset"])
    except HimoeError:  # of an earlier run, and not in this one
        return None
    if size.n_trials is None or size.seconds is None:
        return None
    configurations = record["tuning"].get("configurations", 1) + bool(record["training"].get("refit"))
    return len(size.subjects) * size.n_trials * size.seconds * record["training"]["epochs"] * configurations


def _alike(run: dict[str, Any], config: Config) -> bool:
    """Whether an earlier fit was made as this run would make it."""
    if run["model"] not in config.models_of(run["dataset"], run["protocol"]):
        return False
    spec = config.fit_spec(run["dataset"], run["protocol"], run["model"], run["seed"], 0).model_dump(mode="json")
    return all(run.get(key) == spec[key] for key in ("options", "training", "tuning"))


def time_left(fits: list[dict[str, str]], config: Config, cores: int) -> str:
    """A sentence: time of the fits that are left, where earlier ones were timed."""
    if not fits:
        return "no fit is left"
    known = recorded()
    if not known:
        return "no estimate: nothing was fitted yet"
    costs = [cost for fit in fits if (cost := cost_of(fit, config, known.get(fit["model"], [])))]
    if not costs:
        return "no estimate: none of these fits was made with these settings before"
    several = max(1, cores // config.execution.threads)
    wall, cpu, gpu = (sum(getattr(cost, name) for cost in costs) for name in ("wall", "cpu", "gpu"))
    least = max(wall / several, max(cost.wall for cost in costs))
    text = f"about {duration(least)} on {cores} core(s) for {len(costs)} fits, by run.json of earlier ones: "
    text += f"{duration(cpu)} of CPU" + (f", {duration(gpu)} of GPU" if gpu else "")
    longest_cpu, longest_gpu = (sum(getattr(cost, name) * cost.most for cost in costs) for name in ("cpu", "gpu"))
    if longest_cpu > 1.05 * cpu:
        text += f"; were none to stop early, {duration(longest_cpu)} of CPU" + f", {duration(longest_gpu)} of GPU" * bool(gpu)
    if rough := sum(cost.rough for cost in costs):
        text += f"; {rough} of them by fits of other data or epochs, in proportion"
    if rest := len(fits) - len(costs):
        text += f"; and {rest} fits that no earlier one resembles"
    return f"{text}; fits alone"


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
    folders = [record.parent for record in RESULTS.glob(RECORDS)]
    fits = (
        f"; a fit and its predictions {_bytes(sum(map(_size, folders)) / len(folders))}, by those there are" if folders else ""
    )
    free = _bytes(shutil.disk_usage(".").free)
    return f"{recordings}{fits}; results/ holds {_bytes(_size(RESULTS))} now; {free} are free"


def _size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink())


def _bytes(n: float) -> str:
    return f"{n / 1e9:.1f} GB" if n >= 1e9 else f"{n / 1e6:.0f} MB"
