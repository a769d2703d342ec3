"""What routing tells, on routing that is made up."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd

from himoe.tables import experts

PEOPLE, CLIPS = [f"p{i}" for i in range(12)], [f"v{i}" for i in range(8)]


def table(prototype):
    """Ratings: the clip's quadrant, but every third person rates the other way. ``prototype``: of (person, clip, rating)."""
    predictions, routing = [], []
    for i, person in enumerate(PEOPLE):
        for j, clip in enumerate(CLIPS):
            valence = (j % 2) ^ (i % 3 == 0)
            for target, value in (("valence", valence), ("arousal", j // 2 % 2)):
                predictions.append(("case", "himoe", 0, 0, person, clip, "clean", target, float(value)))
            for part in range(4):
                weight = float(part == prototype(i, j, valence))
                routing.append(("case", "himoe", 0, 0, person, clip, "clean", "prototype_weight", str(part), weight))
    keys = ["setting", "model", "seed", "fold", "subject", "trial", "condition"]
    run = SimpleNamespace(
        settings=["case"], targets_of=lambda s: ("valence", "arousal"),
        predictions=pd.DataFrame(predictions, columns=[*keys, "target", "y_true"]),
        routing=pd.DataFrame(routing, columns=[*keys, "quantity", "part", "value"]),
        stimuli={"case": pd.DataFrame([(p, c, c) for p in PEOPLE for c in CLIPS], columns=["subject", "trial", "stimulus"])},
    )  # fmt: skip
    return experts.make(run).data.set_index("about")


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
