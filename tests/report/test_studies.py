"""Verdicts on planted truth, by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from himoe import io
from himoe.config.run import Config
from himoe.config.studies import parse_studies
from himoe.evaluate.score import COLUMNS
from himoe.tables import planted
from himoe.types import HimoeError

INFORMATIVE = {"eeg": 2, "gsr": 1, "ecg": 0.5, "emg": 0.25, "resp": 0.1, "pupil": 0}
SUBJECTS = [f"p{i:02d}" for i in range(1, 9)]


def evidence(tmp_path, **parts):
    """What a table reads, its truth by way of the file."""
    io.write_json(tmp_path / "truth.json", {"informative": INFORMATIVE, "cluster": {f"v{i}": i % 2 for i in range(8)}})
    truths = {f"planted-{name}": io.read_json(tmp_path / "truth.json") for name in ("base", "null.0", "null.1")}
    return SimpleNamespace(truths=truths, config=Config(protocols=["loso"]), protocol_of=lambda setting: "loso", **parts)


def posed(test, **figures):
    return parse_studies([{"id": "x", "question": "?", "data": "planted-base", "test": test, **figures}])[0]


def routing(quantity, value):
    rows = [
        ("planted-base", "himoe", seed, fold, s, f"v{t}", "clean", 0.0, quantity, str(part), float(v))
        for seed in (0, 1) for fold, s in enumerate(SUBJECTS[:4]) for t in range(8)
        for part, v in enumerate(value(seed, fold, t))
    ]  # fmt: skip
    names = ["setting", "model", "seed", "fold", "subject", "trial", "condition", "severity", "quantity", "part", "value"]
    return pd.DataFrame(rows, columns=names)


def scores(values, metric="ccc"):
    """``values``: (setting, model, condition, severity) -> one value per subject."""
    rows = [
        ("planted", "loso", model, 0, s, condition, severity, "valence", metric, v, 10, setting)
        for (setting, model, condition, severity), each in values.items() for s, v in zip(SUBJECTS, each, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=[*COLUMNS, "setting"])


@pytest.mark.parametrize(("shares", "verdict"), [([6, 5, 4, 3, 2, 1, 9], "supported"), ([1, 2, 3, 4, 5, 6, 0], "contradicted")])
def test_shares_are_held_against_what_was_planted_in_their_order(tmp_path, shares, verdict):
    """The file sorts its keys; the last share is the null token's and has no part in it."""
    run = evidence(tmp_path, routing=routing("modality_share", lambda *_: shares))
    assert planted.follows(run, ["planted-base"], posed("follows", correlation=0.8))[0] == verdict


def test_clusters_are_found_by_each_network_for_itself(tmp_path):
    """Networks that give the same cluster opposite weights all find it; one that gives every trial the same does not."""

    def weights(seed, fold, trial):
        up = (trial % 2) ^ (fold % 2)
        return [up, 1 - up, 0.1 * seed]

    said = routing("y", weights).query("part == '0'").rename(columns={"value": "y_pred"})
    said = said.assign(y_true=said["y_pred"], target="valence").drop(columns=["quantity", "part"])
    run = evidence(tmp_path, routing=routing("prototype_weight", weights), predictions=said)
    verdict, why = planted.clusters(run, ["planted-base"], posed("clusters", rand=0.6))
    assert verdict == "supported"
    assert "index 1.00" in why


def test_nothing_is_found_by_chance_only(tmp_path):
    """Eight people all above 0, or all below, are found; half above and half below are not."""
    above = np.full(8, 0.1) + np.arange(8) / 100
    both = ["planted-null.0", "planted-null.1"]
    for sign in (1, -1):
        values = {
            ("planted-null.0", "himoe", "clean", 0.0): sign * above,
            ("planted-null.1", "himoe", "clean", 0.0): [-0.8, 0.1, -0.3, 0.2, -0.1, 0.4, -0.5, 0.6],
        }
        run = evidence(tmp_path, all_scores=pd.concat([scores(values, "ccc"), scores(values, "pcc")]))
        verdict, why = planted.nothing(run, both, posed("nothing", largest=0, replicates=2))
        assert verdict == "contradicted"
        assert why.startswith("CCC misses 0 in 1 of 2")
        assert planted.nothing(run, both, posed("nothing", largest=1, replicates=2))[0] == "supported"
        assert planted.nothing(run, both, posed("nothing", largest=1, replicates=3))[0] == "not run"


