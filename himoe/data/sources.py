"""What stands in a data set's folder, recognised by the names of files alone: parsing the workflow needs no more."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from himoe import registry
from himoe.config.facts import dataset_info
from himoe.types import DatasetInfo, Download, Edition, HimoeError

if TYPE_CHECKING:
    from himoe.config.run import Config


@dataclass(frozen=True)
class Recordings:
    """The files that one data set is read from. :func:`find` makes this record; all others take it from there.

    ``root`` is the data set's folder; ``folder`` the one in which subjects' files stand: ``root`` or a folder below it;
    ``archives`` are the zip files of an edition that is not unpacked; ``common`` are files that belong to all subjects, where
    they stand by themselves; ``downloads`` is what the owners' server offers of this edition, and ``awaited`` whether nothing
    is there yet, so that the workflow downloads it.
    """

    root: Path
    edition: Edition
    folder: Path
    archives: tuple[Path, ...] = ()
    common: tuple[Path, ...] = ()
    downloads: tuple[Download, ...] = ()
    awaited: bool = False

    @property
    def is_packed(self) -> bool:
        """Whether the files stand in archives, or will come in them: intake unpacks them first."""
        return bool(self.archives) or self.awaited

    def files(self, *subjects: str) -> list[Path]:
        """Files whose change concerns these subjects, or anyone if none is named; all files where they are packed."""
        if self.awaited:
            return [self.root / download.name for download in self.downloads]
        if self.archives:
            return [*self.archives, *self.common]
        globs = [pattern.replace("{subject}", s) for s in subjects or ("*",) for pattern in self.edition.files]
        return sorted({path for pattern in globs for path in self.folder.glob(pattern)} | set(self.common))

    def stamps(self, *subjects: str) -> list[list[int]]:
        """Size (bytes) and time of change (s) of each of the :meth:`files`: a copy that keeps an old time is a change too.

        Files that the workflow may have downloaded itself are left out: their arrival would look like a change.
        """
        downloaded = {download.name for download in self.downloads}
        stats = [path.stat() for path in self.files(*subjects) if path.is_file() and path.name not in downloaded]
        return [[stat.st_size, int(stat.st_mtime)] for stat in stats]

    def lacks(self, subject: str) -> list[str]:
        """Globs of a subject's own files of which there is none."""
        wanted = [pattern.replace("{subject}", subject) for pattern in self.edition.files if "{subject}" in pattern]
        return [] if self.is_packed else [pattern for pattern in wanted if not any(self.folder.glob(pattern))]

    @property
    def lacks_common(self) -> str:
        """One line if a file that belongs to all subjects is absent; empty if none is."""
        if len(self.common) == len(self.edition.common):
            return ""
        return f"{', '.join(self.edition.common)} is absent, and edition '{self.edition.name}' needs it"


def dataset_folder(data_root: Path, dataset: str, info: DatasetInfo) -> Path:
    """The folder of a real data set: of the two names it may have the first under which there is anything, else the first."""
    names = [n for n in (dataset, info.folder) if n]
    return next((data_root / n for n in names if any((data_root / n).glob("*"))), data_root / dataset)


def find(root: Path, info: DatasetInfo, edition: str = "", download: bool = False) -> Recordings:
    """The recordings in a data set's folder or, if there are none and ``download`` is on, those that can be downloaded.

    Parameters
    ----------
    edition : name of the edition asked for; empty for any.

    Raises
    ------
    HimoeError
        If there are neither, saying what was looked for, where, and how to obtain it; if the credentials that a download needs
        are not in the environment; if two copies of a file that belongs to all subjects differ.
    """
    if found := look_for(root, info, edition):
        return found
    offered = [d for d in info.downloads if edition in ("", d.edition)]
    if not download or not offered:
        names = "; ".join(f"{e.name}: {', '.join((*e.patterns(), *e.archives))}" for e in _asked(info, edition))
        hint = "; or set download: true" if offered else ""
        raise HimoeError(
            f"data set '{info.title}': nothing of it in {root}/ (looked for {names}); {info.access}; or set data_root{hint}"
        )
    chosen = next(e for e in info.editions if e.name == offered[0].edition)
    downloads = _downloads(info, chosen)
    for variable in (v for d in downloads for v in d.credentials):
        if not os.environ.get(variable):
            raise HimoeError(f"data set '{info.title}': set the environment variable {variable} to download it; {info.access}")
    return Recordings(root, chosen, root, downloads=downloads, awaited=True)


