"""The figure of calibration, on predictions that are made up."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from himoe.config.run import Config
from himoe.figures import calibration
from himoe.report import style
from himoe.report.evidence import Evidence


def evidence(ccc, failed=()):
    """Hi-MoE says half of what it should, calibrated all of it; ``ccc`` by model."""
    rng, rows, scores = np.random.default_rng(0), [], []
    for i in range(8):
        y = 5 + rng.standard_normal(20)
        for model in ccc:
            for target in ("valence", "arousal"):
                for j, value in enumerate(y):
                    said = np.nan if model in failed else 5 + (value - 5) / 2
                    rows.append(("deap_twin", model, 0, f"s{i}", f"t{j}", "clean", target, value, 2 * said - 5, said, 5.0))
                scores.append(("deap_twin", model, 0, f"s{i}", "clean", 0.0, target, "ccc", ccc[model]))
    config = Config(datasets=["deap_twin"], models=list(ccc))
    run = Evidence({}, config)
    names = ["setting", "model", "seed", "subject", "trial", "condition", "target", "y_true", "y_pred", "y_raw", "y_reference"]
    run.__dict__.update(
        predictions=pd.DataFrame(rows, columns=names),
        scores=pd.DataFrame(
            scores, columns=["setting", "model", "seed", "subject", "condition", "severity", "target", "metric", "value"]
        ),
    )
    return run


def drawn(run):
    with style.themed(style.LIGHT):
        item = calibration.draw(run, style.LIGHT)
    plt.close(item.figure)
    return item


def test_half_of_what_was_reported_has_slope_two_until_it_is_calibrated():
    data = drawn(evidence({"himoe": 0.3, "mult": 0.4, "husformer": 0.2, "ridge": 0.1, "stimulus_mean": 0.9})).data
    assert list(dict.fromkeys(data["model"])) == ["himoe", "mult", "ridge"]  # a reference is no rival
    slopes = data.groupby("when")["slope"].first()
    np.testing.assert_allclose(slopes[["as predicted", "calibrated"]], [2, 1])
    np.testing.assert_allclose(data["level"], 0, atol=1e-9)
    assert (data.groupby(["target", "when", "model"])["n"].sum() == 160).all()


def test_where_ridge_is_the_best_rival_there_are_two_lines():
    assert set(drawn(evidence({"himoe": 0.3, "mult": 0.2, "ridge": 0.4})).data["model"]) == {"himoe", "ridge"}


def test_a_model_that_failed_has_no_line():
    item = drawn(evidence({"himoe": 0.3, "ridge": 0.4}, failed=("himoe",)))
    assert set(item.data["model"]) == {"ridge"}
    item = drawn(evidence({"himoe": 0.3}, failed=("himoe",)))
    assert "no model's folds all ended well" in item.finding
