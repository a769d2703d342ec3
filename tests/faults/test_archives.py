"""Archives: what is asked for comes out, or nothing at all."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from himoe.data.untrusted import extract
from himoe.types import HimoeError
from tests.faults.archives import undecodable, write_zip

MB = 1 << 20


def _link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    return info


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("s01.dat", b"x"), ("../evil.dat", b"x")], "points outside"),
        ([("s01.dat", b"x"), ("/evil.dat", b"x")], "points outside"),
        ([("s01.dat", b"x"), ("a/../../evil.dat", b"x")], "points outside"),
        ([("s01.dat", b"x"), ("..\\evil.dat", b"x")], "points outside"),
        ([("s01.dat", b"x"), ("C:/evil.dat", b"x")], "points outside"),
        ([(_link("s01.dat"), b"/etc/passwd")], "is a link or device"),
        ([("s01.dat", b"\0" * (64 * MB))], "unpacks to"),
        ([("a/s01.dat", b"x"), ("b/s01.dat", b"y")], "two members called s01.dat"),
        ([("readme.txt", b"x")], r"no \*\.dat in it"),
        ([("s" * 300 + ".dat", b"x")], "a name of 304 characters"),
    ],
    ids=["climbs", "absolute", "climbs inside", "backslash", "drive", "link", "bomb", "twice", "stranger", "long name"],
)
def test_hostile_archives_write_nothing(tmp_path, members, message):
    write_zip(tmp_path / "a.zip", members)
    out = tmp_path / "deep" / "out"
    with pytest.raises(HimoeError, match=rf"a\.zip: refused or truncated.*{message}"):
        extract(tmp_path / "a.zip", out, ("*.dat",))
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["a.zip"]


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_archive_leaves_no_half_file(tmp_path, damage):
    rng = np.random.default_rng(0)
    write_zip(tmp_path / "a.zip", [("s01.dat", rng.bytes(100_000))])
    whole = bytearray((tmp_path / "a.zip").read_bytes())
    if damage == "flip":
        whole[50_000] ^= 1
    (tmp_path / "a.zip").write_bytes(whole if damage == "flip" else whole[:60_000])
    with pytest.raises(HimoeError, match=r"a\.zip: refused or truncated"):
        extract(tmp_path / "a.zip", tmp_path / "out", ("*.dat",))
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["a.zip"]


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA], ids=["deflate", "lzma"])
def test_a_stream_that_cannot_be_decoded_is_one_line(tmp_path, method):
    (tmp_path / "a.zip").write_bytes(undecodable(method))
    with pytest.raises(HimoeError, match=r"a\.zip: refused or truncated \(.+\); obtain the file again"):
        extract(tmp_path / "a.zip", tmp_path / "out", ("*.dat",))
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["a.zip"]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    write_zip(tmp_path / "a.zip", [("s01.dat", b"x")])
    with pytest.raises(HimoeError, match=r"a\.zip/out/s01\.dat: cannot be written \(Not a directory\)"):
        extract(tmp_path / "a.zip", tmp_path / "a.zip/out", ("*.dat",))


def test_only_what_is_asked_for_comes_out(tmp_path):
    with pytest.raises(HimoeError, match=r"none\.zip: cannot be read"):
        extract(tmp_path / "none.zip", tmp_path, ("*.dat",))
    members = [("top/data/x/sub_1.csv", b"1"), ("top/data/y/sub_1.csv", b"2"), ("top/code/run.py", b"evil()")]
    members.append(("top/code/zeros.bin", b"\0" * (4 * MB)))  # out of proportion, but nobody asked for it
    write_zip(tmp_path / "a.zip", members)
    assert extract(tmp_path / "a.zip", tmp_path / "out", ("data/x/*.csv",)) == ["data/x/sub_1.csv"]
    assert [str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*") if p.is_file()] == ["data/x/sub_1.csv"]
