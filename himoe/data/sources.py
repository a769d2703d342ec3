"""What stands in a data set's folder, recognised by name alone: parsing the workflow needs no more."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from himoe.types import DatasetInfo, Download, Edition, HimoeError


@dataclass(frozen=True)
class Source:
    """The files a data set is read from, or the downloads that will bring them."""

    root: Path
    edition: Edition
    folder: Path
    archives: tuple[Path, ...]
    downloads: tuple[Download, ...] = ()
    fetchable: tuple[str, ...] = ()

    def files(self, subject: str = "*") -> list[str]:
        """Paths whose change concerns a subject: its own where the edition names them by subject, else all."""
        if self.downloads:
            return [str(self.root / d.name) for d in self.downloads]
        if self.archives:
            return [str(p) for p in (*self.archives, *common_files(self.root, self.root, self.edition))]
        return [str(p) for p in own_files(self.root, self.folder, self.edition, (subject,))]

    def stamps(self, subject: str = "*") -> list[list[int]]:
        """Size and time of change (s) of each file, so that one that keeps an old time counts as changed all the same.

        Not of an archive that the workflow may have fetched itself: its coming would look like a change.
        """
        there = [p for p in map(Path, self.files(subject)) if p.is_file() and p.name not in self.fetchable]
        return [[s.st_size, int(s.st_mtime)] for s in (p.stat() for p in there)]


def drop_zone(data_root: Path, dataset: str, info: DatasetInfo) -> Path:
    """A real data set's folder: of the two names it may have the first that holds anything, else its plug-in's."""
    names = [n for n in (dataset, info.folder) if n]
    return next((data_root / n for n in names if any((data_root / n).glob("*"))), data_root / dataset)


def recognise(root: Path, info: DatasetInfo, wanted: str = "") -> tuple[Edition, Path, list[Path]]:
    """The edition that is there, the folder its files stand in, and its archives where it is not unpacked.

    Files may stand in ``root`` or in one folder below it, as archives unpack. Of several editions the one with the most of
    the data set's subjects is taken, an archive counting for all; then what is unpacked; then the first in ``info.editions``.

    Parameters
    ----------
    wanted : name of the edition asked for; empty for any.

    Raises
    ------
    HimoeError
        Saying what was looked for, where, and how to obtain it.
    """
    asked = [e for e in info.editions if wanted in ("", e.name)]
    folders = [root, *sorted(p for p in root.glob("*") if p.is_dir() and not p.name.startswith((".", "__MACOSX")))]
    found = []
    for order, edition in enumerate(asked):
        for folder in folders:
            if n := sum(has_subject(folder, edition, subject) for subject in info.subjects):
                found.append((-n, 0, order, edition, folder, []))
        if archives := _packed(root, edition.archives):
            extra = _packed(root, edition.common_archives)
            found.append((-len(info.subjects), 1, order, edition, root, [*archives, *extra]))
    if found:
        return min(found, key=lambda f: f[:3])[3:]
    looked = "; ".join(f"{e.name}: {', '.join((*e.patterns(), *e.archives))}" for e in asked)
    raise HimoeError(
        f"data set '{info.title}': nothing of it in {root}/ (looked for {looked}); {info.access}; or set data_root"
    )


def has_subject(folder: Path, edition: Edition, subject: str) -> bool:
    """Whether a subject's own files are there; files that do not name subjects are everyone's."""
    return all(any(folder.glob(f.replace("{subject}", subject))) for f in edition.files)


def _packed(root: Path, patterns: tuple[str, ...]) -> list[Path]:
    return sorted({p for pattern in patterns for p in root.glob(pattern) if not p.name.startswith(".")})


def own_files(root: Path, folder: Path, edition: Edition, subjects: tuple[str, ...]) -> list[Path]:
    """Files of some subjects and those that belong to all of them, where they stand by themselves, sorted."""
    found = {p for s in subjects for f in edition.files for p in folder.glob(f.replace("{subject}", s))}
    return sorted(found | set(common_files(root, folder, edition)))


def common_files(root: Path, folder: Path, edition: Edition) -> list[Path]:
    """Files that belong to all subjects: beside theirs, or in the drop zone ``root`` or one of its folders; never beyond it.

    Raises
    ------
    HimoeError
        If there are two that differ.
    """
    found = []
    for name in edition.common:
        here = {place / name for place in (folder, root, *root.glob("*/")) if (place / name).is_file()}
        if len({p.read_bytes() for p in here}) > 1:
            raise HimoeError(
                f"{root}: {' and '.join(map(str, sorted(here)))} differ; leave the one that belongs to the recordings"
            )
        found += sorted(here, key=lambda p: p.parent != folder)[:1]
    return found


def find(root: Path, info: DatasetInfo, wanted: str, download: bool) -> Source:
    """What :func:`recognise` finds, or, where that is nothing and ``download`` is on, what there is to fetch.

    Raises
    ------
    HimoeError
        If there is neither, or if the credentials that a download needs are not in the environment.
    """
    fetchable = tuple(d.name for d in info.downloads)
    try:
        edition, folder, archives = recognise(root, info, wanted)
        return Source(root, edition, folder, tuple(archives), fetchable=fetchable)
    except HimoeError as error:
        offered = [d for d in info.downloads if wanted in ("", d.edition)]
        if not download or not offered:
            hint = "; or set download: true" if offered and not download else ""
            raise HimoeError(f"{error}{hint}") from None
    edition = next(e for e in info.editions if e.name == offered[0].edition)
    chosen = tuple(d for d in offered if d.edition == edition.name)
    for name in (n for d in chosen for n in d.credentials):
        if not os.environ.get(name):
            raise HimoeError(f"data set '{info.title}': set the environment variable {name} to download it; {info.access}")
    return Source(root, edition, root, (), chosen, fetchable)
