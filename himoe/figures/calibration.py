"""Do predictions mean what they say? Reported ratings in ten equally filled bins of predictions, clean input, people not seen
in training: on the thin line a prediction is the mean of what was reported. Left as the model gives it; right after the scale
and the offset that serve the CCC, from inner-validation people: predictions then spread as ratings do, and the slope is at best
their correlation. A line steeper than the thin one: ratings vary more than predictions say; a flat one: predictions vary and
ratings do not follow. Hi-MoE, the rival with the highest CCC, and ridge. Slope of ratings on predictions (1 is right); level,
in the file of numbers, is what is to be added at the middle of the scale (0 is right). For slope and level people weigh the
same, 95% intervals over people and seeds; points of a bin are means over its rows, so that people with more ratings weigh more
there. The training mean of each fold is taken out: it is low where the person left out rates high."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from himoe.config.facts import dataset_info
from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import FigureItem
from himoe.report.style import LineStyle, Theme, empty_panel, line_styles, panels
from himoe.report.text import interval
from himoe.report.titles import dataset_of, model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.levels import CLEAN, levels
from himoe.stats.reliability import bins, less_reference, line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE = "Calibration of predictions"
SECTION = "trust"
NEEDS = ("predictions", "scores")
REQUIRES = {"models": "himoe"}
LINE = "ridge"
WHEN = {"y_raw": "as predicted", "y_pred": "calibrated"}
N_BINS = 10
COLUMNS = [
    "setting", "target", "when", "model", "bin", "predicted", "y_true", "n", "slope", "slope_low", "slope_high", "level",
    "level_low", "level_high", "n_people",
]  # fmt: skip


def draw(evidence: Evidence, theme: Theme) -> FigureItem:
    """A row per data set and target: before and after calibration."""
    cells = [(s, t) for s in evidence.leading for t in evidence.targets_of(s)[:2]]
    figure, axes = panels(len(cells), 2, height=2.8)
    styles = line_styles(theme, evidence.models)
    predictions = pick(evidence.predictions, condition=CLEAN)
    parts, findings = [], []
    for row, (setting, target) in zip(axes, cells, strict=True):
        models, name = _models(evidence, setting), f"{setting_title(setting).split(',')[0]} · {target}"
        here = pick(predictions, setting=setting, target=target, model=models)
        sound = {m: part for m in models if len(part := pick(here, model=m)) and part["y_raw"].notna().all()}
        for ax, (column, when) in zip(row, WHEN.items(), strict=True):
            if not sound:
                empty_panel(ax, name, theme)
                continue
            made = {m: _curve(rows, column, setting, target).assign(when=when, model=m) for m, rows in sound.items()}
            _panel(ax, made, f"{name}, {when}", styles, theme)
            parts += [curve[COLUMNS] for curve in made.values()]
            said = [f"{_slope(m, of)}, level {_interval(of, 'level')}" for m, of in made.items()]
            findings.append(f"{name}, {when}: {'; '.join(said)}.")
        findings += [] if sound else [f"{name}: no model's folds all ended well."]
    handles = {label: h for row in axes for ax in row for h, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    if handles:
        figure.legend(list(handles.values()), list(handles), loc="outside upper left", ncols=5, fontsize=8.5)
    data = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    return FigureItem(figure, data, " ".join(findings))


def _curve(rows: pd.DataFrame, column: str, setting: str, target: str) -> pd.DataFrame:
    """Bins of one model's predictions, with its slope and level in every row."""
    low, high = dataset_info(dataset_of(setting)).target_range
    rows = rows.assign(predicted=less_reference(rows[column].to_numpy(float), rows["y_reference"].to_numpy(float)))
    fitted, curve = line(rows, (low + high) / 2), bins(rows, N_BINS)
    facts = dict(zip(COLUMNS[8:], [*map(float, (*fitted.slope, *fitted.level)), fitted.n_people], strict=True))
    return curve.assign(setting=setting, target=target, bin=curve.index, **facts)


def _models(evidence: Evidence, setting: str) -> list[str]:
    """Hi-MoE, the rival with the highest mean CCC, and ridge, as far as they are there."""
    here = evidence.models_of(setting)
    known = levels(pick(evidence.scores, setting=setting, condition=CLEAN))
    means = {m: float(known[m].mean()) for m in evidence.config.rivals if m in here and m in known}
    sound = {m: v for m, v in means.items() if np.isfinite(v)}
    best = max(sound, key=sound.__getitem__, default=LINE)
    return [m for m in dict.fromkeys((STUDIED, best, LINE)) if m in here]


def _panel(
    ax: "Axes", curves: dict[str, pd.DataFrame], title: str, styles: dict[str, LineStyle], theme: Theme
) -> None:  # fmt: skip
    """The curves, the line on which predictions are right, and the slopes."""
    for model, curve in curves.items():
        style = styles[model]
        ax.plot(
            curve["predicted"], curve["y_true"], style.dash, color=style.colour, lw=style.width, marker=style.marker, ms=4,
            label=model_title(model),
        )  # fmt: skip
    ends = np.array([*ax.get_xlim(), *ax.get_ylim()])
    ax.plot([ends.min(), ends.max()], [ends.min(), ends.max()], color=theme.text, lw=0.8, zorder=0)
    ax.set_title("\n".join([title, *(_slope(model, curve) for model, curve in curves.items())]), fontsize=7.5)
    ax.set_xlabel("predicted")
    ax.set_ylabel("reported")


def _slope(model: str, curve: pd.DataFrame) -> str:
    return f"{model_title(model)}: slope {_interval(curve, 'slope')}"


def _interval(curve: pd.DataFrame, what: str) -> str:
    mean, low, high = (float(curve[f"{what}{end}"].iloc[0]) for end in ("", "_low", "_high"))
    return interval(mean, low, high, 2)
