"""What a SLURM profile asks for, held against what the cluster offers, and jobs that wait for what will never come."""

from __future__ import annotations

import math
import re
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from himoe.config.files import read_by_hand
from himoe.types import printable

WATCH_SECONDS = 60.0
ENDLESS = {  # SLURM's reason for a job that waits and would wait for ever -> what to change
    "PartitionConfig": "it asks for more than its partition has: cores, memory or time in the profile",
    "PartitionNodeLimit": "it asks for more nodes or cores than its partition gives",
    "PartitionTimeLimit": "it asks for more time than its partition gives: runtime in the profile",
    "PartitionDown": "its partition is down: slurm_partition in the profile",
    "PartitionInactive": "its partition takes no jobs: slurm_partition in the profile",
    "BadConstraints": "no node has what it asks for: mem_mb, cores or gpu in the profile",
    "InvalidAccount": "its account is not known: slurm_account in the profile",
    "AccountNotAllowed": "its account may not use the partition: slurm_account in the profile",
    "InvalidQOS": "its quality of service is not known",
    "AssocMaxWallDurationPerJobLimit": "its account may not ask for so much time: runtime in the profile",
    "AssocMaxCpuPerJobLimit": "its account may not ask for so many cores: cores in the profile",
    "AssocMaxMemPerJob": "its account may not ask for so much memory: mem_mb in the profile",
    "QOSMaxWallDurationPerJobLimit": "its account may not ask for so much time: runtime in the profile",
    "DependencyNeverSatisfied": "a job it waits for has failed",
    "JobHeldUser": "it is held: scontrol release",
    "JobHeldAdmin": "an administrator holds it",
}


@dataclass(frozen=True)
class Nodes:
    """Equal nodes of a partition: cores and memory (MB) of one, its GPUs, the longest job it takes (minutes; None: any)."""

    partition: str
    is_default: bool
    is_up: bool
    cores: int
    mem_mb: int
    minutes: float | None
    gpus: int


@dataclass(frozen=True)
class Request:
    """What a job, or a group of jobs, asks for, and the keys of the profile that say so."""

    name: str
    partition: str
    cores: int
    mem_mb: int
    minutes: int
    gpus: int
    keys: dict[str, str]


def ask(*command: str) -> str | None:
    """What one of SLURM's commands prints; None where it is absent or does not answer within a minute."""
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None


def offered() -> list[Nodes] | None:
    """The nodes of the cluster, as ``sinfo`` lists them; None where it does not answer."""
    answer = ask("sinfo", "--exact", "--noheader", "--format", "%P|%a|%c|%m|%l|%G")
    rows = [line.strip().split("|") for line in (answer or "").splitlines()]
    return None if answer is None else [_nodes(*row) for row in rows if len(row) == 6]


def _nodes(partition: str, state: str, cores: str, memory: str, limit: str, gres: str) -> Nodes:
    gpus = sum(int(n) for n in re.findall(r"gpu(?::[^:,(]+)*?:(\d+)", gres))
    return Nodes(
        partition.rstrip("*"), partition.endswith("*"), state == "up", _number(cores), _number(memory), minutes(limit), gpus
    )


def _number(text: str) -> int:
    found = re.match(r"\d+", text)
    return int(found[0]) if found else 0


def minutes(limit: str) -> float | None:
    """Minutes of ``days-hours:minutes:seconds`` as SLURM abbreviates it; None for no limit.

    >>> minutes("1-00:30:00"), minutes("2:00:00"), minutes("30:00"), minutes("infinite")
    (1470.0, 120.0, 30.0, None)
    """
    if not re.fullmatch(r"(\d+-)?\d+(:\d+){0,2}", limit):
        return None
    days, _, clock = limit.rpartition("-")
    parts = [int(part) for part in clock.split(":")]
    hours, mins, seconds = (parts + [0] * (3 - len(parts))) if days else ([0] * (3 - len(parts)) + parts)
    return int(days or 0) * 1440 + hours * 60 + mins + seconds / 60


def read_profile(path: Path) -> dict[str, Any] | None:
    """A profile for SLURM; None for any other; HimoeError where it is no YAML."""
    profile = read_by_hand(path)
    return profile if isinstance(profile, dict) and profile.get("executor") == "slurm" else None


