"""What identifies a run, and the commands that make what it lacks."""

from __future__ import annotations

import os
from pathlib import Path

from himoe import io, registry
from himoe.config.run import Config
from himoe.provenance import changes, commit, environment, hash_file, hash_value
from himoe.report.evidence import read_runs
from himoe.report.titles import setting_title

ROOT = registry.ROOT.parent
CHANGES_NAMED = 6
OWN_DATA = " --config data_root=/path/to/data"
BESIDE = {  # what a run lacks -> config files of ours that add it
    "ablations": "config/ablations.yaml", "regimes": "config/regimes.yaml",
    "modality_subset or one_modality": "config/subsets.yaml",
}  # fmt: skip
WHOLE = {  # -> config files of ours that are a run of their own
    "recordings": "config/paper.yaml" + OWN_DATA, "variants": "config/ceap.yaml" + OWN_DATA, "planted": "config/planted.yaml",
    "window_random": "config/ladder.yaml", "himoe": "config/config.yaml", "missing_rate": "config/config.yaml",
    "conditions": "config/config.yaml",
}  # fmt: skip
START = "snakemake --cores all --configfile "


def identity(config: Config, files: dict[str, list[str]], config_files: list[str]) -> list[tuple[str, str]]:
    """What identifies a run, in the order a reader asks."""
    runs = read_runs(files["runs"], config)
    cards = {card["dataset"]: card for card in map(io.read_json, files["cards"])}
    hashes = {d: hash_value(cards[d]["source_sha256"])[:12] if d in cards else "absent" for d in config.datasets}
    env = environment()
    devices = ", ".join(sorted({run["device"] for run in runs})) or "–"
    changed = changes(ROOT, *config_files)
    return [
        ("commit", commit(ROOT, *config_files)),
        *([("changed since", some_of(changed))] if changed else []),
        ("config", hash_value(config.model_dump(mode="json"))[:12]),
        ("data", ", ".join(f"{setting_title(d)} {h}" for d, h in hashes.items())),
        ("environment lock", ", ".join(hash_file(lock)[:12] for lock in files["lock"]) or "absent"),
        ("versions", ", ".join(f"{k} {env[k]}" for k in ("python", "torch", "numpy", "snakemake"))),
        ("hardware", f"{env['platform']}, {os.cpu_count()} cores; fits on {devices}"),
        ("fitting time", f"{sum(r['wall_seconds'] for r in runs):.0f} s over {len(runs)} jobs"),
        ("protocols", ", ".join(config.protocols)),
        ("seeds", ", ".join(map(str, config.seeds))),
    ]


def some_of(names: list[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(names) - CHANGES_NAMED
    return ", ".join(names[:CHANGES_NAMED]) + (f" and {more} more" if more > 0 else "")


def this_run(config_files: list[str]) -> str:
    """The config files of a run as a reader would name them: of the checkout by their path, others by their name alone."""
    paths = [Path(file).resolve() for file in config_files] or [ROOT / "config/config.yaml"]
    return " ".join(str(p.relative_to(ROOT)) if p.is_relative_to(ROOT) else p.name for p in paths)


def command_for(absent: str, config_files: list[str]) -> str:
    """The command of a run that has what this one lacks; empty where no config file of ours has it."""
    first = absent.partition(",")[0]
    if first in BESIDE:
        return f"{START}{this_run(config_files)} {BESIDE[first]}"
    return START + WHOLE[first] if first in WHOLE else ""


def settle_command(config: str, config_files: list[str]) -> str:
    """The command that goes with what would settle a claim (:class:`himoe.report.outcome.Settling`)."""
    if config == "seeds":
        return f"{START}{this_run(config_files)} --config seeds='[0, 1, 2]'"
    if config in BESIDE.values():
        return f"{START}{this_run(config_files)} {config}"
    return START + config if config else ""
