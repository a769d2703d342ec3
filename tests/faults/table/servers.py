"""Servers that misbehave."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from unittest import mock

from himoe.data import download
from himoe.types import Download
from tests.faults.server import CONTENT, Server, serving
from tests.faults.table.record import FAULTS, Fault, refused

LINES = {
    "cut": "not downloaded after 4 tries",
    "cut_unmeasured": "no whole zip file",
    "undecodable": "no whole zip file",
    "login": "a web page came",
    "login_disguised": "a web page came",
    "locked": "access refused (401)",
    "busy": "status 503",
    "gone": "status 404",
    "elsewhere": "another host",
    "round": "redirects",
    "drip": "bytes in 1 s",
    "drip_of_headers": "bytes in 1 s",
    "silent": "bytes in 1 s",
    "endless": "no file of this data set",
    "enormous": "announced",
    "packed_bomb": "bytes came",
    "words_for_a_length": "not downloaded",
    "less_than_nothing": "-5 bytes are announced",
    "to_a_file": "another host",
    "to_ftp": "another host",
    "to_nowhere": "not downloaded",
    "to_a_script": "another host",
}
TAKEN = ("fine", "busy_twice", "near", "fast_enough")


def asked(name: str, part: str, folder: Path) -> str:
    """One file from a server that has the fault; nothing is left where it is refused."""
    Server.calls = {}
    patches = (
        mock.patch("pooch.core.time.sleep"),
        mock.patch.object(download, "STALL_SECONDS", 1.0),
        mock.patch.object(download, "MAX_BYTES", 1 << 24),
    )
    with serving(Server) as address, patches[0], patches[1], patches[2]:
        get = partial(download.fetch, [Download("zip", f"{address}/{name}/a.zip", "a.zip")], folder / "root")
        seen = refused(get, part) if part else str(get()["a.zip"]["bytes"]) + " bytes"
        seen = seen.replace(address, "http://server").replace(address.rpartition(":")[2], "PORT")
    left = [p.read_bytes() for p in (folder / "root").glob("*")]
    assert left == ([] if part else [CONTENT]), f"{len(left)} files are left"
    return seen


FAULTS.extend(
    Fault("downloads", n.replace("_", " "), "one line, no file", partial(asked, n, part), 8.0) for n, part in LINES.items()
)
FAULTS.extend(Fault("downloads", n.replace("_", " "), "the whole file", partial(asked, n, ""), 8.0) for n in TAKEN)


def nobody(folder: Path) -> str:
    """A port at which no server answers."""
    with mock.patch("pooch.core.time.sleep"):
        return refused(
            lambda: download.fetch([Download("zip", "http://127.0.0.1:9/a.zip", "a.zip")], folder),
            "not downloaded after 4 tries",
        )


FAULTS.append(Fault("downloads", "nobody answers", "one line, no file", nobody))
