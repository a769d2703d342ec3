"""Claims: judged on every data set whose labels allow it, whoever adds it, by a rule that rewards no model without skill."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml

from himoe.config.claims import parse_claims, seal
from himoe.config.run import Config
from himoe.registry import available, is_network
from himoe.report import judge
from himoe.report.evidence import Evidence
from himoe.stats import verdicts
from himoe.tables import claims
from himoe.types import HimoeError
from tests.conftest import ROOT
from tests.report.scores import KEYS, scores

ENTRIES = yaml.safe_load((ROOT / "config/claims.yaml").read_text())
CLAIMS = {claim.id: claim for claim in parse_claims(ENTRIES)}
SEVERITIES = (0.0, 0.5)
RUN = {"setting": "deap_twin", "model": "ridge", "folds": {}}
ABLATIONS = {name: {"router": name.removeprefix("router_")} for name in CLAIMS["C4"].ablations}


TRIAL = ["setting", "model", "seed", "fold", "subject", "trial", "condition"]
NO_PREDICTIONS = pd.DataFrame(columns=[*TRIAL, "target", "y_pred"])
NO_ROUTING = pd.DataFrame(columns=[*TRIAL, "quantity", "part", "value"])


def evidence(made, models, datasets=("deap_twin",), runs=(), **config):
    settings = Config(datasets=list(datasets), models=models, conditions={"missing_rate": list(SEVERITIES)}, **config)
    run = Evidence({"claims": [str(ROOT / "config/claims.yaml")]}, settings)
    run.__dict__.update(all_scores=made.assign(setting=datasets[0]), failed={}, runs=list(runs))
    run.__dict__.update(predictions=NO_PREDICTIONS, routing=NO_ROUTING)
    return run


def table(datasets, **config):
    """The table of a run with two models."""
    made = scores({"himoe": 0.6, "late_fusion": 0.5})
    return claims.make(evidence(made, ["himoe", "late_fusion"], datasets, **config)).data.set_index("id")


def curves(levels, n_people=23, n_seeds=3, spread=0.03):
    """Scores of models by (clean CCC, CCC under the condition), people and seeds drawn."""
    rng = np.random.default_rng(0)
    rows = [
        ("deap_twin", model, seed, f"s{i:02d}", "valence", condition, severity, "ccc", value + spread * rng.standard_normal())
        for model, (clean, left) in levels.items() for seed in range(n_seeds) for i in range(n_people)
        for condition, severity, value in (("clean", 0.0, clean), ("missing_rate", 0.0, clean), ("missing_rate", 0.5, left))
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=[*KEYS, "value"])


def judged(levels, claim, **options):
    run = evidence(curves(levels, **options), list(levels), ablations=ABLATIONS, seeds=[0, 1, 2])
    return judge.judge(run, "deap_twin", CLAIMS[claim])


def test_a_model_that_predicts_nothing_is_never_supported():
    """Clean CCC 0.00 against ablations at 0.20 that each lose half: the first rules said "supported"."""
    nothing = {"himoe": (0.0, 0.0)} | {f"himoe-{name}": (0.2, 0.1) for name in ABLATIONS}
    assert judged(nothing, "C4").word == "contradicted"
    others_lose_all = {"himoe": (0.0, 0.0)} | {f"himoe-{name}": (0.2, -0.1) for name in ABLATIONS}
    verdict = judged(others_lose_all, "C4")
    assert verdict.word != "supported"
    assert "closest: predicting nothing" in verdict.why


def test_a_model_that_is_ahead_everywhere_is_supported():
    """0.30 against 0.20, ahead at every severity, keeping 60% against 50%: the first rules never said "supported"."""
    verdict = judged({"himoe": (0.3, 0.18)} | {f"himoe-{name}": (0.2, 0.1) for name in ABLATIONS}, "C4")
    assert verdict.word == "supported"
    assert verdict.numbers[0] == pytest.approx(0.08, abs=0.01)
    assert "CCC Hi-MoE 0.185 of 0.300 (62%)" in verdict.why  # of 0.18 and 0.30 drawn


def test_equal_clean_and_more_kept_is_supported():
    """Equal clean CCC, 90% kept against 50%: the first rules asked for superiority on clean input in disguise."""
    assert judged({"himoe": (0.4, 0.36), "late_fusion": (0.4, 0.2), "mult": (0.4, 0.2)}, "C2").word == "supported"


def test_ahead_but_keeping_less_than_one_that_begins_as_high_is_not_robust():
    """Who has little to lose and keeps it says nothing: the same lead over a rival that begins lower is support."""
    assert judged({"himoe": (0.6, 0.3), "late_fusion": (0.25, 0.22)}, "C2").word == "supported"
    start = {"himoe": (0.6, 0.3), "late_fusion": (0.61, 0.28)}
    assert judged(start, "C2", spread=0.02).word != "contradicted"
    people = np.linspace(0.2, 0.4, 8)[:, None]
    assert verdicts.keeps_less((0.5 * people, people), (0.9 * people, people))
    assert not verdicts.keeps_less((0.5 * people, people), (0.45 * people, 0.5 * people))


def test_alike_is_equivalent_and_a_mild_condition_is_untestable():
    assert judged({"himoe": (0.4, 0.2), "late_fusion": (0.4, 0.2)}, "C2", spread=0.01).word == "equivalent"
    assert judged({"himoe": (0.4, 0.4), "late_fusion": (0.4, 0.4)}, "C2", spread=0.01).word == "untestable on this data"


def test_a_network_that_adds_nothing_to_its_read_out_tests_no_mechanism():
    """Predictions that are the read-out's alone: nothing is said of the parts, but the model as a whole is judged."""
    levels = {"himoe": (0.3, 0.2), "late_fusion": (0.2, 0.1)}
    run = evidence(curves(levels), list(levels), seeds=[0, 1, 2])
    who = pd.DataFrame(
        {"setting": "deap_twin", "model": "himoe", "seed": 0, "fold": 0, "subject": "s", "condition": "clean"}, range(8)
    )
    who["trial"], value = [f"t{i}" for i in range(8)], np.arange(8.0)
    parts = enumerate(("valence", "arousal"))
    run.__dict__["predictions"] = pd.concat([who.assign(target=name, y_pred=5 + value) for _, name in parts])
    run.__dict__["routing"] = pd.concat([who.assign(quantity="readout", part=str(i), value=value) for i in (0, 1)])
    data = claims.make(run).data
    here = data[data["setting"] == "deap_twin"].set_index("id")
    assert here.loc["C2", "verdict"] == "untestable on this data"
    assert "adds nothing" in here.loc["C2", "evidence"]
    assert here.loc["C1", "verdict"] == "inconclusive"  # late fusion is not every rival
    assert here.loc["C1", "evidence"].startswith(
        "supported against those in this run; 8 networks that could be rivals here are"
    )


