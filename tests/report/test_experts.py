"""What routing tells, on routing that is made up: in the table and in the figure."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib.pyplot as plt
import pandas as pd

from himoe.figures import information
from himoe.report import routing, style
from himoe.stats.frames import pick
from himoe.tables import experts

PEOPLE, CLIPS = [f"p{i}" for i in range(12)], [f"v{i}" for i in range(8)]


def evidence(prototype, loso=False):
    """One fold, or one a person. Ratings: the clip's quadrant, but every third person rates the other way. ``prototype``: of
    (person, clip, rating)."""
    predictions, routing = [], []
    for i, person in enumerate(PEOPLE):
        for j, clip in enumerate(CLIPS):
            valence = (j % 2) ^ (i % 3 == 0)
            for target, value in (("valence", valence), ("arousal", j // 2 % 2)):
                predictions.append(("case", "himoe", 0, i * loso, person, clip, "clean", target, float(value)))
            for part in range(4):
                weight = float(part == prototype(i, j, valence))
                key = ("case", "himoe", 0, i * loso, person, clip, "clean")
                routing.append((*key, "prototype_weight", str(part), weight))
    keys = ["setting", "model", "seed", "fold", "subject", "trial", "condition"]
    frame = pd.DataFrame(routing, columns=[*keys, "quantity", "part", "value"])
    return SimpleNamespace(
        settings=["case"], leading=["case"], targets_of=lambda s: ("valence", "arousal"),
        predictions=pd.DataFrame(predictions, columns=[*keys, "target", "y_true"]),
        routed=lambda conditions, quantities: pick(frame, condition=conditions, quantity=quantities),
        stimuli={"case": pd.DataFrame([(p, c, c) for p in PEOPLE for c in CLIPS], columns=["subject", "trial", "stimulus"])},
    )  # fmt: skip


def table(prototype):
    return experts.make(evidence(prototype)).data.set_index("about")


def test_one_p_value_of_several_seeds():
    """Twice the mean, at most 1; one alone is itself."""
    assert routing.together([0.03]) == 0.03
    assert routing.together([0.01, 0.03]) == 0.04
    assert routing.together([0.4, 0.8]) == 1


def test_a_router_that_attends_to_the_rating_tells_of_it_beyond_the_clip():
    found = table(lambda i, j, valence: valence)
    assert found.loc["rating", "p"] < 0.01
    assert found.loc["rating beyond the clip", "p"] < 0.01


def test_a_router_that_recognises_the_clip_tells_nothing_beyond_it():
    found = table(lambda i, j, valence: j % 4)
    assert found.loc["clip", "bits"] == 2
    assert found.loc["rating", "p"] < 0.01  # the clip tells of the rating
    assert found.loc["rating beyond the clip", "p"] == 1


def test_a_router_that_recognises_the_person_tells_of_nothing_else():
    found = table(lambda i, j, valence: i % 4)
    assert found.loc["person", "bits"] == 2
    assert found.loc["clip", "p"] == 1
    assert found.loc["rating", "p"] == 1


def test_where_a_fold_tests_one_person_what_is_beyond_the_clip_cannot_be_asked():
    run = evidence(lambda i, j, valence: valence, loso=True)
    made = experts.make(run)
    row = made.data.set_index("about").loc["rating beyond the clip"]
    assert row[["bits", "chance", "p"]].isna().all()
    assert made.shown.set_index("tells of").loc["rating beyond the clip", "p"] == "cannot be asked"
    assert made.finding.endswith("; the rating beyond the clip cannot be asked.")
    with style.themed(style.LIGHT):
        drawn = information.draw(run, style.LIGHT)
    plt.close(drawn.figure)
    assert drawn.finding.endswith("; cannot be asked: rating beyond the clip.")


def test_only_what_is_beyond_chance_is_said_to_be():
    finding = experts.make(evidence(lambda i, j, valence: i % 4)).finding
    assert "prototypes tell beyond chance of the person " in finding
    assert "; are not shown to tell of the rating (p 1.000), of the rating beyond the clip (p 1.000) and of the clip" in finding


def test_the_figure_says_what_is_beyond_its_null():
    with style.themed(style.LIGHT):
        drawn = information.draw(evidence(lambda i, j, valence: j % 4), style.LIGHT)
    plt.close(drawn.figure)
    assert "CASE, leading prototype tells of: rating, clip; not of: rating beyond the clip, person." in drawn.finding
    assert set(drawn.data["router"]) == {"prototype_weight"}


def test_nothing_routed_is_said():
    nothing = evidence(lambda i, j, valence: 0)
    empty = nothing.routed([], [])
    nothing.routed = lambda conditions, quantities: empty
    with style.themed(style.LIGHT):
        drawn = information.draw(nothing, style.LIGHT)
    plt.close(drawn.figure)
    assert drawn.finding == "CASE: no fold of Hi-MoE ended well."
