"""The quality gate against windows worked by hand, and on anything."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from himoe.signal import clock, quality
from himoe.types import Signal


def test_the_gate_by_hand():
    # 8 samples at 1 Hz, windows of 4 s every 2 s: [0, 4), [2, 6), [4, 8)
    times = clock.token_times(8, 0.5, 4)
    flat = [1.0, 2, 2, 2, 2, 2, 3, 4]  # [2, 6) does not move
    gap = [1.0, 2, np.nan, 4, 5, 6, 7, 8]  # in [0, 4) and [2, 6)
    railed = [0.0, 9, 9, 9, 5, 4, 9, 3]  # three 9s in a row at 1..3: three of [0, 4), two of [2, 6); the lone 9 is no run
    dead = [5.0] * 8
    signal = Signal(np.array([flat, gap, railed, dead]), 1.0)
    out = quality.gate(signal, times, 4.0, clipped_share=0.5)
    no = [False] * 3
    assert out["flat"].T.tolist() == [[False, True, False], no, no, no]
    assert out["not_recorded"].T.tolist() == [no, [True, True, False], no, no]
    assert out["clipped"].T.tolist() == [no, no, [True, False, False], no]
    assert out["dead"].T.tolist() == [no, no, no, [True] * 3]
    assert quality.gate(signal, times, 4.0, clipped_share=0.4)["clipped"][:, 2].tolist() == [True, True, False]


def test_what_no_body_shows_is_refused():
    # 8 samples at 1 Hz, windows [0, 4), [2, 6), [4, 8): 46 degree C at 5 s, 24 beats at 1 s, and numbers without a range
    times = clock.token_times(8, 0.5, 4)
    data = np.array([[33.0, 34, 33, 34, 33, 46, 33, 34], [70.0, 24, 70, 71, 72, 70, 71, 72], [0.0, 900, 1, 2, 3, 4, 5, 6]])
    data[0, 0] = np.nan  # not recorded, and so not implausible
    out = quality.gate(Signal(data, 1.0), times, 4.0, 0.9, ("degC", "1/min", "a.u."))
    assert out["implausible"].T.tolist() == [[False, True, True], [True, False, False], [False] * 3]
    assert out["not_recorded"].T.tolist() == [[True, False, False], [False] * 3, [False] * 3]
    single = quality.gate(Signal(data, 1.0), clock.token_times(8, 1, 1), 1.0, 0.9, ("degC", "1/min", "a.u."))
    assert np.argwhere(single["implausible"]).tolist() == [[1, 1], [5, 0]]  # one sample per window, too


def test_a_spike_that_no_electrode_shows_is_refused():
    """An EEG in V, one sample of 1e12 uV in the second window; the same EEG in uV, taken for V, in all of them."""
    times, eeg = clock.token_times(8, 0.5, 4), np.array([[10e-6, -20e-6, 5e-6, 8e-6, -7e-6, 1e6, 3e-6, 2e-6]])
    assert quality.gate(Signal(eeg, 1.0), times, 4.0, 0.9, ("V",))["implausible"].T.tolist() == [[False, True, True]]
    eeg[0, 5] = 4e-6
    assert quality.gate(Signal(1e6 * eeg, 1.0), times, 4.0, 0.9, ("V",))["implausible"].all()
    assert not quality.gate(Signal(eeg, 1.0), times, 4.0, 0.9, ("V",))["implausible"].any()


def test_a_quantised_peak_is_no_clipping():
    """A pulse wave in whole steps dwells at its foot and its peak; cut off by a converter it arrives there by a jump."""
    from himoe.signal import simulate

    wave = np.rint(500 * simulate.pulse_wave(np.arange(20_000) / 1000 * 1.2))
    times = clock.token_times(20, 2, 2)
    assert not quality.gate(Signal(wave, 1000.0), times, 2.0, 0.05)["clipped"].any()
    cut = np.minimum(wave, 300)
    assert quality.gate(Signal(cut, 1000.0), times, 2.0, 0.05)["clipped"].all()
    sine = np.rint(1000 * np.sin(2 * np.pi * 10 * np.arange(2560) / 128))[None]
    times = clock.token_times(20, 2, 2)
    assert not quality.gate(Signal(sine, 128.0), times, 2.0, 0.05)["clipped"].any()
    clipped = np.clip(sine, -600, 600)
    assert quality.gate(Signal(clipped, 128.0), times, 2.0, 0.05)["clipped"].all()
    clipped[:, 5] = 900  # one spike beyond the rail hides nothing
    assert quality.gate(Signal(clipped, 128.0), times, 2.0, 0.05)["clipped"].all()


@settings(max_examples=80, deadline=None)
@given(
    data=hnp.arrays(
        np.float64, st.tuples(st.integers(1, 3), st.integers(40, 200)), elements=st.sampled_from([0.0, 1.0, 2.0, np.nan])
    ),
    start=st.sampled_from([-2.0, 0.0, 1.5]), share=st.floats(0, 1),
)  # fmt: skip
def test_a_window_has_one_reason_at_most(data, start, share):
    signal, times = Signal(data, 10.0, start), clock.token_times(12, 2, 2)
    out = quality.gate(signal, times, 2.0, share)
    assert set(out) == set(quality.REASONS)
    assert (sum(w.astype(int) for w in out.values()) <= 1).all()
    first = np.rint((times - 1 - start) * 10).astype(int)
    for i, at in enumerate(first):
        samples = data[:, max(at, 0) : at + 20]
        whole = at >= 0 and samples.shape[1] == 20
        expected = np.isfinite(samples).all(1) if whole else np.zeros(len(data), bool)
        assert out["not_recorded"][i].tolist() == (~expected).tolist()
        if whole:
            dead = np.array([len(set(row[np.isfinite(row)])) == 1 for row in data])
            still = expected & (np.ptp(np.nan_to_num(samples), axis=1) == 0)
            assert out["dead"][i].tolist() == (expected & dead).tolist()
            assert out["flat"][i].tolist() == (still & ~dead).tolist()
