"""The figure of rated trials: what it needs, what stands in it, and the sentence, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from himoe.config.contents import lacks, possible
from himoe.config.load import load_config
from himoe.figures import few_shot
from himoe.report import style
from himoe.report.evidence import Evidence
from himoe.types import HimoeError
from tests.evaluate.rated import SPLITS, WAVE, made

RUN = {
    "datasets": ["deap_twin"], "targets": {"deap_twin": ["valence"]}, "protocols": ["loso"], "conditions": {},
    "models": ["train_mean", "ridge", "himoe"], "few_shot": [0, 1, 5], "figures": ["few_shot"], "tables": ["main"],
    "controls": {"shuffled_labels": ["ridge"]},
}  # fmt: skip


def evidence(splits=SPLITS, lost="", **changes):
    """Two people rate 3 above ridge and 2 above Hi-MoE, two as both say; the training mean says 4 of all. Under the control
    labels are others."""
    run = Evidence({}, load_config(RUN | changes))
    of_models = [
        made(4 - WAVE + 3, "train_mean").assign(y_pred=4.0), made(3.0, "ridge", d=WAVE + 3), made(2.0, "himoe", d=WAVE + 2),
        made(9.0, "ridge-shuffled_labels").assign(y_true=1.0),
    ]  # fmt: skip
    frame = pd.concat(of_models, ignore_index=True).assign(setting="deap_twin")
    right = made(3.0, d=WAVE + 3)["y_true"].to_numpy()
    for model in ("train_mean", "ridge", "himoe"):
        at = frame["model"] == model
        frame.loc[at, "y_pred"] = frame.loc[at, "y_pred"].to_numpy() + (model == "himoe")
        frame.loc[at, "y_true"] = right
    frame.loc[frame["model"] == lost, "y_pred"] = np.nan
    run.__dict__.update(predictions=frame, folds={"deap_twin": splits})
    return run


def drawn(*args, **kwargs):
    with style.themed(style.LIGHT):
        return few_shot.draw(evidence(*args, **kwargs), style.LIGHT)


def test_numbers_and_sentence():
    item = drawn()
    data = item.data.set_index(["model", "correction", "metric", "k"])
    assert list(dict.fromkeys(item.data["model"])) == ["train_mean", "ridge", "himoe"]  # no control
    assert set(item.data["k"]) == {0, 1, 5}
    assert (data.xs(("train_mean", "ccc"), level=("model", "metric"))["value"] == 0).all()
    rmse = data.sort_index().loc[("ridge", "offset", "rmse")]
    assert rmse.loc[5, "change"] < rmse.loc[1, "change"] < 0 == rmse.loc[0, "change"]
    assert (data["n_subjects"] == 4).all()
    assert item.finding.startswith("DEAP twin, 5 rated trials, 4 people, CCC on the other trials: ridge ")
    assert "at k = 0" in item.finding
    assert "RMSE by an offset: train mean −" in item.finding
    titles = [ax.get_title(loc="left") for ax in item.figure.axes]
    assert titles == ["CCC, offset", "CCC, offset and scale", "RMSE, offset"]


def test_networks_that_people_share_are_told_of():
    assert "with a scale beside it, of too few seeds to tell. RMSE" in drawn(protocols=["subject_kfold"]).finding
    assert "too few seeds" not in drawn().finding


def test_a_model_that_failed_is_told():
    finding = drawn(lost="ridge").finding
    assert "ridge failed" in finding
    assert "Hi-MoE 0." in finding


def test_nobody_with_trials_enough_is_told():
    item = drawn(few_shot=[7])
    assert item.data.empty
    assert item.finding == "DEAP twin: too few trials a person and fold."


def test_it_is_made_where_it_is_asked_for():
    [entry] = possible(load_config(RUN), "figures")
    assert (entry.plugin, entry.needs) == ("few_shot", ("predictions", "splits"))
    assert lacks(load_config(RUN | {"few_shot": []}), entry) == "few_shot"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"few_shot": [1, 1]}, "few_shot: 1 appears twice"),
        ({"few_shot": [-1]}, r"few_shot\.0: Input should be greater than or equal to 0"),
        ({"few_shot": [13]}, "fewer than 2 to score of the 14 that a fold tests of a person; use 12 or less"),
        ({"few_shot": [4], "protocols": ["subject_stimulus"]}, "4 rated trials leave fewer than 2 to score of the 5"),
        ({"protocols": ["trial_kfold"]}, "few_shot: no protocol of this run keeps people apart"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(changes, message):
    with pytest.raises(HimoeError, match=message) as error:
        load_config(RUN | changes)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("changes", [{"few_shot": [12]}, {"few_shot": [4], "protocols": ["subject_stimulus", "loso"]}])
def test_enough_somewhere_is_enough(changes):
    assert load_config(RUN | changes).few_shot
