"""Curves over strengths have lines; where a severity is the number of a subset, points stand alone and the worst one counts;
with many models each rival has a panel of its own, and one sentence says how a data set ends."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from himoe import registry
from himoe.config.load import load_config
from himoe.figures import condition_curve
from himoe.report import style
from himoe.report.colours import told_apart
from himoe.report.evidence import Evidence
from tests.report.scores import scores
from tests.report.test_style import LEAST, drawn, smallest_text

MANY = ["train_mean", "stimulus_mean", "ridge", "boosting", "mult", "late_fusion", "himoe"]
VALUES = {"ridge": 0.7, "boosting": 0.1, "mult": 0.5, "late_fusion": 0.3, "stimulus_mean": 0.6, "himoe": 0.5}


def evidence(models, condition="missing_rate", severities=(0, 0.5), values=VALUES, protocol="loso"):
    """Of six people alike: CCC as in ``values``, .1 less at a rate of .5. Under loso each has networks of its own."""
    settings = {"datasets": ["deap_twin"], "targets": {"deap_twin": ["valence"]}, "models": models}
    run = Evidence({}, load_config(settings | {"conditions": {condition: list(severities)}, "protocols": [protocol]}))
    frame = scores({m: values[m] for m in models if m in values})
    frame = frame.assign(value=frame["value"].round(1))  # without the noise
    nothing = frame[frame["model"] == "himoe"].assign(model="train_mean", value=0.0)
    run.__dict__["scores"] = pd.concat([frame, nothing]) if "train_mean" in models else frame
    return run


def made(run, condition="missing_rate", inches=style.WIDTH):
    with style.themed(style.LIGHT, inches):
        item = condition_curve.draw(run, style.LIGHT, condition)
    plt.close(item.figure)
    return item


@pytest.mark.parametrize(
    ("condition", "when", "last"),
    [
        ("missing_rate", "random missing rate 0 to 2 (share of tokens lost)", 0.4),
        ("one_modality", f"without eeg ({condition_curve.LOWEST})", 0.3),
    ],
)
def test_lines_and_names(condition, when, last):
    """At severity 0 Hi-MoE has 0.5, at 1 it has 0.3, and at 2 0.4."""
    frame = scores({"himoe": 0.5})
    at_0, at_2 = (frame[(frame["condition"] == "missing_rate") & (frame["severity"] == s)] for s in (0, 0.5))
    frame = pd.concat([at_0, at_2.assign(severity=1.0, value=at_2["value"] - 0.1), at_2.assign(severity=2.0)])
    run = evidence(["himoe"], condition, [0, 1, 2 if condition == "one_modality" else 0.5])
    run.__dict__["scores"] = frame.assign(condition=condition)
    item = made(run, condition)
    if condition == "one_modality":
        assert [t.get_text() for t in item.figure.axes[0].get_yticklabels()] == ["none", "eeg", "eog"]
    else:
        (line,) = item.figure.axes[0].lines
        assert (line.get_linestyle(), line.get_marker()) == ("-", "o")
    assert item.finding.startswith(f"DEAP twin (6 people, 2 seeds), {when}: Hi-MoE goes from CCC 0.50 to {last:.2f} [")
    assert "; there it is ahead of none, behind none, undecided against none." in item.finding


def test_the_worst_subset_is_that_of_all_models():
    """Without eeg: Hi-MoE .3, ridge .7, mean .5. Without eog: .4 and .2, mean .3, where Hi-MoE is ahead by .2. Its own lowest
    would say that it is behind by .4."""
    run, parts = evidence(["ridge", "himoe"], "one_modality", [0, 1, 2]), []
    for severity, levels in enumerate(
        ({"himoe": 0.5, "ridge": 0.5}, {"himoe": 0.3, "ridge": 0.7}, {"himoe": 0.4, "ridge": 0.2})
    ):
        parts.append(scores(levels)[lambda f: f["condition"] == "clean"].assign(severity=float(severity)))
    run.__dict__["scores"] = pd.concat(parts).assign(condition="one_modality")
    finding = made(run, "one_modality").finding
    assert "without eog (where the mean over all models is lowest): Hi-MoE goes from CCC 0.50 to 0.40" in finding
    assert "ahead of 1 (ridge), behind none" in finding


def test_few_models_share_a_panel_and_its_title_counts_sides():
    """At a rate of .5 all have lost .1: ridge .6, late fusion .2, Hi-MoE .4, each +- .01 a person."""
    item = made(evidence(["ridge", "late_fusion", "himoe"]))
    (ax,) = item.figure.axes
    assert len(ax.lines) == 3
    assert ax.get_title(loc="left").replace("\n", " ") == "DEAP twin · valence: 0.50 to 0.40, ahead 1, behind 1"
    last = item.data[item.data["severity"] == 0.5].set_index("model")
    assert last.loc["ridge", "lead"] == pytest.approx(-0.2, abs=0.015)
    assert last["side"].to_dict() == {"himoe": "", "ridge": "behind", "late_fusion": "ahead"}


def test_with_many_models_each_rival_has_a_panel():
    """A model of CCC 0 has none; no panel has more lines than Hi-MoE's, the rival's and a reference's."""
    item = made(evidence(MANY))
    titled = {ax.get_title(loc="left").replace("\n", " "): ax for ax in item.figure.axes if ax.get_title(loc="left")}
    assert list(titled) == [
        "ridge behind by 0.20",
        "Gradient boosting ahead by 0.40",
        "MulT undecided",
        "late fusion ahead by 0.20",
    ]
    ridge, studied, reference = style.line_styles(style.LIGHT, ["ridge", "himoe", "stimulus_mean"]).values()
    first = titled["ridge behind by 0.20"]
    assert [line.get_color() for line in first.lines[:3]] == [s.colour for s in (reference, studied, ridge)]
    assert (
        "; there it is ahead of 3 (train mean, Gradient boosting, late fusion), behind 1 (ridge), undecided against 1 (MulT)."
        in (item.finding)
    )
    assert len(first.collections) == 1  # Hi-MoE's band


