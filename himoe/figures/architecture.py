"""Hi-MoE as this run configures it, top to bottom in the order in which data pass: what each part does, its sizes, the shape of
what it gives on, and the claims that are tested at it (the table of claims says how they ended). Parts that the configuration
switches off are grey. Axes: B windows, T steps, M modalities, S tokens of a step (modalities and the null token), d width.
Shapes are those of the data set named at the input."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.patches import FancyBboxPatch

from himoe.config.claims import Claim, parse_claims
from himoe.config.facts import dataset_info
from himoe.names import STUDIED
from himoe.registry import config_class
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import WIDTH, Theme, width
from himoe.report.titles import dataset_of, setting_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "Architecture"
SECTION = "model"
NEEDS = ("claims",)
REQUIRES = {"models": "himoe"}
RESULTS = False
MODALITY, EMOTIONS = "Modality experts", "Emotion experts"
ROUTERS = {
    "soft": "soft routing: every expert reads a mixture of the tokens that are there",
    "dense": "dense gate: every expert reads every token", "laplace": "Laplace gate", "top1": "top-1 gate",
    "uniform": "uniform gate: all experts alike", "concat": "one MLP of all tokens in their place",
}  # fmt: skip
EMOTION = {
    "differential": "differential attention: signed weights, lambda {lambda_init:g} at first",
    "softmax": "plain softmax attention", "linear": "linear gate, no prototypes", "single": "one layer as wide as all experts",
}  # fmt: skip
LINE, PAD, ARROW, LEFT, GAP = 0.165, 0.07, 0.17, 0.36, 0.06  # inches: of a line, around text, between rows, left, between boxes
POINTS = 8  # of text in boxes
LOSSES = {  # settings that weigh them
    "lag": "lag_weight", "InfoNCE": "nce_weight", "each modality's prediction": "affect_weight", "balance": "balance_weight",
    "router z": "z_weight", "diversity": "diversity_weight", "anchors": "anchor_weight",
}  # fmt: skip


class Part(NamedTuple):
    """A box: what it is called, what it does, the ``shape`` that it gives on, the ``claims`` tested at it, whether it is
    ``on``; boxes of one ``row`` stand beside one another."""

    row: int
    name: str
    does: str
    shape: str
    claims: tuple[str, ...] = ()
    on: bool = True


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """One drawing, of the first data set on which Hi-MoE is run."""
    setting = next((s for s in evidence.settings if STUDIED in evidence.models_of(s)), evidence.settings[0])
    sizes = config_class(STUDIED)(**evidence.config.options(STUDIED))
    parts = _parts(evidence, dataset_of(setting), sizes, parse_claims(evidence.yaml("claims")))
    rows = _rows(parts)
    heights = [max(_height(part, len(row)) for part in row) for row in rows]
    total = sum(heights) + ARROW * (len(rows) + 1)
    figure = plt.figure(figsize=(width(), total))
    figure.set_layout_engine("none")
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width()), ylim=(0, total))
    ax.set_axis_off()
    top, places = total - ARROW / 2, {}
    for row, height in zip(rows, heights, strict=True):
        for i, part in enumerate(row):
            _box(ax, part, (LEFT + i * (_wide(len(row)) + GAP), top - height, height), len(row), theme)
            places[part.name] = (top, top - height)
        if row[0].name != "Heads" and row is not rows[-1]:
            arrow = {"arrowstyle": "-|>", "color": theme.text, "lw": 0.9, "shrinkA": 0, "shrinkB": 0}
            middle = (LEFT + width()) / 2
            ax.annotate("", (middle, top - height - ARROW), (middle, top - height), arrowprops=arrow)
        top -= height + ARROW
    _bracket(ax, (places[MODALITY][0], places[EMOTIONS][1]), sizes, parse_claims(evidence.yaml("claims")), theme)
    data = pd.DataFrame(parts).assign(claims=[" ".join(part.claims) for part in parts])
    return FigureItem(figure, data, _finding(setting, sizes, parts, evidence))


def _parts(evidence: Evidence, dataset: str, c: Any, claims: list[Claim]) -> list[Part]:
    """Every part of the network, with what its settings say; ``c``: Hi-MoE's settings."""
    modalities, targets = evidence.config.modalities_of(dataset), evidence.config.targets_of(dataset)
    m, d, rate = len(modalities), c.width, dataset_info(dataset).token_rate
    temporal, semantic = c.alignment in ("both", "temporal") and not c.causal, c.alignment in ("both", "semantic")
    flat, tokens = c.hierarchy == "flat", f"(B, T, M = {m}, d = {d})"
    n_experts = m + c.extra_experts + c.n_prototypes * flat
    masked = "absent tokens are masked everywhere" if c.absent == "masked" else "absent tokens are zeros like any other input"
    names = ", ".join(name.replace("_", " ") for name in modalities)
    emotion = EMOTION[c.emotion_router].format(lambda_init=c.lambda_init)
    lags = f"lags up to {c.max_lag:g} s, estimated jointly in {c.lag_passes} passes and undone; attention within "
    meaning = f"InfoNCE over {c.semantic_width} dimensions; agreement of each modality with the others"
    experts = f"{n_experts} experts of {c.expert_hidden * d} hidden units; " if c.router != "concat" else ""
    off = {"lag": not temporal, "InfoNCE": not semantic, "balance": c.router == "concat", "router z": c.router == "concat",
           "diversity": flat, "anchors": flat}  # fmt: skip
    weights = {name: getattr(c, weight) for name, weight in LOSSES.items() if not off.get(name)}
    losses = ", ".join(f"{name} {weight:g}" for name, weight in weights.items() if weight)
    return [
        Part(0, "Input", f"{setting_title(dataset)}: {names}; {rate:g} tokens a second; {masked}", f"(B, T, M = {m}, features)",
             _under(claims, "missing_rate")),
        Part(1, "Modality encoders", f"one each: linear, {c.n_encoder_blocks} convolution blocks", tokens),
        Part(2, "Temporal alignment", f"{lags}{c.attention_radius:g} s", tokens,
             (*_under(claims, "shift"), *_about(claims, "alignment")), temporal),
        Part(2, "Semantic alignment", meaning, f"(B, T, M = {m})", _about(claims, "alignment"), semantic),
        Part(3, MODALITY, experts + ROUTERS[c.router],
             f"(B T, S = {m + 1}, d = {d})", _about(claims, "router"), c.router != "concat"),
        Part(4, "Fusion", "attention over the tokens that are there, null token included", f"(B, T, d = {d})"),
        Part(5, "Transformer over time", f"{c.n_blocks} blocks, {c.n_heads} heads{', causal' * c.causal}", f"(B, T, d = {d})"),
        Part(6, EMOTIONS, f"{c.n_prototypes} prototypes with an expert each; {emotion}", f"(B, T, d = {d})",
             _about(claims, "emotion"), not flat),
        Part(7, "Heads", f"{' and '.join(targets)} at every step", f"(B, T, {len(targets)})"),
        Part(8, "Losses beside that of the prediction", f"by weight: {losses}", ""),
    ]  # fmt: skip


