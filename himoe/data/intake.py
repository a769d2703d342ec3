"""The door: what stands in a data set's folder is recognised, verified and listed before anything is computed from it."""

from __future__ import annotations

import logging
import os
import shutil
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from himoe import io, registry
from himoe.data.sources import common_files, own_files, recognise
from himoe.data.untrusted import extract
from himoe.provenance import hash_file
from himoe.types import DatasetInfo, Edition, HimoeError, Record, Size

log = logging.getLogger("himoe")
TRUSTED = "manifest.json"
JUNK = (".DS_Store", "Thumbs.db", "desktop.ini", "._*")


def take_in(
    dataset: str, root: Path, size: Size, unpacked: Path, wanted: str = "", allow_missing: bool = False
) -> dict[str, Any]:
    """Unpack what is packed, then list each subject's files with size and SHA-256.

    Hashes of a real data set are compared with those that stood in ``root/manifest.json`` before (trust on first use) or that
    are published, and the file is written where the folder can be.

    Parameters
    ----------
    unpacked : folder for what comes out of archives and containers; emptied first.

    Raises
    ------
    HimoeError
        Naming the subjects that are absent, unless ``allow_missing``; or the file that changed since it was first seen.
    """
    plugin = registry.load("datasets", dataset)
    if registry.is_twin(dataset) and not any(root.glob("*")):
        raise HimoeError(f"{root}: the twin's files are gone; delete {root.parent / 'twin.json'} and run again")
    edition, folder, archives = recognise(root, plugin.INFO, wanted)
    source = facts_of(root, edition, folder, archives, size)
    real = not registry.is_twin(dataset)
    known, wrong = compare(root, edition, plugin.INFO, source) if real else ({}, {})
    if wrong:
        raise HimoeError(next(iter(wrong.values())))
    folder, records = unpack(dataset, root, edition, folder, archives, unpacked, size)
    absent = [s for s in size.subjects if s not in {r.subject for r in records}]
    if (absent and not allow_missing) or not records:
        raise HimoeError(
            f"{root}: {plugin.INFO.title}, edition '{edition.name}': {len(absent)} of {len(size.subjects)} subjects absent "
            f"({', '.join(absent[:8])}{' ...' if len(absent) > 8 else ''}); {plugin.INFO.access}; "
            "or set allow_missing_subjects: true"
        )
    if real:
        _remember(root, dataset, known, source)
    sizes = {f: (folder / f).stat().st_size for record in records for f in record.files}
    listed = {r.subject: list(r.files) for r in records}
    return {
        "dataset": dataset, "edition": edition.name, "root": str(folder), "records": listed, "bytes": sizes, "absent": absent,
        "stray": _stray(root, {*source, TRUSTED}), "source": source,
    }  # fmt: skip


