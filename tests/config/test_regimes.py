"""Training regimes: a line of config makes a model, and its fit differs from the network's in augmentations alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import yaml

from himoe.config.load import load_config
from himoe.report.evidence import Evidence
from himoe.report.titles import model_title
from himoe.tables import regimes
from himoe.train.scaling import Scaler
from himoe.train.windows import Affine, Bank, Windows, read, training_batch
from himoe.types import HimoeError
from tests.conftest import ROOT, make_tokens
from tests.report.scores import scores

CLEAN = {"modality_dropout": 0, "gap_chance": 0, "token_dropout": 0, "shift_chance": 0}
SHIPPED = yaml.safe_load((ROOT / "config/regimes.yaml").read_text())["regimes"]


def load(**changes):
    return load_config(
        {"models": ["ridge", "late_fusion", "himoe"], "regimes": {"clean": {"models": ["late_fusion", "himoe"], **CLEAN}}}
        | changes
    )


def test_a_line_makes_models():
    config = load()
    assert config.models == ["ridge", "late_fusion", "himoe", "late_fusion-clean", "himoe-clean"]
    assert config.compared == ["ridge", "late_fusion", "himoe"]
    assert [config.kind_of(m) for m in config.models] == ["compared"] * 3 + ["regime"] * 2
    assert model_title("late_fusion-clean") == "late fusion, clean"
    assert load_config(config.model_dump()).models == config.models  # a job reads it again
    assert load(regimes={"clean": CLEAN}).models[3:] == ["himoe-clean"]  # of Hi-MoE where none is named


@pytest.mark.parametrize("name", SHIPPED)
def test_a_fit_is_told_of_other_augmentations_and_of_nothing_else(name):
    config = load(regimes=SHIPPED, training={"epochs": 3}, model_options={"himoe": {"width": 8}})
    plain, under = (config.fit_spec("deap_twin", "loso", m, 1, 0).model_dump() for m in ("himoe", f"himoe-{name}"))
    assert plain.pop("model") != under.pop("model")
    plain_training, training = plain.pop("training"), under.pop("training")
    assert plain == under
    changed = {key for key in training if training[key] != plain_training[key]}
    assert changed == {key for key, value in SHIPPED[name].items() if key != "models" and value != plain_training[key]}
    assert (
        plain_training
        == load_config({"training": {"epochs": 3}}).fit_spec("deap_twin", "loso", "himoe", 1, 0).training.model_dump()
    )


def batch_of(name):
    """(crops as training under a regime sees them, the same as recorded): 16 trials of 60 tokens, all there."""
    config, tokens = load(regimes=SHIPPED), make_tokens(2, 8, 60)
    tokens.mask[:] = True
    bank, affine = Bank(tokens), Affine.of([Scaler.fit(tokens)])
    windows = Windows(torch.arange(16)[None], torch.zeros(1, 16, dtype=torch.int64))
    settings = config.fit_spec("deap_twin", "loso", name, 0, 0).training
    return training_batch(bank, affine, windows, 60, settings, torch.tensor([5])), read(bank, affine, windows, 60)


def test_a_network_trained_on_clean_rows_sees_rows_as_recorded():
    seen, recorded = batch_of("himoe-clean")
    assert torch.equal(seen.x, recorded.x)
    assert seen.mask.all()
    mixed, _ = batch_of("himoe")
    assert not mixed.mask.all()
    assert not torch.equal(mixed.x, recorded.x)


def test_a_matched_network_sees_what_it_is_matched_to():
    moved, recorded = batch_of("himoe-matched_shift")
    assert moved.mask[:, :, 8:-8].all()  # 4 s at 2 Hz: nothing is lost but what is moved out
    assert not torch.equal(moved.x, recorded.x)
    thinned, recorded = batch_of("himoe-matched_missing")
    assert torch.equal(thinned.x, recorded.x)
    assert 0.2 < 1 - thinned.mask.float().mean() < 0.5  # rates uniform to 0.7: 0.35


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"regimes": {"clean": {"models": ["ridge"], **CLEAN}}}, r"regimes\.clean: ridge is no network"),
        (
            {"regimes": {"clean": {"models": ["himeo"], **CLEAN}}},
            r"regimes\.clean\.models: there is no 'himeo'; did you mean 'himoe'",
        ),
        (
            {"regimes": {"clean": {"models": ["mult"], **CLEAN}}},
            r"regimes\.clean\.models: there is no 'mult'",
        ),  # not in this run
        ({"regimes": {"clean": {"token_dropout": 2}}}, r"regimes\.clean\.token_dropout: "),
        ({"regimes": {"clean": {"epochs": 2}}}, r"regimes\.clean\.epochs: unknown key"),
        ({"regimes": {"shuffled_labels": CLEAN}}, r"regimes\.shuffled_labels: that is the name of a control"),
        ({"ablations": {"clean": {"width": 8}}}, r"ablations\.clean: that is the name of a regime"),
        ({"regimes": {"../x": CLEAN}}, r"regimes\."),
        ({"models": ["himoe", "himoe-claen"], "regimes": {"clean": CLEAN}}, "there is no 'claen'; did you mean 'clean'"),
    ],
)
def test_a_mistake_is_one_line(changes, message):
    with pytest.raises(HimoeError, match=message) as error:
        load(**changes)
    assert "\n" not in str(error.value)


def test_the_table_sets_each_network_beside_itself():
    values = {"ridge": 0.3, "late_fusion": 0.4, "himoe": 0.5, "late_fusion-clean": 0.45, "himoe-clean": 0.2}
    evidence = Evidence({}, load(datasets=["deap_twin"], conditions={"missing_rate": [0, 0.5]}))
    evidence.__dict__["all_scores"] = scores(values)
    item = regimes.make(evidence)
    assert item.data[["network", "regime"]].to_numpy().tolist() == [
        ["late_fusion", "as the run"], ["late_fusion", "clean"], ["himoe", "as the run"], ["himoe", "clean"],
    ]  # fmt: skip
    np.testing.assert_allclose(item.data["left"], [0.3, 0.35, 0.4, 0.1], atol=0.02)  # 0.2 times 0.5 is lost of each
    np.testing.assert_allclose(item.data["difference"].iloc[[1, 3]], [-0.05, 0.3], atol=0.02)
    assert item.data["difference"].iloc[[0, 2]].isna().all()
    assert "in 1 of 2 comparisons, with less in 1," in item.finding
    assert len(item.shown.columns) <= 8
