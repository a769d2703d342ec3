"""What a run would do, for people, before it is started. Jobs are counted by Snakemake's own dry runs, nowhere else."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from himoe.commands import estimate, terminal
from himoe.config.claims import applies, has_labels, lacks, others_of, parse_claims
from himoe.config.facts import dataset_info
from himoe.config.files import read_by_hand, read_file
from himoe.config.load import load_config
from himoe.config.protocols import MIN_SEEDS, PROTOCOLS, lacks_seeds, n_folds
from himoe.config.run import Config
from himoe.stats.characteristics import Characteristics, Design, assumed, characteristics
from himoe.types import HimoeError

RECORD = f"{estimate.RESULTS}/{{dataset}}/{{protocol}}/{{model}}/seed-{{seed}}/shard-{{shard}}/run.json"
FIT = re.compile(r"^rule fit_model:\n(?:    .*\n)*?    wildcards: (.*)$", re.M)
ERROR = re.compile(r"WorkflowError|(\w+: *)?Error\b|MissingInput|\w+(Error|Exception)\b.*: ")
STATS = re.compile(r"^Job stats:\njob +count\n[- ]+\n((?:\S+ +\d+\n)+)", re.M)


@dataclass(frozen=True)
class Jobs:
    """Jobs of the whole run and of what is left of it, by rule; ``fits``: wildcards of the fits that are left."""

    whole: dict[str, int]
    left: dict[str, int]
    fits: list[dict[str, str]]


def read_config(configfiles: list[Path], entries: list[str]) -> Config:
    """The config that Snakemake would hand to the workflow."""
    from snakemake.cli import parse_config
    from snakemake.utils import update_config

    _check_folder()
    raw: dict[str, Any] = {}
    for path in configfiles or [Path("config/config.yaml")]:
        update_config(raw, read_file(path))
    try:
        update_config(raw, parse_config(entries))
    except ValueError as error:
        raise HimoeError(f"--config: {error} (a key of a section: training='{{epochs: 3}}')") from error
    return load_config(raw)


def _check_folder() -> None:
    if not Path("Snakefile").is_file():
        raise HimoeError(f"{Path.cwd()}: no Snakefile here; run it in the folder of the workflow")


def dry_run(configfiles: list[Path], entries: list[str]) -> Jobs:
    """Ask Snakemake what there is to do, as things stand and from nothing.

    Raises
    ------
    HimoeError
        With Snakemake's own line where it would not start.
    """
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1"]
    command += ["--configfile", *map(str, configfiles)] if configfiles else []
    command += ["--config", *entries] if entries else []
    left = _ask(command)
    whole = _ask([*command, "--forceall"]) if estimate.RESULTS.exists() else left
    fits = [dict(pair.split("=", 1) for pair in found.split(", ")) for found in FIT.findall(left)]
    return Jobs(_count(whole), _count(left), fits)


def state_of_fits(jobs: Jobs) -> str:
    """How many fits there are, are done, and are left although there is one: of another code, setting or input."""
    n, left = jobs.whole.get("fit_model", 0), jobs.fits
    old = sum(Path(RECORD.format(**fit)).is_file() for fit in left)
    again = f"; {old} of the others are there, but of other code, settings or data" if old else ""
    return f"{n}, of which {n - len(left)} are done{again}"


def _ask(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    output = done.stdout + done.stderr
    if done.returncode:
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        at = next((i for i, line in enumerate(lines) if ERROR.match(line)), -1)
        end = next((i for i, line in enumerate(lines) if i > at and line.startswith("File ")), len(lines))
        reason = " ".join(lines[at:end][:3] or lines[-1:])
        raise HimoeError("the run would not start: " + re.sub(r"^WorkflowError in file .*?, line \d+: (himoe: )?", "", reason))
    return output


def _count(output: str) -> dict[str, int]:
    found = STATS.search(output)
    rows = (line.split() for line in found[1].splitlines()) if found else ()
    return {rule: int(n) for rule, n in rows if rule not in ("all", "total")}


def report(configfiles: list[Path], entries: list[str], cores: int) -> int:
    """Print the plan; HimoeError, before any table, if the run would not start."""
    config, jobs = read_config(configfiles, entries), dry_run(configfiles, entries)
    console = terminal.console()
    console.print(terminal.table("data sets", _data(config)))
    console.print(terminal.table("folds", _folds(config)))
    console.print(terminal.table("models", _models(config)))
    conditions = [f"{name} {', '.join(f'{s:g}' for s in severities)}" for name, severities in config.conditions.items()]
    console.print(f"seeds: {', '.join(map(str, config.seeds))}   conditions: clean; {'; '.join(conditions) or 'no other'}\n")
    if claims := list(_claims(config)):
        console.print(terminal.table("claims: what this design can see", claims))
    counts = {rule: (n, n - jobs.left.get(rule, 0), jobs.left.get(rule, 0)) for rule, n in jobs.whole.items()}
    whole, done, left = (sum(column) for column in zip(*counts.values(), strict=True))
    counts["all together"] = (whole, done, left)
    rows = [{"job": rule, "whole run": n, "done": done, "left": left} for rule, (n, done, left) in counts.items()]
    console.print(terminal.table("jobs (by Snakemake's dry run)", rows))
    console.print(f"fits: {state_of_fits(jobs)}")
    console.print(f"time: {estimate.time_left(jobs.fits, config, cores)}")
    console.print(f"disk: {estimate.disk(config)}")
    return 0


def _data(config: Config) -> Iterable[dict[str, Any]]:
    for name in config.datasets:
        size, kept = config.size(name), config.modalities_of(name)
        modalities = [m for m in dataset_info(name).modalities if m.name in kept]
        yield {
            "data set": name, "subjects": len(size.subjects), "trials each": size.n_trials or "differs",
            "seconds": f"{size.seconds:g}" if size.seconds else "differs", "targets": ", ".join(config.targets_of(name)),
            "modalities (channels, Hz)": ", ".join(f"{m.name} ({len(m.channels)}, {m.sfreq:g})" for m in modalities),
        }  # fmt: skip


def _folds(config: Config) -> Iterable[dict[str, Any]]:
    for dataset in config.datasets:
        for protocol in config.protocols:
            facts = PROTOCOLS[protocol]
            folds = n_folds(protocol, len(config.size(dataset).subjects), config.splits)
            judged = facts.title + (" (invalid)" if facts.invalid else "")
            several, models = config.execution.folds_per_job, len(config.models_of(dataset, protocol))
            yield {"data set": dataset, "protocol": protocol, "judged on": judged, "folds": folds, "folds a job": several,
                   "models": models}  # fmt: skip


def _models(config: Config) -> Iterable[dict[str, Any]]:
    pairs = [(d, p) for d in config.datasets for p in config.protocols]
    for model in config.models:
        fitted = sum(model in config.models_of(*pair) for pair in pairs)
        whole = {d for d in config.datasets if all(config.unfit(model, d, p) for p in config.protocols)}
        absent = [(d if d in whole else f"{d}/{p}", why) for d, p in pairs if (why := config.unfit(model, d, p))]
        reasons = {f"{where}: {why}" for where, why in absent}
        yield {"model": model, "as": config.kind_of(model), "seeds": len(config.seeds),
               "data sets x protocols": f"{fitted} of {len(pairs)}", "not on": "; ".join(sorted(reasons))}  # fmt: skip


def _claims(config: Config) -> Iterable[dict[str, Any]]:
    """Power of every claim on every data set under every protocol that keeps people apart, with the spread assumed in
    ``statistics``."""
    entries = read_by_hand("config/claims.yaml")
    rows: list[dict[str, Any]] = []
    unjudged: dict[tuple[str, str], list[str]] = {}
    for claim in parse_claims(entries):
        for dataset, protocol in ((d, p) for d in config.datasets for p in config.protocols):
            setting = f"{dataset}, {protocol}" if len(config.protocols) > 1 else dataset
            other_choice = config.variant(dataset).is_other_choice
            if other_choice or not applies(claim, dataset) or not PROTOCOLS[protocol].independent:
                continue
            n = len(others_of(config, dataset, protocol, claim))
            absent = lacks(config, dataset, protocol, claim)
            absent = absent if has_labels(claim, dataset) else "one label per trial"
            if not absent and lacks_seeds(protocol, len(config.seeds)):
                absent = f"people share networks: needs {MIN_SEEDS} seeds"
            row = {"claim": claim.id, "data set": setting, "ahead of": n, "smallest effect": claim.smallest_effect}
            if absent:
                unjudged.setdefault((claim.id, absent), []).append(setting)
                continue
            seen = before_a_run(config, len(config.size(dataset).subjects), n, claim.smallest_effect)
            rows.append(row | {"seen with 80% power": f"{seen.detectable:.3f} CCC", "power at it": f"{seen.power:.0%}",
                               "false support": f"{seen.false_support:.1%}"})  # fmt: skip
    for (name, absent), settings in unjudged.items():
        where = settings[0] if len(settings) == 1 else f"{len(settings)} settings"
        rows.append({"claim": name, "data set": where, "ahead of": "-", "smallest effect": "-", "seen with 80% power": "-",
                     "power at it": "-", "false support": f"not judged: {absent}"})  # fmt: skip
    return rows


def before_a_run(config: Config, n_people: int, n_rivals: int, smallest: float) -> Characteristics:
    """What is seen of a lead that varies as ``statistics`` assumes."""
    s = config.statistics
    spread = assumed(s.people_sd, s.seeds_sd, s.rest_sd, n_rivals)
    return characteristics(Design(n_people, len(config.seeds), spread), smallest, s.simulations, s.seed)
