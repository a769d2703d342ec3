"""Methods, limits and what to cite follow from the settings."""

from __future__ import annotations

import yaml

from himoe.config.run import Config
from himoe.report import methods
from tests.conftest import ROOT

CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())


def text(config):
    return dict(methods.paragraphs(config))


def test_facts_have_no_bare_codes():
    config = Config(datasets=["deap_twin"], protocols=["loso"], twin={"subjects": 6, "trials": 3, "seconds": 16, "snr": 1.0})
    assert methods.facts(config) == (
        "DEAP twin (6 people); tested on each person in turn, by models trained on all the others; 1 seed."
    )
    varied = Config(datasets=["case", "case-few"], variants={"few": {"case": {"modalities": ["gsr"]}}}, protocols=["loso"])
    assert methods.facts(varied).startswith("CASE (1 variant; 30 people); tested on ")
    assert "loso" not in " ".join(text(config).values())


def test_what_is_switched_off_is_not_told():
    plain = text(Config(training={"calibration": "none", "epochs": 7}, conditions={}))
    assert plain["Perturbation"] == "Clean input alone."
    assert "rescaled" not in plain["Training"]
    assert "At most 7 epochs" in plain["Training"]
    full = text(Config(conditions={"shift": [0, 2]}, models=["ridge", "himoe", "ridge-shuffled_labels"]))
    assert "constant shift of one modality (0, 2)" in full["Perturbation"]
    assert "ridge, labels shuffled" in full["Models"]


def test_limits_are_of_this_run():
    twins = methods.limits(Config(datasets=["deap_twin"]))
    assert any(limit.startswith("All data are simulated") for limit in twins)
    assert any("luck of training" in limit for limit in twins)
    real = methods.limits(Config(datasets=["esports"], protocols=["loso"]))
    assert not any("simulated" in limit for limit in real)
    assert any("vendor's estimates" in limit for limit in real)
    assert not any("luck of training" in limit for limit in real)
    assert any(limit.startswith("DEAP and DREAMER, on which the paper reports, are not") for limit in real)


def test_bibtex_is_of_the_citation_file():
    made = methods.bibtex(CITATION, "0123456789ab")
    assert "author = {Zhu and Han and Jiang and Zhou and Wang}" in made
    assert "eprint = {2508.02133}" in made
    assert "note = {commit 0123456789ab}" in made
    assert made.count("{") == made.count("}")