def requests(profile: dict[str, Any]) -> list[Request]:
    """What the first attempt of each job asks for. Jobs of a group run side by side, as many as ``cores`` says; a network asks
    for a GPU."""
    default, rules = profile.get("default-resources") or {}, profile.get("set-resources") or {}
    groups, components = profile.get("groups") or {}, profile.get("group-components") or {}
    side_by_side = _number(str(profile.get("cores", 1))) or 1
    out = []
    for rule in dict.fromkeys(["fit_model", *rules, *groups, "take_in"]):
        own, group = rules.get(rule) or {}, groups.get(rule, "")
        n = min(side_by_side, _number(str(components.get(group, 1)))) if group else 1
        rounds = math.ceil(_number(str(components.get(group, 1))) / n) if group else 1
        asked = {key: _number(str(own.get(key, default.get(key, 0)))) for key in ("mem_mb", "runtime")}
        keys = {key: f"set-resources.{rule}.{key}" if key in own else f"default-resources.{key}" for key in asked}
        if group:
            keys |= {"cores": "cores", "mem_mb": f"cores or {keys['mem_mb']}", "runtime": f"group-components.{group}"}
        partition = str(own.get("slurm_partition", default.get("slurm_partition", ""))).strip("'\"")
        name = f"group {group} ({rule})" if group else rule
        out.append(Request(name, partition, n, n * asked["mem_mb"], rounds * asked["runtime"], int(rule == "fit_model"), keys))
    return out


def unmet(request: Request, nodes: list[Nodes]) -> str:
    """Why a request can never be met, and the key to change; empty if it can."""
    there = [n for n in nodes if n.partition == request.partition or (not request.partition and n.is_default)]
    if not there:
        names = ", ".join(dict.fromkeys(n.partition for n in nodes)) or "none"
        which = f"there is no partition '{request.partition}'" if request.partition else "no partition is the default one"
        return f"{which}: default-resources.slurm_partition (there are: {names})"
    if not any(n.is_up for n in there):
        return f"partition {there[0].partition} is down: default-resources.slurm_partition"
    for what, key, asked, most in (
        ("cores", "cores", request.cores, max(n.cores for n in there)),
        ("MB", "mem_mb", request.mem_mb, max(n.mem_mb for n in there)),
        ("minutes", "runtime", request.minutes, max(math.inf if n.minutes is None else n.minutes for n in there)),
    ):
        if asked > most:
            where = f"partition {there[0].partition} has {most:g} {'at most' if what == 'minutes' else 'on a node'}"
            return f"{request.name} asks for {asked} {what}, {where}: lower {request.keys.get(key, key)}"
    if request.gpus and not any(n.gpus for n in there):
        where = f"networks ask for a GPU, partition {there[0].partition} offers none"
        return f"{where}: set set-resources.fit_model.slurm_partition, or the config's execution.device to cpu"
    return ""


def never_met(profile: dict[str, Any], nodes: list[Nodes]) -> list[str]:
    """One line for each key by which a profile asks for something in vain."""
    lines: dict[str, str] = {}
    for line in filter(None, (unmet(request, nodes) for request in requests(profile))):
        lines.setdefault(line.rpartition(": ")[2], line)
    return list(lines.values())


def waiting_in_vain() -> dict[str, str]:
    """My jobs that wait for what will not come: number -> one line."""
    answer = ask("squeue", "--me", "--noheader", "--states", "PENDING", "--format", "%i|%r|%k")
    rows = [line.strip().split("|", 2) for line in (answer or "").splitlines()]
    return {
        number: printable(f"SLURM job {number} {comment} waits for ever ({reason}): {ENDLESS[reason]}", 400)
        for number, reason, comment in (row for row in rows if len(row) == 3)
        if reason in ENDLESS
    }


def watch(seconds: float = WATCH_SECONDS) -> None:
    """As long as this process runs, say of each of my jobs, once, that it waits in vain."""

    def look() -> None:
        told: set[str] = set()
        while not stopped.wait(seconds):
            for number, line in waiting_in_vain().items():
                if number not in told:
                    sys.stderr.write(f"himoe: {line}\n")
                told.add(number)

    stopped = threading.Event()
    threading.Thread(target=look, daemon=True).start()
