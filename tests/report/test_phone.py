"""Every figure drawn from scores can be read on a phone: its axes keep room, and no text is below nine pixels."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest

from himoe import registry
from himoe.config.load import load_config
from himoe.report import style
from himoe.report.evidence import Evidence
from tests.conftest import ROOT
from tests.report.scores import scores
from tests.report.test_style import LEAST, SHOWN

VALUES = {
    "ridge": 0.5,
    "boosting": 0.3,
    "mult": 0.45,
    "husformer": 0.4,
    "late_fusion": 0.42,
    "stimulus_mean": 0.35,
    "himoe": 0.44,
}
RUNS = [
    {"setting": "deap_twin", "model": m, "seed": s, "cpu_seconds": 1.0, "device": "cpu", "folds": {"0": {"n_parameters": 9}}}
    for m in VALUES for s in (0, 1)
]  # fmt: skip


@pytest.mark.parametrize("name", ["condition_curve", "cost", "forest", "ranks", "subjects"])
def test_it_can_be_read(name):
    settings = {"datasets": ["deap_twin"], "targets": {"deap_twin": ["valence"]}, "models": list(VALUES), "seeds": [0, 1]}
    run = Evidence(
        {"claims": [str(ROOT / "config/claims.yaml")]}, load_config(settings | {"conditions": {"missing_rate": [0, 0.5]}})
    )
    run.__dict__.update(scores=scores(VALUES), all_scores=scores(VALUES), runs=RUNS)
    options = {"condition": "missing_rate"} if name == "condition_curve" else {}
    with style.themed(style.LIGHT, style.PHONE):
        figure = registry.load("figures", name).draw(run, style.LIGHT, **options).figure
        style.fit_text(figure)
        figure.draw_without_rendering()
    pixels = SHOWN / (72 * style.PHONE)  # of a point
    texts = [text for text in figure.findobj(plt.Text) if text.get_text() and text.get_visible()]
    assert min(text.get_fontsize() for text in texts) * pixels >= LEAST
    shown = [ax for ax in figure.axes if ax.axison]
    assert all(ax.bbox.width > 0.2 * figure.bbox.width for ax in shown)
    plt.close(figure)
