"""Pickles under a recording's name, and states to resume: programs, floods, what is not ours."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from functools import partial
from pathlib import Path
from typing import Any

from himoe.data.untrusted import read_numpy_pickle
from tests.faults.fuzz.readers import READERS
from tests.faults.table.kept_files import add, flipped, replaced, rewritten
from tests.faults.table.record import FAULTS, Fault, fault, refused

STATE = READERS["state to resume"]
add(
    "state to resume",
    STATE,
    {
        **{f"a bit at {at:.0%}": flipped(at) for at in (0, 0.2, 0.5, 0.8, 1)},
        "cut": rewritten(lambda b: b[:-1]),
        "empty": rewritten(lambda b: b""),
        "another fit's": rewritten(lambda b: b.replace(b'"key": "key"', b'"key": "xey"')),
        "a pipe": replaced("pipe"),
        "a device": replaced("device"),
        "a folder": replaced("folder"),
    },
)


@fault("state to resume", "8 GB behind a head that is right", "the fit starts from the beginning, at once")
def _(folder: Path) -> str:
    STATE.write(folder)
    os.truncate(folder / ".resume", 8 << 30)
    return refused(lambda: STATE.read(folder))


@fault("state to resume", "a program", "the fit starts from the beginning, nothing runs")
def _(folder: Path) -> str:
    content = evil(2)
    head = {"key": "key", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / ".resume").write_bytes(json.dumps(head).encode() + b"\n" + content)
    seen = refused(lambda: STATE.read(folder))
    assert not (folder / "ran").exists()
    return seen


def evil(protocol: int) -> bytes:
    """A pickle that would make a file called ``ran``."""

    class Evil:
        def __reduce__(self) -> Any:
            return os.system, ("touch ran",)

    return pickle.dumps({"data": Evil()}, protocol)


def opened(content: bytes, folder: Path) -> str:
    """A pickle under a recording's name."""
    (folder / "s01.dat").write_bytes(content)
    seen = refused(lambda: read_numpy_pickle(folder / "s01.dat"))
    assert not (folder / "ran").exists(), "it ran"
    return seen


MB = b"X" + (1 << 20).to_bytes(4, "little") + b"a" * (1 << 20)
LONG = (1 << 40).to_bytes(8, "little")
NDARRAY = b"cnumpy\nndarray\n"
STREAMS = {
    **{f"a program, protocol {p}": evil(p) for p in range(6)},
    "eval": b"\x80\x02cbuiltins\neval\n(U\x011tR.",
    "an array of 16 GB": b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(J\xff\xff\xff\x7ftU\x01dtR.",
    "a memo of 2^31": b"\x80\x02}r\xff\xff\xff\x7f.",
    "memory that nobody wrote": b"\x80\x02}(X\x04\0\0\0data" + NDARRAY + b"((K\x02K\x03tX\x02\0\0\0f8tRu.",
    "strides of 0": b"\x80\x02}(X\x04\0\0\0data" + NDARRAY + b"((J\xff\xff\xff\x7ftX\x02\0\0\0f8C\0K\0(K\0ttRu.",
    "a flood of opcodes": b"\x80\x02" + b"N0" * 2_000_000 + b"}.",
    "nested 100,000 deep": b"\x80\x02" + b"(" * 100_000 + b"t" * 100_000 + b".",
    "bytes of 1 TB": b"\x80\x04\x8e" + LONG + b".",
    "a byte array of 1 TB": b"\x80\x05\x96" + LONG + b".",
    "a frame of 1 TB": b"\x80\x04\x95" + LONG + b".",
    "1 MB copied 5,000 times": b"\x80\x04c_codecs\nencode\n\x94"
    + MB
    + b"\x94X\x06\0\0\0latin1\x94"
    + b"h\0h\1h\2\x86R" * 5000
    + b"}.",
    "an attribute of a function": b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n(N}X\x08\0\0\0__code__I1\nstb.",
    "a number of 5,000 digits": b"\x80\x02}I" + b"9" * 5000 + b"\nI1\ns.",
    "line breaks in a name": b"\x80\x04X\x05\0\0\0a\nb\x1b[X\x01\0\0\0b\x93.",
    "a name of 10 MB": b"\x80\x04X" + (10**7).to_bytes(4, "little") + b"a" * 10**7 + b"X\x01\0\0\0b\x93.",
    "empty": b"",
    "cut": b"\x80\x02}",
}
for name, stream in STREAMS.items():
    FAULTS.append(Fault("pickles", name, "one line, nothing runs", partial(opened, stream)))


@fault("pickles", "a file of 4 GB")
def _(folder: Path) -> str:
    (folder / "s01.dat").touch()
    os.truncate(folder / "s01.dat", 4 << 30)
    return refused(lambda: read_numpy_pickle(folder / "s01.dat"))
