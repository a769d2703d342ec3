"""The streaming MATLAB reader against scipy.io.loadmat, leaf by leaf, and against damage."""

from __future__ import annotations

import contextlib
import struct
import zlib

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.io import loadmat, savemat

from himoe.data import matfile
from himoe.datasets import dreamer
from himoe.types import HimoeError, Size


def flatten(value, at=()):
    """loadmat's tree as {path: leaf}, with the paths of :func:`himoe.data.matfile.walk`."""
    if isinstance(value, np.ndarray) and value.dtype.names:
        items = value.ravel(order="F")
        for i, item in enumerate(items):
            path = at if len(items) == 1 else (*at, i)
            for name in value.dtype.names:
                yield from flatten(item[name], (*path, name))
    elif isinstance(value, np.ndarray) and value.dtype == object:
        for i, item in enumerate(value.ravel(order="F")):
            yield from flatten(item, (*at, i))
    else:
        yield at, value


def assert_equal_to_loadmat(path):
    ours = dict(matfile.walk(path))
    loaded = {k: v for k, v in loadmat(path, chars_as_strings=True).items() if not k.startswith("__")}
    theirs = {at: leaf for name, value in loaded.items() for at, leaf in flatten(value, (name,))}
    assert list(ours) == list(theirs)
    for at, leaf in theirs.items():
        if leaf.dtype.kind == "U":
            assert ours[at] == "".join(leaf.ravel()), at
        else:
            assert ours[at].dtype == leaf.dtype, at
            np.testing.assert_array_equal(ours[at], leaf, err_msg=str(at))


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    root = tmp_path_factory.mktemp("dreamer")
    dreamer.synthesize(root, Size(dreamer.INFO.subjects[:3], 4, 12.0), "matlab", 1.0, 0)
    return root / "DREAMER.mat"


def test_every_leaf_of_a_twin_is_loadmats(twin):
    assert_equal_to_loadmat(twin)
    # three subjects: Age, Gender, 3 scores, 2 signals x 2 parts x 4 clips; six fields beside (the electrodes are 14 cells)
    assert sum(1 for _ in matfile.walk(twin)) == 3 * (5 + 2 * 2 * 4) + 4 + 14


@pytest.mark.parametrize("compressed", [True, False])
def test_what_matlab_can_hold(tmp_path, compressed):
    people = np.empty((2, 2), object)
    people[:] = [[np.arange(3), "text"], [np.zeros((0, 0)), np.float32([[1, 2], [3, 4]])]]
    several = np.array([(1.0, "a"), (2.0, "bc")], dtype=[("x", object), ("name", object)])
    savemat(
        tmp_path / "all.mat",
        {
            "cells": people, "several": several, "one": {"deep": {"deeper": np.int8([[1], [-2]])}},
            "big": np.int64([[2**40]]), "three": np.arange(24.0).reshape(2, 3, 4), "none": np.zeros((0, 5)), "word": "héllo",
        },
        do_compression=compressed,
    )  # fmt: skip
    assert_equal_to_loadmat(tmp_path / "all.mat")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    array=hnp.arrays(
        st.sampled_from([np.float64, np.float32, np.int8, np.int16, np.int32, np.uint8, np.uint16]),
        hnp.array_shapes(min_dims=2, max_dims=3, max_side=7),
    ),
    compressed=st.booleans(),
)
def test_any_array_survives(tmp_path, array, compressed):
    savemat(tmp_path / "a.mat", {"s": {"a": array}}, do_compression=compressed)
    ((at, ours),) = matfile.walk(tmp_path / "a.mat")
    assert at == ("s", "a")
    assert ours.dtype == array.dtype
    np.testing.assert_array_equal(ours, array)


def _element(kind: int, data: bytes) -> bytes:
    return struct.pack("<II", kind, len(data)) + data + b"\0" * (-len(data) % 8)


