"""The figure of representations, on some that are made up: noise tells nothing, one that follows the rating does."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from himoe.config.run import Config
from himoe.figures import embedding
from himoe.report import style
from himoe.report.evidence import Evidence

PEOPLE, CLIPS = [f"s{i}" for i in range(12)], [f"v{i}" for i in range(8)]


def evidence(represent, dataset="deap_twin"):
    """Leave one person out of twelve; three are validated on. ``represent``: of (generator, valence of the trial)."""
    rng = np.random.default_rng(2)
    config = Config(datasets=[dataset], protocols=["loso"], models=["himoe"])
    targets = config.targets_of(dataset)
    valence = {(p, c): rng.standard_normal() for p in PEOPLE for c in CLIPS}
    routed = [
        (dataset, "himoe", 0, fold, p, clip, "clean", 0.0, quantity, str(part), value)
        for fold, person in enumerate(PEOPLE)
        for p, quantity in [(person, embedding.TESTED), *((PEOPLE[(fold + k) % 12], embedding.VALIDATION) for k in (1, 2, 3))]
        for clip in CLIPS for part, value in enumerate(represent(rng, valence[p, clip]))
    ]  # fmt: skip
    said = [
        (dataset, "himoe", 0, fold, p, clip, "clean", target, 0.0 if target == "arousal" else y)
        for fold, p in enumerate(PEOPLE) for clip in CLIPS for target in targets for y in [valence[p, clip]]
    ]  # fmt: skip
    keys = ["setting", "model", "seed", "fold", "subject", "trial", "condition"]
    run = Evidence({}, config)
    frame = pd.DataFrame(routed, columns=[*keys, "severity", "quantity", "part", "value"])
    run.__dict__.update(
        routed=lambda conditions, quantities: frame,
        predictions=pd.DataFrame(said, columns=[*keys, "target", "y_true"]),
        stimuli={dataset: pd.DataFrame([(p, c, c) for p in PEOPLE for c in CLIPS], columns=["subject", "trial", "stimulus"])},
    )
    return run


def drawn(run):
    with style.themed(style.LIGHT):
        item = embedding.draw(run, style.LIGHT)
    plt.close(item.figure)
    return item


def test_what_follows_the_rating_tells_of_it_alone():
    item = drawn(evidence(lambda rng, y: [3 * y, *rng.standard_normal(11)]))
    found = item.data.set_index("asks")
    assert found.loc["valence", "p"] < 0.01
    assert found.loc["valence", "value"] > 0.5
    assert found.loc["valence beyond the clip", "p"] < 0.01  # each rated as it pleased
    assert found.loc["arousal", "value"] == 0  # it does not vary
    assert found.loc["clip", "p"] > 0.05
    assert found.loc["valence", "n_trials"] == 96
    assert "person cannot be asked" in item.finding
    assert "DEAP twin: valence 0." in item.finding


@pytest.mark.parametrize("asks", ["valence", "valence beyond the clip", "clip"])
def test_noise_tells_nothing(asks):
    found = drawn(evidence(lambda rng, y: rng.standard_normal(12))).data.set_index("asks")
    assert found.loc[asks, "p"] > 0.05


def test_one_target_leaves_a_panel_empty():
    found = drawn(evidence(lambda rng, y: [3 * y, *rng.standard_normal(11)], "esports")).data
    assert found["asks"].tolist() == ["Engagement", "Engagement beyond the clip", "clip", "person"]


def test_where_every_fold_failed_there_is_nothing_to_draw():
    run = evidence(lambda rng, y: rng.standard_normal(12))
    nothing = run.routed([], []).iloc[:0]
    run.__dict__["routed"] = lambda conditions, quantities: nothing
    assert "no fold ended well" in drawn(run).finding
