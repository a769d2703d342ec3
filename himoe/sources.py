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

    def files(self, subject: str = "*") -> list[str]:
        """Paths whose change concerns a subject: its own where the edition names them by subject, else all."""
        found = list(self.archives) or own_files(self.root, self.folder, self.edition, (subject,))
        return [str(p) for p in found] or [str(self.root / d.name) for d in self.downloads]

    def stamps(self, subject: str = "*") -> list[list[int]]:
        """Size and time of change of each file that stands by itself: one that keeps an old time has changed all the same."""
        if self.archives or self.downloads:
            return []
        there = [Path(f).stat() for f in self.files(subject) if Path(f).is_file()]
        return [[s.st_size, s.st_mtime_ns] for s in there]


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
            if n := sum(_has(folder, edition, subject) for subject in info.subjects):
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


def _has(folder: Path, edition: Edition, subject: str) -> bool:
    """Whether a subject's own files are there; files that do not name subjects are everyone's."""
    return all(any(folder.glob(f.replace("{subject}", subject))) for f in edition.files)


def _packed(root: Path, patterns: tuple[str, ...]) -> list[Path]:
    return sorted({p for pattern in patterns for p in root.glob(pattern) if not p.name.startswith(".")})


def own_files(root: Path, folder: Path, edition: Edition, subjects: tuple[str, ...]) -> list[Path]:
    """Files of some subjects and those that belong to all of them, where they stand by themselves, sorted."""
    found = {p for s in subjects for f in edition.files for p in folder.glob(f.replace("{subject}", s))}
    for place in (folder, *([root, *root.glob("*/")] if folder != root else folder.glob("*/"))):
        found |= {p for f in edition.common for p in place.glob(f)}
    return sorted(found)


def find_common(folder: Path, name: str) -> Path:
    """A file that belongs to all subjects: beside their files, one folder further down or up, or in a folder beside theirs.

    Raises
    ------
    HimoeError
        If it is in none of them.
    """
    for place in (folder, *sorted(folder.glob("*/")), folder.parent, *sorted(folder.parent.glob("*/"))):
        if found := next(place.glob(name), None):
            return found
    raise HimoeError(f"{folder / name}: absent, and this edition needs it; unpack or place it there")


def find(root: Path, info: DatasetInfo, wanted: str, download: bool) -> Source:
    """What :func:`recognise` finds, or, where that is nothing and ``download`` is on, what there is to fetch.

    Raises
    ------
    HimoeError
        If there is neither, or if the credentials that a download needs are not in the environment.
    """
    try:
        edition, folder, archives = recognise(root, info, wanted)
        return Source(root, edition, folder, tuple(archives))
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
    return Source(root, edition, root, (), chosen)
