"""The corrected resampled t test: a published worked example, scipy, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from himoe.stats.resampled import corrected_t


def test_the_worked_example_of_scikit_learn():
    """Its guide "Statistical comparison of models using grid search" compares an RBF and a linear kernel on two moons over ten
    times ten folds of 90 and 10 points: corrected t 0.750, one-sided p 0.227."""
    from sklearn.datasets import make_moons
    from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
    from sklearn.svm import SVC

    x, y = make_moons(noise=0.352, random_state=1, n_samples=100)
    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    rbf, linear = (
        cross_val_score(SVC(kernel=kernel, random_state=0), x, y, scoring="roc_auc", cv=folds) for kernel in ("rbf", "linear")
    )
    found = corrected_t(rbf - linear, 10 / 90)
    assert found.t == pytest.approx(0.750, abs=5e-4)
    assert found.p / 2 == pytest.approx(0.227, abs=5e-4)


def test_without_shared_training_it_is_the_t_test():
    values = np.array([0.1, 0.3, -0.1, 0.2, 0.25])
    found, plain = corrected_t(values, 0.0), stats.ttest_1samp(values, 0.0)
    np.testing.assert_allclose([found.t, found.p], [plain.statistic, plain.pvalue])
    np.testing.assert_allclose([found.low, found.high], plain.confidence_interval(0.95))


def test_by_hand():
    """Differences 1, 2, 3 of folds that test one person and train on two: s^2 = 1, variance 1 / 3 + 1 / 2 = 5 / 6, t = 2 /
    sqrt(5 / 6) = 2.191 on 2 degrees of freedom: p = 1 - t / sqrt(t^2 + 2) = 1 - 2.191 / 2.608 = 0.160."""
    found = corrected_t(np.array([1.0, 2, 3]), 0.5)
    assert found.mean == 2
    assert found.t == pytest.approx(2.1909, abs=1e-4)
    assert found.p == pytest.approx(0.1598, abs=2e-4)
    half = 4.3027 * np.sqrt(5 / 6)
    np.testing.assert_allclose([found.low, found.high], [2 - half, 2 + half], rtol=1e-4)


@pytest.mark.parametrize(("values", "mean"), [([0.2], 0.2), ([0.1, np.nan, 0.2], np.nan), ([], np.nan)])
def test_what_cannot_be_tested(values, mean):
    found = corrected_t(np.array(values), 0.25)
    assert found.mean == pytest.approx(mean, nan_ok=True)
    assert np.isnan(found[1:]).all()


def test_equal_differences_have_no_t():
    assert corrected_t(np.full(3, 0.1), 0.5)[:3] == pytest.approx((0.1, 0.1, 0.1))
    assert corrected_t(np.full(3, 0.1), 0.5).p == 0
    assert corrected_t(np.zeros(3), 0.5).p == 1
