"""The architecture is drawn from the config: sizes, shapes, what is switched off, and the claims at their parts."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest

from himoe.config.contents import Entry
from himoe.config.load import load_config
from himoe.figures import architecture
from himoe.report import style
from himoe.report.evidence import Evidence
from tests.conftest import ROOT
from tests.report.test_style import LEAST, drawn, smallest_text


def evidence(**options):
    config = {"datasets": ["dreamer_twin"], "models": ["ridge", "himoe"], "model_options": {"himoe": options}}
    return Evidence({"claims": [str(ROOT / "config/claims.yaml")]}, load_config(config))


def made(inches=style.WIDTH, **options):
    with style.themed(style.LIGHT, inches):
        item = architecture.draw(evidence(**options), style.LIGHT)
    plt.close(item.figure)
    return item


def test_parts_carry_their_sizes_and_claims():
    """DREAMER: EEG and ECG, so 2 + 3 experts of 2 x 24 units, and S = 3 tokens of a step with the null token."""
    item = made(width=24, extra_experts=3, max_lag=5, n_prototypes=6)
    parts = item.data.set_index("name")
    assert parts["on"].all()
    claims = parts["claims"][parts["claims"] != ""].to_dict()
    assert claims == {
        "Input": "C2", "Temporal alignment": "C3 C6", "Semantic alignment": "C6", "Modality experts": "C4",
        "Emotion experts": "C5",
    }  # fmt: skip
    assert parts.loc["Modality experts", "does"].startswith("5 experts of 48 hidden units; soft routing")
    assert parts.loc["Modality experts", "shape"] == "(B T, S = 3, d = 24)"
    assert "5 modality experts and 6 emotion experts, router soft, lags up to 5 s; switched off: nothing." in item.finding
    assert "two banks  C7" in {text.get_text() for text in item.figure.axes[0].texts}


@pytest.mark.parametrize(
    ("options", "off", "no_loss"),
    [
        ({"alignment": "semantic"}, ["Temporal alignment"], ["lag"]),
        ({"alignment": "none"}, ["Temporal alignment", "Semantic alignment"], ["lag", "InfoNCE"]),
        ({"causal": True}, ["Temporal alignment"], ["lag"]),
        ({"router": "concat"}, ["Modality experts"], ["balance", "router z"]),
        ({"hierarchy": "flat"}, ["Emotion experts"], ["diversity", "anchors"]),
        ({"affect_weight": 0}, [], ["each modality's prediction"]),
    ],
)
def test_what_is_switched_off_is_grey_and_has_no_loss(options, off, no_loss):
    item = made(**options)
    assert item.data.loc[~item.data["on"], "name"].tolist() == off
    inks = {text.get_text(): text.get_color() for text in item.figure.axes[0].texts}
    assert {name for name in item.data["name"] if inks[name] == style.LIGHT.palette[-1]} == set(off)
    losses = item.data["does"].iloc[-1].removeprefix("by weight: ").split(", ")
    names = [name.rpartition(" ")[0] for name in losses]
    assert names == [name for name in architecture.LOSSES if name not in no_loss]


def test_text_stays_in_its_box_on_a_page_and_on_a_phone(tmp_path):
    for inches in (style.WIDTH, style.PHONE):
        item = made(inches)
        item.figure.draw_without_rendering()
        boxes = [patch.get_window_extent() for patch in item.figure.axes[0].patches]
        for text in item.figure.axes[0].texts:
            if text.get_text() and text.get_rotation() == 0:
                extent = text.get_window_extent()
                assert any(
                    b.x0 <= extent.x0 and extent.x1 <= b.x1 and b.y0 <= extent.y0 and extent.y1 <= b.y1 for b in boxes
                ), text
    files = drawn(Entry("figures", "architecture"), evidence(), tmp_path)
    assert smallest_text((tmp_path / "a.phone.svg").read_text()) >= LEAST
    assert "SYNTHETIC" not in (tmp_path / "a.svg").read_text()  # no result
    assert files
