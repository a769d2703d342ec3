"""Ceilings against numbers worked by hand; what is left within a clip is 0 for a model that only recognises the clip."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from himoe.evaluate import ceilings, score
from himoe.io import write_table
from himoe.names import CEILINGS
from himoe.stats.frames import pick
from himoe.types import HimoeError

RUN = {"dataset": "deap", "protocol": "loso", "seed": 0, "condition": "clean", "severity": 0.0, "target": "valence"}


def predictions(ratings, predicted=None, model="ridge", times=None):
    """(predictions, stimuli) of ratings (n_people, n_clips) or (n_people, n_clips, n_times); NaN: this person has none."""
    ratings = np.asarray(ratings, float)
    ratings = ratings if ratings.ndim == 3 else ratings[..., None]
    predicted = np.zeros_like(ratings) if predicted is None else np.asarray(predicted, float).reshape(ratings.shape)
    rows = [
        RUN | {
            "model": model, "fold": p, "subject": f"p{p}", "trial": f"t{c}", "time": np.nan if times is None else times[t],
            "y_true": ratings[p, c, t], "y_pred": predicted[p, c, t], "y_reference": 5.0,
        }
        for p, c, t in np.ndindex(ratings.shape) if np.isfinite(ratings[p, c, t])
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    stimuli = frame[["subject", "trial"]].drop_duplicates()
    return frame, stimuli.assign(stimulus=stimuli["trial"].str.replace("t", "clip "))


def labels(*args, **kwargs):
    return ceilings.true_labels(*predictions(*args, **kwargs))


def test_the_mean_of_the_others_by_hand():
    # clip 0: 1, 3, 8 -> others of p0 (3 + 8) / 2; clip 1: p2 has none -> p0 is left with p1; clip 2: p0 alone
    got = labels([[1, 4, 6], [3, 2, np.nan], [8, np.nan, np.nan]]).set_index(["subject", "trial"])["others"]
    assert got["p0", "t0"] == 5.5
    assert got["p1", "t0"] == 4.5
    assert got["p2", "t0"] == 2.0
    assert got["p0", "t1"] == 2.0
    assert got["p1", "t1"] == 4.0
    assert np.isnan(got["p0", "t2"])


def test_where_labels_vary_the_others_are_those_of_the_same_second():
    got = labels([[[1, 2]], [[5, 9]], [[7, 1]]], times=np.array([0.5, 1.0], np.float32))
    assert got.loc[got["subject"] == "p0", "others"].tolist() == [6.0, 5.0]  # (5 + 7) / 2, (9 + 1) / 2


def test_people_weigh_the_same_however_often_they_met_a_clip():
    frame, stimuli = predictions([[2, 6, 9], [4, np.nan, np.nan]])
    stimuli["stimulus"] = "the one clip"  # p0 met it three times: 2, 6, 9
    frame = pd.concat([frame, frame[:1].assign(subject="p2", y_true=7.0)])
    stimuli = pd.concat([stimuli, stimuli[:1].assign(subject="p2")])
    got = ceilings.true_labels(frame, stimuli).set_index("subject")["others"]
    assert got["p1"] == pytest.approx((17 / 3 + 7) / 2)
    assert got["p2"] == pytest.approx((17 / 3 + 4) / 2)
    assert got["p0"].tolist() == [5.5] * 3  # (4 + 7) / 2, its own other ratings left out


def test_labels_of_a_control_are_not_read():
    wrong, stimuli = predictions([[9, 9], [9, 9]], model="ridge-shuffled_labels")
    right, _ = predictions([[1, 2], [3, 4]])
    got = ceilings.true_labels(pd.concat([wrong, right, right.assign(model="himoe")]), stimuli)
    assert got["y_true"].tolist() == [1, 2, 3, 4]
    assert ceilings.references(ceilings.true_labels(wrong, stimuli)).empty


def test_the_rating_bias_by_hand():
    # levels 3, 7, 5; spreads 1, 2, 0 (population). p0: others' level (7 + 5) / 2 = 6, others' spread (2 + 0) / 2 = 1
    made = ceilings.references(labels([[2, 4], [5, 9], [5, 5]])).set_index(["model", "subject"])["y_pred"]
    assert made["rating_bias", "p0"].tolist() == [5, 7]
    assert made["rating_bias", "p1"].tolist() == [2, 6]  # others' level 4
    assert made["rating_bias", "p2"].tolist() == [5, 5]
    assert made["rating_bias_and_spread", "p0"].tolist() == [5, 7]
    assert made["rating_bias_and_spread", "p1"].tolist() == [3.5, 4.5]  # 4 -+ (1 + 0) / 2
    assert made["leave_one_rater_out", "p0"].tolist() == [5, 7]  # (5 + 5) / 2, (9 + 5) / 2
    scored = score.score(ceilings.references(labels([[2, 4], [5, 9], [5, 5]])))
    ccc = scored[scored["metric"] == "ccc"].set_index(["model", "subject"])["value"]
    assert ccc["rating_bias", "p0"] == pytest.approx(2 / (2 + 9))  # s = 1, off by d = 3: 2 s^2 / (2 s^2 + d^2)
    assert ccc["rating_bias", "p1"] == pytest.approx(8 / (8 + 9))  # s = 2, d = 3
    assert ccc["rating_bias", "p2"] == 0  # whose ratings do not vary


def test_one_rater_has_no_ceiling():
    assert ceilings.references(labels([[2, 4, 5]])).empty
    frame, stimuli = predictions([[2, 4, 5, 6, 7]])
    assert ceilings.residual_scores(frame, ceilings.true_labels(frame, stimuli)).empty


def test_people_who_share_no_clip_have_a_level_in_common_and_no_more():
    frame, stimuli = predictions([[2, 4], [6, 8]])
    stimuli["stimulus"] = stimuli["subject"] + stimuli["trial"]
    made = ceilings.references(ceilings.true_labels(frame, stimuli))
    assert set(made["model"]) == {"rating_bias", "rating_bias_and_spread"}


def test_what_a_line_leaves_by_hand():
    # on 0, 1, 2, 3 the values 1, 1, 5, 5: slope (1.5 2 + 0.5 2 + 0.5 2 + 1.5 2) / 5 = 8 / 5
    np.testing.assert_allclose(ceilings.beyond(np.array([1, 1, 5, 5.0]), np.arange(4.0)[:, None]), [0.4, -1.2, 1.2, -0.4])
    np.testing.assert_array_equal(ceilings.beyond(3 - 0.7 * np.arange(5.0), np.arange(5.0)[:, None]), 0)
    np.testing.assert_array_equal(ceilings.beyond(np.array([1, 2, 3.0]), np.ones((3, 1))), [-1, 0, 1])  # the others never vary


def residual(ratings, predicted, metric="residual_pcc"):
    frame, stimuli = predictions(ratings, predicted)
    out = ceilings.residual_scores(frame, ceilings.true_labels(frame, stimuli))
    return out[out["metric"] == metric].set_index("subject")["value"]


def without_each(ratings, keep=None):
    """For each person the mean of the others' ratings, or of those that ``keep`` (n_people, n_people) names."""
    keep = ~np.eye(len(ratings), dtype=bool) if keep is None else keep
    return keep @ ratings / keep.sum(1, keepdims=True)


