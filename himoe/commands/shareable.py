"""What of a run may leave the machine, listed by name: its code and its results.

Recordings, features, tokens and predictions (which hold the subjects' labels) never do, nor weights of a model that keeps
training rows (``KEEPS_ROWS`` of its plug-in). Configs and profiles travel as committed: a person's own may name an account or a
folder, and the settings of the run are written apart.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from himoe import io, registry
from himoe.config.contents import contents
from himoe.config.run import Config
from himoe.provenance import changes
from himoe.types import HimoeError

ROOT = registry.ROOT.parent
CODE = (
    "Snakefile", "workflow", "config", "envs", "himoe", "profiles", "report", "pyproject.toml", "Makefile", "LICENSE",
    "CITATION.cff", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs",
)  # fmt: skip
SETTINGS = ("config", "profiles")
SUFFIXES = {".py", ".smk", ".jinja", ".css", ".js", ".rst", ".yaml"}  # of code that was added; a recording beside it stays


def read_run(results: Path) -> dict[str, Any]:
    """What ``results.json`` says of a finished run: title, identity, items, config; HimoeError where there is none."""
    if not (results / "results.json").is_file():
        raise HimoeError(f"{results}: no finished run in it (results.json is absent); run snakemake first")
    run = io.read_json(results / "results.json")
    expected = {"title": str, "identity": dict, "items": list, "config": dict}
    if not isinstance(run, dict) or any(not isinstance(run.get(key), kind) for key, kind in expected.items()):
        raise HimoeError(f"{results}/results.json: not what render_report writes; delete it and run again")
    return run


def result_files(results: Path, config: Config) -> list[Path]:
    """Results of this run that may leave the machine, sorted; those of other runs may stand beside them."""
    items = [*contents(config, "tables"), *contents(config, "figures")]
    wanted = ["report.html", "results.json", "scores.csv"]
    wanted += [f"{item.stem}.{suffix}" for item in items for suffix in ("csv", "svg", "png", "pdf")]
    for dataset in config.datasets:
        wanted.append(f"{dataset}/card.json")
        for protocol in config.protocols:
            wanted.append(f"{dataset}/{protocol}/audit.json")
            fits = [(m, s) for m in config.models_of(dataset, protocol) for s in config.seeds]
            for model, seed in fits:
                kept = ("run.json",) if keeps_rows(model) else ("run.json", "weights.safetensors")
                wanted += [f"{dataset}/{protocol}/{model}/seed-{seed}/shard-*/{name}" for name in kept]
    return sorted({path for pattern in wanted for path in results.glob(pattern)})


def keeps_rows(model: str) -> bool:
    """Whether a model's weights hold rows of its training data."""
    return bool(registry.peek("models", model).get("KEEPS_ROWS"))


def code_files(root: Path = ROOT) -> list[Path]:
    """Files of the checkout that make the run, sorted: those of the commit and code that was added; all where there is no
    checkout. Nothing hidden or compiled, no config or profile that is not in the commit."""
    found = [path for name in CODE for path in ([root / name] if (root / name).is_file() else (root / name).rglob("*"))]
    plain = sorted(p for p in found if p.is_file() and p.suffix != ".pyc" and not p.name.startswith("."))
    committed = _git(root, "ls-tree", "-r", "-z", "--name-only", "HEAD")
    if not committed:
        return plain
    known = {root / name for name in (*committed.split("\0"), *changed_code(root))}
    return [path for path in plain if path in known]


def changed_code(root: Path = ROOT) -> list[str]:
    """Code that differs from the commit, or that git does not track, as paths from the root; settings left out, and whatever
    is no text of a program."""
    code = [name for name in changes(root) if name.split("/")[0] in CODE and not is_setting(name)]
    return [name for name in code if Path(name).suffix in SUFFIXES or _git(root, "ls-files", "--", name)]


def is_setting(name: str) -> bool:
    """Whether a file of the checkout is a config or a profile."""
    return name.split("/")[0] in SETTINGS


def as_committed(name: str, root: Path = ROOT) -> str | None:
    """A config or profile as it is in the commit, whatever git was told about the file; None where there is no checkout."""
    return _git(root, "show", f"HEAD:./{name}") or None


def patch(root: Path = ROOT) -> str:
    """What was changed in tracked code since the commit, as ``git apply`` reads it; empty if nothing."""
    return _git(root, "diff", "HEAD", "--no-renames", "--relative", "--", *(n for n in CODE if n not in SETTINGS))


def _git(root: Path, *arguments: str) -> str:
    """What git answers; empty where there is no git or no checkout."""
    try:
        run = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=True, timeout=60)
        return run.stdout.decode("utf-8", errors="replace")
    except (OSError, subprocess.SubprocessError):
        return ""
