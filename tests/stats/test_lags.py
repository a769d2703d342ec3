"""Injected against estimated lags, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from himoe.stats.lags import recovered, recovery


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
    assert found["at_rest"].tolist() == [0.5]  # 1, the others 0 and 1
    np.testing.assert_allclose(found[["injected", "estimated", "moved"]], [[2, 1.5 - 0.5, 0.5]])


def test_all_moved_are_held_against_their_mean():
    """Also where one drew no displacement: it is no anchor for the others, and counts itself."""
    moved = routing([3, 0, 0], [3, 0.3, 0], [0, 0, 0]).assign(condition="shift_all")
    found = recovery(moved, "shift_all")
    np.testing.assert_allclose(found["injected"], [2, -1, -1])
    np.testing.assert_allclose(found["estimated"], [1.9, -0.8, -1.1])


def test_nothing_to_recover():
    assert recovery(routing([2, 0, 0], [2, 0, 0], [0, 0, 0]), "shift_half").empty


def lags(estimate, n_people=6, n_trials=8, seeds=(0,)):
    """Injected 2 s either way, by turns; ``estimate``: of (person, trial, injected)."""
    rows = [
        ("x", seed, 0, f"s{i}", f"t{j}", 2.0, "0", (late := 2.0 * (-1) ** j), estimate(i, j, late), 0.0, 0.5)
        for seed in seeds for i in range(n_people) for j in range(n_trials)
    ]  # fmt: skip
    names = ["setting", "seed", "fold", "subject", "trial", "severity", "part", "injected", "estimated", "moved", "at_rest"]
    return pd.DataFrame(rows, columns=names)


def test_a_planted_lag_is_recovered():
    found = recovered(lags(lambda i, j, late: late, seeds=(0, 1)), 1.0)
    assert (found.n_people, found.n_lags) == (6, 96)
    assert found.slope.mean == found.within.mean == 1
    assert found.error == 0
    assert abs(found.chance - 0.5) < 0.02  # another's lag is 0 or 4 s off
    assert found.p < 0.01
    assert (found.rest, found.rest_spread) == (0.5, 0)


def test_slope_and_share_by_hand():
    """Half of the people find half of every lag, the others nothing: slope .25, errors of 1 and of 2 s."""
    found = recovered(lags(lambda i, j, late: late / 2 * (i % 2)), 1.0)
    np.testing.assert_allclose(found.slope.mean, 0.25)
    np.testing.assert_allclose(found.within.mean, 0.5)
    assert found.slope.low < 0.25 < found.slope.high
    assert found.error == 1.5


def test_an_estimate_that_knows_nothing_is_at_chance():
    rng = np.random.default_rng(0)
    noise = rng.choice([-2.0, 0.0, 2.0], (40, 8))
    found = recovered(lags(lambda i, j, late: noise[i, j], 40), 1.0)
    assert found.slope.low < 0 < found.slope.high
    assert found.within.low < found.chance < found.within.high
    assert found.p > 0.05
