"""Files: whole or not at all, and never a program."""

from __future__ import annotations

import pickle
import struct

import numpy as np
import pytest

from himoe import io
from himoe.data.tokens import read_tokens, write_tokens
from himoe.data.untrusted import read_numpy_pickle
from himoe.datasets import deap
from himoe.types import HimoeError, Size
from tests.conftest import make_tokens

SIZE = Size(("s01",), 2, 8.0)


class Evil:
    def __reduce__(self):
        import os

        return os.system, ("touch evil_ran",)


def test_atomic_leaves_nothing_on_failure(tmp_path):
    (tmp_path / "x.txt").write_text("old")

    def fail():
        with io.atomic(tmp_path / "x.txt") as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (tmp_path / "x.txt").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.txt"]


def test_tokens_round_trip(tmp_path, tokens):
    write_tokens(tmp_path / "s.npz", tokens)
    again = read_tokens(tmp_path / "s.npz")
    assert again.trials == tokens.trials
    assert again.layout == tokens.layout
    for name in ("x", "mask", "time", "y", "offsets"):
        np.testing.assert_array_equal(getattr(again, name), getattr(tokens, name))


def test_truncated_tokens_are_refused(tmp_path):
    write_tokens(tmp_path / "s.npz", make_tokens(2))
    whole = (tmp_path / "s.npz").read_bytes()
    (tmp_path / "s.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(HimoeError, match=r"s\.npz: changed since it was written"):
        read_tokens(tmp_path / "s.npz")
    (tmp_path / "s.npz.sha256").unlink()
    with pytest.raises(HimoeError, match=r"s\.npz: not a tokens file"):
        read_tokens(tmp_path / "s.npz")


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_pickled_program_does_not_run(tmp_path, monkeypatch, protocol):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s01.dat").write_bytes(pickle.dumps({"data": Evil()}, protocol=protocol))
    with pytest.raises(HimoeError, match=r"s01\.dat: refused"):
        read_numpy_pickle(tmp_path / "s01.dat")
    assert not (tmp_path / "evil_ran").exists()


@pytest.mark.parametrize(
    "stream",
    [
        b"\x80\x02cbuiltins\neval\n(U\x011tR.",
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(J\xff\xff\xff\x7ftU\x01dtR.",  # 16 GB array stub
        b"\x80\x02}r\xff\xff\xff\x7f.",  # memo index of 2^31: the C unpickler would allocate for it
        b"",
        b"\x80\x02}",
    ],
    ids=["eval", "array bomb", "memo bomb", "empty", "truncated"],
)
def test_hostile_streams_are_refused_cheaply(tmp_path, stream):
    (tmp_path / "s01.dat").write_bytes(stream)
    with pytest.raises(HimoeError, match=r"s01\.dat"):
        read_numpy_pickle(tmp_path / "s01.dat")


def test_too_large_a_file_is_not_opened(tmp_path):
    (tmp_path / "s01.dat").write_bytes(b"\0" * 100)
    with pytest.raises(HimoeError, match="100 bytes, more than the 50"):
        read_numpy_pickle(tmp_path / "s01.dat", max_bytes=50)


def test_the_twin_stream_is_python_2s_own(tmp_path):
    """The writer's bytes load in Python 3's unpickler as Python 2 pickles do: with encoding latin1 only."""
    arrays = {"labels": np.arange(8.0).reshape(2, 4), "data": np.random.default_rng(0).standard_normal((2, 3, 5))}
    deap.write_python2_pickle(tmp_path / "s01.dat", arrays)
    raw = (tmp_path / "s01.dat").read_bytes()
    assert raw.startswith(b"\x80\x02")
    assert b"T" + struct.pack("<i", 8 * 30) in raw
    with pytest.raises(UnicodeDecodeError):
        pickle.loads(raw)
    reference = pickle.loads(raw, encoding="latin1")
    ours = read_numpy_pickle(tmp_path / "s01.dat")
    for name, array in arrays.items():
        np.testing.assert_array_equal(ours[name], array)
        np.testing.assert_array_equal(reference[name], array)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("order", ["C", "F"])
def test_python_3_pickles_of_arrays_are_read_too(tmp_path, protocol, order):
    arrays = {"data": np.arange(6.0).reshape(2, 3).copy(order), "labels": np.arange(3, dtype=np.float32)}
    (tmp_path / "s.dat").write_bytes(pickle.dumps(arrays, protocol=protocol))
    read = read_numpy_pickle(tmp_path / "s.dat")
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == array.dtype


NDARRAY = b"cnumpy\nndarray\n"
LONG = struct.pack("<Q", 1 << 40)
MB_OF_TEXT = b"X" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20)
TWO = b"X\x02\x00\x00\x00f8"


@pytest.mark.parametrize(
    "stream",
    [
        b"\x80\x02}(X\x04\x00\x00\x00data" + NDARRAY + b"((K\x02K\x03t" + TWO + b"tR" + b"u.",
        b"\x80\x02}(X\x04\x00\x00\x00data" + NDARRAY + b"((J\xff\xff\xff\x7ft" + TWO + b"C\x00K\x00(K\x00ttR" + b"u.",
        b"\x80\x02" + b"N0" * 2_000_000 + b"}.",
        b"\x80\x02" + b"(" * 100_000 + b"t" * 100_000 + b".",
        b"\x80\x05\x96" + LONG + b".",
        b"\x80\x04\x8e" + LONG + b".",
        b"\x80\x04\x95" + LONG + b".",
        b"\x80\x04c_codecs\nencode\n\x94" + MB_OF_TEXT + b"\x94X\x06\0\0\0latin1\x94" + b"h\0h\1h\2\x86R" * 5000 + b"}.",
    ],
    ids=[
        "memory that nobody wrote",
        "strides of 0",
        "a flood of opcodes",
        "nested",
        "bytearray",
        "bytes",
        "frame",
        "5 GB of 1 MB",
    ],
)
def test_what_costs_time_or_memory_is_refused_at_once(tmp_path, stream):
    import time

    (tmp_path / "s01.dat").write_bytes(stream)
    started = time.perf_counter()
    with pytest.raises(HimoeError, match=r"s01\.dat: refused"):
        read_numpy_pickle(tmp_path / "s01.dat")
    assert time.perf_counter() - started < 5


def test_nothing_but_arrays_is_given_a_state(tmp_path):
    stream = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n(N}X\x08\0\0\0__code__I1\nstb."
    (tmp_path / "s01.dat").write_bytes(stream)
    with pytest.raises(HimoeError, match=r"a state for a function, which no recording needs"):
        read_numpy_pickle(tmp_path / "s01.dat")


def test_a_message_is_one_line_that_no_terminal_obeys(tmp_path):
    text = "a\nhimoe: all is well\x1b[2J"
    stream = b"\x80\x04X" + struct.pack("<I", len(text)) + text.encode() + b"X\x01\x00\x00\x00b\x93."
    (tmp_path / "s01.dat").write_bytes(stream)
    with pytest.raises(HimoeError) as caught:
        read_numpy_pickle(tmp_path / "s01.dat")
    assert r"it asks for a\nhimoe: all is well\x1b[2J.b" in str(caught.value)
    assert str(HimoeError("x" * 10_000_000)) == "x" * 2000 + " ..."
    assert str(HimoeError("\udcff ä")) == r"\udcff ä"  # a name that is not UTF-8


def _deap(tmp_path, data_shape=(2, 40, 11 * 128), labels=None):
    rng = np.random.default_rng(0)
    labels = rng.uniform(1, 9, (2, 4)) if labels is None else labels
    deap.write_python2_pickle(tmp_path / "s01.dat", {"labels": labels, "data": rng.standard_normal(data_shape)})
    return list(deap.read(tmp_path, deap.records(tmp_path, SIZE, deap.INFO.editions[0])[0], SIZE))


def test_deap_reads_a_right_file(tmp_path):
    trials = _deap(tmp_path)
    assert [t.stimulus for t in trials] == ["v01", "v02"]
    assert trials[0].signals["eeg"].data.shape == (32, 11 * 128)
    assert trials[0].signals["eeg"].start == -3.0


def test_deap_wrong_shape_names_file_and_shape(tmp_path):
    with pytest.raises(HimoeError, match=r"s01\.dat: 'data' has shape \(2, 39, 1408\), expected \(2, 40, 1408\)"):
        _deap(tmp_path, (2, 39, 11 * 128))


@pytest.mark.parametrize("bad", [0.5, 9.5, np.nan])
def test_deap_label_out_of_range_names_the_trial(tmp_path, bad):
    labels = np.full((2, 4), 5.0)
    labels[1, 2] = bad
    with pytest.raises(HimoeError, match=r"s01\.dat: trial 2: labels"):
        _deap(tmp_path, labels=labels)


def test_deap_truncated_names_the_file(tmp_path):
    _deap(tmp_path)
    whole = (tmp_path / "s01.dat").read_bytes()
    (tmp_path / "s01.dat").write_bytes(whole[:-1000])
    with pytest.raises(HimoeError, match=r"s01\.dat: refused or truncated"):
        list(deap.read(tmp_path, deap.records(tmp_path, SIZE, deap.INFO.editions[0])[0], SIZE))


def test_gsr_is_conductance_in_siemens():
    np.testing.assert_allclose(deap.to_si("gsr", np.array([[2e5, 1e6]])), [[5e-6, 1e-6]])
    assert np.isnan(deap.to_si("gsr", np.array([[0.0]]))).all()  # not measured
    assert deap.to_si("gsr", np.array([[-2e5]])) == -5e-6  # no skin's: the quality gate refuses it


def test_trials_and_channels_that_changed_places_are_noticed(tmp_path):
    """40 trials of 40 channels: the shape does not tell."""
    size = Size(("s01",), 40, 4.0)
    deap.synthesize(tmp_path, size, "python", 1.0, 0)
    content = read_numpy_pickle(tmp_path / "s01.dat")
    (record,) = deap.records(tmp_path, size, deap.INFO.editions[0])
    assert len(list(deap.read(tmp_path, record, size))) == 40
    deap.write_python2_pickle(tmp_path / "s01.dat", content | {"data": content["data"].swapaxes(0, 1)})
    with pytest.raises(HimoeError, match=r"s01\.dat: axis 0 of 'data' is the channel and axis 1 the trial"):
        list(deap.read(tmp_path, record, size))
