"""What is ready, absent or wrong: every data set, and what this machine offers to run the workflow."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from himoe import registry
from himoe.commands import terminal
from himoe.config import cluster
from himoe.config.files import read_file
from himoe.config.load import load_config
from himoe.config.run import Config
from himoe.data import intake
from himoe.data.sources import dataset_folder, look_for
from himoe.provenance import environment
from himoe.types import DatasetInfo, HimoeError

READY, PACKED, ABSENT, WRONG = "ready", "packed", "absent", "wrong"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's list: ``state`` is one of ready, packed, absent, wrong."""

    what: str
    state: str
    detail: str


def examine(data_root: Path, configfiles: Sequence[Path] = ()) -> list[Finding]:
    """Findings on config files, every data set, conda, torch, GPU and SLURM; nothing is changed and no recording is opened."""
    found = _configs(configfiles)
    for name in registry.available("datasets"):
        if registry.is_planted(name):
            found.append(Finding(f"{name}-NAME", READY, "simulated on demand, as the config's planted.NAME says"))
            continue
        info = registry.peek("datasets", name)["INFO"]
        found.append(_dataset(name, info, dataset_folder(data_root, name, info)))
        found.append(Finding(f"{name}_twin", READY, "simulated on demand"))
    return [*found, _conda(), _torch(), _gpu(), *_slurm()]


def _configs(paths: Sequence[Path]) -> list[Finding]:
    """Each file, then all of them as one run's config. Snakemake reads them before it reads this workflow, and ends in hundreds
    of lines where one refers to itself or is nested too deep."""
    from snakemake.utils import update_config

    found: list[Finding] = []
    whole: dict[str, Any] = {}
    for path in paths:
        try:
            update_config(whole, read_file(path))
        except HimoeError as error:
            found.append(Finding(str(path), WRONG, str(error)))
    if paths and not found:
        try:
            load_config(whole)
            found.append(Finding(" ".join(map(str, paths)), READY, "a config of this workflow"))
        except HimoeError as error:
            found.append(Finding(" ".join(map(str, paths)), WRONG, str(error)))
    return found


def _dataset(name: str, info: DatasetInfo, root: Path) -> Finding:
    try:
        recordings = look_for(root, info)
    except HimoeError as error:
        return Finding(name, WRONG, str(error))
    if recordings is None:
        way = "or set download: true; " if info.downloads else ""
        return Finding(name, ABSENT, f"nothing in {root}/: {info.access}; {way}licence: {info.licence}")
    if recordings.archives:
        names = ", ".join(path.name for path in recordings.archives)
        return Finding(name, PACKED, f"{names} in {root}/ is unpacked at intake")
    lists = [path for path in (root / intake.TRUSTED, Path("results") / name / intake.KEPT) if path.is_file()]
    if wrong := next(filter(None, (_changed(root, path) for path in lists)), "") or recordings.lacks_common:
        return Finding(name, WRONG, wrong)
    found = f"edition '{recordings.edition.name}' in {recordings.folder}/"
    try:
        absent = intake.absent(name, recordings, Config().size(name))
    except HimoeError as error:
        return Finding(name, WRONG, str(error))
    if absent:
        few = ", ".join(absent[:6]) + (" ..." if len(absent) > 6 else "")
        return Finding(name, WRONG, f"{found}: {len(absent)} subjects absent ({few}); {info.access}")
    hashes = "hashes known" if lists else "hashes will be trusted on first use"
    return Finding(name, READY, f"{found}; {hashes}")


def _changed(root: Path, known: Path) -> str:
    """One line if a file has another size than when it was first seen, as a list of hashes says; empty if none has."""
    try:
        facts = json.loads(known.read_text(encoding="utf-8")) if os.access(known, os.R_OK) else {}
        changed = [name for name, fact in facts.items() if _size(root / name) not in (None, fact["bytes"])]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return f"{known} is not a list of hashes: delete it"
    return f"{root / changed[0]} changed since it was first seen: obtain it again, or delete {known}" if changed else ""


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _conda() -> Finding:
    if path := shutil.which("conda"):  # Snakemake calls it by this name, also where mamba is installed
        return Finding("conda", READY, f"{path}: --use-conda works from conda 24.7.1 on")
    return Finding("conda", ABSENT, "rules run in the current environment; install miniforge for --use-conda")


def _torch() -> Finding:
    import torch

    from himoe.train.versions import TRIED, check_torch, is_tried

    try:
        check_torch(torch.__version__)
    except HimoeError as error:
        return Finding("torch", WRONG, str(error))
    where = "one of" if is_tried(torch.__version__) else "newer than any of"
    return Finding("torch", READY, f"{torch.__version__}: {where} the versions that are known to work, {TRIED}")


def _gpu() -> Finding:
    import torch

    if torch.cuda.is_available():
        return Finding("GPU", READY, f"{torch.cuda.get_device_name(0)}, torch {torch.__version__}")
    return Finding("GPU", ABSENT, f"torch {torch.__version__} sees none: training runs on the CPU")


def _slurm() -> list[Finding]:
    """Whether SLURM answers, whether it has what the profiles ask for, and which of my jobs wait in vain."""
    if not shutil.which("sbatch"):
        return [Finding("SLURM", ABSENT, "no sbatch on this machine: jobs run here")]
    if (nodes := cluster.offered()) is None:
        return [Finding("SLURM", WRONG, "sbatch is there, but sinfo does not answer: is the controller up?")]
    found = [Finding("SLURM", READY, f"{len(nodes)} partitions or node groups")]
    for path in sorted(Path("profiles").glob("*/config.yaml")):
        try:
            profile = cluster.read_profile(path)
            wrong = cluster.never_met(profile, nodes) if profile else []
        except HimoeError as error:
            profile, wrong = {}, [str(error)]
        if profile is not None:
            found.append(
                Finding(str(path.parent), WRONG if wrong else READY, "; ".join(wrong) or "the cluster has what it asks for")
            )
    return [*found, *(Finding("SLURM", WRONG, line) for line in cluster.waiting_in_vain().values())]


def report(data_root: Path, configfiles: Sequence[Path] = ()) -> int:
    """Print the findings; 1 if something is wrong (absent is not wrong), else 0."""
    from rich.table import Table
    from rich.text import Text

    findings = examine(data_root, configfiles)
    versions = environment()
    console = terminal.console()
    console.print(Text("  ".join(f"{k} {v}" for k, v in versions.items()) + f"  cores {os.cpu_count()}", style="dim"))
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("what", "state", "detail"):
        table.add_column(column, overflow="fold")
    colours = {READY: "green", PACKED: "green", ABSENT: "yellow", WRONG: "bold red"}
    for f in findings:
        table.add_row(Text(f.what), Text(f.state, style=colours[f.state]), Text(f.detail))
    console.print(table)
    recordings = [f.what for f in findings if f.what in registry.available("datasets") and f.state in (READY, PACKED)]
    console.print(
        Text(f"Ready for the default run and twins (make demo), and for: {', '.join(recordings) or 'no recordings'}.")
    )
    return int(any(f.state == WRONG for f in findings))
