"""The same models on the same recordings under each protocol, from the most to the least demanding: unseen people and stimuli,
unseen people, unseen trials of known people, unseen windows of known trials. What a model gains from left to right it did not
gain from emotion. A cell is the mean over subjects of the correlation (PCC) between prediction and label, with a 95% bootstrap
interval; the last column is invalid by construction and is how many published results on DEAP were obtained. Where a person is
tested in several folds, what is left out is the opposite of what is known: there the mean of the others' trials is below 0
by construction."""

import pandas as pd

from himoe.config.protocols import PROTOCOLS
from himoe.evaluate.score import per_subject
from himoe.report.evidence import Evidence
from himoe.report.items import Made
from himoe.report.text import interval, number
from himoe.report.titles import dataset_of, model_title, setting_title
from himoe.stats.inference import ALPHA, bootstrap_mean

TITLE = "Leakage ladder"
SECTION = "verdict"
NEEDS = ("scores",)
REQUIRES = {"protocols": "window_random"}
ORDER = ("subject_stimulus", "loso", "subject_kfold", "trial_kfold", "window_random")
METRICS = ("pcc", "ccc", "skill")


def make(evidence: Evidence) -> Made:
    """One row per data set, target and model; one column per protocol of the run."""
    config, clean = evidence.config, evidence.all_scores[evidence.all_scores["condition"] == "clean"]
    protocols = [p for p in ORDER if p in config.protocols]
    rows = []
    for metric in METRICS:
        own = per_subject(clean, metric)
        for (setting, target, model), part in own.groupby(["setting", "target", "model"], sort=False):
            values = part["value"].to_numpy()
            low, high = bootstrap_mean(values, config.statistics.n_bootstrap, ALPHA, config.statistics.seed)
            name, protocol = dataset_of(setting), evidence.protocol_of(setting)
            rows.append([name, target, model, protocol, metric, values.mean(), low, high, len(values)])
    columns = ["dataset", "target", "model", "protocol", "metric", "value", "low", "high", "n_subjects"]
    data = pd.DataFrame(rows, columns=columns)
    told = data[data["metric"] == METRICS[0]].set_index(["dataset", "target", "model", "protocol"])
    shown = []
    for dataset in config.datasets:
        for target in config.targets_of(dataset):
            for model in [*evidence.models, *evidence.controls]:
                keys = [(dataset, target, model, p) for p in protocols]
                cells = [interval(*told.loc[k, ["value", "low", "high"]], 2) if k in told.index else "–" for k in keys]
                if any(cell != "–" for cell in cells):
                    shown.append([setting_title(dataset), target, model_title(model), *cells])
    titles = [PROTOCOLS[p].title + (" (invalid)" if PROTOCOLS[p].invalid else "") for p in protocols]
    leaky = told.xs("window_random", level="protocol")["value"]
    leaky = leaky[leaky.index.get_level_values("model").isin(evidence.models)]
    dataset, target, model = leaky.idxmax()
    honest = told["value"].get((dataset, target, model, protocols[0]), float("nan"))
    alt = (
        f"With windows dealt at random {model_title(model)} correlates {number(leaky.max(), 2)} with {target} of "
        f"{setting_title(dataset)}; judged on {PROTOCOLS[protocols[0]].title} {number(honest, 2)}."
    )
    table = pd.DataFrame(shown, columns=["data set", "target", "model", *titles])
    table = table if len(config.datasets) > 1 else table.drop(columns="data set")  # the caption names it
    return Made(data, table, alt, "CCC and skill are in the CSV.")
