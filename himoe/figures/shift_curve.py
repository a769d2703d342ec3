"""CCC when one modality of each trial, drawn at random, is displaced in time. Ends are cropped to what the largest shift
leaves valid, at every severity alike. Where there is one rating per trial, a flat line is no sign of robustness: a
mean-pooled model is invariant to shifts by construction."""

from himoe.figures._curves import draw_curve
from himoe.report.evidence import Evidence
from himoe.report.items import Drawn
from himoe.report.style import Paper

TITLE = "CCC against a constant shift of one modality"
SECTION = "robustness"
NEEDS = ("scores",)
REQUIRES = {"conditions": "shift"}


def draw(evidence: Evidence, paper: Paper) -> Drawn:
    """One panel per data set and target."""
    return draw_curve(evidence, paper, "shift")
