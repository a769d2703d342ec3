"""Files of a run that were changed by hand, damaged, or put in the place of others."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from himoe import io
from tests.faults.fuzz.reader import Reader
from tests.faults.fuzz.readers import READERS
from tests.faults.table.record import FAULTS, REFUSED, Fault, fault, refused

SEALED = [name for name in READERS if name.endswith(", sealed")]


def damaged(reader: Reader, change: Callable[[Path], None], part: str, folder: Path) -> str:
    """What a reader says of a file that was changed."""
    reader.write(folder)
    reader.read(folder)
    change(folder / reader.file)
    return refused(lambda: reader.read(folder), part)


def add(family: str, reader: Reader, changes: dict[str, Callable[[Path], None]], part: str = "") -> None:
    """Entries for one file."""
    FAULTS.extend(Fault(family, f"{reader.file}: {n}", REFUSED, partial(damaged, reader, c, part)) for n, c in changes.items())


def flipped(at: float) -> Callable[[Path], None]:
    """One bit, at a share of the file."""

    def change(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[int(at * (len(content) - 1))] ^= 4
        path.write_bytes(content)

    return change


def replaced(kind: str) -> Callable[[Path], None]:
    """Something else under its name."""

    def change(path: Path) -> None:
        path.unlink()
        make = {
            "pipe": lambda: os.mkfifo(path),
            "device": lambda: path.symlink_to("/dev/zero"),
            "folder": path.mkdir,
            "loop": lambda: path.symlink_to(path),
            "nothing": lambda: None,
        }
        make[kind]()

    return change


def rewritten(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """By its bytes."""
    return lambda path: path.write_bytes(change(path.read_bytes())) and None


for name in SEALED:
    part = "changed since it was written"
    add(
        "changed by hand",
        READERS[name],
        {"a bit": flipped(0.5), "cut": rewritten(lambda b: b[:-1]), "longer": rewritten(lambda b: b + b" ")},
        part,
    )
for name in ("tokens", "run record", "recordings", "weights", "predictions", "scores", "split file"):
    reader = READERS[name]
    add("no file", reader, {kind: replaced(kind) for kind in ("pipe", "device", "folder", "nothing")})
    add("damaged", reader, {"empty": rewritten(lambda b: b"")})
    if name != "scores":
        add("damaged", reader, {"zeros": rewritten(lambda b: bytes(len(b)))})
for name in ("recordings", "weights"):
    add("damaged", READERS[name], {f"a bit at {at:.0%}": flipped(at) for at in (0, 0.1, 0.3, 0.5, 0.7, 0.9, 1)})
    add(
        "damaged",
        READERS[name],
        {"cut": rewritten(lambda b: b[:-8]), "header of 2^60": rewritten(lambda b: (1 << 60).to_bytes(8, "little") + b[8:])},
    )


def header(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    """Of a .safetensors file."""

    def of(path: Path) -> None:
        content = path.read_bytes()
        n = int.from_bytes(content[:8], "little")
        head = json.loads(content[8 : 8 + n])
        change(head)
        text = json.dumps(head).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + n :])

    return of


def first(head: dict[str, Any]) -> dict[str, Any]:
    """The first array's entry."""
    return head[next(k for k in head if k != "__metadata__")]


for name in ("recordings", "weights"):
    add(
        "damaged",
        READERS[name],
        {
            "negative shape": header(lambda h: first(h).update(shape=[-1, -1])),
            "another type": header(lambda h: first(h).update(dtype="F16")),
            "arrays that overlap": header(lambda h: first(h).update(data_offsets=[0, 8])),
            "offsets of text": header(lambda h: first(h).update(data_offsets=["a", "b"])),
            "no metadata": header(lambda h: h.update({"__metadata__": {}})),
            "an array more": header(lambda h: h.update(x=dict(first(h)))),
        },
    )
add(
    "damaged",
    READERS["recordings"],
    {
        "another clock": rewritten(lambda b: b.replace(b"[1.0, 0.0]", b"[2.0, 0.0]")),
        "another person": rewritten(lambda b: b.replace(b'[\\"s\\"', b'[\\"t\\"')),
        "metadata nested 100,000 deep": rewritten(
            lambda b: (100_017).to_bytes(8, "little") + b'{"__metadata__": ' + b"[" * 100_000
        ),
    },
)


def arrays(**changes: Callable[[np.ndarray], Any]) -> Callable[[Path], None]:
    """Of tokens whose seal is gone; None takes one away."""

    def change(path: Path) -> None:
        with np.load(path) as stored:
            kept = dict(stored)
        new = {name: of(kept[name]) for name, of in changes.items()}
        np.savez(path, **{k: v for k, v in (kept | new).items() if v is not None})

    return change


