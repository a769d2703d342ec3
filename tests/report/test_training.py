"""Training curves: a panel a network, and how many fits were still getting better when their epochs ended."""

from __future__ import annotations

import matplotlib.pyplot as plt

from himoe.config.load import load_config
from himoe.figures import training
from himoe.report import style
from himoe.report.evidence import Evidence


def fold(losses, best, failed=""):
    history = [{"epoch": i + 1, "loss": v, "valid_loss": v, "valid_ccc": -v} for i, v in enumerate(losses)]
    return {"history": history, "best_epoch": best, "failed": failed}


def drawn(folds):
    """Of networks by name; three epochs at most."""
    settings = {"datasets": ["deap_twin"], "models": ["late_fusion", "himoe", "ridge"], "training": {"epochs": 3}}
    run = Evidence({}, load_config(settings))
    runs = [{"setting": "deap_twin", "model": m, "seed": 0, "folds": f} for m, f in folds.items()]
    run.__dict__["runs"] = runs
    with style.themed(style.LIGHT):
        item = training.draw(run, style.LIGHT)
    plt.close(item.figure)
    return item


def test_fits_that_were_cut_short_are_counted():
    """Late fusion: best at 2 of 3, best at 3 of 3; Hi-MoE: best at 2, stopped there; diverged at 3."""
    item = drawn({
        "late_fusion": {"0": fold([3, 1, 2], 2), "1": fold([3, 2, 1], 3)},
        "himoe": {"0": fold([3, 1], 2), "1": fold([3, 4, 5], 3, "diverged")}, "ridge": {"0": fold([], 0)},
    })  # fmt: skip
    assert item.finding == "DEAP twin: 4 fits; best at the last of 3 epochs: 1; diverged: 1."
    panels = {ax.get_title(loc="left"): ax for ax in item.figure.axes if ax.get_title(loc="left")}
    assert list(panels) == ["late fusion", "Hi-MoE"]
    assert panels["Hi-MoE"].lines[0].get_color() == style.LIGHT.accent
    assert "x" in [line.get_marker() for line in panels["Hi-MoE"].lines]
    assert len(item.data) == 3 + 3 + 2 + 3


def test_without_a_network_it_says_so():
    assert drawn({"ridge": {"0": fold([], 0)}}).finding == "No network was trained."