@pytest.mark.parametrize("bomb", ["declared large", "many fields"])
def test_a_small_file_that_unfolds_is_refused(tmp_path, bomb):
    """Zeros of one byte declared as doubles; names of one byte by the million: refused before they are unfolded."""
    kind, shape = (6, (1 << 14, 1 << 12)) if bomb == "declared large" else (2, (1, 1))
    inner = _element(6, struct.pack("<II", kind, 0)) + _element(5, struct.pack("<ii", *shape)) + _element(1, b"x")
    if bomb == "declared large":
        inner += _element(1, bytes(1 << 26))
    else:
        inner += struct.pack("<HHi", 5, 4, 1) + _element(1, b"a" * (1 << 22))
    packed = zlib.compress(_element(14, inner))
    (tmp_path / "bomb.mat").write_bytes(b"MATLAB 5.0".ljust(124) + b"\x00\x01IM" + struct.pack("<II", 15, len(packed)) + packed)
    with pytest.raises(HimoeError, match=r"bomb\.mat: refused.*(an array of shape|a struct of \d+ fields)"):
        list(matfile.walk(tmp_path / "bomb.mat"))


def test_unwanted_leaves_are_passed_over(twin):
    wanted = ("DREAMER", "Data", 1, "ScoreValence")
    ((at, scores),) = matfile.walk(twin, lambda path: path == wanted)
    assert at == wanted
    assert scores.shape == (4, 1)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.2, 0.5, 0.9, 0.9999])
def test_truncated_files_are_refused(twin, tmp_path, share):
    whole = twin.read_bytes()
    (tmp_path / "cut.mat").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(HimoeError, match=r"cut\.mat: refused or truncated"):
        list(matfile.walk(tmp_path / "cut.mat"))


@pytest.mark.parametrize("seed", range(12))
def test_flipped_bits_are_refused(twin, tmp_path, seed):
    """Within the compressed data no flip passes: zlib's checksum covers every byte, skipped ones too."""
    rng, damaged = np.random.default_rng(seed), bytearray(twin.read_bytes())
    at = int(rng.integers(140, len(damaged) - 4))
    damaged[at] ^= 1 << int(rng.integers(8))
    (tmp_path / "flip.mat").write_bytes(damaged)
    with pytest.raises(HimoeError, match=r"flip\.mat: refused"):
        list(matfile.walk(tmp_path / "flip.mat", lambda path: False))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.integers(0, 2000), byte=st.integers(0, 255))
def test_damage_raises_one_kind_of_error_only(tmp_path, at, byte):
    """Uncompressed files have no checksum: a changed byte is read or refused, never a crash."""
    if not (tmp_path / "whole.mat").exists():
        savemat(tmp_path / "whole.mat", {"a": {"b": np.arange(6.0).reshape(2, 3), "c": "text"}, "d": np.int8([[1]])})
    damaged = bytearray((tmp_path / "whole.mat").read_bytes())
    damaged[at % len(damaged)] = byte
    (tmp_path / "damaged.mat").write_bytes(damaged)
    with contextlib.suppress(HimoeError):
        assert all(len(path) > 0 for path, _ in matfile.walk(tmp_path / "damaged.mat"))


def test_version_7_3_says_what_to_do(tmp_path):
    """A real one: HDF5 behind MATLAB's block of 512 bytes, as ``save -v7.3`` writes it."""
    with h5py.File(tmp_path / "new.mat", "w", userblock_size=512) as file:
        file.create_dataset("data", data=np.ones((3, 2))).attrs["MATLAB_class"] = np.bytes_("double")
    with open(tmp_path / "new.mat", "r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64, HDF5 schema 1.00 .".ljust(124) + b"\x00\x02IM")
    with h5py.File(tmp_path / "new.mat") as file:
        assert file["data"].shape == (3, 2)
    with pytest.raises(HimoeError, match="save it again with -v7"):
        list(matfile.walk(tmp_path / "new.mat"))


@pytest.mark.parametrize("value", [np.array([[1 + 2j]]), np.array([[True]]), "sparse"], ids=["complex", "logical", "sparse"])
def test_what_no_recording_needs_is_refused(tmp_path, value):
    from scipy.sparse import eye

    savemat(tmp_path / "odd.mat", {"x": eye(3) if isinstance(value, str) else value})
    with pytest.raises(HimoeError, match="which no recording needs"):
        list(matfile.walk(tmp_path / "odd.mat"))
