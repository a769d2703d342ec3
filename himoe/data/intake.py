"""Intake: what stands in a data set's folder is verified, unpacked and listed before anything is computed from it."""

from __future__ import annotations

import filecmp
import logging
import os
import shutil
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from himoe import io, registry
from himoe.data import sources
from himoe.data.sources import Recordings
from himoe.data.untrusted import extract, refuse_no_file
from himoe.provenance import hash_file
from himoe.types import DatasetInfo, HimoeError, Record, Size, printable

log = logging.getLogger("himoe")
TRUSTED = "manifest.json"
JUNK = (".DS_Store", "Thumbs.db", "desktop.ini", "._*")


def find(dataset: str, root: Path, edition: str = "") -> Recordings:
    """The recordings of a data set or a twin, as :func:`himoe.data.sources.find` finds them."""
    if registry.is_twin(dataset) and not any(root.glob("*")):
        raise HimoeError(f"{root}: the twin's files are gone; delete {root.parent / 'twin.json'} and run again")
    return sources.find(root, _info(dataset), edition)


def take_in(dataset: str, recordings: Recordings, size: Size, unpacked: Path, allow_missing: bool = False) -> dict[str, Any]:
    """Unpack what is packed, then list each subject's files with size and SHA-256.

    Hashes of a real data set are compared with those in ``manifest.json`` of its folder (trust on first use) or with published
    ones, and new ones are added there where the folder can be written.

    Parameters
    ----------
    unpacked : folder for what comes out of archives and containers; emptied first.

    Raises
    ------
    HimoeError
        Naming the subjects that are absent, unless ``allow_missing``; or the file that changed since it was first seen.
    """
    info, root, edition = _info(dataset), recordings.root, recordings.edition.name
    facts = hash_files(recordings, size)
    is_real = not registry.is_twin(dataset)
    known, changed = compare(recordings, facts) if is_real else ({}, {})
    if changed:
        raise HimoeError(next(iter(changed.values())))
    folder, records = unpack(dataset, recordings, size, unpacked)
    absent = [s for s in size.subjects if s not in {r.subject for r in records}]
    if (absent and not allow_missing) or not records:
        raise HimoeError(
            f"{root}: {info.title}, edition '{edition}': {len(absent)} of {len(size.subjects)} subjects absent "
            f"({', '.join(absent[:8])}{' ...' if len(absent) > 8 else ''}); {info.access}; "
            "or set allow_missing_subjects: true"
        )
    if is_real:
        _remember(root, dataset, known, facts)
    stray = _stray(root, {*facts, TRUSTED})
    here = {os.path.relpath(path, recordings.folder): path for path in recordings.files(*size.subjects)}
    _refuse_copies(root, stray, here | {name: folder / name for record in records for name in record.files})
    n_bytes = {name: (folder / name).stat().st_size for record in records for name in record.files}
    return {
        "dataset": dataset, "edition": edition, "root": str(folder), "records": {r.subject: list(r.files) for r in records},
        "bytes": n_bytes, "absent": absent, "stray": [printable(name) for name in stray], "source": facts,
    }  # fmt: skip


def hash_files(recordings: Recordings, size: Size) -> dict[str, dict[str, Any]]:
    """``bytes`` and ``sha256`` of every file a data set is read from, by its path below the data set's folder."""
    facts = {}
    for path in recordings.files(*size.subjects):
        refuse_no_file(path)
        try:
            facts[str(path.relative_to(recordings.root))] = {"bytes": path.stat().st_size, "sha256": hash_file(path)}
        except OSError as error:
            raise HimoeError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    return facts


