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
from himoe.report.text import MISSING, intervals, number
from himoe.report.titles import dataset_of, model_title, setting_title
from himoe.stats.frames import pick
from himoe.stats.intervals import interval
from himoe.stats.levels import levels

TITLE = "Leakage ladder"
SECTION = "trust"
NEEDS = ("scores",)
REQUIRES = {"protocols": "window_random"}
ORDER = ("subject_stimulus", "loso", "subject_kfold", "trial_kfold", "window_random")
METRICS = ("pcc", "ccc", "skill")
KEYS = ["dataset", "target", "model", "protocol"]


def make(evidence: Evidence) -> TableItem:
    """One row per data set, target and model; one column per protocol of the run."""
    config, data = evidence.config, _means(evidence)
    protocols = [p for p in ORDER if p in config.protocols]
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
    return TableItem(data, shown, _finding(evidence, means["value"], protocols[0]), "CCC and skill are in the CSV.")


def _means(evidence: Evidence) -> pd.DataFrame:
    """Means over subjects with their intervals, by data set, target, model, protocol and metric; clean input."""
    rows = []
    clean = pick(evidence.all_scores, condition="clean", model=[*evidence.models, *evidence.controls])
    for (setting, target), part in clean.groupby(["setting", "target"], sort=False):
        for metric in METRICS:
            for model, values in levels(part, metric).items():
                key = [dataset_of(setting), target, model, evidence.protocol_of(setting)]
                rows.append([*key, metric, *map(float, interval(values)), len(values)])
    return pd.DataFrame(rows, columns=[*KEYS, "metric", "value", "low", "high", "n_subjects"])


def _finding(evidence: Evidence, means: pd.Series, honest: str) -> str:
    """What the model that gains most by leakage has with windows dealt at random, and under the most demanding protocol."""
    leaky = means.xs("window_random", level="protocol")
    leaky = leaky[leaky.index.get_level_values("model").isin(evidence.models)]
    dataset, target, model = leaky.idxmax()
    return (
        f"With windows dealt at random {model_title(model)} correlates {number(leaky.max(), 2)} with {target} of "
        f"{setting_title(dataset)}; judged on {PROTOCOLS[honest].title} "
        f"{number(means.get((dataset, target, model, honest), float('nan')), 2)}."
    )
