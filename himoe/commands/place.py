"""Where a command may write: anywhere but below results/, which is the workflow's own."""

from __future__ import annotations

from pathlib import Path

from himoe.types import HimoeError


def check_place(out: str | Path, model: str | Path = "") -> Path:
    """The path, if it is not below ``results`` of this folder, nor of the run that ``model`` is of.

    Raises
    ------
    HimoeError
        If it is: what the workflow has not made there it would take for its own.
    """
    out, results = Path(out), [Path("results").resolve()]
    results += [parent for parent in Path(model).resolve().parents if parent.name == "results"] if model else []
    if any(out.resolve().is_relative_to(folder) for folder in results):
        raise HimoeError(f"{out}: below results/, where the workflow alone writes; name another place")
    return out
