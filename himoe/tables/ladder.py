"""The same models on the same recordings under each protocol, from the most to the least demanding: unseen people and stimuli,
unseen people, unseen trials of known people, unseen windows of known trials. What a model gains from left to right it did not
gain from emotion. A cell is the mean over subjects of the correlation (PCC) between prediction and label, with a 95% interval
over people and seeds; the last column is invalid by construction and is how many published results on DEAP were obtained.
Where a person is tested in several folds, what is left out is the opposite of what is known: there the mean of the others'
trials is below 0 by construction."""

import pandas as pd

from himoe.config.protocols import PROTOCOLS
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.ladder import KEYS, METRICS, ladder, protocols_of, what_leaks
from himoe.report.text import MISSING, intervals
from himoe.report.titles import model_title, setting_title
from himoe.stats.frames import pick

TITLE = "Leakage ladder"
SECTION = "trust"
NEEDS = ("scores",)
REQUIRES = {"protocols": "window_random"}


def make(evidence: Evidence) -> TableItem:
    """One row per data set, target and model; one column per protocol of the run."""
    config, data = evidence.config, ladder(evidence)
    protocols = protocols_of(evidence)
    means = pick(data, metric=METRICS[0]).set_index(KEYS)
    cells = dict(zip(means.index, intervals(means[["value", "low", "high"]].to_numpy(), MISSING, 2), strict=True))
    rows = []
    for dataset in config.datasets:
        for target in config.targets_of(dataset):
            for model in [*evidence.models, *evidence.controls]:
                row = [cells.get((dataset, target, model, p), MISSING) for p in protocols]
                if any(cell != MISSING for cell in row):
                    rows.append([setting_title(dataset), target, model_title(model), *row])
    titles = [PROTOCOLS[p].title + (" (invalid)" if PROTOCOLS[p].invalid else "") for p in protocols]
    shown = pd.DataFrame(rows, columns=["data set", "target", "model", *titles])
    shown = shown if len(config.datasets) > 1 else shown.drop(columns="data set")  # the caption names it
    return TableItem(data, shown, what_leaks(evidence, means["value"]), "CCC and skill are in the CSV.")