def compare(recordings: Recordings, facts: dict[str, dict[str, Any]]) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Compare files with what was seen before and with published hashes.

    Returns the facts of :func:`hash_files` as they were first seen, and path -> one line for each file that differs.
    """
    path = recordings.root / TRUSTED
    known = io.read_json(path) if path.is_file() else {}
    if not isinstance(known, dict) or not all(isinstance(fact, dict) for fact in known.values()):
        raise HimoeError(f"{path}: not a list of hashes; delete it, and the files are trusted as they are now")
    published = {d.name: d.sha256 for d in recordings.downloads if d.sha256}
    changed = {}
    for name, fact in facts.items():
        file = recordings.root / name
        if published.get(name, fact["sha256"]) != fact["sha256"]:
            changed[name] = f"{file}: SHA-256 is not the published one ({published[name]}); obtain it again"
        elif known.get(name, fact).get("sha256") != fact["sha256"]:
            changed[name] = (
                f"{file}: differs from when it was first seen ({path}); obtain it again, or, if you replaced it on "
                "purpose, delete its entry there"
            )
    return known, changed


def unpack(dataset: str, recordings: Recordings, size: Size, unpacked: Path) -> tuple[Path, list[Record]]:
    """Unpack archives and containers into ``unpacked``, which is emptied first.

    Returns the folder that recordings are read from, and each subject's files in it.
    """
    plugin = registry.load("datasets", dataset)
    edition, folder = recordings.edition, recordings.folder
    shutil.rmtree(unpacked, ignore_errors=True)
    unpacked.mkdir(parents=True)
    for archive in recordings.archives:
        log.info("%s: unpacked %d files", archive, len(extract(archive, unpacked, edition.patterns())))
    if recordings.archives:
        for path in recordings.common:  # a file beside an archive counts before one in it
            shutil.copy(path, unpacked)
        folder = unpacked
    if hasattr(plugin, "unpack"):
        plugin.unpack(folder, unpacked, size)
        folder = unpacked
    if folder != recordings.folder:
        recordings = Recordings(folder, edition, folder, common=sources.find_common(folder, folder, edition))
    return folder, _records(dataset, recordings, size)


def _records(dataset: str, recordings: Recordings, size: Size) -> list[Record]:
    """Files of each subject that is there, with those that belong to all, relative to the folder they are read from."""
    records = registry.load("datasets", dataset).records(recordings.folder, size, recordings.edition)
    if records and recordings.lacks_common:
        raise HimoeError(f"{recordings.folder}: {recordings.lacks_common}; place it there")
    common = [os.path.relpath(path, recordings.folder) for path in recordings.common]
    return [Record(r.subject, (*r.files, *common), r.edition) for r in records]


def _remember(root: Path, dataset: str, known: dict[str, Any], facts: dict[str, Any]) -> None:
    """Add the facts of files that were seen for the first time, once they have proved to be whole."""
    new = {name: fact for name, fact in facts.items() if name not in known}
    try:
        if new:
            io.write_json(root / TRUSTED, known | new)
    except HimoeError:
        log.warning("%s: the folder cannot be written: later changes of these files will not be noticed", root)
    log.info("%s: %d files trusted on first use", dataset, len(new))


def _refuse_copies(root: Path, stray: list[str], read: dict[str, Path]) -> None:
    """HimoeError if a file that is not read ends in the path of one that is, and differs from it: nobody has said which one
    counts. ``read``: files by their paths below the folder of the recordings."""
    for name in stray:
        parts = Path(name).parts
        for tail in ("/".join(parts[i:]) for i in range(len(parts))):
            if tail in read and not filecmp.cmp(root / name, read[tail], shallow=False):
                raise HimoeError(f"{root / name}: another {tail} is read, and they differ; leave the one that counts")


def _stray(root: Path, known: set[str]) -> list[str]:
    """Files that are not read, for the data card, without those that operating systems leave behind."""
    found = [p for p in sorted(root.rglob("*")) if p.is_file() and not any(fnmatchcase(p.name, j) for j in JUNK)]
    return [name for p in found if (name := str(p.relative_to(root))) not in known]


def find_record(dataset: str, recordings: Recordings, size: Size, subject: str, allow_missing: bool) -> Record:
    """One subject's files where they stand by themselves; a record without files if the subject is absent and may be."""
    for record in _records(dataset, recordings, size):
        if record.subject == subject:
            for name in record.files:
                refuse_no_file(recordings.folder / name)
            return record
    info, edition = _info(dataset), recordings.edition.name
    if not allow_missing:
        raise HimoeError(
            f"{recordings.folder}: {info.title}, edition '{edition}': subject {subject} is absent; {info.access}; "
            "or set allow_missing_subjects: true"
        )
    return Record(subject, (), edition)


def read_manifest(path: Path, subject: str) -> tuple[Path, Record]:
    """Folder and files of one subject as a manifest lists them; without files if the subject is known to be absent.

    Raises
    ------
    HimoeError
        If a file is absent or has another size than at intake.
    """
    manifest = io.read_json(path)
    folder = Path(manifest["root"])
    record = Record(subject, tuple(manifest["records"].get(subject, ())), manifest["edition"])
    for name in record.files:
        file = folder / name
        if not file.is_file() or file.stat().st_size != manifest["bytes"][name]:
            raise HimoeError(f"{file}: absent or of another size than at intake; delete {path} and run again")
    return folder, record


def _info(dataset: str) -> DatasetInfo:
    return registry.load("datasets", dataset).INFO
