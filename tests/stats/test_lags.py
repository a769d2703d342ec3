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


def of_trials(trials):
    """Rows of (seed, person, trial, severity, injected, estimated)."""
    rows = [("x", seed, 0, person, trial, severity, "0", late, found, 0.0, 0.0)
            for seed, person, trial, severity, late, found in trials]  # fmt: skip
    names = ["setting", "seed", "fold", "subject", "trial", "severity", "part", "injected", "estimated", "moved", "at_rest"]
    return pd.DataFrame(rows, columns=names)


def test_people_weigh_the_same_by_chance():
    """One person with one trial, late by 2 s; another with three, early by 2; all found. In a quarter of the permutations the
    late one stays where it is: 1; in the others nothing of the first and two of three of the second are right: 1/3."""
    rows = [(0, "a", "t0", 2.0, 2.0, 2.0), *((0, "b", f"t{i}", 2.0, -2.0, -2.0) for i in range(3))]
    found = recovered(of_trials(rows), 1.0, 2000)
    assert found.within.mean == 1
    assert abs(found.chance - 0.5) < 0.03  # 1/4 + 3/4 * 1/3; rows weighing the same, 5/8
    assert abs(found.p - 0.25) < 0.03


def test_trials_are_exchanged_within_a_severity():
    """An estimate that is always 0 is within a token of every small lag and of no large one, whichever trial's."""
    late = (-1) ** np.arange(8)
    rows = [(0, f"s{i}", "t", v, v * late[i], 0.0) for i in range(8) for v in (0.5, 8.0)]
    found = recovered(of_trials(rows), 0.5, 100)
    assert (found.within.mean, found.chance, found.p) == (0.5, 0.5, 1.0)


def knows_nothing(rng):
    """At 0 for small shifts, erratic for large, alike in all seeds of a trial; the sign is drawn once per trial."""
    rows = []
    for i in range(10):
        for j in range(6):
            sign, wrong = rng.choice([-1, 1]), rng.choice(np.arange(-8, 8.5, 0.5))
            rows += [
                (s, f"s{i}", f"t{j}", v, sign * v, 0.0 if v <= 1 else wrong) for s in (0, 1, 2) for v in (0.5, 1.0, 2.0, 8.0)
            ]
    return of_trials(rows)


def test_what_knows_nothing_is_above_chance_as_often_as_stated():
    """Of 100 draws 5 on average; 10 or more are one in 35."""
    rng = np.random.default_rng(0)
    assert sum(recovered(knows_nothing(rng), 0.5, 199).p < 0.05 for _ in range(100)) < 10


def test_trials_of_a_failed_fold_are_left_out_of_every_number():
    """Eight people; under one seed two of them, whose lags are 9 s off, have none."""
    rows = [(s, f"s{i}", f"t{j}", 2.0, 2.0 * (-1) ** j, 2.0 * (-1) ** j + 9 * (i in (2, 5)))
            for s in range(3) for i in range(8) for j in range(4) if not (s == 1 and i in (2, 5))]  # fmt: skip
    found = recovered(of_trials(rows), 1.0, 20)
    assert (found.n_people, found.n_lags) == (6, 72)
    assert (found.error, found.within.mean, found.slope.mean) == (0, 1, 1)


def test_no_trial_of_every_seed():
    found = recovered(of_trials([(0, "a", "t", 2.0, 2.0, 2.0), (1, "b", "t", 2.0, 2.0, 2.0)]), 1.0)
    assert (found.n_people, found.n_lags) == (0, 0)
    assert np.isnan([found.slope.mean, found.error, found.p]).all()