def test_a_few_rivals_that_somebody_picked_support_nothing():
    """Ahead of all nine networks a claim holds; ahead of eight, or of nine where one is left out of the setting, it is open."""
    networks = [m for m in available("models") if is_network(m)]
    levels = dict.fromkeys(networks, (0.2, 0.1)) | {"himoe": (0.3, 0.2)}

    def words(models, **config):
        run = evidence(curves({m: levels[m] for m in models}), models, seeds=[0, 1, 2], **config)
        return claims.make(run).data.query("setting == 'deap_twin'").set_index("id")["verdict"]

    assert words(networks)[["C1", "C2"]].tolist() == ["supported", "supported"]
    fewer = [m for m in networks if m != "mult"]
    assert words(fewer)[["C1", "C2"]].tolist() == ["inconclusive", "inconclusive"]
    assert words(networks, models_on={"deap_twin": fewer})["C2"] == "inconclusive"


def test_beside_a_read_out_the_network_s_part_is_told_where_mechanisms_are_judged():
    """Shares 0.1 and 0.3 of two folds: 20% of the prediction is what an ablation can change."""
    levels = {"himoe": (0.4, 0.3)} | {f"himoe-{name}": (0.4, 0.2) for name in ABLATIONS}
    folds = {"0": {"network_share": 0.1}, "1": {"network_share": 0.3}}
    run = evidence(
        curves(levels), list(levels), ablations=ABLATIONS, seeds=[0, 1, 2], runs=[RUN | {"model": "himoe", "folds": folds}]
    )
    assert "the network's part beside its linear read-out is 20%" in judge.judge(run, "deap_twin", CLAIMS["C4"]).why
    assert "read-out" not in judged(levels, "C4").why


def test_one_seed_of_networks_that_people_share_says_nothing():
    levels = {"himoe": (0.3, 0.2), "late_fusion": (0.2, 0.1)}
    run = evidence(curves(levels, n_seeds=1), list(levels), protocols=["subject_kfold"])
    verdict = judge.judge(run, "deap_twin", CLAIMS["C2"])
    assert verdict.word == "inconclusive"
    assert "1 seed(s) of networks that people share" in verdict.why
    alone = evidence(curves(levels, n_seeds=1), list(levels), protocols=["loso"])
    assert judge.judge(alone, "deap_twin", CLAIMS["C2"]).word == "supported"


def test_references_are_no_rivals():
    levels = {"himoe": (0.3, 0.3), "ridge": (0.2, 0.2), "stimulus_mean": (0.6, 0.6)}
    run = evidence(curves(levels), list(levels), seeds=[0, 1, 2])
    assert "stimulus_mean" not in judge.others_of(run.config, "deap_twin", "subject_kfold", CLAIMS["C1"])
    assert judge.judge(run, "deap_twin", CLAIMS["C1"]).word == "supported"


