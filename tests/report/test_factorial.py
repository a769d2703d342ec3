"""Effects of parts over the eight models, by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml

from himoe.config.load import load_config
from himoe.tables import factorial
from tests.conftest import ROOT
from tests.report.scores import KEYS

ABLATIONS = yaml.safe_load((ROOT / "config/factorial.yaml").read_text())["ablations"]


@pytest.fixture
def config():
    return load_config({"datasets": ["deap_twin"], "models": ["ridge", "himoe"], "ablations": ABLATIONS, "conditions": {}})


def run(config, of_cell, lost=None):
    """Ten people; a model's CCC is a function of the parts that it has, give or take what is one person's."""
    people = 0.01 * np.linspace(-1, 1, 10)
    rows = [
        ("deap_twin", model, 0, f"s{i}", "valence", "clean", 0.0, "ccc", np.nan if model == lost else of_cell(*cell) + person)
        for cell, model in factorial.cells_of(config).items()
        for i, person in enumerate(people)
    ]
    frame = pd.DataFrame(rows, columns=[*KEYS, "value"])
    return factorial.make(SimpleNamespace(all_scores=frame, config=config, settings=["deap_twin"], perturbed=lambda c: []))


def test_the_shipped_file_is_the_whole_design(config):
    cells = factorial.cells_of(config)
    assert len(cells) == 8
    assert cells[True, True, True] == "himoe"
    assert cells[False, True, True] == "himoe-no_alignment"
    assert cells[True, False, False] == "himoe-alignment_alone"
    assert cells[False, False, False] == "himoe-no_part"


def test_effects_by_hand(config):
    """Alignment is worth .2, modality experts nothing, emotion experts .1 and where alignment is there .04 more. Over all
    eight .2 + .04 / 2, 0, .1 + .04 / 2; together .04 / 2; all other effects 0. People differ alike under all models."""
    made = run(config, lambda a, m, e: 0.2 * a + 0.1 * e + 0.04 * a * e)
    values = made.data.set_index("effect")["value"]
    expected = {"alignment": 0.22, "modality experts": 0, "emotion experts": 0.12, "alignment x emotion experts": 0.02}
    for name, value in values.items():
        assert value == pytest.approx(expected.get(name, 0), abs=1e-12), name
    assert len(values) == 7
    assert "interval above 0: alignment, emotion experts; below 0: none" in made.finding


def test_a_fold_that_diverged_leaves_no_effect(config):
    made = run(config, lambda a, m, e: 0.1 * a, lost="himoe-no_part")
    assert made.data["value"].isna().all()
    assert "above 0: none" in made.finding


def test_other_ablations_are_no_design(config):
    fewer = config.model_copy(update={"ablations": {"no_alignment": {"alignment": "none"}, "width": {"width": 8}}})
    made = run(fewer, lambda a, m, e: 0.1 * a)
    assert made.data.empty
    assert "Needs the seven ablations" in made.note
