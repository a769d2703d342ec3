"""Verdicts: what a rule says of leads made by hand, and how often it is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from himoe.stats.characteristics import Design, assumed, characteristics, simulate, spread_of
from himoe.stats.levels import share_kept, skill_of_sums
from himoe.stats.verdicts import decide, keeps_less, smallest_lead

NOISE = np.array([-1.0, 1, -1, 1, -1, 1])[:, None] * 0.001


def leads(*means):
    """Six people, one seed, leads that hardly vary."""
    return np.stack([m + NOISE for m in means], axis=-1)


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.01, 0.05, "supported"), (-0.05, -0.01, "contradicted"), (-0.01, 0.015, "equivalent"), (0.001, 0.015, "equivalent"),
        (-0.01, 0.03, "inconclusive"), (-0.03, 0.03, "inconclusive"), (np.nan, np.nan, "inconclusive"),
    ],
)  # fmt: skip
def test_words(low, high, word):
    assert decide(low, high, 0.02) == word


def test_the_smallest_lead_decides():
    lead = smallest_lead(leads(0.3, 0.1, 0.2))
    assert lead.closest == 1
    assert lead.value == pytest.approx(0.1)
    assert decide(lead.low, lead.high, 0.02) == "supported"
    behind = smallest_lead(leads(0.3, -0.1, 0.2))
    assert decide(behind.low, behind.high, 0.02) == "contradicted"


def test_skill_is_of_sums():
    # errors 1, 1, 4 against references 2, 2, .1: each skill .5, .5, -39; of sums 1 - 6 / 4.1
    skill = skill_of_sums(np.array([[1.0], [1], [4]]), np.array([[2.0], [2], [0.1]]))
    assert skill.mean() == pytest.approx(1 - 6 / 4.1)
    assert skill.std() > 0


def test_share_kept_is_of_sums():
    clean, left = np.array([[0.1], [0.5]]), np.array([[0.0], [0.3]])
    assert share_kept(left, clean).mean() == pytest.approx(0.3 / 0.6)
    assert np.isnan(share_kept(left, -clean)).all()


def test_who_keeps_less():
    people = np.linspace(0.2, 0.4, 8)[:, None]
    assert keeps_less((0.5 * people, people), (0.9 * people, people))
    assert not keeps_less((0.9 * people, people), (0.5 * people, people))


def test_spread_is_estimated():
    design = Design(4000, 200, assumed(0.5, 0.1, 0.3, 2))
    found = spread_of(simulate(design, 1, 0)[0])
    np.testing.assert_allclose(np.sqrt(np.diag(found.people)), 0.5, rtol=0.05)
    np.testing.assert_allclose(np.sqrt(np.diag(found.seeds)), 0.1, rtol=0.15)
    np.testing.assert_allclose(np.sqrt(np.diag(found.rest)), 0.3, rtol=0.02)
    assert found.people[0, 1] == pytest.approx(0.125, rel=0.1)


@pytest.mark.parametrize("n_rivals", [1, 13])
@pytest.mark.parametrize("n_seeds", [3, 5])
@pytest.mark.parametrize("n_people", [6, 8, 23, 32])
def test_false_support_is_rare(n_people, n_seeds, n_rivals):
    """One rival is level, the others are far behind: at most 5%."""
    design = Design(n_people, n_seeds, assumed(0.06, 0.01, 0.03, n_rivals))
    assert characteristics(design, 0.02, 2000).false_support <= 0.05


def test_ahead_everywhere_is_seen():
    """32 people, three seeds, twelve rivals, each behind by 0.8 of the SD over people of a lead's mean over seeds: at least
    80%."""
    spread = assumed(0.06, 0.0, 0.03, 12)
    d = 0.8 * np.sqrt(0.06**2 + 0.03**2 / 3)
    assert characteristics(Design(32, 3, spread), d, 2000).power >= 0.8
