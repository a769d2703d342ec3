"""Injected against estimated lags, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from himoe.stats.lags import recovery


def routing(injected, lag, lag_at_0):
    """One trial of three modalities at severities 0 and 2; tokens are moved by half of the estimate."""
    rows = []
    for severity, late, lags in ((0.0, [0, 0, 0], lag_at_0), (2.0, injected, lag)):
        for part in range(3):
            for quantity, value in (("injected", late[part]), ("lag", lags[part]), ("moved", lags[part] / 2)):
                rows.append(("x", "himoe", 0, 0, "s1", "t1", "shift", severity, quantity, str(part), float(value)))
    names = ["setting", "model", "seed", "fold", "subject", "trial", "condition", "severity", "quantity", "part", "value"]
    return pd.DataFrame(rows, columns=names)


def test_one_moved_is_held_against_those_left_in_place():
    """An organ's own delay (1 at severity 0) is no displacement; the others drifted by 0.5 on average."""
    found = recovery(routing([2, 0, 0], [2.5, 0.6, 1.4], [1, 0, 1]), "shift")
    assert found["part"].tolist() == ["0"]
    np.testing.assert_allclose(found[["injected", "estimated", "moved"]], [[2, 1.5 - 0.5, 0.5]])


def test_all_moved_are_held_against_their_mean():
    """Also where one drew no displacement: it is no anchor for the others, and counts itself."""
    moved = routing([3, 0, 0], [3, 0.3, 0], [0, 0, 0]).assign(condition="shift_all")
    found = recovery(moved, "shift_all")
    np.testing.assert_allclose(found["injected"], [2, -1, -1])
    np.testing.assert_allclose(found["estimated"], [1.9, -0.8, -1.1])


def test_nothing_to_recover():
    assert recovery(routing([2, 0, 0], [2, 0, 0], [0, 0, 0]), "shift_half").empty