def test_a_claim_that_is_edited_after_a_fit_says_so(tmp_path):
    made = scores({"himoe": 0.6, "late_fusion": 0.5})
    run = evidence(made, ["himoe", "late_fusion"])
    sealed = seal([ROOT / "config/claims.yaml"], run.config)
    run.__dict__["runs"] = [RUN | {"sealed": sealed}]
    assert not claims.make(run).data["evidence"].str.contains("changed after").any()
    edited = [entry | ({"smallest_effect": 0.03} if entry["id"] == "C2" else {}) for entry in ENTRIES]
    (tmp_path / "claims.yaml").write_text(yaml.safe_dump(edited))
    run = evidence(made, ["himoe", "late_fusion"], runs=[RUN | {"sealed": sealed}])
    run.files["claims"] = [str(tmp_path / "claims.yaml")]
    data = claims.make(run).data
    told = data[data["evidence"].str.contains("changed after results existed")]
    assert set(told["id"]) <= {"C2"}
    assert len(told) == (data["id"] == "C2").sum() > 0
    (tmp_path / "claims.yaml").write_text(yaml.safe_dump(ENTRIES[1:]))
    assert claims.make(run).note == "Deleted after results existed: C1."
    run.__dict__["runs"] = [RUN | {"sealed": sealed}, RUN]  # of an earlier version
    assert claims.make(run).data["evidence"].str.contains("not sealed: 1 fits").all()


def test_models_added_and_severities_changed_after_a_fit_are_named():
    made = scores({"himoe": 0.6, "late_fusion": 0.5})
    before = evidence(made, ["himoe", "late_fusion", "ridge"]).config
    run = evidence(made, ["himoe", "late_fusion"], runs=[RUN | {"sealed": seal([ROOT / "config/claims.yaml"], before)}])
    assert claims.make(run).note == "Changed after results existed: models."
    run.__dict__["runs"] = [RUN | {"sealed": seal([ROOT / "config/claims.yaml"], run.config)}]
    assert claims.make(run).note == ""


@pytest.mark.parametrize(
    ("change", "says"),
    [({"against": "everyone"}, "0.against"), ({"smallest_effect": 0}, "0.smallest_effect"), ({"margin": 0.1}, "0.margin")],
)
def test_a_claim_is_checked(change, says):
    with pytest.raises(HimoeError, match=says):
        parse_claims([ENTRIES[0] | change])


def test_a_data_set_is_judged_without_being_named():
    data = table(["case_twin"])
    here = data[data["setting"] == "case_twin"]
    assert here.index.tolist() == ["C2", "C3", "C4", "C5", "C6", "C7"]  # C1 names DEAP and DREAMER
    assert data.loc["C1", "setting"] == "DEAP, DREAMER"
    assert here["verdict"]["C2"] in verdicts.WORDS
    assert here["verdict"]["C6"] == "not run"


def test_labels_per_trial_say_nothing_of_shifts():
    data = table(["deap_twin"])
    assert data[data["setting"] == "deap_twin"].loc["C3", "verdict"] == "untestable on this data"
    absent = data[data["verdict"] == "not run"]["setting"]
    assert "DEAP" not in absent["C3"]  # its recordings could not test it either
    assert "DEAP" in absent["C2"]


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_planted_data_have_studies_of_their_own(claim):
    assert not judge.applies(claim, "planted-base")


def test_the_page_has_a_card_for_each_claim_and_what_would_settle_it():
    made = scores({"himoe": 0.6, "late_fusion": 0.5})
    page = claims.make(evidence(made, ["himoe", "late_fusion"])).page
    assert [claim["id"] for claim in page["claims"]] == [f"C{i}" for i in range(1, 8)]
    assert [setting["title"] for setting in page["settings"]] == ["DEAP twin"]
    c1, c3 = page["claims"][0], page["claims"][2]
    assert c1["cells"]["deap_twin"]["word"] == c1["overall"] == "inconclusive"
    assert c1["panel"]["rows"][0]["label"] == "DEAP twin"
    assert c1["elsewhere"] == ["DEAP, DREAMER: no real recordings of it in this run"]
    assert c3["panel"] is None
    assert c3["elsewhere"] == []  # of any real recordings: told once, by what would settle it
    assert c3["told"] == [{"titles": "DEAP twin", "cell": c3["cells"]["deap_twin"]}]
    needs = {need["config"]: need["ids"] for need in page["settle"]}
    assert needs["config/ablations.yaml"] == ["C4", "C5", "C7"]
    assert needs["seeds"] == ["C1", "C2"]
    assert needs["config/paper.yaml --config data_root=/path/to/data"] == ["C1"]
