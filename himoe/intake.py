"""The door: what stands in a data set's folder, checked and listed before anything is computed from it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from himoe import registry
from himoe.provenance import hash_file
from himoe.types import DatasetInfo, HimoeError, Record, Size


def find_files(root: Path, info: DatasetInfo) -> list[str]:
    """Source files of a data set, sorted; HimoeError with the way to obtain it if there are none."""
    if not root.is_dir():
        raise HimoeError(f"{root}: no such folder for {info.title}; {info.access}; or set data_root")
    found = sorted(str(p) for pattern in info.files for p in root.glob(pattern))
    if not found:
        raise HimoeError(f"{root}: none of {', '.join(info.files)} for {info.title}; {info.access}")
    return found


def take_in(dataset: str, root: Path, size: Size, allow_missing: bool = False) -> dict[str, Any]:
    """List each subject's files with size and SHA-256.

    Raises
    ------
    HimoeError
        Naming the subjects that are absent, unless ``allow_missing``.
    """
    plugin = registry.load("datasets", dataset)
    records = plugin.records(root, size)
    absent = [s for s in size.subjects if s not in {r.subject for r in records}]
    if (absent and not allow_missing) or not records:
        raise HimoeError(
            f"{root}: {plugin.INFO.title}: {len(absent)} of {len(size.subjects)} subjects absent "
            f"({', '.join(absent[:8])}{' ...' if len(absent) > 8 else ''}); {plugin.INFO.access}; "
            "or set allow_missing_subjects: true"
        )
    listed = {f for record in records for f in record.files}
    known = {str(p.relative_to(root)) for pattern in plugin.INFO.files for p in root.glob(pattern)}
    stray = [str(p.relative_to(root)) for p in sorted(root.rglob("*")) if p.is_file()]
    return {
        "dataset": dataset,
        "records": {r.subject: list(r.files) for r in records},
        "absent": absent,
        "stray": [name for name in stray if name not in listed | known][:50],
        "files": {f: {"bytes": (root / f).stat().st_size, "sha256": hash_file(root / f)} for f in sorted(listed)},
    }


def record_of(manifest: dict[str, Any], root: Path, subject: str) -> Record:
    """One subject's record from a manifest, its files unchanged since; without files if the subject is known to be absent."""
    record = Record(subject, tuple(manifest["records"].get(subject, ())))
    for name in record.files:
        path = root / name
        if not path.is_file() or path.stat().st_size != manifest["files"][name]["bytes"]:
            raise HimoeError(f"{path}: absent or of another size than at intake; delete the manifest and run again")
    return record


def synthesize(dataset: str, root: Path, size: Size, snr: float, seed: int) -> dict[str, Any]:
    """Write a twin's source files into an empty folder; returns what was asked, to be kept as the mark of completion."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    registry.load("datasets", dataset).synthesize(root, size, snr, seed)
    return {"dataset": dataset, "snr": snr, "seed": seed, "subjects": size.subjects}
