"""The outcome in words, and what would settle what is undecided."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from himoe.config.run import Config
from himoe.report import outcome
from himoe.report.evidence import Evidence
from himoe.report.judge import ONE_LABEL


def verdict(word, evidence="", detectable=np.nan, smallest=0.02):
    return SimpleNamespace(verdict=word, evidence=evidence, detectable=detectable, smallest=smallest)


@pytest.mark.parametrize(
    ("words", "together"),
    [
        (["supported", "supported", "not run"], "supported"),
        (["supported", "inconclusive"], outcome.MIXED),
        (["supported", "contradicted"], outcome.BOTH),
        (["contradicted", "inconclusive"], "contradicted"),
        (["equivalent", "equivalent"], "equivalent"),
        (["equivalent", "inconclusive"], "inconclusive"),
        (["untestable on this data", "not run"], "untestable on this data"),
        (["untestable on this data", "failed"], "failed"),
        ([], "not run"),
    ],
)
def test_one_word_for_a_claim(words, together):
    assert outcome.overall(words) == together


def test_the_title_tells_wins_and_losses():
    words = ["supported", "contradicted", "contradicted", "inconclusive", "not run", "untestable on this data", "not run"]
    assert outcome.headline(words, False) == "Hi-MoE: 1 of 7 claims supported, 2 contradicted, 1 undecided, 3 not tested"
    assert outcome.headline(["not run"], True) == "Hi-MoE on simulated data: none of 1 claims supported, 1 not tested"
    assert outcome.counted(words) == (
        "1 of 7 claims is supported, 2 are contradicted, 1 undecided, 1 untestable on this data, 2 not run"
    )


def test_claims_that_are_decided_are_named():
    text = outcome.decided_claims({"C1": "inconclusive", "C2": "contradicted"}, {"C1": "first", "C2": "robust"})
    assert text == "None of 2 claims is supported, 1 is contradicted, 1 undecided. Contradicted: robust (C2)."


def run(seeds, protocol):
    return Evidence({}, Config(datasets=["deap_twin"], protocols=[protocol], seeds=seeds))


def test_what_would_settle_an_undecided_claim():
    """A lead of .06 is seen with 8 people: .02 asks for 3 x 3 times as many; where people share networks, seeds come first."""
    undecided = verdict("inconclusive", detectable=0.06)
    found = outcome.settling(undecided, run([0], "loso"), "loso", 8)
    assert found == ("about 72 people: 8 show a lead of 0.060, of interest is 0.02", "")
    assert outcome.settling(undecided, run([0, 1, 2], "loso"), "loso", 8).words.startswith("more people and seeds: 8 ")
    assert outcome.settling(undecided, run([0], "subject_kfold"), "subject_kfold", 8).config == "seeds"
    seen = outcome.settling(verdict("inconclusive", detectable=0.01), run([0], "loso"), "loso", 8)
    assert seen.config == ""


def test_what_would_settle_a_claim_that_was_not_tested():
    def asked(row):
        return outcome.settling(row, run([0], "loso"), "loso", 8)

    assert asked(verdict("untestable on this data", ONE_LABEL)).config == outcome.OPEN
    assert asked(verdict("untestable on this data", "no model loses 0.02 of CCC")) is None
    assert asked(verdict("not run", "needs 5 of the ablations of config/ablations.yaml")).config == outcome.ABLATIONS
    assert asked(verdict("not run", "needs the condition shift")) == ("the condition shift", "")
    assert asked(verdict("not run", "no protocol of this run keeps people apart")) is None
    assert asked(verdict("supported")) is None
    assert asked(verdict("contradicted")) is None
