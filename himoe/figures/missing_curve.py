"""CCC against the share of tokens lost at random, in every modality alike. Lines are means over subjects (seeds averaged
first); the band is Hi-MoE's 95% bootstrap interval over subjects. All models meet the same masks; what a low rate loses, a
higher one loses too."""

from himoe.figures._curves import draw_curve
from himoe.report.evidence import Evidence
from himoe.report.items import Drawn
from himoe.report.style import Paper

TITLE = "CCC against the random missing rate"
SECTION = "robustness"
NEEDS = ("scores",)
REQUIRES = {"conditions": "missing_rate"}


def draw(evidence: Evidence, paper: Paper) -> Drawn:
    """One panel per data set and target."""
    return draw_curve(evidence, paper, "missing_rate")
