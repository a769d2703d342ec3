"""Where a result comes from: hashes of code, files and values, the commit and the environment."""

from __future__ import annotations

import ast
import hashlib
import json
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent
VERSIONED = ("himoe", "numpy", "scipy", "pandas", "pyarrow", "torch", "scikit-learn", "neurokit2", "mne", "edfio", "snakemake")


def fingerprint(*modules: str) -> str:
    """Hash of the code behind these modules and all of the package they import (12 hex digits).

    Blind to comments, docstrings, formatting and annotations-only imports (``if TYPE_CHECKING``); Snakemake does not
    see edits of an imported package, so every rule passes this as a parameter.
    """
    todo, seen = list(modules), {}
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen[name], imports = _module(name)
        todo += imports
    return hash_value(sorted(seen.items()))[:12]


@cache
def _module(name: str) -> tuple[str, list[str]]:
    """(hash of the stripped syntax tree, package modules it imports)."""
    base = PACKAGE.joinpath(*name.split(".")[1:])
    path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports: list[str] = []
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = [ast.Pass()]
        elif isinstance(body, list) and body and _is_text(body[0]):
            node.body = body[1:] or [ast.Pass()]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "himoe":
            for alias in node.names:
                child = f"{node.module}.{alias.name}"
                imports.append(child if _exists(child) else node.module)
        elif isinstance(node, ast.Import):
            imports += [a.name for a in node.names if a.name.split(".")[0] == "himoe"]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), [i for i in imports if i != "himoe"]


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _exists(name: str) -> bool:
    base = PACKAGE.joinpath(*name.split(".")[1:])
    return base.with_suffix(".py").is_file() or (base / "__init__.py").is_file()


def hash_value(value: Any) -> str:
    """SHA-256 of a value as canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def hash_file(path: str | Path) -> str:
    """SHA-256 of a file's bytes."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def commit(root: Path) -> str:
    """Commit of the checkout, with ``-dirty`` where tracked files were changed; ``not a git checkout`` elsewhere."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=root, capture_output=True, text=True, check=True, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return "not a git checkout"
    return found.stdout.strip()


def environment() -> dict[str, str]:
    """Versions of what a result depends on, and the machine's kind."""
    versions = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    for name in VERSIONED:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "absent"
    return versions
