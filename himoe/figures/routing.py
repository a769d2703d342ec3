"""Where Hi-MoE's modality expert bank sends what it reads. Left: share of the fused representation that each modality (and
the null token) supplies as tokens are lost at random; shares of absent tokens are exactly 0, so weight moves to the null
token. Right: how much of each expert a modality's tokens take on clean input (soft combine weights). Means over test trials
of all folds and seeds that ended well."""

import numpy as np
import pandas as pd

from himoe.config.facts import dataset_info
from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import Drawn
from himoe.report.style import Paper, nothing, panels, without_failed
from himoe.report.titles import dataset_of, setting_title

TITLE = "Routing of the modality expert bank"
SECTION = "model"
NEEDS = ("routing", "runs")
REQUIRES = {"models": "himoe", "conditions": "missing_rate"}


def draw(evidence: Evidence, paper: Paper) -> Drawn:
    """Two heat maps per data set."""
    settings = evidence.perturbed("missing_rate")
    figure, axes = panels(len(settings), 2, height=3.0)
    tables, told = [], []
    routing = evidence.routing[evidence.routing["model"] == STUDIED]
    for row, setting in zip(axes, settings, strict=True):
        names = [m.name.replace("_", " ") for m in dataset_info(dataset_of(setting)).modalities] + ["null token"]
        part = routing[routing["setting"] == setting]
        if part.empty:
            for ax in row:
                nothing(ax, setting_title(setting), paper)
            told.append(f"{setting_title(setting)}: every fold failed")
            continue
        share = part[(part["quantity"] == "modality_share") & (part["condition"] == "missing_rate")]
        by_rate = share.assign(part=share["part"].astype(int)).pivot_table(index="part", columns="severity", values="value")
        combine = part[(part["quantity"] == "modality_combine") & (part["condition"] == "clean")]
        index = combine["part"].str.split("/", expand=True).astype(int)
        by_expert = combine.assign(token=index[0], expert=index[1]).pivot_table(index="token", columns="expert", values="value")
        _heat(row[0], by_rate, names, [f"{s:g}" for s in by_rate.columns], paper)
        _heat(row[1], by_expert, names, [f"{e + 1}" for e in by_expert.columns], paper)
        row[0].set_title(f"{setting_title(setting)}{without_failed(evidence, setting)} · share in the fusion")
        row[1].set_title("use of experts, clean")
        row[0].set_xlabel("random missing rate")
        row[1].set_xlabel("expert")
        for title, table in (("share", by_rate), ("combine", by_expert)):
            long = table.rename_axis(columns="column").stack().rename("value").reset_index()
            tables.append(long.assign(setting=setting, map=title, modality=[names[i] for i in long.iloc[:, 0]]))
        clean = by_rate.iloc[:, 0]
        told.append(
            f"{setting_title(setting)}: the largest clean share is {clean.max():.2f} ({names[int(clean.idxmax())]}); "
            f"the null token goes from {by_rate.iloc[-1, 0]:.2f} to {by_rate.iloc[-1, -1]:.2f} at rate {by_rate.columns[-1]:g}"
        )
    columns = ["setting", "map", "modality", "column", "value"]
    data = pd.concat([t[columns] for t in tables] or [pd.DataFrame(columns=columns)], ignore_index=True)
    return Drawn(figure, data, ". ".join(told) + ".")


def _heat(ax, table: pd.DataFrame, names: list[str], columns: list[str], paper: Paper) -> None:
    values = table.to_numpy()
    ax.grid(False)
    ax.imshow(values, aspect="auto", cmap=paper.sequential, vmin=0, vmax=max(values.max(), 1e-9))
    ax.set_yticks(range(len(values)), [names[i] for i in table.index])
    ax.set_xticks(range(len(columns)), columns)
    size = 7 if len(columns) <= 7 else 5.5
    for (i, j), value in np.ndenumerate(values):
        strong = value > 0.55 * values.max()
        dark_cell = strong if paper.sequential == "Blues" else not strong
        ax.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=size, color="#ffffff" if dark_cell else "#10151c")
