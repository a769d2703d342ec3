"""The forest: each difference with its word, of models that read physiology and of ablations, held against what is of
interest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml

from himoe.config.claims import parse_claims
from himoe.config.load import load_config
from himoe.figures import forest
from himoe.report import style
from himoe.report.evidence import Evidence
from tests.conftest import ROOT
from tests.report.scores import KEYS

CLAIMS = ROOT / "config/claims.yaml"
LEVELS = {
    "late_fusion": 0.45,
    "ridge": 0.3,
    "mult": 0.402,
    "boosting": 0.36,
    "himoe": 0.4,
    "train_mean": 0.0,
    "himoe-flat": 0.385,
}
NOISY = {"boosting": 0.15, "himoe": 0.002}


def drawn(lost=(), protocol="loso"):
    """Ten people about a level, Hi-MoE's own within .002 and boosting's within .15 of it."""
    wobble, names = np.array([1, -1] * 5), [m for m in LEVELS if "-" not in m]
    config = load_config({
        "datasets": ["case"], "protocols": [protocol], "models": names, "conditions": {},
        "ablations": {"flat": {"hierarchy": "flat"}},
    })  # fmt: skip
    rows = [
        ("case", m, 0, f"s{i}", "valence", "clean", 0.0, "ccc", np.nan if m in lost else v + w * NOISY.get(m, 0.0))
        for m, v in LEVELS.items() for i, w in enumerate(wobble)
    ]  # fmt: skip
    run = Evidence({"claims": [str(CLAIMS)]}, config)
    run.__dict__.update(all_scores=pd.DataFrame(rows, columns=[*KEYS, "value"]))
    with style.themed(style.LIGHT):
        return forest.draw(run, style.LIGHT)


def test_words_by_hand():
    """Intervals are .0015 wide but for boosting's, .11: late fusion is .05 ahead, ridge .1 behind, MulT within .02; boosting is
    anything. The flat bank is .015 behind: more than the .01 that C7 is about, and less than .02."""
    data = drawn().data.set_index("other")
    assert data["word"].to_dict() == {
        "late_fusion": "behind", "mult": "equivalent", "boosting": "inconclusive", "ridge": "ahead", "himoe-flat": "ahead"
    }  # fmt: skip
    assert data.index.tolist()[-1] == "himoe-flat"  # after the rivals, which go from the smallest lead to the largest
    assert data["lead"].tolist()[:4] == pytest.approx([-0.05, -0.002, 0.04, 0.1])
    assert data["smallest"].to_dict() == dict.fromkeys(data.index, 0.02) | {"himoe-flat": 0.01}


def test_the_finding_counts():
    said = "Hi-MoE against 5 others in 1 setting, one at a time: 2 ahead, 1 behind, 1 equivalent, 1 inconclusive."
    assert drawn().finding == said


def test_a_fold_that_failed_and_too_few_seeds():
    made = drawn(lost=("ridge",))
    assert made.data.set_index("other").loc["ridge", "word"] == "failed"
    assert "1 failed" in made.finding
    shared = drawn(protocol="subject_kfold")
    assert set(shared.data["word"]) == {forest.FEW}


def test_the_smallest_effect_of_each_ablation():
    """C4 asks about routers with .02, C5 about emotion experts and C7 about the flat bank with .01."""
    effects = forest.smallest_effects(parse_claims(yaml.safe_load(CLAIMS.read_text())))
    assert (effects["himoe-router_concat"], effects["himoe-emotion_single"], effects["himoe-flat"]) == (0.02, 0.01, 0.01)
    assert effects["himoe"] == 0.02
