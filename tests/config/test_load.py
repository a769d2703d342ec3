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

FILES = [
    "config.yaml",
    "open.yaml",
    "paper.yaml",
    "ceap.yaml",
    "ceap_seeds.yaml",
    "esports.yaml",
    "ladder.yaml",
    "planted.yaml",
]


@pytest.mark.parametrize("name", FILES)
def test_shipped_files_are_valid(root, name):
    raw = yaml.safe_load((root / "config" / name).read_text())
    load_config(raw)
    jsonschema.validate(raw, document.schema())


@pytest.mark.parametrize("name", ["paper.yaml", "open.yaml", "ceap.yaml", "ceap_seeds.yaml", "esports.yaml"])
def test_runs_on_people_leave_out_nothing_that_every_run_shows(root, name):
    """They name their tables and figures, to show more: what is added to the defaults is added to them."""
    run = load_config(yaml.safe_load((root / "config" / name).read_text()))
    assert set(sections.TABLES) <= set(run.tables)
    assert set(sections.FIGURES) <= set(run.figures)


@pytest.mark.parametrize("name", ["config/schema.json", "config/README.md", "docs/reference/decisions.md"])
def test_generated_documents_are_in_step(root, name):
    assert (root / name).read_text() == document.generated(root)[root / name], "run `make schema`"


def test_the_key_table_has_every_key(root):
    table = (root / "config/README.md").read_text().partition("<!-- keys -->")[2]
    parts = (Config(), ""), (Regime(), "regimes.NAME."), (sections.Planted(), "planted.NAME.")
    keys = [key for part, prefix in parts for key, *_ in sections.walk(part, prefix)]
    assert re.findall(r"^\| `([^`]+)` \|", table, re.M) == keys


