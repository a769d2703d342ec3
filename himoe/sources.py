"""What stands in a data set's folder, recognised by name alone: parsing the workflow needs no more."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from himoe.types import DatasetInfo, Download, Edition, HimoeError


@dataclass(frozen=True)
class Source:
    """The files a data set is read from, or the downloads that will bring them (``files`` is empty then)."""

    root: Path
    edition: Edition
    folder: Path
    archives: tuple[Path, ...]
    downloads: tuple[Download, ...] = ()

    def files(self, subject: str = "*") -> list[str]:
        """Paths whose change concerns a subject: its own where the edition names them by subject, else all."""
        found = self.archives or sorted({p for f in self.edition.patterns(subject) for p in self.folder.glob(f)})
        return [str(p) for p in found]


def recognise(root: Path, info: DatasetInfo, wanted: str = "") -> tuple[Edition, Path, list[Path]]:
    """The edition that is there, the folder its files stand in, and its archives where it is not unpacked.

    Files may stand in ``root`` or in one folder below it, as archives unpack.

    Parameters
    ----------
    wanted : name of the edition asked for; empty takes the first of ``info.editions`` that is found.

    Raises
    ------
    HimoeError
        Saying what was looked for, where, and how to obtain it.
    """
    asked = [e for e in info.editions if wanted in ("", e.name)]
    folders = [root, *sorted(p for p in root.glob("*") if p.is_dir())]
    for edition in asked:
        for folder in folders:
            if any(next(folder.glob(f.replace("{subject}", "*")), None) for f in edition.files):
                return edition, folder, []
    for edition in asked:
        if archives := sorted({p for pattern in edition.archives for p in root.glob(pattern)}):
            return edition, root, archives
    looked = "; ".join(f"{e.name}: {', '.join((*e.patterns(), *e.archives))}" for e in asked)
    raise HimoeError(
        f"data set '{info.title}': nothing of it in {root}/ (looked for {looked}); {info.access}; or set data_root"
    )


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
