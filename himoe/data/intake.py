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
TRUSTED, KEPT = "manifest.json", "first_seen.json"
JUNK = (".DS_Store", "Thumbs.db", "desktop.ini", "._*")


def find(dataset: str, root: Path, edition: str = "") -> Recordings:
    """The recordings of a data set or a twin, as :func:`himoe.data.sources.find` finds them."""
    if registry.is_twin(dataset) and not any(root.glob("*")):
        raise HimoeError(f"{root}: the twin's files are gone; delete {root.parent / 'twin.json'} and run again")
    return sources.find(root, _info(dataset), edition)


def take_in(dataset: str, recordings: Recordings, size: Size, unpacked: Path, allow_missing: bool = False) -> dict[str, Any]:
    """Unpack what is packed, then list each subject's files with size and SHA-256.

    Hashes of a real data set are compared with those in ``manifest.json`` of its folder (trust on first use) or with published
    ones, and new ones are added there; where the folder cannot be written, to ``first_seen.json`` beside ``unpacked``.

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
    kept = unpacked.parent / KEPT
    known, changed = compare(recordings, facts, kept) if is_real else ({}, {})
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
        _remember(root / TRUSTED, kept, known, facts)
    stray = refuse_copies(recordings, facts, folder, records)
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


def compare(
    recordings: Recordings, facts: dict[str, dict[str, Any]], kept: Path | None = None
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Compare files with what was seen before and with published hashes.

    Parameters
    ----------
    kept : list of hashes of an earlier run that could not write into the folder of the data.

    Returns the facts of :func:`hash_files` as they were first seen, and path -> one line for each file that differs.
    """
    known: dict[str, dict[str, Any]] = {}
    list_of: dict[str, Path] = {}
    for path in filter(None, (kept, recordings.root / TRUSTED)):
        listed = _hashes_in(path)
        known |= listed
        list_of |= dict.fromkeys(listed, path)
    published = {d.name: d.sha256 for d in recordings.downloads if d.sha256}
    changed = {}
    for name, fact in facts.items():
        file = recordings.root / name
        if published.get(name, fact["sha256"]) != fact["sha256"]:
            changed[name] = f"{file}: SHA-256 is not the published one ({published[name]}); obtain it again"
        elif known.get(name, fact).get("sha256") != fact["sha256"]:
            changed[name] = (
                f"{file}: differs from when it was first seen ({list_of[name]}); obtain it again, or, if you replaced it on "
                "purpose, delete its entry there"
            )
    return known, changed


def _hashes_in(path: Path) -> dict[str, dict[str, Any]]:
    """A list of hashes; empty where there is none, or where it is another person's and closed."""
    if not path.is_file():
        return {}
    if not os.access(path, os.R_OK):
        log.warning("%s: cannot be read: what it says of earlier runs counts for nothing", path)
        return {}
    remedy = "delete it, and the files are trusted as they are now"
    try:
        known = io.read_json(path)
    except HimoeError as error:
        raise HimoeError(f"{error}; {remedy}") from error
    if not isinstance(known, dict) or not all(isinstance(fact, dict) for fact in known.values()):
        raise HimoeError(f"{path}: not a list of hashes; {remedy}")
    return known


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
            shutil.copyfile(path, unpacked / path.name)  # who may read it: as the umask says
        folder = unpacked
    if hasattr(plugin, "unpack"):
        plugin.unpack(folder, unpacked, size)
        folder = unpacked
    if folder != recordings.folder:
        recordings = Recordings(folder, edition, folder, common=sources.find_common(folder, folder, edition))
    return folder, _records(dataset, recordings, size)


def absent(dataset: str, recordings: Recordings, size: Size) -> list[str]:
    """Subjects of whom there are no recordings, as their reader finds them; none where files are still to be unpacked."""
    if recordings.is_packed or hasattr(registry.load("datasets", dataset), "unpack"):
        return []
    return [s for s in size.subjects if s not in {record.subject for record in _records(dataset, recordings, size)}]


def _records(dataset: str, recordings: Recordings, size: Size) -> list[Record]:
    """Files of each subject that is there, with those that belong to all, relative to the folder they are read from."""
    records = registry.load("datasets", dataset).records(recordings.folder, size, recordings.edition)
    if records and recordings.lacks_common:
        raise HimoeError(f"{recordings.folder}: {recordings.lacks_common}; place it there")
    common = [os.path.relpath(path, recordings.folder) for path in recordings.common]
    return [Record(r.subject, (*r.files, *common), r.edition) for r in records]


def _remember(trusted: Path, kept: Path, known: dict[str, Any], facts: dict[str, Any]) -> None:
    """Add the facts of files that were seen for the first time, once they have proved to be whole: to the list in the folder of
    the data, which all who read it share, else to that of this run."""
    if not (new := {name: fact for name, fact in facts.items() if name not in known}):
        return
    try:
        io.write_json(trusted, known | new)
    except HimoeError:
        io.write_json(kept, known | new)
        log.warning("%s: cannot be written; the hashes are kept in %s", trusted, kept)
    log.info("%d files trusted on first use", len(new))


def refuse_copies(recordings: Recordings, facts: dict[str, Any], folder: Path, records: list[Record]) -> list[str]:
    """Files that are not read; those of ``facts``, and of ``records`` in ``folder``, are. HimoeError if one ends in the path of
    one that is read, and differs from it: nobody has said which one counts."""
    root = recordings.root
    read = {os.path.relpath(root / name, recordings.folder): root / name for name in facts}
    read |= {name: folder / name for record in records for name in record.files}
    stray = _stray(root, {*facts, TRUSTED})
    for name in stray:
        parts = Path(name).parts
        for tail in ("/".join(parts[i:]) for i in range(len(parts))):
            if tail in read and not filecmp.cmp(root / name, read[tail], shallow=False):
                raise HimoeError(f"{root / name}: another {tail} is read, and they differ; leave the one that counts")
    return stray


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
