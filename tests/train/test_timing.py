"""A prediction's time is the median of some, and not the first."""

from __future__ import annotations

from himoe.train import timing


def test_the_first_and_the_odd_one_do_not_count(monkeypatch):
    clock = iter([0, 1, 1, 2, 2, 9, 9, 10, 10, 11])  # five times: 1, 1, 7, 1, 1 s
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock))
    calls = []
    assert timing.milliseconds(lambda: calls.append(0)) == 1000
    assert len(calls) == timing.N_TIMED + 1
