"""Ablations: one line of config each, models of their own in the run, compared with Hi-MoE and with nothing else."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from himoe import registry
from himoe.config.claims import lacks, parse_claims
from himoe.config.load import load_config
from himoe.report import judge
from himoe.report.evidence import Evidence
from himoe.report.titles import model_title
from himoe.types import HimoeError
from tests.conftest import ROOT
from tests.report.scores import scores

SHIPPED = yaml.safe_load((ROOT / "config/ablations.yaml").read_text())["ablations"]
CLAIMS = {c.id: c for c in parse_claims(yaml.safe_load((ROOT / "config/claims.yaml").read_text()))}


def load(**changes):
    return load_config({"models": ["ridge", "himoe"], "ablations": {"flat": {"hierarchy": "flat"}}} | changes)


def test_a_line_makes_a_model():
    config = load(model_options={"himoe": {"width": 32}})
    assert config.models == ["ridge", "himoe", "himoe-flat"]
    assert config.compared == ["ridge", "himoe"]
    assert config.options("himoe-flat") == {"width": 32, "hierarchy": "flat"}
    assert config.options("himoe") == {"width": 32}
    assert model_title("himoe-flat") == "Hi-MoE, flat"
    assert load_config(config.model_dump()).models == config.models  # a job reads it again


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"ablations": {"flat": {"hierarchyx": "flat"}}},
            r"ablations\.flat\.hierarchyx: unknown key; did you mean 'hierarchy'\?",
        ),
        ({"ablations": {"flat": {}}}, r"ablations\.flat: Dictionary should have at least 1 item"),
        ({"ablations": {"../x": {"width": 8}}}, r"ablations\."),
        ({"models": ["ridge"]}, "they are compared with himoe, which is not in models"),
        ({"models": ["himoe", "himoe-flatt"]}, "models: ablation: there is no 'flatt'; did you mean 'flat'"),
        (
            {"models": ["himoe", "ridge-flat"]},
            "models: there is no 'ridge'; valid names: himoe",
        ),
    ],
)
def test_a_mistake_is_one_line(changes, message):
    with pytest.raises(HimoeError, match=message):
        load(**changes)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_ablation_builds_something_else(name):
    plugin = registry.load("models", "himoe")
    default, changed = plugin.Config(), plugin.Config(**SHIPPED[name])
    assert sum(getattr(default, f) != getattr(changed, f) for f in type(changed).model_fields) == 1


def test_claims_ask_for_ablations_that_are_shipped():
    asked = {name for claim in CLAIMS.values() for name in claim.ablations}
    assert set(SHIPPED) - asked == {"affect_none"}  # no claim of the paper: it says what that loss is worth
    assert asked <= set(SHIPPED)


def evidence(values, dataset="deap_twin"):
    names = {m.partition("-")[2]: SHIPPED[m.partition("-")[2]] for m in values if "-" in m}
    config = load_config({"models": [m for m in values if "-" not in m], "ablations": names, "datasets": [dataset]})
    made = scores(values).assign(setting=dataset)
    return SimpleNamespace(
        all_scores=made,
        scores=made,
        config=config,
        failed={},
        runs=[],
        models=config.compared,
        models_of=lambda setting: config.compared,
        protocol_of=lambda setting: "loso",
        perturbed=lambda condition: [dataset],
    )


@pytest.mark.parametrize(("other", "verdict"), [(0.5, "supported"), (0.7, "contradicted")])
def test_the_hierarchy_is_judged_by_the_flat_bank(other, verdict):
    made = evidence({"himoe": 0.6, "himoe-flat": other})
    made.all_scores = made.all_scores[made.all_scores["seed"] == 0]  # one network for each person: its luck is in the interval
    got = judge.judge(made, "deap_twin", CLAIMS["C7"])
    assert got.word == verdict
    assert "closest: Hi-MoE, flat" in got.why


def test_a_claim_without_its_ablations_is_not_run():
    run = evidence({"himoe": 0.6, "himoe-flat": 0.5})
    got = judge.judge(run, "deap_twin", CLAIMS["C5"])
    assert got[:2] == ("not run", "needs 3 of the ablations of config/ablations.yaml")


def test_alignment_under_shifts_is_untestable_with_one_label_per_trial():
    values = {"himoe": 0.6} | {f"himoe-{name}": 0.5 for name in CLAIMS["C6"].ablations}
    assert judge.judge(evidence(values), "deap_twin", CLAIMS["C6"])[0] == "untestable on this data"


def test_other_items_do_not_see_ablations(tmp_path):
    made = (
        scores({"himoe": 0.6, "himoe-flat": 0.5}).rename(columns={"setting": "dataset"}).assign(protocol="subject_kfold", n=4)
    )
    made.to_csv(tmp_path / "scores.csv", index=False)
    run = Evidence({"scores": [str(tmp_path / "scores.csv")]}, load(models=["himoe"], datasets=["deap_twin"]))
    assert set(run.scores["model"]) == {"himoe"}
    assert set(run.all_scores["model"]) == {"himoe", "himoe-flat"}


def test_the_table_holds_paired_differences(tmp_path):
    from himoe.tables import ablations

    made = scores({"himoe": 0.6, "himoe-flat": 0.5, "ridge": 0.9})
    settings = load(datasets=["deap_twin"], conditions={"missing_rate": [0, 0.5]})
    runs = [
        {"setting": "deap_twin", "model": m, "folds": {"0": {"n_parameters": n}}} for m in settings.models for n in (8, 10, 9)
    ]  # fmt: skip
    run = SimpleNamespace(
        all_scores=made,
        config=settings,
        models=settings.compared,
        models_of=lambda s: settings.compared,
        settings=["deap_twin"],
        judged=["deap_twin"],
        runs=runs,
        perturbed=lambda condition: ["deap_twin"],
    )
    out = ablations.make(run)
    assert list(out.data["ablation"]) == ["himoe-flat"]
    assert out.data["ccc_difference"][0] == pytest.approx(0.1, abs=0.02)
    assert out.data["left_missing_rate_difference"][0] == pytest.approx(0.1, abs=0.02)
    assert out.data["n_subjects"][0] == 6
    assert out.data["n_parameters"][0] == 10  # of all shards, not of the last one
    assert np.isfinite(out.data["ccc_p_holm"]).all()
    assert "ahead of 1 of 1 ablations with an interval above 0: Hi-MoE, flat on DEAP twin." in out.finding


def test_ablations_may_be_predicted_under_fewer_conditions():
    config = load(
        ablations_under=["shift"],
        conditions={"missing_rate": [0, 0.5], "shift": [0, 2]},
        controls={"shuffled_labels": ["ridge"]},
    )
    of = {model: list(config.conditions_of("deap_twin", "loso", model)) for model in config.models}
    assert of == {
        "ridge": ["missing_rate", "shift"],
        "himoe": ["missing_rate", "shift"],
        "himoe-flat": ["shift"],
        "ridge-shuffled_labels": [],
    }


def test_a_claim_on_ablations_needs_them_under_its_condition():
    run = evidence({"himoe": 0.6} | {f"himoe-{name}": 0.5 for name in CLAIMS["C4"].ablations})
    assert not lacks(run.config, "deap_twin", "loso", CLAIMS["C4"])
    config = run.config.model_copy(update={"ablations_under": ["shift"]})
    assert lacks(config, "deap_twin", "loso", CLAIMS["C4"]) == "needs the condition missing_rate"
