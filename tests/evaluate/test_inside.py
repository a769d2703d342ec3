"""What is recorded of the inside of a network, by hand and through predict: nothing that it says changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from himoe.conditions import outage
from himoe.evaluate import predict as predicting
from himoe.evaluate import watched
from himoe.evaluate.conditions import Conditions
from himoe.evaluate.outages import around
from tests.conftest import make_tokens
from tests.train.fits import fit, folds, predict, stored

CONDITIONS = Conditions({"outage": [0.0, 4.0], "shift": [0.0, 1.0]}, 7)


def test_shares_around_an_outage_by_hand():
    """Eight tokens at 2 Hz, two modalities; the first is lost in tokens 2 and 3. Reach is 10 tokens: most is outside."""
    clean = make_tokens(1, 1, 8)
    clean.mask[:] = True
    mask = clean.mask.copy()
    mask[2:4, 0] = False
    as_clean = np.tile([0.5, 0.3, 0.2], (8, 1))
    shares = as_clean.copy()
    shares[2:4] = [0.0, 0.7, 0.3]
    found = around(shares, as_clean, replace(clean, mask=mask), clean, [slice(2, 4)])
    onset = found["outage_onset"][0]  # (20, 3, 2): token 2 is step 10
    assert onset.shape == (20, 3, 2)
    assert np.isnan(onset[:8]).all()
    assert np.isnan(onset[16:]).all()
    np.testing.assert_allclose(onset[9, :, 1], [0.5, 0.3, 0.2])
    np.testing.assert_allclose(onset[10, :, 1], [0.0, 0.7, 0.3])
    np.testing.assert_allclose(onset[10, :, 0], [0.5, 0.3, 0.2])  # the same step with nothing lost
    np.testing.assert_allclose(found["outage_end"][0, 9:11, 0, 1], [0.0, 0.5])  # back with token 4
    np.testing.assert_allclose(found["outage_share"][0], [[0.5, 0], [0.3, 0.7], [0.2, 0.3]])
    assert found["outage_lost"].tolist() == [[1, 0]]


def test_a_modality_that_was_not_recorded_is_neither_lost_nor_left():
    clean = make_tokens(1, 1, 8)
    clean.mask[:] = [True, False]
    mask = clean.mask.copy()
    mask[2:4] = False
    shares = np.tile([0.6, 0.0, 0.4], (8, 1))
    found = around(shares, shares, replace(clean, mask=mask), clean, [slice(2, 4)])
    np.testing.assert_array_equal(found["outage_lost"], [[1, np.nan]])
    np.testing.assert_allclose(found["outage_onset"][0, 10, :, 1], [0.6, 0, 0.4])


def test_an_outage_ends_with_the_trial():
    assert outage.span(24, 4.0, 2.0) == slice(8, 16)
    assert outage.span(24, 99.0, 2.0) == slice(8, 24)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    tokens = make_tokens(6, 3, 30, per_token=True)
    tokens = replace(tokens, mask=np.ones_like(tokens.mask))
    split = folds(tokens, tmp=tmp_path_factory.mktemp("folds"))[0]
    return tokens, split, stored(fit("himoe", tokens, split, {"width": 8, "alignment": "none"}))


def test_hi_moe_is_watched_and_says_what_it_said(fitted, monkeypatch):
    tokens, split, states = fitted
    options = {"width": 8, "alignment": "none"}
    predictions, routing = predict("himoe", tokens, [split], states, options, conditions=CONDITIONS)
    shown = routing[routing["quantity"] == "representation"]
    assert set(shown["condition"]) == {"clean"}
    assert set(shown["subject"]) == {s for s, _ in split.test}
    assert len(shown) == 8 * len(split.test)  # width times trials
    of_validation = routing[routing["quantity"] == "representation_of_validation"]
    assert set(of_validation["subject"]) == {s for s, _ in split.valid}
    monkeypatch.setattr(watched.Watched, "forward", lambda self, batch: self.network(batch))
    monkeypatch.setattr(predicting, "REPRESENTATION", "modality_share")  # without which nothing is represented
    pd.testing.assert_frame_equal(predict("himoe", tokens, [split], states, options, conditions=CONDITIONS)[0], predictions)


def test_what_is_lost_supplies_nothing(fitted):
    """Without alignment a step knows its own presence alone: the share falls within the token, and shares sum to 1."""
    tokens, split, states = fitted
    _, routing = predict("himoe", tokens, [split], states, {"width": 8, "alignment": "none"}, conditions=CONDITIONS)
    onset = routing[routing["quantity"] == "outage_onset"]
    assert set(onset["severity"]) == {4.0}
    index = onset["part"].str.split("/", expand=True).astype(int).set_axis(["step", "group", "lost"], axis=1)
    onset = onset.assign(**index)
    lost = onset[(onset["lost"] == 1) & (onset["group"] == 0)].groupby("step")["value"]
    assert (lost.max()[lambda v: v.index.isin(range(10, 18))] == 0).all()  # 4 s from step 10 on
    assert (lost.min()[[9, 18]] > 0).all()
    sums = onset.groupby(["subject", "trial", "step", "lost"])["value"].sum(min_count=3).dropna()
    np.testing.assert_allclose(sums, 1, atol=1e-6)
    n_lost = routing[routing["quantity"] == "outage_lost"].groupby(["subject", "trial"])["value"].sum()
    assert (n_lost == 1).all()  # half of two


@pytest.mark.parametrize("model", ["ridge", "husformer", "late_fusion"])
def test_only_shares_of_modalities_are_followed(model, tmp_path):
    """late fusion names them, too; none but the model under study is asked how it represents trials."""
    tokens = make_tokens(6, 3, 30, per_token=True)
    split = folds(tokens, tmp=tmp_path)[0]
    _, routing = predict(model, tokens, [split], stored(fit(model, tokens, split)), conditions=CONDITIONS)
    known = {"modality_share", "outage_onset", "outage_end", "outage_share", "outage_lost"} if model == "late_fusion" else set()
    assert set(routing["quantity"]) == known