def facts_of(root: Path, edition: Edition, folder: Path, archives: list[Path], size: Size) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file a data set is read from, by its path below ``root``."""
    there = [*archives, *common_files(root, folder, edition)] if archives else own_files(root, folder, edition, size.subjects)
    return {str(p.relative_to(root)): {"bytes": p.stat().st_size, "sha256": hash_file(p)} for p in there}


def unpack(
    dataset: str, root: Path, edition: Edition, folder: Path, archives: list[Path], unpacked: Path, size: Size
) -> tuple[Path, list[Record]]:
    """The folder that recordings are read from, and each subject's files in it; ``unpacked``, which is emptied first, takes
    what comes out of archives and containers."""
    plugin = registry.load("datasets", dataset)
    shared = common_files(root, folder, edition)
    shutil.rmtree(unpacked, ignore_errors=True)
    unpacked.mkdir(parents=True)
    for archive in archives:
        log.info("%s: unpacked %d files", archive, len(extract(archive, unpacked, edition.patterns())))
    for path in shared if archives else ():  # what stands beside an archive counts before what is in one
        shutil.copy(path, unpacked)
    folder = unpacked if archives else folder
    if hasattr(plugin, "unpack"):
        plugin.unpack(folder, unpacked, size)
        folder = unpacked
    records = plugin.records(folder, size, edition)
    return folder, _with_common(records, root if folder != unpacked else unpacked, folder, edition)


def compare(
    root: Path, edition: Edition, info: DatasetInfo, facts: dict[str, dict[str, Any]]
) -> tuple[dict[str, Any], dict[str, str]]:
    """What was seen before, and which files are not what they were then or what is published: path -> one line."""
    path = root / TRUSTED
    known = io.read_json(path) if path.is_file() else {}
    if not isinstance(known, dict) or not all(isinstance(v, dict) for v in known.values()):
        raise HimoeError(f"{path}: not a list of hashes; delete it, and the files are trusted as they are now")
    published, wrong = {d.name: d.sha256 for d in info.downloads if d.sha256 and d.edition == edition.name}, {}
    for name, fact in facts.items():
        if published.get(name, fact["sha256"]) != fact["sha256"]:
            wrong[name] = f"{root / name}: SHA-256 is not the published one ({published[name]}); obtain it again"
        elif known.get(name, fact).get("sha256") != fact["sha256"]:
            wrong[name] = (
                f"{root / name}: differs from when it was first seen ({path}); obtain it again, or, if you replaced it on "
                "purpose, delete its entry there"
            )
    return known, wrong


def _remember(root: Path, dataset: str, known: dict[str, Any], facts: dict[str, Any]) -> None:
    """Add what was seen for the first time, once it has proved to be whole."""
    new = {name: fact for name, fact in facts.items() if name not in known}
    try:
        if new:
            io.write_json(root / TRUSTED, known | new)
    except HimoeError:
        log.warning("%s: the folder cannot be written: later changes of these files will not be noticed", root)
    log.info("%s: %d files trusted on first use", dataset, len(new))


def _stray(root: Path, known: set[str]) -> list[str]:
    """Files that are not read, for the data card; the operating system's own litter is not worth a word."""
    found = [p for p in sorted(root.rglob("*")) if p.is_file() and not any(fnmatchcase(p.name, j) for j in JUNK)]
    return [name for p in found if (name := str(p.relative_to(root))) not in known]


def _with_common(records: list[Record], root: Path, folder: Path, edition: Edition) -> list[Record]:
    """Records that also name the files that belong to all subjects, relative to the folder they are read from."""
    common = [os.path.relpath(p, folder) for p in common_files(root, folder, edition)]
    if records and len(common) < len(edition.common):
        raise HimoeError(
            f"{folder}: {', '.join(edition.common)} is absent, and edition '{edition.name}' needs it; place it there"
        )
    return [Record(r.subject, (*r.files, *common), r.edition) for r in records]


def find_record(
    dataset: str, root: Path, folder: Path, size: Size, edition: str, subject: str, allow_missing: bool
) -> Record:  # fmt: skip
    """One subject's record where files stand by themselves; without files if it is absent and may be."""
    plugin = registry.load("datasets", dataset)
    chosen = next(e for e in plugin.INFO.editions if e.name == edition)
    for record in _with_common(plugin.records(folder, size, chosen), root, folder, chosen):
        if record.subject == subject:
            return record
    if not allow_missing:
        raise HimoeError(
            f"{folder}: {plugin.INFO.title}, edition '{edition}': subject {subject} is absent; {plugin.INFO.access}; "
            "or set allow_missing_subjects: true"
        )
    return Record(subject, (), edition)


def record_of(path: Path, subject: str) -> tuple[Path, Record]:
    """Folder and record of one subject by a manifest, its files unchanged since; without files if it is known to be absent."""
    manifest = io.read_json(path)
    folder, record = Path(manifest["root"]), Record(subject, tuple(manifest["records"].get(subject, ())), manifest["edition"])
    for name in record.files:
        file = folder / name
        if not file.is_file() or file.stat().st_size != manifest["bytes"][name]:
            raise HimoeError(f"{file}: absent or of another size than at intake; delete {path} and run again")
    return folder, record


def synthesize(dataset: str, root: Path, size: Size, edition: str, snr: float, seed: int) -> dict[str, Any]:
    """Write a twin's source files into an empty folder; returns what was asked, to be kept as the mark of completion."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    registry.load("datasets", dataset).synthesize(root, size, edition, snr, seed)
    return {"dataset": dataset, "edition": edition, "snr": snr, "seed": seed, "subjects": size.subjects}
