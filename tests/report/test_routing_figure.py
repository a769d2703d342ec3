"""The figure of routing, on shares that are made up: two modalities and the null token, three experts."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from himoe.config.contents import Entry
from himoe.config.run import Config
from himoe.figures import routing
from himoe.report import style
from himoe.report.evidence import Evidence
from himoe.stats.frames import pick
from tests.report.test_style import LEAST, drawn, smallest_text

SHARES = {0.0: (0.6, 0.3, 0.1), 0.5: (0.3, 0.2, 0.5)}  # eeg, ecg, null token
COMBINE = ((0.5, 0.25, 0.25), (0.1, 0.1, 0.1), (0.2, 0.2, 0.8))  # of tokens over experts, however they are scaled


def evidence(empty=False):
    """Three people, two trials, around those means."""
    rows = []
    for i, aside in enumerate((-0.01, 0.0, 0.01)):
        for j in range(2):
            key = ("dreamer_twin", "himoe", 0, i, f"s{i}", f"t{j}")
            for rate, shares in SHARES.items():
                rows += [(*key, "missing_rate", rate, "modality_share", str(k), v + aside) for k, v in enumerate(shares)]
            for k, of_token in enumerate(COMBINE):
                rows += [(*key, "clean", 0.0, "modality_combine", f"{k}/{e}", v + aside) for e, v in enumerate(of_token)]
    keys = ["setting", "model", "seed", "fold", "subject", "trial", "condition", "severity", "quantity", "part", "value"]
    run = Evidence({}, Config(datasets=["dreamer_twin"], models=["himoe"], conditions={"missing_rate": [0, 0.5]}))
    run.__dict__.update(routing=pd.DataFrame([] if empty else rows, columns=keys), failed={})
    return run


def made(run):
    with style.themed(style.LIGHT):
        item = routing.draw(run, style.LIGHT)
    plt.close(item.figure)
    return item


def test_shares_are_stacked_to_one_and_experts_are_held_against_even_use():
    """eeg takes .5 of expert 1 where an even use is a third: 1.5 times; the null token .8 of 1.2, 2.0 times."""
    item = made(evidence())
    assert item.finding == (
        "DREAMER twin: the largest clean share is 0.60 (eeg); the null token goes from 0.10 to 0.50 at rate 0.5; null token "
        "prefers expert 3 most, 2.0 times an even use."
    )
    layers, experts = item.figure.axes[:2]
    tops = [max(layer.get_paths()[0].vertices[:, 1]) for layer in layers.collections]
    assert tops == pytest.approx([0.6, 0.9, 1.0])  # each layer begins where the one below it ends
    np.testing.assert_allclose(experts.images[0].get_array(), [[1.5, 0.75, 0.75], [1, 1, 1], [0.5, 0.5, 2]], atol=1e-9)
    assert pick(item.data, map="share", modality="eeg").set_index("column")["value"].to_dict() == pytest.approx(
        {0.0: 0.6, 0.5: 0.3}
    )


def test_where_every_fold_failed_that_is_said():
    assert made(evidence(empty=True)).finding == "DREAMER twin: every fold failed."


def test_it_can_be_read_on_a_phone(tmp_path):
    files = drawn(Entry("figures", "routing", ""), evidence(), tmp_path)
    for form in ("phone", "phone_dark"):
        assert smallest_text(Path(files[form]).read_text()) >= LEAST