def _under(claims: list[Claim], condition: str) -> tuple[str, ...]:
    """Claims about other models under a condition."""
    return tuple(claim.id for claim in claims if claim.under == condition and claim.against != "ablations")


def _about(claims: list[Claim], ablated: str) -> tuple[str, ...]:
    """Claims that ablations of a part decide: those whose names begin with it."""
    return tuple(claim.id for claim in claims if any(name.startswith(ablated) for name in claim.ablations))


def _rows(parts: list[Part]) -> list[list[Part]]:
    """Parts that stand beside one another; on a phone each below the other."""
    rows: dict[Any, list[Part]] = {}
    for part in parts:
        rows.setdefault(part.row if width() == WIDTH else part.name, []).append(part)
    return list(rows.values())


def _wide(n_beside: int) -> float:
    """Inches of a box among so many."""
    return (width() - LEFT) / n_beside - GAP


def _lines(part: Part, n_beside: int) -> str:
    """What a part does, in lines that fit its box, and its shape."""
    does = fill(part.does if part.on else f"off: {part.does}", int((_wide(n_beside) - 2 * PAD) * 72 / (0.565 * POINTS)))
    return f"{does}\n→ {part.shape}" if part.shape else does


def _height(part: Part, n_beside: int) -> float:
    return LINE * (2 + _lines(part, n_beside).count("\n")) + 2 * PAD


def _box(ax: Axes, part: Part, at: tuple[float, float, float], n_beside: int, theme: Theme) -> None:
    """A part at (left, bottom, height), with its claims at the right."""
    (left, bottom, height), wide = at, _wide(n_beside)
    ink, edge, dash = (theme.text, theme.text, "-") if part.on else (theme.palette[-1], theme.line, "--")
    frame = FancyBboxPatch((left, bottom), wide, height, "round,pad=0,rounding_size=0.06", fc="none", ec=edge, ls=dash, lw=0.9)
    ax.add_patch(frame)
    top = bottom + height - PAD
    ax.text(left + PAD, top, part.name, va="top", fontsize=9, weight="bold", color=ink)
    ax.text(left + PAD, top - LINE, _lines(part, n_beside), va="top", fontsize=POINTS, color=ink, linespacing=1.3)
    claims = " ".join(part.claims)
    ax.text(left + wide - PAD, top, claims, va="top", ha="right", fontsize=8.5, weight="bold", color=theme.accent)


def _bracket(ax: Axes, ends: tuple[float, float], c: Any, claims: list[Claim], theme: Theme) -> None:
    """What joins the two banks of experts."""
    top, bottom = ends
    ink = theme.text if c.hierarchy == "two" else theme.palette[-1]
    ax.plot([0.32, 0.24, 0.24, 0.32], [top, top, bottom, bottom], color=ink, lw=0.9)
    label = "two banks" if c.hierarchy == "two" else "one flat bank"
    ids = " ".join(_about(claims, "flat"))
    ax.text(
        0.12, (top + bottom) / 2, f"{label}  {ids}", rotation=90, ha="center", va="center", fontsize=8.5, color=theme.accent
    )


def _finding(setting: str, c: Any, parts: list[Part], evidence: Evidence) -> str:
    """The sizes that were chosen, and what is switched off."""
    off = [part.name.lower() for part in parts if not part.on]
    m = len(evidence.config.modalities_of(dataset_of(setting)))
    banks = (
        f"{m + c.extra_experts} modality experts and {c.n_prototypes} emotion experts" if c.hierarchy == "two" else "one bank"
    )
    return (
        f"Hi-MoE in this run, on {m} modalities of {setting_title(dataset_of(setting))}: width {c.width}, {banks}, "
        f"router {c.router}, lags up to {c.max_lag:g} s; switched off: {', '.join(off) or 'nothing'}."
    )
