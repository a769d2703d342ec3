"""Variance components: by hand, against a simulated truth, and against statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from himoe.stats.components import components

TRUE = {"person": 1.0, "stimulus": 0.5, "both": 0.8, "seed": 0.2, "rest": 0.3}  # variances


def simulated(rng, sizes, kept=1.0):
    """Values of people on stimuli under seeds, and their factors; some values are missing."""
    p, s, r = sizes
    parts = {"person": (p, 1, 1), "stimulus": (1, s, 1), "both": (p, s, 1), "seed": (1, 1, r), "rest": sizes}
    values = sum(np.sqrt(TRUE[name]) * rng.standard_normal(shape) for name, shape in parts.items()) + 3.0
    person, stimulus, seed = (index.ravel() for index in np.indices(sizes))
    there = rng.random(values.size) < kept
    factors = {"person": person, "stimulus": stimulus, "both": person * s + stimulus, "seed": seed}
    return values.ravel()[there], {name: levels[there] for name, levels in factors.items()}


def test_by_hand():
    """Two people under two seeds, 0 2 and 4 8: mean squares 25, 9 and 1 of people, seeds and rest: (25 - 1) / 2 and (9 - 1) /
    2."""
    found = components(np.array([0.0, 2, 4, 8]), {"person": np.array([0, 0, 1, 1]), "seed": np.array([0, 1, 0, 1])})
    assert found == pytest.approx({"person": 12, "seed": 4, "rest": 1})


@pytest.mark.parametrize("kept", [1.0, 0.6], ids=["whole", "a part missing"])
def test_the_truth_is_found(kept):
    """Mean of 60 simulated sets; four standard errors of that mean."""
    rng = np.random.default_rng(0)
    found = pd.DataFrame([components(*simulated(rng, (12, 10, 5), kept)) for _ in range(60)])
    errors = found.std() / np.sqrt(len(found))
    for name, true in TRUE.items():
        assert abs(found[name].mean() - true) < 4 * errors[name], name
        assert errors[name] < 0.1


def test_statsmodels_says_the_same():
    """Restricted likelihood and moments are one where nothing is missing and no estimate is below 0."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    values, factors = simulated(np.random.default_rng(4), (10, 8, 4))
    found = components(values, factors)
    frame = pd.DataFrame({"y": values, "one": 1} | factors)
    parts = {name: f"0 + C({name})" for name in factors}
    fitted = MixedLM.from_formula("y ~ 1", groups="one", vc_formula=parts, data=frame).fit()
    expected = dict(zip(sorted(factors), fitted.vcomp, strict=True)) | {"rest": fitted.scale}
    assert min(found.values()) > 0
    assert found == pytest.approx(expected, rel=2e-3)


def test_what_cannot_be_told_is_said():
    """With one seed neither it nor what a person makes of a stimulus: that is in the rest. Stimuli that are each one person's
    are that person's."""
    values, factors = simulated(np.random.default_rng(2), (30, 20, 1))
    found = components(values, factors)
    assert np.isnan([found["seed"], found["both"]]).all()
    assert found["rest"] == pytest.approx(TRUE["both"] + TRUE["rest"], rel=0.25)
    nested = components(np.arange(8.0), {"person": np.repeat([0, 1], 4), "stimulus": np.repeat([0, 1], 4)})
    assert np.isnan(nested["stimulus"])
    assert np.isfinite(nested["person"])


def test_a_failed_value_leaves_nothing():
    assert np.isnan(list(components(np.array([1.0, np.nan, 2]), {"person": np.arange(3)}).values())).all()
