"""One number at a time: which models are drawn, where the run's own value stands, and what changes, by hand."""

from __future__ import annotations

import pandas as pd
import pytest
import yaml

from himoe.config.load import load_config
from himoe.figures import sensitivity
from himoe.report import style
from himoe.report.evidence import Evidence
from tests.conftest import ROOT
from tests.report.scores import KEYS

RUN = {
    "datasets": ["deap_twin"], "models": ["ridge", "late_fusion", "himoe"], "conditions": {},
    "model_options": {"himoe": {"width": 16}},
    "ablations": {
        "width_8": {"width": 8}, "width_64": {"width": 64}, "lag_2": {"max_lag": 2},
        "top1": {"router": "top1"}, "causal": {"causal": True}, "two": {"width": 8, "max_lag": 2},
    },
    "regimes": {
        "no_gaps": {"models": ["late_fusion", "himoe"], "gap_chance": 0}, "clean": {"gap_chance": 0, "shift_chance": 0},
        "others": {"models": ["late_fusion"], "token_dropout": 0},
    },
}  # fmt: skip
VALUES = {"himoe": 0.3, "himoe-width_8": 0.2, "himoe-width_64": 0.32, "himoe-lag_2": 0.3, "himoe-no_gaps": 0.35}


def drawn(values=VALUES, lost=(), protocol="loso"):
    """Four people who differ by -.03, -.01, .01, .03 under every model but width_64, which is .02 better for two of them and
    worse for the others."""
    rows = []
    for model, value in values.items():
        for i, aside in enumerate((-0.03, -0.01, 0.01, 0.03)):
            aside += 0.02 * (-1) ** i * (model == "himoe-width_64")
            ccc = float("nan") if model in lost else value + aside
            rows.append(("deap_twin", model, 0, f"s{i}", "valence", "clean", 0.0, "ccc", ccc))
    run = Evidence({}, load_config(RUN | {"protocols": [protocol]}))
    run.__dict__["all_scores"] = pd.DataFrame(rows, columns=[*KEYS, "value"])
    with style.themed(style.LIGHT):
        return sensitivity.draw(run, style.LIGHT)


def test_one_number_and_nothing_else():
    arms = sensitivity.arms_of(load_config(RUN))
    assert arms == [
        ("himoe-width_8", "width", 8), ("himoe-width_64", "width", 64), ("himoe-lag_2", "max_lag", 2),
        ("himoe-no_gaps", "training.gap_chance", 0),
    ]  # fmt: skip


def test_every_line_of_the_shipped_file_is_drawn_and_no_other():
    raw = yaml.safe_load((ROOT / "config/sensitivity.yaml").read_text())
    config = load_config(raw | {"models": ["himoe"], "model_options": {"himoe": {"width": 16}}})
    arms = sensitivity.arms_of(config)
    assert len(arms) == len(raw["ablations"]) + len(raw["regimes"]) == len(config.models) - 1
    assert {"width", "extra_experts", "n_prototypes", "max_lag", "training.modality_dropout"} <= {arm.key for arm in arms}
    wide = load_config(raw | {"models": ["himoe"], "model_options": {"himoe": {"width": 64}}})
    assert len(sensitivity.arms_of(wide)) == len(arms) - 1  # its width_64 is the run's own


def test_values_and_changes_by_hand():
    """The run's width is 16, its largest lag 8 s (the default), its chance of a gap .3. People differ alike under width 8 and
    16, so that change has no spread; under 64 it is .02 +- .02."""
    item = drawn()
    data = item.data.set_index(["key", "value"])
    assert data.index.tolist() == [
        ("width", 8), ("width", 16), ("width", 64), ("max_lag", 2), ("max_lag", 8), ("training.gap_chance", 0),
        ("training.gap_chance", 0.3),
    ]  # fmt: skip
    assert data["ccc"].tolist() == pytest.approx([0.2, 0.3, 0.32, 0.3, 0.3, 0.35, 0.3])
    assert data["change"].tolist() == pytest.approx([-0.1, 0, 0.02, 0, 0, 0.05, 0])
    assert data[data["is_shipped"]].index.tolist() == [("width", 16), ("max_lag", 8), ("training.gap_chance", 0.3)]
    half = 3.182 * 0.02309 / 2  # t of 3 degrees of freedom, SD of +-.02 over four, root of four
    assert data.loc[("width", 64), ["change_low", "change_high"]].tolist() == pytest.approx(
        [0.02 - half, 0.02 + half], abs=1e-4
    )
    assert "DEAP twin: of 4 other values 1 better and 1 worse than the run's" in item.finding
    assert "the largest change is −0.100 [−0.100, −0.100], width 8." in item.finding
    titles = [ax.get_title(loc="left") for ax in item.figure.axes if ax.axison]
    assert titles == ["width", "max lag", "gap chance"]
    ticks = {t.get_text(): t.get_fontweight() for t in item.figure.axes[0].get_xticklabels()}
    assert ticks == {"8": "normal", "16": "bold", "64": "normal"}


def test_what_failed_is_told_and_not_compared():
    item = drawn(lost=["himoe-width_8"])
    assert "of 4 other values 1 better and 0 worse" in item.finding
    assert item.finding.endswith("training.gap_chance 0; 1 failed.")
    assert drawn(lost=["himoe"]).finding.endswith("4 failed.")


def test_one_seed_of_networks_that_people_share_tells_of_no_side():
    assert (
        "DEAP twin: 4 other values, of too few seeds to tell which are better; the largest"
        in drawn(protocol="subject_kfold").finding
    )


def test_nothing_to_draw_is_said():
    run = Evidence({}, load_config(RUN | {"ablations": {"top1": {"router": "top1"}}, "regimes": {}}))
    run.__dict__["all_scores"] = pd.DataFrame(columns=[*KEYS, "value"])
    with style.themed(style.LIGHT):
        assert "No ablation or regime" in sensitivity.draw(run, style.LIGHT).finding