def test_ahead_by_people(tmp_path):
    """Ahead by about 0.1 for everyone, whoever has it easy; under the condition only."""
    easy, lead = np.linspace(0.2, 0.8, 8), 0.1 + np.linspace(-0.01, 0.01, 8)
    values = {("planted-base", m, "shift", 0.0): easy for m in ("himoe", "late_fusion")}
    values |= {("planted-base", m, "shift", 4.0): easy - 0.2 + lead * (m == "himoe") for m in ("himoe", "late_fusion")}
    values |= {("planted-base", m, "clean", 0.0): easy for m in ("himoe", "late_fusion")}
    run = evidence(tmp_path, all_scores=scores(values))
    study = {"others": ["late_fusion"], "condition": "shift", "smallest_effect": 0.01}
    verdict, why = planted.ahead(run, ["planted-base"], posed("ahead", **study))
    assert verdict == "supported"
    assert "8 people, 1 seed(s)" in why
    assert (
        planted.ahead(run, ["planted-base"], posed("ahead", **study | {"smallest_effect": 0.3}))[0] == "untestable on this data"
    )
    assert planted.ahead(run, ["planted-base"], posed("ahead", **study | {"condition": "clean"}))[0] == "equivalent"
    assert planted.ahead(run, ["planted-base"], posed("ahead", **study | {"others": ["himoe-flat"]}))[0] == "not run"


def test_a_model_that_predicts_nothing_is_ahead_of_nobody(tmp_path):
    draws = [f"planted-base.{i}" for i in range(3)]
    values = {(d, "late_fusion", "clean", 0.0): np.linspace(-0.06, -0.04, 8) for d in draws}
    values |= {(d, "himoe", "clean", 0.0): np.zeros(8) for d in draws}
    run = evidence(tmp_path, all_scores=scores(values))
    for settings in (draws, draws[:1]):
        assert planted.ahead(run, settings, posed("ahead", others=["late_fusion"], smallest_effect=0.01))[0] != "supported"


def test_several_draws_are_the_unit(tmp_path):
    """Leads of .1 in two draws and of .4 in the third: mean .2, SD .173 over draws, half-width 4.30 * .1 = .43."""
    easy, draws = np.linspace(0.2, 0.8, 8), [f"planted-base.{i}" for i in range(3)]
    values = {(d, "late_fusion", "clean", 0.0): easy for d in draws}
    values |= {(d, "himoe", "clean", 0.0): easy + lead for d, lead in zip(draws, (0.1, 0.1, 0.4), strict=True)}
    run = evidence(tmp_path, all_scores=scores(values))
    verdict, why = planted.ahead(run, draws, posed("ahead", others=["late_fusion"], smallest_effect=0.01))
    assert verdict == "inconclusive"
    assert "3 draws" in why
    assert "0.200 [−0.230," in why


def test_what_may_not_move(tmp_path):
    values = {
        ("planted-base", "himoe", "outage", severity): np.linspace(0.5, 0.8, 8) - 0.05 * severity for severity in (0.0, 2.0)
    }
    run = evidence(tmp_path, all_scores=scores(values))
    assert planted.unmoved(run, ["planted-base"], posed("unmoved", condition="outage", largest=0.02))[0] == "contradicted"
    assert planted.unmoved(run, ["planted-base"], posed("unmoved", condition="outage", largest=0.11))[0] == "supported"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"median": None}, "config/studies.yaml: a1.median: is absent"),
        ({"medain": 0.5}, "did you mean 'median'?"),
        ({"test": "lag"}, "a1.test: there is no 'lag'; did you mean 'lags'?"),
        ({"beyond": 1.5}, "a1.beyond: "),
        ({"condition": "shfit"}, "a1.condition: there is no 'shfit'; did you mean 'shift'?"),
        ({"others": ["ridge"]}, "a1.others: unknown key"),
    ],
)
def test_a_study_that_lacks_what_its_test_needs_is_named(change, said):
    entry = {
        "id": "a1",
        "question": "?",
        "data": "planted-base",
        "test": "lags",
        "condition": "shift",
        "median": 0.5,
        "beyond": 0.1,
    }
    assert parse_studies([entry])[0].median == 0.5
    with pytest.raises(HimoeError, match="the id a1 appears twice"):
        parse_studies([entry, entry])
    with pytest.raises(HimoeError) as error:
        parse_studies([{k: v for k, v in (entry | change).items() if v is not None}])
    assert said in str(error.value)
    assert "\n" not in str(error.value)