def test_the_plain_difference_would_punish_whoever_recognises_the_clip():
    """Why a line is taken away and not the others' mean prediction: see residual_scores."""
    ratings = np.random.default_rng(0).normal(5, 2, (6, 12))
    said = without_each(ratings)  # the clip's mean over the training people, each person left out
    for p in range(6):
        others = np.arange(6) != p
        plain = [v[p] - v[others].mean(0) for v in (ratings, said)]
        assert np.corrcoef(*plain)[0, 1] == pytest.approx(-1)
    assert (residual(ratings, said) == 0).all()
    assert (residual(ratings, 2 + 0.3 * said, "residual_ccc") == 0).all()  # shrunken as it may be


@pytest.mark.parametrize("seen", ["half of the people", "half of the clips"])
def test_a_model_that_only_recognises_the_clip_has_nothing_left(seen):
    rng, values = np.random.default_rng(1), []
    for _ in range(150):
        ratings = rng.normal(size=12) + rng.normal(size=(8, 12))
        if seen == "half of the people":  # validation people take no part in training
            said = without_each(ratings, np.array([[p != q and (p + q) % 2 for q in range(8)] for p in range(8)]))
        else:
            said = np.where(rng.random(12) < 0.5, without_each(ratings), 0.0)
        values.append(residual(ratings, said).mean())
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values)) + 0.005


