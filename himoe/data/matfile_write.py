"""A compressed MATLAB v5 file that several cores write: parts are compressed apart and joined, as pigz does, so that its bytes
are the same however many there are. Format: MathWorks, *MAT-File Format*, version 5; RFC 1950, 1951."""

from __future__ import annotations

import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

from himoe import io
from himoe.data.matfile import COMPRESSED

HEADER = 128  # bytes
TEXT = b"MATLAB 5.0 MAT-file, written by himoe".ljust(116)  # without the time of day, which scipy puts there
PART = 1 << 22  # bytes compressed apart: a window of 32 kB begins anew in each, which costs no 1%


def write_compressed(path: Path, name: str, value: Any, threads: int = 1, part: int = PART) -> None:
    """Write one variable, compressed in parts; :func:`scipy.io.savemat` says what ``value`` may be. While zlib works other
    threads run."""
    from scipy.io import savemat

    stream = BytesIO()
    savemat(stream, {name: value})
    content = stream.getbuffer()
    element = content[HEADER:]
    starts = range(0, len(element), part)
    with ThreadPoolExecutor(threads) as pool:
        bodies = list(pool.map(lambda at: _deflated(element[at : at + part], last=at == starts[-1]), starts))
    pieces = [b"\x78\x9c", *bodies, struct.pack(">I", zlib.adler32(element))]
    with io.atomic(path) as temporary, open(temporary, "wb") as out:
        out.write(TEXT + content[len(TEXT) : HEADER])
        out.write(struct.pack("<II", COMPRESSED, sum(map(len, pieces))))
        out.writelines(pieces)


def _deflated(content: memoryview, *, last: bool) -> bytes:
    """Raw deflate blocks that end at a byte, so that others may follow."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(content) + compressor.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)
