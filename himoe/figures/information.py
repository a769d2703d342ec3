"""What Hi-MoE's routing tells of the rating, of the rating beyond the clip, of the clip and of the person: bits of mutual
information with the prototype that weighs most (the modality with the largest share), for trials of people not seen in
training, clean input. Grey: what permutations find, up to their 95th percentile, with a stroke at their mean; counts alone
give some bits. For the rating and the clip trials are exchanged within a person, for the person within a clip; beyond the
clip, person and clip are first taken out of routing and rating. A bar that ends in the grey tells nothing; one that tells
of the rating but not beyond the clip may have recognised that. Under leave-one-subject-out every person has networks of
their own: what is told of the person is also what networks differ by, and what is told beyond the clip cannot be asked."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.routing import ROUTERS, information_of_routing
from himoe.report.style import Theme, empty_panel, panels
from himoe.report.titles import setting_title
from himoe.stats.frames import pick

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "What routing tells, beside its null"
SECTION = "model"
NEEDS = ("routing", "predictions", "splits")
REQUIRES = {"models": "himoe"}
ALPHA = 0.05


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """A row per data set, a panel for each router."""
    settings = evidence.leading
    data = information_of_routing(evidence, settings)
    figure, axes = panels(len(settings), len(ROUTERS), height=1.9, sharex=True)
    findings = []
    for row, setting in zip(axes, settings, strict=True):
        title = setting_title(setting)
        for ax, (router, name) in zip(row, ROUTERS.items(), strict=True):
            part = pick(data, setting=setting, router=router)
            if part.empty:
                empty_panel(ax, f"{title.split(',')[0]} · {name}", theme)
                continue
            _bars(ax, part, theme)
            ax.tick_params(labelleft=ax is row[0])
            yes, no, unasked = (list(part["about"][at]) for at in (part["p"] <= ALPHA, part["p"] > ALPHA, part["p"].isna()))
            ax.set_title(f"{title.split(',')[0]} · {name}\ntells of: {', '.join(yes) or 'none of these'}", fontsize=8)
            last = f"; cannot be asked: {', '.join(unasked)}" if unasked else ""
            findings.append(f"{title}, {name} tells of: {', '.join(yes) or 'none'}; not of: {', '.join(no) or 'none'}{last}.")
        if pick(data, setting=setting).empty:
            findings.append(f"{title}: no fold of Hi-MoE ended well.")
    return FigureItem(figure, data, " ".join(findings))


def _bars(ax: "Axes", part: pd.DataFrame, theme: Theme) -> None:
    """Bits, with their null behind them and p at their end."""
    y = np.arange(len(part))
    ax.barh(y, part["chance_95"], 0.8, color=theme.line)
    ax.vlines(part["chance"], y - 0.4, y + 0.4, color=theme.text, lw=1)
    above = part["p"] <= ALPHA
    ax.barh(y, part["bits"], 0.34, color=[theme.accent if yes else theme.palette[-1] for yes in above])
    for place in y[part["p"].isna()]:
        ax.text(0, place, " cannot be asked", va="center", fontsize=8, color=theme.text)
    ax.set_yticks(y, [about.replace(" beyond", "\nbeyond") for about in part["about"]], fontsize=8)
    ax.invert_yaxis()
    ax.set_xlabel("bits")
