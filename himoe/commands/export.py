"""``python -m himoe export FIT OUT``: a fit of results/ as a folder to pass on."""

from __future__ import annotations

from pathlib import Path

from himoe.commands.place import check_place
from himoe.library.bundle import load, write


def report(fit: Path, out: Path) -> int:
    """Write the bundle and say what is in it; the exit status."""
    check_place(out, fit)
    bundle = load(fit)
    for path in write(bundle, out):
        print(path)
    if not bundle.about.synthetic:
        print(f"trained on {bundle.about.title} ({bundle.about.licence}): see there whether you may pass it on")
    return 0
