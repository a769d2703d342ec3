"""The figure of outages, on shares that are made up: two modalities and the null token."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from himoe.config.run import Config
from himoe.figures import outage
from himoe.report import style
from himoe.report.evidence import Evidence
from himoe.stats.frames import pick

CLEAN, DURING = (0.5, 0.3, 0.2), (0.1, 0.6, 0.3)  # lost, remaining, null token


def evidence(empty=False):
    """Five people, four trials; a token a second. In the first token of the outage .4 of the lost share is gone, later .5. The
    end of the outage is not in the trial."""
    rows = []
    for i in range(5):
        for j in range(4):
            key = ("ceap_digitised", "himoe", 0, i, f"s{i}", f"t{j}", "outage", 10.0)
            for step in range(10):
                now = CLEAN if step < 5 else DURING if step == 5 else (0.0, 0.65, 0.35)
                for group in range(3):
                    for case, value in enumerate((CLEAN[group], now[group])):
                        rows.append((*key, "outage_onset", f"{step}/{group}/{case}", value))
                        rows.append((*key, "outage_end", f"{step}/{group}/{case}", value if step < 5 else np.nan))
            lost = j % 2  # gsr is lost in half of the trials, all others never
            for part in range(9):
                rows += [(*key, "outage_share", f"{part}/{case}", 0.1 + 0.2 * case * (part == 0)) for case in (0, 1)]
                if part < 8:
                    rows.append((*key, "outage_lost", str(part), float(lost and part == 0)))
    keys = ["setting", "model", "seed", "fold", "subject", "trial", "condition", "severity"]
    frame = pd.DataFrame([] if empty else rows, columns=[*keys, "quantity", "part", "value"])
    run = Evidence({}, Config(datasets=["ceap_digitised"], models=["himoe"], conditions={"outage": [0, 10]}))
    frame = pd.concat([frame, frame.assign(model="late_fusion")])
    run.__dict__["routing"], run.__dict__["failed"] = frame, {}
    return run


def drawn(run):
    with style.themed(style.LIGHT):
        item = outage.draw(run, style.LIGHT)
    plt.close(item.figure)
    return item


def test_what_happens_at_the_onset():
    """.5 to .1 at once, .5 to 0 later: 80%. Of the .4 those that remain take .3, 75%."""
    item = drawn(evidence())
    assert "5 people, of too few seeds to tell: lost: 0.50 → 0.10 in a token" in item.finding
    assert "those that remain take 75%, the null token 25%" in item.finding
    assert "80% of the change happens within that token" in item.finding
    assert "late fusion, 5 people, of too few seeds to tell: lost: 0.50 → 0.10 in a token" in item.finding
    course = pick(item.data, panel="outage_onset", what="lost", case="during").set_index("time")["share"]
    np.testing.assert_allclose(course[[-1.0, 0.0, 4.0]], [0.5, 0.1, 0.0])
    assert pick(item.data, panel="outage_end")["time"].max() == -1  # what lies outside the trial is not drawn


def test_who_takes_over_is_asked_where_it_is_left():
    item = drawn(evidence())
    shares = pick(item.data, panel="outage_share").pivot(index="what", columns="case", values="share")
    np.testing.assert_allclose(shares.loc["gsr", ["clean", "during"]].astype(float), [0.1, 0.3])
    np.testing.assert_allclose(shares.loc["pupil", ["clean", "during"]].astype(float), [0.1, 0.1])
    assert "gsr gains most, 0.20" in item.finding


def test_who_has_a_failed_fold_is_left_out_and_counted():
    """A second seed lacks s4, whose shares would move every mean."""
    run = evidence()
    one = run.__dict__["routing"].assign(value=lambda f: f["value"].where(f["subject"] != "s4", 0.9))
    run.__dict__["routing"] = pd.concat([one, one[one["subject"] != "s4"].assign(seed=1)])
    run.__dict__["failed"] = {("ceap_digitised", "himoe"): ["seed 1 fold 4"]}
    item = drawn(run)
    assert "4 people, without 1 failed fold, of too few seeds to tell: lost: 0.50 → 0.10" in item.finding
    assert set(item.data["n_people"]) == {4}


def test_nothing_recorded_is_said():
    assert "no outage was predicted" in drawn(evidence(empty=True)).finding
