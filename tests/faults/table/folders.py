"""What stands in a data set's folder: copies, strangers, what is no file; and who else reads it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from himoe.data import intake
from himoe.data.twins import synthesize
from himoe.datasets import esports
from himoe.types import Size
from tests.conftest import ROOT
from tests.faults.table.record import FAULTS, REFUSED, Fault, NotTried, fault, refused

SIZE, PLAYERS = Size(("s01", "s02"), 2, 4.0), Size(esports.INFO.subjects, 2, 30.0)


def deap(folder: Path, seed: int = 0, name: str = "deap") -> Path:
    """Two people's files."""
    synthesize("deap", folder / name, SIZE, "python", 1.0, seed)
    return folder / name


def take(folder: Path) -> dict[str, Any]:
    """What intake lists."""
    return intake.take_in("deap", intake.find("deap", folder / "deap"), SIZE, folder / "unpacked")


def _zip(files: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as out:
        for path in files.glob("*.dat"):
            out.write(path, path.name)


COPIES: dict[str, Callable[[Path, Path], Any]] = {
    "a backup folder": lambda old, root: shutil.copytree(old, root / "backup"),
    "an archive beside loose files": lambda old, root: _zip(old, root / "data_preprocessed_python.zip"),
    "another folder of all files": lambda old, root: (
        shutil.copytree(old, root / "b"),
        [p.rename(_in(root, "a") / p.name) for p in root.glob("*.dat")],
    ),
    "two archives": lambda old, root: (
        _zip(root, root / "data_preprocessed_python.zip"),
        _zip(old, root / "data_preprocessed_python_old.zip"),
        [p.unlink() for p in root.glob("*.dat")],
    ),
}


def _in(root: Path, name: str) -> Path:
    (root / name).mkdir(exist_ok=True)
    return root / name


def copied(arrange: Callable[[Path, Path], Any], seed: int, folder: Path) -> str:
    """Files and other, or the same, files under their names."""
    root, old = deap(folder), deap(folder, seed, "old")
    arrange(old, root)
    if seed:
        return refused(lambda: take(folder), "differ")
    return f"{len(take(folder)['records'])} people, once each"


for name, arrange in COPIES.items():
    FAULTS.append(Fault("copies", f"{name}, and they differ", REFUSED, partial(copied, arrange, 9)))
    FAULTS.append(Fault("copies", f"{name}, the same", "read once", partial(copied, arrange, 0)))


def odd(make: Callable[[Path], Any], part: str, folder: Path) -> str:
    """A subject's file is something else."""
    root = deap(folder)
    (root / "s02.dat").unlink()
    make(root / "s02.dat")
    return refused(lambda: take(folder), part)


for name, (make, part) in {
    "a pipe": (os.mkfifo, "pipe or device"),
    "a device": (lambda p: p.symlink_to("/dev/zero"), "pipe or device"),
    "a folder": (Path.mkdir, "a folder"),
    "a link to itself": (lambda p: p.symlink_to(p.name), ""),
    "a link to nothing": (lambda p: p.symlink_to("nothing"), ""),
    "absent": (lambda p: None, "1 of 2 subjects absent"),
}.items():
    FAULTS.append(Fault("no file", f"s02.dat: {name}", REFUSED, partial(odd, make, part)))


@fault("copies", "files that are none, names of markup and not UTF-8", "listed, printable")
def _(folder: Path) -> str:
    root = deap(folder)
    for name in (b"<img src=x onerror=alert(1)>.txt", b"a\nb\x1b[2J.txt", b"\xff\xfe.txt", b"s33.dat"):
        (root / os.fsdecode(name)).write_text("x")
    stray = take(folder)["stray"]
    assert len(stray) == 4
    assert all(name.isprintable() for name in stray)
    return "; ".join(stray)


@fault("changed by hand", "a recording, after it was first seen")
def _(folder: Path) -> str:
    root = deap(folder)
    take(folder)
    content = bytearray((root / "s01.dat").read_bytes())
    content[-100] ^= 1
    (root / "s01.dat").write_bytes(content)
    return refused(lambda: take(folder), "differs from when it was first seen")


def manifest(make: Callable[[Path], Any], folder: Path) -> str:
    """The list of hashes is damaged: refused, or written anew where there is none."""
    make(deap(folder) / "manifest.json")
    try:
        return refused(lambda: take(folder), "delete it")
    except AssertionError:
        assert not (folder / "deap/manifest.json").is_symlink()
        return "trusted on first use"


for name, make in {
    "cut": lambda p: p.write_text('{"s01.dat": {"sha25'),
    "a number for a hash": lambda p: p.write_text('{"s01.dat": {"sha256": 5}}'),
    "empty": lambda p: p.write_text(""),
    "a list": lambda p: p.write_text("[]"),
    "a pipe": os.mkfifo,
    "nested 100,000 deep": lambda p: p.write_text("[" * 100_000),
}.items():
    FAULTS.append(Fault("damaged", f"the list of hashes: {name}", "one line, or trusted on first use", partial(manifest, make)))

MATCHES: dict[str, Callable[[Path], Any]] = {
    **{
        f"a copy called {name}": lambda m, name=name: shutil.copytree(m, m.parent / name)
        for name in ("match_1_backup", "match_1 (copy)", "match_01")
    },
    "a player of old": lambda m: shutil.copytree(m / "player_1", m / "player_1_old"),
    "a player too many": lambda m: shutil.copytree(m / "player_1", m / "player_5"),
    "another spelling of the team": lambda m: (m / "meta_info.json").write_text('{"team": "Amateurs"}'),
    "no team": lambda m: (m / "meta_info.json").unlink(),
    "a modality in capitals": lambda m: (m / "player_1/gsr.csv").rename(m / "player_1/GSR.csv"),
    "a stranger's table": lambda m: shutil.copy(m / "player_1/gsr.csv", m / "player_1/x.csv"),
}


def match(change: Callable[[Path], Any], folder: Path) -> str:
    """A match with something that is none of it."""
    synthesize("esports", folder / "e", PLAYERS, "csv", 1.0, 0)
    change(folder / "e/matches/match_1")
    return refused(lambda: esports.records(folder / "e", PLAYERS, esports.INFO.editions[0]))


FAULTS.extend(Fault("copies", f"eSports: {name}", REFUSED, partial(match, change)) for name, change in MATCHES.items())

TAKE = """
import json, os, sys, traceback, zipfile, numpy  # all of it: the other user may not enter the interpreter's folder
from pathlib import Path
from himoe import registry
from himoe.data import intake
registry.load("datasets", "deap")
from himoe.types import HimoeError, Size
os.umask(0o077)
root, out = Path(sys.argv[1]), Path(sys.argv[2])
if len(sys.argv) > 3:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    print(sorted(intake.take_in("deap", intake.find("deap", root), Size(("s01", "s02"), 2, 4.0), out)["records"]))
except HimoeError as error:
    print(error)
"""


def _other(folder: Path, *more: str) -> str:
    """As another user who may write nothing there, or as this one."""
    out = folder / f"out{len(more)}"
    out.mkdir()
    out.chmod(0o777)
    command = [sys.executable, "-c", TAKE, str(folder / "deap"), str(out / "unpacked"), *more]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=60)
    assert done.returncode == 0, done.stderr[-500:]
    return done.stdout.strip()


def two_users(first_mode: int, must: str, folder: Path) -> str:
    """The owner of the folder and somebody who may only read it."""
    if os.geteuid():
        raise NotTried("needs root")
    for at in (folder, *folder.parents):
        if at.stat().st_mode & 0o005 != 0o005 and at != Path("/"):
            raise NotTried("needs a folder that others may enter")
    root = deap(folder)
    root.chmod(0o755)
    _other(folder)  # the owner, by whose umask nobody else may read the list of hashes
    (root / "s02.dat").chmod(first_mode)
    seen = _other(folder, "as nobody")
    assert must in seen, seen
    return seen


FAULTS.append(
    Fault(
        "two users",
        "one data_root, the list of hashes is the first one's alone",
        "one line, or goes on",
        partial(two_users, 0o644, ""),
        30.0,
    )
)
FAULTS.append(
    Fault("two users", "a file that the second may not read", REFUSED, partial(two_users, 0o600, "cannot be read"), 30.0)
)
