"""Models of fewer people: a line of config makes them, they are nobody's rivals, and the figure says what more people add."""

from __future__ import annotations

import pandas as pd
import pytest

from himoe.config.contents import lacks, possible
from himoe.config.load import load_config
from himoe.figures import learning_curve
from himoe.report import style
from himoe.report.evidence import Evidence
from himoe.report.titles import model_title
from himoe.types import HimoeError
from tests.report.scores import KEYS

RUN = {
    "datasets": ["deap_twin"], "models": ["ridge", "himoe"], "conditions": {"shift": [0, 1]}, "twin": {"subjects": 8},
    "splits": {"n_folds": 4}, "learning_curve": {"people": [4, 2], "models": ["ridge", "himoe"]},
    "figures": ["learning_curve"], "tables": ["main"],
}  # fmt: skip


def load(**changes):
    return load_config(RUN | changes)


def test_a_line_makes_models_that_compete_with_nobody():
    config = load()
    arms = ["ridge-people_4", "ridge-people_2", "himoe-people_4", "himoe-people_2"]
    assert config.models == ["ridge", "himoe", *arms]
    assert config.compared == ["ridge", "himoe"]
    assert config.rivals == ["ridge"]
    assert {config.kind_of(m) for m in arms} == {"fewer people"}
    assert config.conditions_of("deap_twin", "subject_kfold", "ridge-people_4") == {}
    assert config.conditions_of("deap_twin", "subject_kfold", "ridge") == {"shift": [0, 1]}
    assert model_title("himoe-people_4") == "Hi-MoE, 4 people"
    assert load_config(config.model_dump()).models == config.models  # a job reads it again
    assert load(learning_curve={"people": [2]}).models[2:] == ["himoe-people_2"]
    assert load(learning_curve={}).models == ["ridge", "himoe"]


def test_a_fit_is_that_of_its_model_but_for_the_people():
    config = load(model_options={"himoe": {"width": 16}})
    whole, fewer = (config.fit_spec("deap_twin", "subject_kfold", m, 0, 0) for m in ("himoe", "himoe-people_4"))
    assert whole.people == 0
    assert fewer.people == 4
    assert fewer.model_copy(update={"model": "himoe"}) == whole


def test_people_who_are_not_kept_apart_make_no_curve():
    config = load(protocols=["subject_kfold", "trial_kfold"])
    assert "ridge-people_2" in config.models_of("deap_twin", "subject_kfold")
    assert config.models_of("deap_twin", "trial_kfold") == ["ridge", "himoe"]
    assert "kept apart" in config.unfit("ridge-people_2", "deap_twin", "trial_kfold")


def test_the_figure_is_made_where_there_is_a_curve():
    assert [entry.plugin for entry in possible(load(), "figures")] == ["learning_curve"]
    [entry] = possible(load(), "figures")
    assert lacks(load(learning_curve={}), entry) == "learning_curve"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learning_curve": {"people": [6]}}, "6 are not fewer than the 6 that folds of subject_kfold of deap_twin leave to "
         "learn from; use 2 to 5"),
        ({"learning_curve": {"people": [1]}}, r"learning_curve\.people\.0: Input should be greater than or equal to 2"),
        ({"learning_curve": {"people": [2, 2]}}, r"learning_curve\.people: 2 appears twice"),
        ({"learning_curve": {"people": [2], "models": ["mult"]}}, r"learning_curve\.models: there is no 'mult'"),
        ({"learning_curve": {"people": [2], "models": ["himeo"]}}, r"there is no 'himeo'; did you mean 'himoe'"),
        ({"learning_curve": {"peple": [2]}}, r"learning_curve\.peple: unknown key"),
        ({"learning_curve": [2]}, r"learning_curve: "),
        ({"models": ["ridge", "himoe", "ridge-people_3"]}, r"models: there is no 'ridge-people_3'; did you mean 'ridge-p"),
        ({"models": ["ridge", "himoe", "ridge-people_02"]}, r"models: there is no 'ridge-people_02'"),
        ({"ablations": {"people_9": {"width": 8}}}, r"ablations\.people_9: that is the name of a model of fewer people"),
        ({"regimes": {"people_9": {"gap_chance": 0}}}, r"regimes\.people_9: that is the name of a model of fewer people"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(changes, message):
    with pytest.raises(HimoeError, match=message) as error:
        load(**changes)
    assert "\n" not in str(error.value)


def test_too_many_people_are_no_mistake_where_nobody_learns_from_them():
    load(learning_curve={"people": [6]}, models_on={"deap_twin": ["ridge", "himoe"]})


def evidence(values, lost=(), n_seeds=3):
    """Four people who differ by -.03, -.01, .01, .03 under every model and seed."""
    rows = [
        ("deap_twin", model, seed, f"s{i}", "valence", "clean", 0.0, "ccc", float("nan") if model in lost else value + aside)
        for model, value in values.items()
        for seed in range(n_seeds)
        for i, aside in enumerate((-0.03, -0.01, 0.01, 0.03))
    ]
    run = Evidence({}, load(seeds=list(range(n_seeds))))
    run.__dict__["all_scores"] = pd.DataFrame(rows, columns=[*KEYS, "value"])
    return run


VALUES = {
    "ridge-people_2": 0.1,
    "ridge-people_4": 0.2,
    "ridge": 0.25,
    "himoe-people_2": 0.0,
    "himoe-people_4": 0.3,
    "himoe": 0.3,
}


def test_curves_by_hand():
    """Eight people in four folds leave six. What all people add is paired: people differ alike, so its interval is a point; a
    mean of four has the interval 3.182 SD / 2 about it, SD = .0258."""
    with style.themed(style.LIGHT):
        item = learning_curve.draw(evidence(VALUES), style.LIGHT)
    data = item.data.set_index(["model", "people"])
    assert data["ccc"].tolist() == pytest.approx([0.1, 0.2, 0.25, 0.0, 0.3, 0.3])
    assert data.index.tolist() == [(m, n) for m in ("ridge", "himoe") for n in (2, 4, 6)]
    assert data["is_all"].tolist() == [False, False, True] * 2
    assert data.loc[("ridge", 2), ["low", "high"]].tolist() == pytest.approx([0.1 - 0.0411, 0.1 + 0.0411], abs=1e-4)
    assert data.loc[("ridge", 2), ["to_all", "to_all_low", "to_all_high"]].tolist() == pytest.approx([0.15] * 3)
    ridge = "ridge: CCC 0.10 with 2 people, 0.25 with all 6; from 4 to all 0.050 [0.050, 0.050], still rises."
    assert f"DEAP twin, {ridge}" in item.finding
    assert "Hi-MoE: CCC 0.00 with 2 people, 0.30 with all 6; from 4 to all 0.000 [0.000, 0.000], no rise shown." in item.finding
    (ax,) = item.figure.axes
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["2", "4", "all (6)"]


def test_one_seed_of_networks_that_people_share_tells_of_no_rise():
    with style.themed(style.LIGHT):
        item = learning_curve.draw(evidence(VALUES, n_seeds=1), style.LIGHT)
    assert "from 4 to all 0.050 [0.050, 0.050], of too few seeds to tell." in item.finding


def test_a_fold_that_failed_is_told():
    with style.themed(style.LIGHT):
        item = learning_curve.draw(evidence(VALUES, lost=["ridge-people_4"]), style.LIGHT)
    assert "DEAP twin, ridge: a fold failed." in item.finding
    assert "Hi-MoE: CCC" in item.finding
