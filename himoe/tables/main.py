"""Every model on every data set and target, clean input, subjects never seen in training. Primary scores are means of
per-subject values, seeds averaged first, with 95% percentile-bootstrap intervals over subjects. Skill is 1 - MSE / MSE of the
training mean: above 0 beats knowing only how people rate on average. Pooled CCC over all test rows stands beside them.
Constant predictions have CCC 0 and are counted. A model one of whose folds diverged has no score: its cell says so. Controls
(labels shuffled, N(0, 1) physiology) compete with nobody: they must show no skill."""

import numpy as np
import pandas as pd

from himoe.evaluate.score import POOLED, per_subject
from himoe.report.evidence import Evidence
from himoe.report.items import Made
from himoe.report.text import FAILED, failures, interval, number
from himoe.report.titles import dataset_of, model_title, setting_title
from himoe.stats.inference import ALPHA, bootstrap_mean

TITLE = "Main comparison"
SECTION = "verdict"
NEEDS = ("scores", "predictions", "routing", "runs")


def make(evidence: Evidence) -> Made:
    """One row per data set, target and model, best CCC first within each."""
    config, asked = evidence.config, [*evidence.models, *evidence.controls]
    scores = evidence.all_scores[evidence.all_scores["model"].isin(asked)]
    settings, rows = config.statistics, []
    clean = scores[scores["condition"] == "clean"]
    wide = {name: per_subject(clean, name) for name in ("ccc", "skill", "rmse", "constant")}
    pooled = clean[(clean["subject"] == POOLED) & (clean["metric"] == "pooled_ccc")]
    for setting in evidence.settings:
        for target in evidence.targets_of(setting):
            block = []
            for model in (m for m in asked if m in evidence.models_of(setting)):
                row = {"setting": setting, "target": target, "model": model}
                for name, frame in wide.items():
                    own = frame[(frame["setting"] == setting) & (frame["target"] == target) & (frame["model"] == model)]
                    values = own["value"].to_numpy()
                    low, high = bootstrap_mean(values, settings.n_bootstrap, ALPHA, settings.seed)
                    row |= {name: values.mean(), f"{name}_low": low, f"{name}_high": high}
                at = (pooled["setting"] == setting) & (pooled["target"] == target) & (pooled["model"] == model)
                row |= {"pooled_ccc": pooled.loc[at, "value"].mean(skipna=False), "n_subjects": len(values)}
                block.append(row)
            rows += sorted(block, key=lambda r: (np.isnan(r["ccc"]), -r["ccc"]))
    data = pd.DataFrame(rows)
    shown = pd.DataFrame({
        "data set": data["setting"].map(setting_title), "target": data["target"], "model": data["model"].map(model_title),
        "CCC [95% CI]": [FAILED if np.isnan(v[0]) else interval(*v) for v in data[["ccc", "ccc_low", "ccc_high"]].to_numpy()],
        "skill [95% CI]": [interval(*v) for v in data[["skill", "skill_low", "skill_high"]].to_numpy()],
        "RMSE": data["rmse"].map(number), "pooled CCC": data["pooled_ccc"].map(number), "n": data["n_subjects"],
    })  # fmt: skip
    competing = data[data["model"].isin(evidence.models)]
    best = competing.dropna(subset="ccc").groupby(["setting", "target"], sort=False).head(1)  # the first of each block
    alt = "; ".join(
        f"{setting_title(r.setting)} {r.target}: {model_title(r.model)} has the highest CCC, {number(r.ccc)}"
        for r in best.itertuples()
    )
    alt = alt or "No model has a score: every one has a fold that diverged"
    constant = data[data["constant"] > 0]
    told = ", ".join(f"{model_title(r.model)} on {setting_title(r.setting)} {r.target}" for r in constant.itertuples())
    note = f"Constant predictions for at least one subject (CCC = PCC = 0 by definition): {told}." if told else ""
    note = "\n".join(filter(None, [*failures(evidence), note, *_readouts(evidence), *_unfit(evidence)]))
    return Made(data.drop(columns=["constant_low", "constant_high"]), shown, alt + ".", note)


def _unfit(evidence: Evidence) -> list[str]:
    """Models that a setting has no row of, and why."""
    told = []
    for setting in evidence.settings:
        dataset, protocol = dataset_of(setting), evidence.protocol_of(setting)
        why = {m: evidence.config.unfit(m, dataset, protocol) for m in [*evidence.models, *evidence.controls]}
        named = "; ".join(f"{model_title(m)}: {w}" for m, w in why.items() if w)
        told += [f"Not run on {setting_title(setting)}: {named}."] if named else []
    return told


def _readouts(evidence: Evidence) -> list[str]:
    """For models with a linear read-out: how much of what they say is the read-out's alone (trial means, clean input)."""
    keys = ["setting", "model", "seed", "fold", "subject", "trial"]
    routing, predictions = evidence.routing, evidence.predictions
    linear = routing[(routing["quantity"] == "readout") & (routing["condition"] == "clean")]
    said = predictions[predictions["condition"] == "clean"].groupby([*keys, "target"], as_index=False)["y_pred"].mean()
    told = []
    for (setting, model, part), own in linear.groupby(["setting", "model", "part"]):
        if (setting, model) in evidence.failed:  # nothing is said of the folds that are left
            continue
        target = evidence.targets_of(setting)[int(part)]
        both = own.merge(said[said["target"] == target], on=keys)
        # fold by fold: the read-out is in units of the fold's standardised targets
        r = both.groupby(["seed", "fold"])[["value", "y_pred"]].apply(lambda g: g["value"].corr(g["y_pred"])).mean()
        told.append(
            f"{model_title(model)} on {setting_title(setting)}, {target}: its predictions correlate {number(r)} with "
            "those of its linear read-out alone (trial means, mean over folds); at 1 the network adds nothing to ridge."
        )
    return told
