"""Config: generated files in step, every field sourced, bad input answered in one line with the nearest name."""

from __future__ import annotations

import re

import jsonschema
import pytest
import yaml

from himoe import registry
from himoe.config import document, sections
from himoe.config.claims import lacks, parse_claims
from himoe.config.load import load_config
from himoe.config.regimes import Regime
from himoe.config.run import Config
from himoe.types import HimoeError
from tests.conftest import ROOT

FILES = ["config.yaml", "open.yaml", "paper.yaml"]


@pytest.mark.parametrize("name", FILES)
def test_shipped_files_are_valid(root, name):
    raw = yaml.safe_load((root / "config" / name).read_text())
    load_config(raw)
    jsonschema.validate(raw, document.schema())


@pytest.mark.parametrize("name", ["config/schema.json", "config/README.md", "docs/decisions.md"])
def test_generated_documents_are_in_step(root, name):
    assert (root / name).read_text() == document.generated(root)[root / name], "run `make schema`"


def test_the_key_table_has_every_key(root):
    table = (root / "config/README.md").read_text().partition("<!-- keys -->")[2]
    parts = (Config(), ""), (Regime(), "regimes.NAME."), (sections.Planted(), "planted.NAME.")
    keys = [key for part, prefix in parts for key, *_ in sections.walk(part, prefix)]
    assert re.findall(r"^\| `([^`]+)` \|", table, re.M) == keys


def test_the_register_has_every_setting_of_every_model(root):
    register = (root / "docs/decisions.md").read_text()
    for name in registry.available("models"):
        for key, *_ in sections.walk(registry.load("models", name).Config(), f"{name}."):
            assert register.count(f"| `{key}` |") == 1, key


def test_every_setting_has_a_meaning_and_a_source():
    for key, _, meaning, source in sections.walk(Config()):
        assert meaning, key
        assert source.startswith(("paper", "cited:", "ours")), key


def test_every_model_setting_has_a_meaning_and_a_source():
    for name in registry.available("models"):
        for key, _, meaning, source in sections.walk(registry.load("models", name).Config()):
            assert meaning, (name, key)
            assert source.startswith(("paper", "cited:", "ours")), (name, key)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"modles": ["ridge"]}, "modles: unknown key; did you mean 'models'?"),
        ({"training": {"epoch": 3}}, "training.epoch: unknown key; did you mean 'epochs'?"),
        ({"models": ["rigde"]}, "models: there is no 'rigde'; did you mean 'ridge'?"),
        ({"datasets": ["daep_twin"]}, "did you mean 'deap_twin'?"),
        ({"models": []}, "models"),
        ({"protocols": ["los"]}, "did you mean 'loso'?"),
        ({"training": {"epochs": "many"}}, "training.epochs"),
        ({"conditions": {"shfit": [1]}}, "did you mean 'shift'?"),
        ({"figures": ["curve"]}, "figures: there is no 'curve'"),
        ({"datasets": ["../../x"]}, "datasets.0"),
        ({"datasets": ["a; touch y"]}, "datasets.0"),
        ({"datasets": ["x" * 300]}, "datasets.0"),
        ({"model_options": {"ridge": {"penalty": [1]}}}, "did you mean 'penalties'?"),
        ({"targets": {"deap_twin": ["valance"]}}, "did you mean 'valence'?"),
        ({"models": ["ridge", "ridge"]}, "models: ridge appears twice"),
        ({"seeds": [0, 0]}, "seeds: 0 appears twice"),
        ({"seeds": [-1]}, "seeds.0"),
        ({"conditions": {"shift": []}}, "conditions.shift"),
        ({"conditions": {"missing_rate": [-0.1]}}, "conditions.missing_rate.0"),
        ({"datasets": ["deap_twin", "esports"]}, "use two config files"),
        ({"targets": {"deap": ["valence"]}}, "is not in datasets"),
        (
            {"feature_sets": {"few": {"deap_twin": ["eeeg"]}}},
            "feature_sets.few.deap_twin: there is no 'eeeg'; did you mean 'eeg'",
        ),
        ({"feature_sets": {"few": {"deap": ["eeg"]}}}, "feature_sets.few.deap: 'deap' is not in datasets; name it as there"),
        (
            {"feature_sets": {"few": {"daep_twin": ["eeg"]}}},
            "feature_sets.few.daep_twin: there is no 'daep_twin'; did you",
        ),
        ({"feature_sets": {"a-b": {"deap_twin": ["eeg"]}}}, "feature_sets.a-b"),
        ({"feature_sets": {"few": ["eeg"]}}, "feature_sets.few: Input should be a valid dictionary"),
        ({"feature_sets": {"few": {"deap_twin": []}}}, "feature_sets.few.deap_twin"),
        ({"datasets": ["deap_twin-few"]}, "datasets: deap_twin-few: feature_sets: there is no 'few'; valid names: none"),
        (
            {"datasets": ["deap_twin-few.3"], "feature_sets": {"few": {"deap_twin": ["eeg"]}}},
            "datasets: deap_twin-few.3: only planted data sets have such names",
        ),
        (
            {"targets": {"deap_twin-few": ["valence"]}, "feature_sets": {"few": {"deap_twin": ["eeg"]}}},
            "targets: 'deap_twin-few' is a part of deap_twin; say it of that one",
        ),
        (
            {"datasets": ["planted-a"], "planted": {"a": {}}, "feature_sets": {"few": {"planted-a": ["eeg"]}}},
            "feature_sets.few.planted-a: feature sets are of recorded data sets and of twins",
        ),
    ],
)
def test_bad_input_is_one_line_with_a_hint(raw, said):
    with pytest.raises(HimoeError) as error:
        load_config(raw)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_feature_sets_are_data_sets_of_the_run():
    sets = {"skin": {"deap_twin": ["temperature", "gsr"], "dreamer_twin": ["ecg"]}, "no_eeg": {"deap_twin": ["eog", "emg"]}}
    made = load_config({"feature_sets": sets, "targets": {"deap_twin": ["liking"]}, "models": ["ridge", "dgcnn"]})
    assert made.datasets == ["deap_twin", "dreamer_twin", "deap_twin-skin", "dreamer_twin-skin", "deap_twin-no_eeg"]
    assert made.prepared == ["deap_twin", "dreamer_twin"]
    assert made.modalities_of("deap_twin-skin") == ("gsr", "temperature")  # in the order of the plug-in
    assert len(made.modalities_of("deap_twin")) == 7
    assert made.targets_of("deap_twin-skin") == ("liking",)
    assert made.size("deap_twin-skin") == made.size("deap_twin")
    assert made.models_of("deap_twin-skin", "loso") == ["ridge"]  # dgcnn reads EEG
    assert made.models_of("deap_twin", "loso") == ["ridge", "dgcnn"]
    alone = load_config({"datasets": ["deap_twin-skin"], "feature_sets": {"skin": {"deap_twin": ["gsr"]}}})
    assert (alone.datasets, alone.prepared) == (["deap_twin-skin"], ["deap_twin"])