def test_a_model_that_knows_the_person_has_all():
    rng = np.random.default_rng(2)
    ratings = rng.normal(5, 1, 10) + rng.normal(0, 1, (5, 10))
    assert residual(ratings, ratings).tolist() == pytest.approx([1] * 5)
    assert residual(ratings, 3 - ratings).tolist() == pytest.approx([-1] * 5)


def test_a_failed_fold_has_no_residual_and_few_labels_none():
    rng = np.random.default_rng(3)
    ratings, said = rng.normal(size=(3, 6)), rng.normal(size=(3, 6))
    said[1] = np.nan
    got = residual(ratings, said)
    assert got.isna().tolist() == [False, True, False]
    assert residual(ratings[:, :4], said[:, :4]).empty


def test_scores_of_files_hold_ceilings_and_residuals(tmp_path):
    rng = np.random.default_rng(4)
    frame, stimuli = predictions(rng.normal(5, 1, (4, 6)), rng.normal(5, 1, (4, 6)))
    frame = frame.assign(perturbed="", y_raw=frame["y_pred"])
    a, b = (str(tmp_path / f"{model}/seed-0/shard-0/predictions.parquet") for model in ("ridge", "himoe"))
    write_table(a, frame)
    parts = stimuli.assign(fold=0, part="test", digest="d")
    pd.concat([parts, parts.assign(fold=1, part="train")]).to_csv(tmp_path / "splits.csv", index=False)
    out = score.score_files([a], str(tmp_path / "splits.csv"))
    assert list(out.columns) == score.COLUMNS
    assert set(out["model"]) == {"ridge", *CEILINGS}
    write_table(b, frame.assign(model="himoe", perturbed="0a"))
    with pytest.raises(
        HimoeError, match=r"^predictions: ridge \(seed 0\) and himoe \(seed 0\) met other masks or shifts in fold 0 under"
    ):
        score.score_files([a, b], str(tmp_path / "splits.csv"))
    left = out[out["metric"] == "residual_pcc"]
    assert left["model"].tolist() == ["ridge"] * 4
    assert (left["n"] == 6).all()
    made = ceilings.references(ceilings.true_labels(frame, stimuli))  # nothing was calibrated
    assert (made["y_raw"] == made["y_pred"]).all()


@pytest.mark.parametrize("known", ["smoothed", "constant"])
def test_who_knows_the_clip_alone_knows_nothing_beyond_it(known, monkeypatch):
    """What six people share varies slowly and each one's own from moment to moment: the mean of five at the moment holds less
    of the shared course than its neighbours do, so that a mean over time, or over the clip, passes for knowledge of the person
    where that mean alone is taken away."""
    rng = np.random.default_rng(0)
    shared = np.sin(np.arange(60) * 2 * np.pi / 60 + rng.uniform(0, 6, (8, 1))) + rng.normal(size=(8, 1))  # (n_clips, n_times)
    ratings = shared + 2 * rng.normal(size=(6, 8, 60))
    others = (ratings.sum(0) - ratings) / 5
    smooth = pd.DataFrame(others.reshape(-1, 60).T).rolling(9, center=True, min_periods=1).mean().to_numpy().T
    said = others.mean(-1, keepdims=True).repeat(60, -1) if known == "constant" else smooth.reshape(ratings.shape)
    frame, stimuli = predictions(ratings, said, times=np.arange(60.0))
    labels = ceilings.true_labels(frame, stimuli)

    def found():
        return pick(ceilings.residual_scores(frame, labels), metric="residual_pcc")["value"].mean()

    all_means = found()
    monkeypatch.setattr(ceilings, "MEANS", ("others",))
    of_the_moment = found()
    assert of_the_moment > 0.15
    assert abs(all_means) < of_the_moment / 5
