"""The card and the warnings of a bundle: what they say is what happens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from himoe import io
from himoe.library.bundle import load
from himoe.library.card import _scores, model_card, schema
from himoe.library.inference import _unseen
from himoe.library.inputs import Score
from himoe.types import HimoeError
from tests.conftest import ROOT, make_tokens

KEPT = ROOT / "docs/tutorials/ceap_twin"


@pytest.fixture(scope="module")
def bundle():
    """The one that is kept for a tutorial."""
    return load(KEPT)


def test_the_kept_bundle_is_as_it_would_be_written(bundle):
    card = model_card(bundle.spec, bundle.inputs, bundle.about, len(bundle.folds))
    assert (KEPT / "README.md").read_text(encoding="utf-8") == card
    assert io.read_json(KEPT / "inputs.schema.json") == schema(bundle.inputs)


def test_units_are_those_that_numbers_have_when_the_model_reads_them(bundle):
    wrist = bundle.inputs.modalities[0].model_copy(update={"unit": "uS"})  # recorded so, read in S
    inputs = bundle.inputs.model_copy(update={"modalities": (wrist,)})
    assert "| gsr | eda | 4 | S |" in model_card(bundle.spec, inputs, bundle.about, 2)
    found = schema(inputs)["properties"]["gsr"]
    assert (found["x-unit"], found["description"][:7]) == ("S", "4 Hz, S")


@pytest.mark.parametrize(
    ("protocol", "apart"),
    [("loso", "people"), ("subject_stimulus", "people"), ("trial_kfold", "trials"), ("window_random", "windows")],
)
def test_what_networks_are_fitted_without_is_the_protocols(bundle, protocol, apart):
    spec = bundle.spec.model_copy(update={"protocol": protocol})
    assert f"each fitted without some of the {apart}." in model_card(spec, bundle.inputs, bundle.about, 2)


def test_people_without_a_score_are_told(bundle):
    def card(n):
        score = Score(target="valence", metric="ccc", mean=0.2, sd=0.1, n=n)
        return _scores(bundle.about.model_copy(update={"people": 6, "scores": (score,)}))

    assert "no score" not in card(6)
    assert "2 of 6 people have no score, as where a network failed: the means leave them out" in card(4)


def test_a_network_that_failed_has_learnt_nothing(bundle):
    tokens, digest = make_tokens(1, 2, 3), "a"
    tokens = replace(tokens, trials=tuple(replace(t, digest=digest) for t in tokens.trials))
    failed, well = bundle.folds[0]._replace(failed="no finite loss"), bundle.folds[1]
    some = replace(bundle, folds={0: failed, 1: well, 2: well._replace(read=(digest,))})
    lines = ["1 of 3 networks failed, and are left out", "1 of 3 networks have learnt from it, and are left out"]
    assert _unseen(some, tokens, "me", None) == ((1,), lines)
    assert _unseen(some, tokens, "me", 1) == ((1,), [])
    with pytest.raises(HimoeError, match="fold 0 failed: no finite loss"):
        _unseen(some, tokens, "me", 0)


def test_the_guide_and_the_card_say_what_is_known_again(bundle):
    """That it is so: tests/library/test_inference.py."""
    card, guide = ((path).read_text(encoding="utf-8") for path in (KEPT / "README.md", ROOT / "docs/howto/predict.md"))
    for text in (card, guide):
        plain = " ".join(text.split())
        assert "to the last bit" in plain
        assert "With a trial less" in plain or "with a trial less" in plain