@pytest.mark.parametrize("theme", [style.LIGHT, style.DARK])
@pytest.mark.parametrize("n_rivals", [2, 15])
def test_lines_of_every_panel_are_told_apart(theme, n_rivals):
    """All shipped models at once, references among them; and few, in one panel."""
    rivals = [m for m in registry.available("models") if m not in ("himoe", "subject_mean", "train_mean")]
    models = [*(("ridge", "late_fusion", "stimulus_mean") if n_rivals == 2 else rivals), "himoe"]
    with style.themed(theme):
        item = condition_curve.draw(evidence(models, values=dict.fromkeys(models, 0.5)), theme, "missing_rate")
    shown = [{line.get_color() for line in ax.lines if len(line.get_xdata())} for ax in item.figure.axes if ax.axison]
    plt.close(item.figure)
    assert len(shown) == (1 if n_rivals == 2 else len(rivals) - 1)  # a reference has no panel
    assert all(2 <= len(colours) <= 5 and told_apart(sorted(colours)) for colours in shown)


def test_too_few_seeds_tell_nobody_ahead():
    """Two seeds of networks that people share: leads are numbers alone. At a rate of .5 Hi-MoE has .4, the others .6 to 0."""
    item = made(evidence(MANY, protocol="subject_kfold"))
    assert item.finding.endswith("there its leads over 5 others run from −0.20 to 0.40, of too few seeds to tell.")
    assert "ahead" not in item.finding
    titles = {ax.get_title(loc="left").replace("\n", " ") for ax in item.figure.axes}
    assert {"ridge lead −0.20", "Gradient boosting lead 0.40", "late fusion lead 0.20"} < titles
    (ax,) = made(evidence(["ridge", "late_fusion", "himoe"], protocol="subject_kfold")).figure.axes
    assert ax.get_title(loc="left").replace("\n", " ") == "DEAP twin · valence: 0.50 to 0.40"


def test_a_fold_that_failed_leaves_no_line_and_is_counted():
    run = evidence(MANY)
    frame = run.scores
    run.__dict__["scores"] = frame.assign(value=frame["value"].mask((frame["model"] == "mult") & (frame["subject"] == "s2")))
    item = made(run)
    assert "MulT failed" in {ax.get_title(loc="left").replace("\n", " ") for ax in item.figure.axes}
    assert "undecided against none, 1 failed." in item.finding
    run.__dict__["scores"] = frame.assign(value=frame["value"].mask(frame["model"] == "himoe"))
    condition_curve._means.cache_clear()
    assert made(run).finding.startswith("DEAP twin (6 people, 2 seeds): a fold of Hi-MoE diverged.")


def test_many_models_can_be_read_on_a_phone(tmp_path):
    from himoe.config.contents import Entry

    files = drawn(Entry("figures", "condition_curve", "missing_rate"), evidence(MANY), tmp_path)
    for form in ("phone", "phone_dark"):
        assert smallest_text(Path(files[form]).read_text()) >= LEAST


def test_subsets_are_drawn_by_their_size():
    """Of three modalities: all .5; one absent .4 .3 .2; two absent .1 .2 .3: means .5 .3 .2, ranges .2 to .4 and .1 to .3."""
    by_subset = dict(enumerate([0.5, 0.4, 0.3, 0.2, 0.1, 0.2, 0.3]))
    data = pd.DataFrame({"model": "himoe", "severity": by_subset.keys(), "ccc": by_subset.values()})
    shown, label = condition_curve._by_size(data, "modality_subset", 3)
    assert label == "modalities present"
    assert shown[["x", "ccc", "low", "high"]].to_numpy() == pytest.approx(
        np.array([[1, 0.2, 0.1, 0.3], [2, 0.3, 0.2, 0.4], [3, 0.5, 0.5, 0.5]])
    )
