"""The specification curve counts under which choices Hi-MoE is ahead, and no other table concludes from another choice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from himoe import io
from himoe.config.run import Config
from himoe.figures import specification
from himoe.report import style
from himoe.report.evidence import Evidence
from tests.report.scores import KEYS

VARIANTS = {
    "lag_2": {"case": {"annotator_lag": 2}},
    "unscaled": {"case": {"features": {"normalisation": "none"}}},
    "skin": {"case": {"modalities": ["gsr"]}},
}
DATASETS = ["case", *(f"case-{name}" for name in VARIANTS)]


def rows(dataset, model, level, protocol="loso", wobble=0.01):
    """Eight people about a level; ``wobble`` is of the model's own, so that leads vary by it."""
    setting = f"{dataset}/{protocol}"
    values = [level + wobble * (-1) ** i * (model == "himoe") for i in range(8)]
    return [
        (setting, model, 0, f"s{i}", "valence", "clean", 0.0, metric, value)
        for i, value in enumerate(values)
        for metric in ("ccc", "raw_ccc", "pcc")
    ]


@pytest.fixture
def evidence(tmp_path):
    return read(tmp_path, lost=())


def read(folder, lost):
    """From files, those of NEEDS alone; ``lost``: settings and models without a score."""
    config = Config(
        datasets=DATASETS, variants=VARIANTS, protocols=["loso", "subject_stimulus"], models=["ridge", "late_fusion", "himoe"],
        conditions={},
        models_on={"case-lag_2": ["ridge", "himoe"], "case-unscaled": ["ridge"], "case-skin": ["ridge"]},
    )  # fmt: skip
    made = []
    for protocol in ("loso", "subject_stimulus"):
        made += [*rows("case", "ridge", 0.3, protocol), *rows("case", "himoe", 0.2, protocol)]
        made += [*rows("case", "late_fusion", 0.199, protocol)]
        made += [*rows("case-lag_2", "ridge", 0.3, protocol), *rows("case-lag_2", "himoe", 0.4, protocol)]
        made += [*rows("case-unscaled", "ridge", 0.3, protocol), *rows("case-skin", "ridge", 0.1, protocol)]
    made = [(*row[:-1], np.nan) if row[:2] in lost else row for row in made]
    frame = pd.DataFrame(made, columns=[*KEYS, "value"])
    frame[["dataset", "protocol"]] = frame["setting"].str.split("/", expand=True)
    frame.drop(columns="setting").to_csv(folder / "scores.csv", index=False)
    io.write_json(folder / "run.json", {"dataset": "case", "protocol": "loso", "model": "himoe", "seed": 0, "folds": {}})
    files = {"scores": [str(folder / "scores.csv")], "runs": [str(folder / "run.json")]}
    return Evidence({name: files[name] for name in specification.NEEDS}, config)


def test_every_choice_has_its_lead_and_side(evidence):
    with style.themed(style.LIGHT):
        drawn = specification.draw(evidence, style.LIGHT)
    data = drawn.data.set_index(["variant", "protocol", "metric", "other"])
    assert len(data) == 3 * (2 + 2 + 2)  # metrics; as configured under two protocols against two, lag_2 against ridge
    assert data.loc[("", "loso", "ccc", "ridge"), "lead"] == pytest.approx(-0.1)
    assert data.loc[("", "loso", "ccc", "ridge"), "side"] == "behind"
    assert data.loc[("lag_2", "loso", "pcc", "ridge"), "side"] == "ahead"
    assert data.loc[("", "loso", "raw_ccc", "late_fusion"), "side"] == "undecided"  # .001 +- .01 a person
    few = data.xs("subject_stimulus", level="protocol")
    assert set(few["side"]) == {specification.FEW}  # one seed of networks that people share
    counts = "ahead 3, behind 3, undecided 0, of too few seeds to tell 6"
    assert f"CASE, Hi-MoE against ridge, 12 choices: {counts}." in drawn.finding
    assert drawn.figure.axes[0].get_title(loc="left") == f"lead over ridge: {counts}"


def test_a_fit_that_failed_is_a_choice_that_failed(tmp_path):
    evidence = read(tmp_path, lost=[("case/loso", "himoe"), ("case-lag_2/loso", "ridge")])
    with style.themed(style.LIGHT):
        drawn = specification.draw(evidence, style.LIGHT)
    said = "CASE, Hi-MoE against ridge, 12 choices: ahead 0, behind 0, undecided 0, of too few seeds to tell 6, failed 6."
    assert said in drawn.finding


def test_nothing_is_concluded_from_another_choice(evidence):
    """Which modalities tell something is a question of its own; a delay of ratings or another scale is another choice."""
    assert evidence.judged == [f"{d}/{p}" for d in ("case", "case-skin") for p in ("loso", "subject_stimulus")]