def look_for(root: Path, info: DatasetInfo, edition: str = "") -> Recordings | None:
    """The recordings in a data set's folder; None if there are none.

    Files may stand in ``root`` or in one folder below it, as archives unpack. Of several editions the one with the most of the
    data set's subjects is taken, an archive counting for all; then what is unpacked; then the first in ``info.editions``.

    Raises
    ------
    HimoeError
        If the folder cannot be read, a file's name is not UTF-8, or two copies of a file that belongs to all subjects differ.
    """
    if root.exists() and not os.access(root, os.R_OK | os.X_OK):
        raise HimoeError(f"{root}: cannot be read; check its permissions")
    folders = [root, *sorted(p for p in root.glob("*") if p.is_dir() and not p.name.startswith((".", "__MACOSX")))]
    candidates: list[tuple[tuple[int, bool, int], Edition, Path, tuple[Path, ...]]] = []
    for order, asked in enumerate(_asked(info, edition)):
        for folder in folders:
            if n_subjects := sum(_has_subject(folder, asked, subject) for subject in info.subjects):
                candidates.append(((-n_subjects, False, order), asked, folder, ()))
        if archives := _archives(root, asked.archives):
            archives += _archives(root, asked.common_archives)
            candidates.append(((-len(info.subjects), True, order), asked, root, archives))
    if not candidates:
        return None
    _, chosen, folder, archives = min(candidates, key=lambda candidate: candidate[0])
    common = find_common(root, folder, chosen)
    found = Recordings(root, chosen, folder, archives, common, _downloads(info, chosen))
    for path in found.files():
        if os.fsencode(path).decode(errors="replace") != str(path):  # neither lists of hashes nor Snakemake can write it down
            raise HimoeError(f"{path}: its name is not UTF-8; rename it")
    return found


def find_common(root: Path, folder: Path, edition: Edition) -> tuple[Path, ...]:
    """Files that belong to all subjects: beside the subjects' files, in ``root``, or in a folder directly below it.

    Raises
    ------
    HimoeError
        If there are two that differ.
    """
    found = []
    for name in edition.common:
        copies = {place / name for place in (folder, root, *root.glob("*/")) if (place / name).is_file()}
        try:
            contents = {path.read_bytes() for path in copies}
        except OSError as error:
            raise HimoeError(f"{error.filename}: cannot be read ({error.strerror}); check its permissions") from error
        if len(contents) > 1:
            raise HimoeError(
                f"{root}: {' and '.join(map(str, sorted(copies)))} differ; leave the one that belongs to the recordings"
            )
        found += sorted(copies, key=lambda path: (path.parent != folder, path))[:1]
    return tuple(found)


def _asked(info: DatasetInfo, edition: str) -> list[Edition]:
    return [e for e in info.editions if edition in ("", e.name)]


def _downloads(info: DatasetInfo, edition: Edition) -> tuple[Download, ...]:
    return tuple(d for d in info.downloads if d.edition == edition.name)


def _archives(root: Path, patterns: tuple[str, ...]) -> tuple[Path, ...]:
    return tuple(sorted({p for pattern in patterns for p in root.glob(pattern) if not p.name.startswith(".")}))


def _has_subject(folder: Path, edition: Edition, subject: str) -> bool:
    """Whether a subject's files are there; files that do not name subjects are everyone's."""
    return all(any(folder.glob(pattern.replace("{subject}", subject))) for pattern in edition.files)


class RunSources:
    """Where the data sets of a run come from, as its rules ask: looked for once, before any job.

    Raises
    ------
    HimoeError
        As :func:`find` for a data set of which there is nothing.
    """

    def __init__(self, config: Config):
        self.config = config
        self.recordings = {
            d: find(Path(self.root(d)), dataset_info(d), config.edition(d), config.download) for d in config.recordings
        }

    @property
    def awaited(self) -> list[Download]:
        """Files that the workflow downloads."""
        return [d for r in self.recordings.values() if r.awaited for d in r.downloads]

    def root(self, dataset: str) -> str:
        """Folder of the source files: the user's, or a twin's."""
        if registry.is_twin(dataset):
            return f"results/{dataset}/source"
        return str(dataset_folder(Path(self.config.data_root), dataset, dataset_info(dataset)))

    def edition(self, dataset: str) -> str:
        """Name of the edition that is read."""
        recordings = self.recordings.get(dataset)
        return recordings.edition.name if recordings else self.config.edition(dataset)

    def files(self, dataset: str, *subjects: str) -> list[str]:
        """What a data set, or one subject of it, is made from: a twin's mark, or files that are there or to be downloaded."""
        if registry.is_twin(dataset):
            return [f"results/{dataset}/twin.json"]
        return [str(path) for path in self.recordings[dataset].files(*subjects)]

    def stamps(self, dataset: str, *subjects: str) -> list[list[int]]:
        """Sizes and times of change of the source files; a twin's are known by its mark."""
        return [] if registry.is_twin(dataset) else self.recordings[dataset].stamps(*subjects)

    def is_packed(self, dataset: str) -> bool:
        """Whether recordings stand in archives, in a download to come, or in one file for all: intake unpacks them first."""
        recordings = self.recordings.get(dataset)
        unpacks = "unpack" in registry.peek("datasets", dataset)["functions"]
        return unpacks or bool(recordings and recordings.is_packed)

    def read_from(self, dataset: str, *subjects: str) -> list[str]:
        """What one subject is read from. Not the manifest where files stand by themselves, not even as ancient(): another
        subject's files would touch it, and below a job that runs Snakemake asks no further."""
        if self.is_packed(dataset):
            return [f"results/{dataset}/manifest.json", f"results/{dataset}/unpacked"]
        return self.files(dataset, *subjects)