def meta(change: Callable[[Any], Any]) -> Callable[[np.ndarray], np.ndarray]:
    """Of what stands in tokens as JSON."""
    return lambda m: np.frombuffer(json.dumps(change(json.loads(bytes(m)))).encode(), np.uint8)


add(
    "damaged",
    READERS["tokens"],
    {
        "a column less": arrays(x=lambda x: x[:, 1:]),
        "no labels": arrays(y=lambda y: None),
        "offsets reversed": arrays(offsets=lambda o: o[::-1]),
        "a pickle": arrays(x=lambda x: np.array([{}], object)),
        "a list for what it says": arrays(meta=meta(lambda m: [1])),
        "no layout": arrays(meta=meta(lambda m: {"format": 2, "trials": m["trials"]})),
        "no JSON": arrays(meta=lambda m: np.zeros(5, np.uint8)),
        "trials of three fields": arrays(meta=meta(lambda m: m | {"trials": [t[:3] for t in m["trials"]]})),
        "a mask of numbers": arrays(mask=lambda x: x * 0.5),
        "numbers for names": arrays(meta=meta(lambda m: m | {"trials": [[1, *t[1:]] for t in m["trials"]]})),
    },
)


def record(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    """Of run.json whose seal is gone."""
    return rewritten(lambda b: json.dumps(change(json.loads(b))).encode())


add(
    "damaged",
    READERS["run record"],
    {
        "no folds": record(lambda r: {k: v for k, v in r.items() if k != "folds"}),
        "a list": record(lambda r: []),
        "a fold of none": record(lambda r: r | {"folds": r["folds"] | {"7": r["folds"]["0"]}}),
        "a fold of text": record(lambda r: r | {"folds": {"x": r["folds"]["0"]}}),
        "no hash": record(lambda r: {"folds": r["folds"]}),
        "what was read is text": record(lambda r: r | {"folds": {"0": r["folds"]["0"] | {"read": "all"}}}),
        "an earlier version": record(lambda r: r | {"folds": {"0": {"read": []}}}),
        "nested 100,000 deep": rewritten(lambda b: b"[" * 100_000),
        "not UTF-8": rewritten(lambda b: b"\xff" + b),
    },
)
add(
    "damaged",
    READERS["split file"],
    {
        "another part": rewritten(lambda b: b.replace(b"test", b"<b>")),
        "a fold of text": rewritten(lambda b: b.replace(b"\n0,", b"\nx,")),
        "half a fold": rewritten(lambda b: b.replace(b"\n0,", b"\n0.5,")),
        "a trial in two parts": rewritten(lambda b: b + b.split(b"\n")[1].replace(b"train", b"valid") + b"\n"),
        "no digests": rewritten(lambda b: b"\n".join(r.rpartition(b",")[0] + b"," for r in b.split(b"\n") if r)),
        "no test rows": rewritten(lambda b: b.replace(b"test", b"train")),
    },
)


@fault("damaged", "tokens that unpack to 6 GB of zeros")
def _(folder: Path) -> str:
    head = (
        b"\x93NUMPY\x01\0v\0" + str({"descr": "<f4", "fortran_order": False, "shape": (6 << 28,)}).encode().ljust(117) + b"\n"
    )
    with (
        zipfile.ZipFile(folder / "s.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,
        packed.open("x.npy", "w", force_zip64=True) as out,
    ):
        out.write(head)
        for _ in range(40):
            out.write(bytes(1 << 24))
    return refused(lambda: READERS["tokens"].read(folder), "it unpacks to")


@fault("damaged", "tokens of which a header speaks of 4 TB")
def _(folder: Path) -> str:
    head = (
        b"\x93NUMPY\x01\0v\0" + str({"descr": "<f4", "fortran_order": False, "shape": (1 << 40,)}).encode().ljust(117) + b"\n"
    )
    with zipfile.ZipFile(folder / "s.npz", "w") as packed:
        packed.writestr("x.npy", head + bytes(64))
    return refused(lambda: READERS["tokens"].read(folder), "64 bytes follow")


@fault("changed by hand", "sealed twice the same", "equal bytes")
def _(folder: Path) -> str:
    for name in ("a", "b"):
        io.write_json(folder / f"{name}.json", {"b": 1, "a": [1.5]}, sealed=True)
    assert (folder / "a.json").read_bytes() == (folder / "b.json").read_bytes()
    return "equal bytes"
