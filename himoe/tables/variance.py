"""Where the variance comes from. Shares: of the squared error of a trial (mean over its tokens), by person, stimulus, what a
person makes of one stimulus, seed, and what is left, as crossed random effects by the method of moments (Henderson 1953); an
estimate below 0 counts as 0. Standard errors: of the mean CCC, by people alone, as if seeds were all alike, and by seeds alone,
as if people were: what more people and what more seeds could take away. Under leave-one-subject-out every person has networks
of its own, so that seeds share nothing but their number: the luck of training is in what is left, and more people average it
away, too. Clean input. With one seed neither its share nor what a person makes of a stimulus can be told from what is left."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from himoe.names import STUDIED
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import FAILED, number
from himoe.report.titles import model_title, setting_title
from himoe.stats.components import REST, components
from himoe.stats.frames import pick
from himoe.stats.inference import mean_of
from himoe.stats.levels import levels

TITLE = "Variance of seed, person and stimulus"
SECTION = "trust"
NEEDS = ("scores", "predictions", "splits")
SHARES = {"person": "person", "stimulus": "stimulus", "both": "person on a stimulus", "seed": "seed", REST: "what is left"}
ERRORS = ("people", "seeds", REST)
COLUMNS = ["setting", "target", "model", *SHARES, *(f"se_{e}" for e in ERRORS), "n_subjects", "n_stimuli", "n_seeds"]
UNKNOWN = "not estimable"


def make(evidence: Evidence) -> TableItem:
    """One row per data set, target and model that could be used on a new person."""
    models, rows = [STUDIED, *evidence.config.rivals], []
    for setting in evidence.judged:
        fitted = [m for m in models if m in evidence.models_of(setting)]
        for target in evidence.targets_of(setting):
            trials = _trials(evidence, setting, target, fitted)
            values = levels(pick(evidence.scores, setting=setting, target=target, model=fitted))
            for model in (m for m in fitted if m in values):
                of_model = pick(trials, model=model)
                sizes = [of_model[name].nunique() for name in ("subject", "stimulus", "seed")]
                rows.append([setting, target, model, *shares_of(of_model).values(), *errors_of(values[model]), *sizes])
    data = pd.DataFrame(rows, columns=COLUMNS)
    return TableItem(data, _shown(data), _finding(data))


def _trials(evidence: Evidence, setting: str, target: str, models: list[str]) -> pd.DataFrame:
    """Squared error of every trial under every model and seed, with its stimulus; NaN where the fold failed."""
    rows = pick(evidence.predictions, setting=setting, target=target, model=models)
    rows = rows.assign(value=(rows["y_true"] - rows["y_pred"]).astype(float) ** 2)
    errors = mean_of(rows, ["model", "seed", "subject", "trial"]).rename(columns={"value": "error"})
    return errors.merge(evidence.stimuli[setting], on=["subject", "trial"], validate="many_to_one")


def shares_of(trials: pd.DataFrame) -> dict[str, float]:
    """Share of each of SHARES in the variance of ``error``; NaN where it cannot be told."""
    person, stimulus, seed = (pd.factorize(trials[name])[0] for name in ("subject", "stimulus", "seed"))
    factors = {"person": person, "stimulus": stimulus, "seed": seed, "both": person * (stimulus.max() + 1) + stimulus}
    found = components(trials["error"].to_numpy(), factors)
    counted = {name: np.maximum(found[name], 0.0) for name in SHARES}
    total = np.nansum(list(counted.values()))
    return {name: float(value / total if total > 0 else 0 * value) for name, value in counted.items()}


def errors_of(values: np.ndarray) -> list[float]:
    """Standard error of the mean of ``values`` (n_people, n_seeds) by people, by seeds, and by what is left; with one seed
    people hold what is left as well."""
    (n_people, n_seeds), (person, seed) = values.shape, np.indices(values.shape).reshape(2, -1)
    if n_seeds == 1:
        return [float(values.std(ddof=1) / np.sqrt(n_people)) if n_people > 1 else np.nan, np.nan, np.nan]
    found = components(values.ravel(), {"person": person, "seed": seed})
    sizes = {"person": n_people, "seed": n_seeds, REST: n_people * n_seeds}
    return [float(np.sqrt(np.maximum(found[name], 0.0) / n)) for name, n in sizes.items()]


def _shown(data: pd.DataFrame) -> pd.DataFrame:
    failed = data[REST].isna()
    named = [f"{setting_title(s)}, {t}" for s, t in zip(data["setting"], data["target"], strict=True)]
    shown: dict[str, Any] = {"data set": named, "model": data["model"].map(model_title)}
    for name, title in SHARES.items():
        shown[title] = data[name].map(_percent).mask(failed, FAILED)
    pairs = zip(data["se_people"], data["se_seeds"], strict=True)
    errors = pd.Series([f"{number(a)}, {number(b) if b == b else UNKNOWN}" for a, b in pairs], data.index, object)
    return pd.DataFrame(shown | {"SE of the CCC: people, seeds": errors.mask(failed, FAILED)})


def _percent(share: float) -> str:
    return f"{share:.0%}" if share == share else UNKNOWN


def _finding(data: pd.DataFrame) -> str:
    """What Hi-MoE's errors hang on, by data set, mean over targets."""
    sentences = []
    for setting, part in pick(data, model=STUDIED).groupby("setting", sort=False):
        mean = part[[*SHARES, "se_people", "se_seeds"]].mean(skipna=False)
        shares = ", ".join(f"{title} {_percent(mean[name])}" for name, title in SHARES.items())
        seeds = number(mean["se_seeds"]) if mean["se_seeds"] == mean["se_seeds"] else UNKNOWN
        error = f"the standard error of its CCC is {number(mean['se_people'])} by people and {seeds} by seeds"
        sentences.append(f"{setting_title(str(setting))}, Hi-MoE's squared error: {shares}; {error}.")
    return " ".join(sentences) or "Hi-MoE is not in this run."
