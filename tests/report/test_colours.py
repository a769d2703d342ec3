"""Models are told apart by readers with any cones, and look the same in every run."""

from __future__ import annotations

import numpy as np
import pytest

from himoe import registry
from himoe.config.run import Config
from himoe.names import STUDIED
from himoe.report import colours, style
from himoe.report.evidence import Evidence
from himoe.types import HimoeError

MODELS = registry.available("models")
CORE = ["train_mean", "stimulus_mean", "ridge", "late_fusion", STUDIED]  # of the small runs


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [  # pairs 1, 7, 17, 19 and 25 of table 1 of Sharma, Wu & Dalal (2005)
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.5, 0), (56, -27, -3), 31.9030),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ],
)
def test_distance_is_that_of_its_authors(one, other, distance):
    assert colours.ciede2000(np.array(one, float), np.array(other, float)) == pytest.approx(distance, abs=5e-5)


def test_red_and_green_are_one_to_a_deuteranope():
    """Yellowish and greenish of about the same .367 r + .861 g, by which a deuteranope sees red: he sees one colour."""
    red, green = "#a08000", "#749200"
    m = colours.SEEN_BY["deuteranopia"]
    np.testing.assert_allclose(m @ np.ones(3), 1, atol=1e-5)  # white stays white
    seen = [colours._lab(np.clip(m @ colours._linear(c), 0, 1)) for c in (red, green)]
    plain = [colours._lab(colours._linear(c)) for c in (red, green)]
    assert colours.ciede2000(*seen) < 5 < 15 < colours.ciede2000(*plain)
    assert colours.distance(red, green) <= colours.ciede2000(*seen)
    assert not colours.told_apart([red, "#0000ff", green])


def test_contrast_is_that_of_wcag():
    """Black on white 21; of #777777, linear (0.4667 + .055)^2.4 / 1.055^2.4 = .1845: 1.05 / .2345 = 4.48."""
    assert colours.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colours.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_references_stand_out_from_every_rival():
    """They are drawn into the panels of all."""
    for shade in (0, 1):
        reference = registry.colours("stimulus_mean")[shade]
        assert all(colours.told_apart([reference, registry.colours(m)[shade]]) for m in MODELS if m != "stimulus_mean")


def test_the_core_of_models_shares_a_panel_and_no_six_do():
    assert style.share_a_panel(CORE)
    assert not style.share_a_panel([*CORE, "mult"])
    assert not style.share_a_panel(["mult", "husformer", STUDIED])  # two blues
    assert not style.share_a_panel(["ridge", "ridge"])


def test_places_are_of_one_model_each_and_order_every_run():
    places = [registry.place(m) for m in MODELS]
    assert len(set(places)) == len(places)
    run = Evidence(
        {}, Config(models=["himoe", "late_fusion", "ridge", "train_mean"], ablations={"flat": {"hierarchy": "flat"}})
    )
    assert run.models == ["train_mean", "ridge", "late_fusion", "himoe"]
    assert registry.place("himoe-flat") == registry.place("himoe")


def test_a_model_looks_the_same_whatever_else_is_drawn():
    alone = style.line_styles(style.LIGHT, ["dgcnn"])["dgcnn"]
    assert style.line_styles(style.LIGHT, MODELS)["dgcnn"] == alone
    assert style.line_styles(style.DARK, MODELS)["dgcnn"].colour == registry.colours("dgcnn")[1]
    variant = style.line_styles(style.LIGHT, ["late_fusion-clean"])["late_fusion-clean"]
    assert (variant.colour, variant.dash) == (registry.colours("late_fusion")[0], "--")


def test_a_plugin_without_a_colour_is_grey_and_a_wrong_one_is_named(monkeypatch):
    facts = dict(registry.peek("models", "dgcnn"))
    monkeypatch.setattr(registry, "peek", lambda kind, name: facts)
    del facts["COLOUR"], facts["PLACE"]
    assert registry.colours("dgcnn") == registry.GREY
    assert registry.place("dgcnn") == registry.UNPLACED
    for wrong in ("#0072b2", ("#0072b2",), ("blue", "#0072b2")):
        facts["COLOUR"] = wrong
        with pytest.raises(HimoeError, match=r"^himoe/models/dgcnn\.py: COLOUR must be"):
            registry.colours("dgcnn")
