"""Table and figure of injected lags, on routing that is made up."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from himoe.config.run import Config
from himoe.figures import lags as figure
from himoe.report import style
from himoe.report.evidence import Evidence
from himoe.stats.frames import pick
from himoe.tables import lag_recovery

N_MODALITIES = 8


def evidence(found, dataset="ceap_digitised", injected=True, n_modalities=N_MODALITIES, failed=(), protocol="subject_kfold"):
    """Ten people, eight trials: modality j is late by 2 s in trial j; the bank sees the share ``found`` of it in modalities
    below 4, nothing in the others, and a delay of an organ of .5 s in modality 0 whatever is injected."""
    rows = []
    for i in range(10):
        for j in range(n_modalities):
            for severity in (0.0, 2.0):
                for part in range(n_modalities):
                    late = severity * (-1) ** i * (part == j)
                    lag = late * found * (part < 4) + 0.5 * (part == 0)
                    for quantity, value in (("injected", late), ("lag", lag), ("moved", lag)):
                        rows.append((dataset, "himoe", 0, i, f"s{i}", f"t{j}", "shift", severity, quantity, str(part), value))
    names = ["setting", "model", "seed", "fold", "subject", "trial", "condition", "severity", "quantity", "part", "value"]
    run = Evidence({}, Config(datasets=[dataset], models=["himoe"], protocols=[protocol], conditions={"shift": [0, 2]}))
    frame = pd.DataFrame(rows if injected else [], columns=names)
    run.__dict__["failed"] = {(dataset, "himoe"): list(failed)}
    run.__dict__["routed"] = lambda conditions, quantities: pick(frame, condition=conditions, quantity=quantities)
    return run


def test_each_modality_has_its_row():
    data = lag_recovery.make(evidence(1.0)).data.set_index("modality")
    assert len(data) == 1 + N_MODALITIES
    assert data.loc["all", "within"] == 0.5  # found in four of eight
    assert data.loc["gsr", "within"] == data.loc["gsr", "slope"] == 1
    assert data.loc["motion", "slope"] == 0
    assert (data.loc["gsr", "n_people"], data.loc["gsr", "n_lags"]) == (10, 10)
    np.testing.assert_allclose(data.loc["gsr", "rest"], 0.5)  # in every trial, so in the one in which it is moved too
    assert data.loc["all", "p"] < 0.01


def test_the_finding_names_what_is_found():
    made = lag_recovery.make(evidence(1.0))
    assert "50% within one token" in made.finding
    assert "more than by chance of 4 of 8 modalities, of too few seeds to tell (largest" in made.finding
    assert "up to 8 s" in made.note
    assert "one label per trial" not in made.note


def test_failed_folds_are_counted_and_many_seeds_need_no_caution():
    run = evidence(1.0, failed=["seed 1 fold 0"], protocol="loso")
    finding = lag_recovery.make(run).finding
    assert "without 1 failed fold: 50% within" in finding
    assert "4 of 8 modalities (largest" in finding


def test_with_one_label_per_trial_it_says_what_cannot_be_known():
    note = lag_recovery.make(evidence(1.0, "deap_twin", n_modalities=7)).note
    assert "DEAP twin: with one label per trial" in note
    assert "cannot say whether they are in step with the emotion" in note


def test_nothing_injected_is_said():
    made = lag_recovery.make(evidence(1.0, injected=False))
    assert made.finding == "No lag was injected or estimated."
    assert made.shown.shape[1] == 8


def test_the_panel_says_what_the_table_says():
    with style.themed(style.LIGHT):
        drawn = figure.draw(evidence(1.0), style.LIGHT)
    plt.close(drawn.figure)
    assert "one moved: 50% within 1 s" in drawn.finding
    assert "slope 0.50" in drawn.finding
    assert len(drawn.data) == 80
