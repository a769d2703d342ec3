"""Cleaned recordings on disk and raw windows on them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from himoe.data import recordings
from himoe.signal import clock
from himoe.types import HimoeError, Signal, Trial


def trials() -> list[Trial]:
    rng = np.random.default_rng(0)
    eeg = Signal(rng.standard_normal((3, 640)), 128.0, -1.0)
    ecg = Signal(rng.standard_normal((1, 1024)), 256.0)
    rest = {"ecg": Signal(rng.standard_normal((1, 500)), 256.0)}
    per_token = Trial("s1", "1", "t2", "v2", 4.0, {"ecg": ecg}, rng.random((8, 2)), np.arange(8) / 2)
    return [Trial("s1", "1", "t1", "v1", 4.0, {"eeg": eeg, "ecg": ecg}, np.array([1.0, 2.0]), baseline=rest), per_token]


@pytest.fixture
def stored(tmp_path):
    recordings.write_trials(tmp_path / "s1.safetensors", trials())
    return tmp_path / "s1.safetensors"


def test_round_trip(stored):
    for ours, was in zip(recordings.read_trials(stored), trials(), strict=True):
        assert (ours.subject, ours.session, ours.trial, ours.stimulus) == (was.subject, was.session, was.trial, was.stimulus)
        np.testing.assert_array_equal(ours.targets, was.targets)
        assert (ours.target_times is None) == (was.target_times is None)
        for read, other in ((ours.signals, was.signals), (ours.baseline, was.baseline)):
            assert list(read) == list(other)
            for name in read:
                np.testing.assert_array_equal(read[name].data, other[name].data.astype(np.float32))
                assert (read[name].sfreq, read[name].start) == (other[name].sfreq, other[name].start)


def test_no_trials_are_a_file_too(tmp_path):
    recordings.write_trials(tmp_path / "s2.safetensors", [])
    assert recordings.read_trials(tmp_path / "s2.safetensors") == []


def test_arrays_are_maps_that_cannot_be_written(stored):
    data = recordings.read_trials(stored)[0].signals["eeg"].data
    assert not data.flags.writeable
    assert not data.flags.owndata


@pytest.mark.parametrize("cut", [0, 5, 100, -1, -300])
def test_truncated_is_refused(stored, cut):
    stored.write_bytes(stored.read_bytes()[:cut])
    with pytest.raises(HimoeError, match=r"s1\.safetensors: not a recordings file"):
        recordings.read_trials(stored)


def test_a_flipped_bit_is_refused(stored):
    damaged = bytearray(stored.read_bytes())
    damaged[-50] ^= 4
    stored.write_bytes(damaged)
    with pytest.raises(HimoeError, match="content differs from what was written"):
        recordings.read_trials(stored)


def test_raw_windows_are_views_of_the_token_clock(stored):
    signal = recordings.read_trials(stored)[0].signals["eeg"]
    times = clock.token_times(4.0, 2.0, 1.0, start=-1.0)
    views = clock.raw_windows(signal, times, 1.0)
    assert views.data.shape == (9, 3, 128)
    assert np.shares_memory(views.data, signal.data)
    # the third window starts a second after the recording: samples 128..255
    np.testing.assert_array_equal(views.data[2], signal.data[:, 128:256])
    means = clock.window_mean(signal.data, signal, times, 1.0)
    np.testing.assert_allclose(views.data.mean(-1), means, atol=1e-6)


def test_windows_outside_the_recording_are_left_out():
    signal = Signal(np.arange(40.0)[None], 10.0, start=1.0)  # 1 s .. 5 s
    views = clock.raw_windows(signal, clock.token_times(8.0, 2.0, 2.0), 2.0)
    np.testing.assert_allclose(views.times, [2.0, 2.5, 3.0, 3.5, 4.0])
    assert views.data[0, 0, 0] == 0
    assert views.data[-1, 0, -1] == 39
    assert len(clock.raw_windows(signal, np.array([0.5, 1.0]), 2.0).data) == 0


def test_a_hop_of_broken_samples_is_refused():
    with pytest.raises(HimoeError, match="choose a token rate that divides 100 Hz"):
        clock.raw_windows(Signal(np.zeros((1, 1000)), 100.0), clock.token_times(10, 3.0, 1.0), 1.0)


@settings(max_examples=60, deadline=None)
@given(
    seconds=st.floats(2.5, 40), rate=st.sampled_from([0.5, 1.0, 2.0, 4.0]), window=st.sampled_from([0.5, 1.0, 2.0]),
    sfreq=st.sampled_from([16.0, 128.0, 256.0]), start=st.sampled_from([-3.0, -0.5, 0.0, 1.0]),
)  # fmt: skip
def test_a_window_holds_what_its_token_stands_for(seconds, rate, window, sfreq, start):
    """Every sample's own time lies in [t - window / 2, t + window / 2), give or take the rounding to one sample."""
    n_times = int((seconds - start) * sfreq)
    signal = Signal((start + np.arange(n_times) / sfreq)[None], sfreq, start)
    views = clock.raw_windows(signal, clock.token_times(seconds, rate, window), window)
    slack = 0.5 / sfreq + 1e-9
    for t, read in zip(views.times, views.data, strict=True):
        assert read.min() >= t - window / 2 - slack
        assert read.max() < t + window / 2 + slack
