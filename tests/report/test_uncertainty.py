"""The ensemble over seeds scored as one more predictor, and what intervals hold, of predictions made by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from himoe.config.run import Config
from himoe.evaluate.score import score
from himoe.report.evidence import Evidence
from himoe.stats.frames import pick
from himoe.tables import uncertainty

N_PEOPLE, N_TRIALS = 24, 20


def predictions(n_seeds=3, noise=0.5, time=np.nan):
    """Ratings about 5 of 24 people, of which Hi-MoE knows half and its seeds disagree by ``noise``; ridge has no seeds."""
    rng, frames = np.random.default_rng(0), []
    for i in range(N_PEOPLE):
        true = 5 + rng.standard_normal(N_TRIALS)
        known = 5 + 0.5 * (true - 5) + 0.5 * rng.standard_normal(N_TRIALS)
        for model, sd in (("himoe", noise), ("ridge", 0.0)):
            for seed in range(n_seeds):
                frames.append(pd.DataFrame({
                    "dataset": "case", "protocol": "loso", "setting": "case", "model": model, "seed": seed, "fold": i,
                    "condition": "clean", "severity": 0.0, "subject": f"s{i:02d}", "trial": [f"t{k}" for k in range(N_TRIALS)],
                    "time": time, "target": "valence", "y_true": true, "y_reference": 5.0,
                    "y_pred": known + sd * rng.standard_normal(N_TRIALS),
                }))  # fmt: skip
    return pd.concat(frames, ignore_index=True).sample(frac=1, random_state=0)  # rows in no order


def table(rows, n_seeds=3):
    config = Config(
        datasets=["case"], protocols=["loso"], models=["ridge", "himoe"], targets={"case": ["valence"]}, conditions={},
        seeds=list(range(n_seeds)),
    )  # fmt: skip
    run = Evidence({}, config)
    run.__dict__.update(predictions=rows)
    return uncertainty.make(run)


def test_the_ensemble_is_scored_as_any_predictor():
    """By the code that scores models, on the mean of three seeds; noise that seeds do not share is averaged away."""
    rows = predictions()
    found = table(rows).data.set_index("model").loc["himoe"]
    together = pick(rows, model="himoe").groupby(["subject", "trial"], as_index=False).first()
    mean = pick(rows, model="himoe").groupby(["subject", "trial"])["y_pred"].mean().to_numpy()
    scores = pick(score(together.assign(y_pred=mean, time=0.0, seed=0)), metric="ccc")["value"]
    assert found["ensemble"] == pytest.approx(scores.mean())
    single = pick(score(pick(rows, model="himoe").assign(time=0.0)), metric="ccc")["value"]
    assert found["single"] == pytest.approx(single.mean())
    assert found["low"] > 0
    assert found["gain"] == pytest.approx(found["ensemble"] - found["single"])


def test_the_spread_of_seeds_holds_too_little_and_other_people_enough():
    """Seeds differ by a SD of .05 where ratings are .7 off: of 95% they hold less than 40. Other people's errors are of one
    size: they hold what they should, within what 480 ratings tell."""
    made = table(predictions(noise=0.05))
    found = made.data.set_index("model").loc["himoe"]
    assert found["by_seeds_95"] < 0.4
    assert [found[f"by_others_{n}"] for n in ("50", "80")] == pytest.approx([0.5, 0.8], abs=0.06)
    assert 0.93 <= found["by_others_95"] <= 1
    assert found["half_width_50"] == pytest.approx(0.674 * 0.5**0.5, abs=0.06)  # .707 off, as the middle half of a normal
    assert made.shown.columns.size <= 8
    assert "the 95% interval by seeds holds" in made.finding


def test_what_is_gained_is_said_with_its_interval_and_for_how_many_seeds():
    data = pd.DataFrame({
        "setting": "case", "model": "himoe", "target": ["valence", "arousal"], "single": 0.3, "gain": [0.02, 0.03],
        "low": [-0.01, 0.01], "high": [0.05, 0.06], "by_seeds_95": [0.3, 0.4], "by_others_95": [0.9, 1.0], "n_seeds": 3,
    })  # fmt: skip
    assert uncertainty._finding(data) == (
        "CASE, Hi-MoE: for these 3 seeds the ensemble's CCC less a single seed's is valence 0.020 [−0.010, 0.050] and arousal "
        "0.030 [0.010, 0.060]; of ratings the 95% interval by seeds holds 35%, other people's residuals hold 95%."
    )


def test_a_model_without_seeds_has_no_spread():
    made = table(predictions())
    ridge = made.shown[made.shown["model"] == "ridge"].iloc[0]
    assert ridge["50 / 80 / 95% by seeds hold"] == "all seeds say the same"
    assert ridge["ensemble less single [95% CI]"].startswith("0.000")


def test_one_seed_tells_of_other_people_alone():
    made = table(predictions(n_seeds=1), n_seeds=1)
    shown = made.shown.iloc[0]
    assert shown["ensemble less single [95% CI]"] == shown["50 / 80 / 95% by seeds hold"] == "not told with one seed"
    assert "%" in shown["by other people"]
    assert "of an ensemble not told with one seed; at 95% other people's residuals hold" in made.finding


def test_a_fold_that_failed_tells_nothing():
    rows = predictions()
    made = table(
        rows.assign(y_pred=rows["y_pred"].mask((rows["model"] == "himoe") & (rows["fold"] == 2) & (rows["seed"] == 1)))
    )
    assert made.shown.iloc[0, 2:7].eq("failed: diverged").all()
    assert made.finding == "CASE, Hi-MoE: failed."


def test_an_interval_as_wide_as_the_scale_holds_every_rating():
    """Predictions ten points off, far beyond the scale of 9: other people say so, and no width is above that of the scale."""
    rows = predictions()
    found = table(rows.assign(y_pred=rows["y_pred"] + 10)).data.set_index("model").loc["himoe"]
    assert found["by_others_95"] >= 0.93
    assert found["half_width_50"] == found["half_width_95"] == 9.0