def test_the_register_has_every_setting_of_every_model(root):
    register = (root / "docs/reference/decisions.md").read_text()
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
            {"variants": {"few": {"deap_twin": {"modalities": ["eeeg"]}}}},
            "variants.few.deap_twin.modalities: there is no 'eeeg'; did you mean 'eeg'",
        ),
        (
            {"variants": {"few": {"deap": {"modalities": ["eeg"]}}}},
            "variants.few.deap: 'deap' is not in datasets; name it as there",
        ),
        (
            {"variants": {"few": {"daep_twin": {"modalities": ["eeg"]}}}},
            "variants.few.daep_twin: there is no 'daep_twin'; did you",
        ),
        ({"variants": {"a-b": {"deap_twin": {"modalities": ["eeg"]}}}}, "variants.a-b"),
        ({"variants": {"few": ["eeg"]}}, "variants.few: Input should be a valid dictionary"),
        ({"variants": {"few": {"deap_twin": {}}}}, "variants.few.deap_twin: says nothing that differs"),
        ({"variants": {"few": {"deap_twin": {"modalities": []}}}}, "variants.few.deap_twin: says nothing that differs"),
        ({"variants": {"raw": {"deap_twin": {"modality": []}}}}, "did you mean 'modalities'?"),
        (
            {"variants": {"raw": {"deap_twin": {"features": {"normalisation": "nun"}}}}},
            "variants.raw.deap_twin.features.normalisation: ",
        ),
        (
            {"variants": {"raw": {"deap_twin": {"features": {"normalisation": "calibration"}}}}},
            "raw.deap_twin.features.normalisation: calibration needs variants.raw.deap_twin.features.calibration_trials of 1",
        ),
        (
            {"variants": {"same": {"deap_twin": {"features": {"normalisation": "session"}}}}},
            "variants.same.deap_twin: what it says is so in 'deap_twin' already",
        ),
        (
            {"variants": {"all": {"dreamer_twin": {"modalities": ["ecg", "eeg"]}}}},
            "variants.all.dreamer_twin: what it says is so in 'dreamer_twin' already",
        ),
        (
            {
                "datasets": ["case_twin"],
                "variants": {"other": {"case_twin": {"features": {"eeg": {"filter": "window_local"}}}}},
            },
            "or its features are of other recipes",
        ),
        (
            {"datasets": ["case_twin-late"], "variants": {"late": {"case_twin": {"annotator_lag": 2}}}},
            "an other choice is held against 'case_twin', which is not in datasets",
        ),
        ({"feature_sets": {"few": {"deap_twin": ["eeg"]}}}, "feature_sets: write variants: {NAME: {DATA SET: {modalities"),
        (
            {"variants": {"late": {"deap_twin": {"annotator_lag": 2}}}},
            "variants.late.deap_twin.annotator_lag: its labels are per trial; there is nothing to delay",
        ),
        ({"datasets": ["deap_twin-few"]}, "datasets: deap_twin-few: variants: there is no 'few'; valid names: none"),
        (
            {"datasets": ["deap_twin-few.3"], "variants": {"few": {"deap_twin": {"modalities": ["eeg"]}}}},
            "datasets: deap_twin-few.3: only planted data sets have such names",
        ),
        (
            {"targets": {"deap_twin-few": ["valence"]}, "variants": {"few": {"deap_twin": {"modalities": ["eeg"]}}}},
            "targets: 'deap_twin-few' is a variant of deap_twin; say it of that one",
        ),
        (
            {"datasets": ["planted-a"], "planted": {"a": {}}, "variants": {"few": {"planted-a": {"modalities": ["eeg"]}}}},
            "variants.few.planted-a: variants are of recorded data sets and of twins",
        ),
    ],
)
def test_bad_input_is_one_line_with_a_hint(raw, said):
    with pytest.raises(HimoeError) as error:
        load_config(raw)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_variants_are_data_sets_of_the_run():
    skin = {"deap_twin": {"modalities": ["temperature", "gsr"]}, "dreamer_twin": {"modalities": ["ecg"]}}
    sets = {"skin": skin, "no_eeg": {"deap_twin": {"modalities": ["eog", "emg"]}}}
    made = load_config({"variants": sets, "targets": {"deap_twin": ["liking"]}, "models": ["ridge", "dgcnn"]})
    assert made.datasets == ["deap_twin", "dreamer_twin", "deap_twin-skin", "dreamer_twin-skin", "deap_twin-no_eeg"]
    assert made.prepared == ["deap_twin", "dreamer_twin"]
    assert made.modalities_of("deap_twin-skin") == ("gsr", "temperature")  # in the order of the plug-in
    assert len(made.modalities_of("deap_twin")) == 7
    assert made.targets_of("deap_twin-skin") == ("liking",)
    assert made.size("deap_twin-skin") == made.size("deap_twin")
    assert made.models_of("deap_twin-skin", "loso") == ["ridge"]  # dgcnn reads EEG
    assert made.models_of("deap_twin", "loso") == ["ridge", "dgcnn"]
    alone = load_config({"datasets": ["deap_twin-skin"], "variants": {"skin": {"deap_twin": {"modalities": ["gsr"]}}}})
    assert (alone.datasets, alone.prepared) == (["deap_twin-skin"], ["deap_twin"])


def test_a_variant_is_prepared_with_what_it_says_and_else_as_the_whole():
    first = {"normalisation": "calibration", "calibration_trials": 2, "eeg": {"filter": "window_local"}}
    variants = {"first": {"deap_twin": {"features": first}}, "late": {"case_twin": {"annotator_lag": 2}}}
    whole = {"features": {"gsr": {"scr_amplitude": 0.02}, "baseline": 1}, "annotator_lag": {"case_twin": 1}}
    made = load_config({"datasets": ["deap_twin", "case_twin"], "variants": variants} | whole)
    assert made.normalisation_of("deap_twin-first") == "calibration"
    assert made.trials_used("deap_twin-first") == made.trials_used("deap_twin") - 2
    options, before = made.feature_options("deap_twin-first"), made.feature_options("deap_twin")
    assert options["normalise"] == {"by": "calibration", "trials": 2}
    assert options["eeg"] == before["eeg"] | {"filter": "window_local"}
    assert (options["gsr"], options["quality"]) == (before["gsr"], before["quality"])
    assert made.view("deap_twin-first", "loso", "ridge").baseline == 1
    assert [made.annotator_lag_of(d) for d in ("case_twin", "case_twin-late", "deap_twin")] == [1, 2, 0]
    assert made.feature_options("case_twin-late") == made.feature_options("case_twin")


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