def test_twins_take_their_size_from_the_config():
    settings = load_config({"datasets": ["deap_twin"], "twin": {"subjects": 7, "trials": 3, "seconds": 10}})
    size = settings.size("deap_twin")
    assert (len(size.subjects), size.n_trials, size.seconds) == (7, 3, 10)
    original = settings.size("deap")
    assert (len(original.subjects), original.n_trials, original.seconds) == (32, 40, 60)


def test_a_causal_model_takes_no_read_out_that_is_not():
    for causal in ({"model_options": {"himoe": {"causal": True}}}, {"ablations": {"past": {"causal": True}}}):
        load_config({"models": ["himoe"]} | causal)
        with pytest.raises(HimoeError, match=r"training\.readout: it fills lost tokens with the mean of their window"):
            load_config({"models": ["himoe"], "training": {"readout": "ridge"}} | causal)


def test_shards_hold_every_fold_once():
    own = {"datasets": ["deap_twin"], "twin": {"subjects": 10, "trials": 2, "seconds": 16}, "protocols": ["loso"]}
    for per_job, sizes in (("all", [10]), (4, [4, 4, 2]), (5, [5, 5]), (99, [10])):
        made = load_config(own | {"execution": {"folds_per_job": per_job}})
        assert made.shard_sizes("deap_twin", "loso") == sizes


def test_models_on_is_of_a_data_set_or_of_one_of_its_protocols():
    """A protocol of its own counts before the data set's; elsewhere all models are fitted."""
    on = {"deap_twin": ["ridge", "himoe"], "deap_twin/loso": ["ridge"]}
    config = load_config({"models": ["train_mean", "ridge", "himoe"], "protocols": ["loso", "subject_kfold"], "models_on": on})
    assert config.models_of("deap_twin", "loso") == ["ridge"]
    assert config.models_of("deap_twin", "subject_kfold") == ["ridge", "himoe"]
    assert config.models_of("dreamer_twin", "loso") == ["train_mean", "ridge", "himoe"]
    assert config.unfit("himoe", "deap_twin", "loso") == "models_on leaves it out"


def test_a_claim_needs_its_ablations_where_it_is_judged():
    """Ablations that are fitted elsewhere leave nobody to be ahead of here."""
    c7 = next(c for c in parse_claims(yaml.safe_load((ROOT / "config/claims.yaml").read_text())) if c.id == "C7")
    on = {"dreamer_twin": ["ridge", "himoe"]}
    config = load_config({"models": ["ridge", "himoe"], "ablations": {"flat": {"hierarchy": "flat"}}, "models_on": on})
    assert lacks(config, "deap_twin", "subject_kfold", c7) == ""
    assert lacks(config, "dreamer_twin", "subject_kfold", c7) == "needs 1 of the ablations of config/ablations.yaml"
