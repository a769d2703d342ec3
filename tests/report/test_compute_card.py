"""The compute card: epochs by their range, time to predict by its median over folds, failed folds counted."""

from __future__ import annotations

import math

from himoe.config.run import Config
from himoe.report.evidence import Evidence
from himoe.tables import compute_card

VERSIONS = {"python": "3", "torch": "2", "numpy": "2"}
PLACE = {
    "protocol": "loso", "shard": 0, "wall_seconds": 2.0, "cpu_seconds": 3.0, "peak_mb": 99.6, "peak_gpu_mb": 0.0,
    "device": "cpu", "device_name": "", "threads": 1, "stack": 1, "precision": "float32", "environment": VERSIONS,
}  # fmt: skip


def fold(epoch, ms, failed="", macs=2_500_000):
    return {
        "best_epoch": epoch, "trial_ms": ms, "failed": failed, "history": [{}] * epoch, "n_parameters": 1200, "n_macs": macs,
    }  # fmt: skip


def card(runs):
    run = Evidence({}, Config(datasets=["deap_twin"], models=["ridge", "himoe"]))
    run.__dict__.update(runs=runs, failed={})
    return compute_card.make(run)


def test_what_a_fit_cost():
    """Of three folds: epochs 4, 10 and 12; a trial in 2, 8 and 3 ms. Ridge has no epochs."""
    folds = {"0": fold(4, 2.0), "1": fold(10, 8.0), "2": fold(12, 3.0), "3": fold(7, 3.0, "diverged")}
    of = {"setting": "deap_twin", "seed": 0} | PLACE
    linear = fold(0, 0.25, macs=0)
    item = card([of | {"model": "himoe", "folds": folds}, of | {"model": "ridge", "folds": {"0": linear}}])
    studied, ridge = item.shown.to_dict("records")
    assert studied["folds · best epochs"] == "4 (1 failed) · 10 (4 to 12)"
    assert (studied["parameters · MACs"], studied["ms a trial"]) == ("1,200 · 2.5 M", "3.0")
    assert (ridge["folds · best epochs"], ridge["parameters · MACs"], ridge["ms a trial"]) == ("1", "1,200", "0.25")
    assert item.finding == "All fits together took 6 s of CPU time on cpu. Hi-MoE predicts a trial in 3.0 ms."


def test_a_fit_that_was_not_timed():
    untimed = {k: v for k, v in fold(4, 0.0).items() if k != "trial_ms"}
    item = card([{"setting": "deap_twin", "seed": 0, "model": "himoe", "folds": {"0": untimed}} | PLACE])
    assert math.isnan(item.data["trial_ms"][0])
    assert "predicts" not in item.finding
