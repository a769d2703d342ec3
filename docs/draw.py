"""The two pictures of the architecture, from the code: `python docs/draw.py` (`make picture`) writes docs/pictures/*.svg.

The model is the report's own figure with the default settings on DEAP. The workflow is docs/explanation/workflow.md, which
Snakemake wrote, without the arrows that others imply."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import networkx as nx
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from himoe.config.load import load_config
from himoe.figures import architecture
from himoe.report import style
from himoe.report.evidence import Evidence

ROOT = Path(__file__).parent.parent
STAGES = ("data", "splits", "train", "evaluate", "report")  # files of workflow/rules, in the order of the work
WIDE, HIGH, ROW, COLUMN = 1.75, 0.42, 0.82, 1.95  # inches: a box, and from box to box


def model(theme: style.Theme) -> Figure:
    """Hi-MoE with its defaults, on DEAP."""
    evidence = Evidence(
        {"claims": [str(ROOT / "config/claims.yaml")]}, load_config({"datasets": ["deap"], "models": ["himoe"]})
    )
    return architecture.draw(evidence, theme).figure


def rules() -> nx.DiGraph:
    """The rules of the default run: an arrow from each to those that need what it makes."""
    text = (ROOT / "docs/explanation/workflow.md").read_text(encoding="utf-8")
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", text))
    return nx.transitive_reduction(nx.DiGraph((names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", text)))


def stage(rule: str) -> str:
    """The file of workflow/rules that holds a rule; of the target, the last."""
    found = [s for s in STAGES if re.search(rf"\brule .*\b{rule}\b", (ROOT / f"workflow/rules/{s}.smk").read_text())]
    return found[0] if found else STAGES[-1]


def workflow(theme: style.Theme) -> Figure:
    """Rules in rows, each below all that it needs."""
    graph = rules()
    rows = [sorted(row) for row in nx.topological_generations(graph)]
    at: dict[str, tuple[float, float]] = {}
    for y, row in enumerate(rows):
        above = {r: [at[p][0] for p in graph.predecessors(r)] or [0.0] for r in row}
        for i, rule in enumerate(sorted(row, key=lambda r: sum(above[r]) / len(above[r]))):
            at[rule] = ((i - (len(row) - 1) / 2) * COLUMN, -y * ROW)
    reach = max(len(row) for row in rows) * COLUMN / 2
    figure, ax = plt.subplots(figsize=(2 * reach, len(rows) * ROW))
    ax.set_xlim(-reach, reach)
    ax.set_ylim(-(len(rows) - 0.5) * ROW, ROW / 2)
    ax.set_axis_off()
    for a, b in graph.edges:
        (x, y), (u, v) = at[a], at[b]
        line = {"arrowstyle": "-|>", "color": theme.palette[-1], "lw": 1.0, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", (u, v + HIGH / 2), (x, y - HIGH / 2), arrowprops=line, zorder=1)
    for rule, (x, y) in at.items():
        colour = theme.palette[STAGES.index(stage(rule))]
        box = {"boxstyle": "round,pad=0,rounding_size=0.06", "fc": theme.background, "ec": colour, "lw": 1.4}
        ax.add_patch(FancyBboxPatch((x - WIDE / 2, y - HIGH / 2), WIDE, HIGH, **box))
        ax.text(x, y + 0.07, rule, ha="center", va="center", fontsize=9, weight="bold", color=theme.text)
        ax.text(x, y - 0.1, stage(rule) if rule != "all" else "the run", ha="center", va="center", fontsize=8, color=colour)
    return figure


def main(folder: Path = ROOT / "docs/pictures") -> None:
    """Write both, on a light page's background; the site's dark pages show them on white."""
    with style.themed(style.LIGHT):
        for draw in (model, workflow):
            figure = draw(style.LIGHT)
            figure.savefig(folder / f"{draw.__name__}.svg", bbox_inches="tight", metadata={"Date": None})
            plt.close(figure)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
