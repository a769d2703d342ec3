"""Metrics and inference against numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from himoe.evaluate import score
from himoe.stats import inference, metrics
from himoe.stats.paired import compare
from himoe.stats.robustness import robustness


def test_ccc_by_hand():
    # y = 1 2 3, p = 2 3 4: cov 2/3, both variances 2/3, mean difference 1 -> 2 * 2/3 / (4/3 + 1) = 4/7
    y, p = np.array([1.0, 2, 3]), np.array([2.0, 3, 4])
    assert metrics.ccc(y, p) == pytest.approx(4 / 7)
    assert metrics.pcc(y, p) == pytest.approx(1.0)
    # reversed: cov -2/3, means equal -> -1
    assert metrics.ccc(y, y[::-1]) == pytest.approx(-1.0)


def test_differences_of_rounding_are_none():
    """A constant lead of .1 has no spread, and models that differ by 1e-17 are equal: no effect size of millions."""
    people = [f"s{i}" for i in range(8)]
    rows = [
        ("d", m, 0, s, "valence", "clean", 0.0, "ccc", 0.1 * (i + 1) + lead * (m == "himoe"))
        for lead, m in ((0.1, "himoe"), (0.0, "ridge")) for i, s in enumerate(people)
    ]  # fmt: skip
    names = ["setting", "model", "seed", "subject", "target", "condition", "severity", "metric", "value"]
    frame = pd.DataFrame(rows, columns=names)
    assert compare(frame, "ccc", ["d"])["d"].tolist() == [0.0]
    frame.loc[frame["model"] == "himoe", "value"] -= 0.1
    equal = compare(frame, "ccc", ["d"])
    assert (equal["p"].tolist(), equal["d"].tolist()) == ([1.0], [0.0])


def test_a_fold_that_failed_has_no_score_even_of_a_person_who_always_rates_the_same():
    names = ["dataset", "protocol", "model", "seed", "subject", "condition", "severity", "target"]
    rows = [("d", "loso", "m", 0, s, "clean", 0.0, "valence", 5.0, np.nan, 5.0) for s in "ab" for _ in range(3)]
    predictions = pd.DataFrame(rows, columns=[*names, "y_true", "y_pred", "y_reference"])
    for scores in (score.score(predictions), score.score_pooled(predictions)):
        says_so = scores["metric"].str.endswith("failed")
        assert scores[~says_so]["value"].isna().all()
        assert (scores[says_so]["value"] == 1).all()


def test_centred_ccc_by_hand():
    """y = 1 2 3 and p = 4 6 8 of one person, 7 8 9 and 4 6 8 of another: both deviate by -1 0 1 and -2 0 2 from their means:
    cov 4/3, variances 2/3 and 8/3: 2 * 4/3 / (10/3) = 0.8, whatever the level. Raw they differ: p's mean is 4 above, or 2
    below."""
    rows = [
        ("d", "loso", "m", 0, s, "clean", 0.0, "valence", y, p, 5.0)
        for s, levels in (("a", (1, 2, 3)), ("b", (7, 8, 9)))
        for y, p in zip(levels, (4, 6, 8), strict=True)
    ]
    names = ["dataset", "protocol", "model", "seed", "subject", "condition", "severity", "target"]
    scores = score.score(pd.DataFrame(rows, columns=[*names, "y_true", "y_pred", "y_reference"])).set_index(
        ["subject", "metric"]
    )
    assert scores.loc[("a", "centred_ccc"), "value"] == scores.loc[("b", "centred_ccc"), "value"] == pytest.approx(0.8)
    assert scores.loc[("a", "ccc"), "value"] == pytest.approx(2 * 4 / 3 / (10 / 3 + 16))
    assert scores.loc[("b", "ccc"), "value"] == pytest.approx(2 * 4 / 3 / (10 / 3 + 4))


def test_metrics_by_hand():
    y, p, r = np.array([1.0, 2, 3]), np.array([1.0, 2, 5]), np.array([2.0, 2, 2])
    found = {name: of[0] for name, of in metrics.by_group(np.zeros(3, int), y, p, r).items()}
    assert found["rmse"] == pytest.approx(np.sqrt(4 / 3))
    assert found["mae"] == pytest.approx(2 / 3)
    assert found["skill"] == pytest.approx(1 - 4 / 2)  # squared errors 4 against 2


def test_metrics_of_many_groups_are_those_of_each():
    rng = np.random.default_rng(2)
    group = rng.permutation(np.repeat([0, 1, 2, 3], [40, 3, 9, 20]))
    y, p, r = rng.normal(5, 1, (3, len(group)))
    p[group == 2] = 4.5
    p[np.flatnonzero(group == 3)[0]] = np.nan
    found = metrics.by_group(group, y, p, r)
    for g in (0, 1, 2):
        of = group == g
        assert found["ccc"][g] == pytest.approx(metrics.ccc(y[of], p[of]))
        assert found["pcc"][g] == pytest.approx(metrics.pcc(y[of], p[of]))
        assert found["rmse"][g] == pytest.approx(np.sqrt(np.mean((y[of] - p[of]) ** 2)))
        assert found["centred_ccc"][g] == pytest.approx(metrics.ccc(y[of] - y[of].mean(), p[of] - p[of].mean()))
    assert found["constant"][:3].tolist() == [0, 0, 1]
    assert found["failed"].tolist() == [0, 0, 0, 1]
    assert np.isnan([of[3] for name, of in found.items() if name != "failed"]).all()


@pytest.mark.parametrize("constant", [0.0, 2.0, -7.5])
def test_constants_are_zero_not_nan(constant):
    y, p = np.array([1.0, 2, 3]), np.full(3, constant)
    assert metrics.ccc(y, p) == metrics.pcc(y, p) == metrics.ccc(p, y) == 0.0
    found = metrics.by_group(np.zeros(3, int), y, p, y.mean() * np.ones(3))
    assert found["constant"] == [1]
    assert np.isfinite(list(found.values())).all()


def test_holm_by_hand():
    # sorted 0.01 0.03 0.04 times 3 2 1 -> 0.03 0.06 0.06 (made monotone)
    np.testing.assert_allclose(inference.holm([0.04, 0.01, 0.03]), [0.06, 0.03, 0.06])
    assert inference.holm([]) == []


def test_effect_size_by_hand():
    assert inference.effect_size(np.array([1.0, 2, 3])) == pytest.approx(2.0)
    assert inference.effect_size(np.array([1.0, 1, 1])) == 0.0


def _predictions() -> pd.DataFrame:
    rows = []
    for model, slope in (("himoe", 1.0), ("ridge", 0.5)):
        for seed in (0, 1):
            for subject in range(6):
                for i, y in enumerate((1.0, 2.0, 3.0, 4.0)):
                    cases = (("clean", 0.0, 1.0, 0.0), ("missing_rate", 0.0, 1.0, 0.01), ("missing_rate", 0.5, 0.8, 0.01))
                    for condition, severity, scale, bias in cases:
                        pred = 2.5 + slope * scale * (y - 2.5) + bias * subject
                        who = ("d", "loso", model, seed, f"s{subject}")
                        rows.append((*who, condition, severity, "valence", f"t{i}", y, pred, 2.5))
    columns = [*score.KEYS, "subject", "condition", "severity", "target", "trial", "y_true", "y_pred", "y_reference"]
    return pd.DataFrame(rows, columns=columns)


def _keyed(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.rename(columns={"dataset": "setting"})


def test_scores_are_tidy_and_seeds_are_averaged_first():
    scores = score.score(_predictions())
    assert list(scores.columns) == score.COLUMNS
    assert len(score.per_subject(_keyed(scores), "ccc")) == 2 * 3 * 6  # models, (condition, severity), subjects: no seed left
    means = score.per_subject(_keyed(scores), "skill")
    assert set(means["condition"]) == {"clean"}  # a grid of conditions has few metrics
    clean = means[means["model"] == "ridge"]
    # half the slope leaves a quarter of the squared error: skill 3/4
    np.testing.assert_allclose(clean["value"], 0.75)


def test_pooled_scores_use_every_row():
    pooled = score.score_pooled(_predictions())
    row = pooled[(pooled["metric"] == "pooled_ccc") & (pooled["condition"] == "clean") & (pooled["model"] == "himoe")]
    assert row["value"].tolist() == pytest.approx([1.0, 1.0])
    assert row["n"].tolist() == [24, 24]


def test_comparison_is_paired_over_people():
    data = compare(_keyed(score.score(_predictions())), "ccc", ["d"])
    assert data[["other", "n_subjects", "n_seeds"]].to_numpy().tolist() == [["ridge", 6, 2]]
    # ridge: slope 1/2 -> 2 * s^2/2 / (s^2 + s^2/4) = 0.8; himoe 1 -> 0.2 for everyone
    assert data["difference"].item() == pytest.approx(0.2)
    np.testing.assert_allclose(data[["low", "high"]], 0.2)
    assert data["p"].item() < 1e-6


def test_p_is_of_the_t_test():
    values = np.array([0.1, 0.2, 0.3, 0.4, 0.6])
    rows = [
        ("d", m, 0, f"s{i}", "valence", "clean", 0.0, "ccc", v * (m == "himoe"))
        for m in ("himoe", "ridge") for i, v in enumerate(values)
    ]  # fmt: skip
    columns = ["setting", "model", "seed", "subject", "target", "condition", "severity", "metric", "value"]
    found = compare(pd.DataFrame(rows, columns=columns), "ccc", ["d"])
    assert found["p"].item() == pytest.approx(ttest_1samp(values, 0).pvalue)


def test_skill_is_of_sums_over_people():
    data = compare(_keyed(score.score(_predictions())), "skill", ["d"])
    assert data["difference"].item() == pytest.approx(0.25)  # himoe 1, ridge 3/4


def test_what_is_left_and_kept():
    table = robustness(_keyed(score.score(_predictions()))).set_index("model")
    left, start = table["left"], table["start"]
    assert left["himoe"] < start["himoe"]
    assert np.isnan(table.loc["himoe", "difference"])
    assert table.loc["ridge", "difference"] == pytest.approx(left["himoe"] - left["ridge"])
    assert table.loc["ridge", "kept"] == pytest.approx(left["ridge"] / start["ridge"])
    assert table["n_subjects"].tolist() == [6, 6]
