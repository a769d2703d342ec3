"""What was planted, and whether it was found. Questions and thresholds stand in config/studies.yaml; where results had been
seen before one was settled, or the method was designed on these very data, the row says so. A verdict says how the method
behaves where the truth is known and nothing about the paper's data. Intervals are 95% bootstrap over subjects, targets and
seeds averaged first."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from himoe.config.facts import dataset_info
from himoe.evaluate.score import per_subject
from himoe.names import STUDIED, parse_dataset
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import VERDICTS, interval, number
from himoe.report.titles import dataset_of, model_title
from himoe.stats.frames import pick
from himoe.stats.inference import ALPHA, bootstrap_mean, mean_of
from himoe.stats.lags import recovery
from himoe.stats.robustness import areas, compare_areas

TITLE = "Planted truth"
SECTION = "verdict"
NEEDS = ("scores", "routing", "predictions", "truths", "studies", "runs")
REQUIRES = {"planted": "*"}
TRIAL = ["seed", "fold", "subject", "trial"]
Study = dict[str, Any]
Verdict = tuple[str, str]


def make(evidence: Evidence) -> TableItem:
    """One row per study; one of a data set that is not in the run says so."""
    rows = []
    for study in evidence.yaml("studies"):
        settings = [s for s in evidence.settings if parse_dataset(dataset_of(s)).without_replicate == study["data"]]
        verdict, why = _judge(evidence, settings, study)
        seen = f". Seen before: {study['seen']}" if "seen" in study else ""
        rows.append([study["id"], study["question"], study["data"], verdict, why + seen])
    data = pd.DataFrame(rows, columns=["id", "question", "data", "verdict", "evidence"])
    shown = pd.DataFrame({
        "study": data["id"] + " · " + data["question"], "data": data["data"], "verdict": data["verdict"].map(VERDICTS),
        "evidence": data["evidence"],
    })  # fmt: skip
    counts = data["verdict"].value_counts().to_dict()
    return TableItem(data, shown, f"Studies of planted truth: {', '.join(f'{n} {v}' for v, n in counts.items())}.")


def _judge(evidence: Evidence, settings: list[str], study: Study) -> Verdict:
    """Verdict of a study and its reason, on the settings of its data set (one per replicate)."""
    if not settings:
        return "not run", f"{study['data']} is not in this run"
    models = {STUDIED, study.get("other", STUDIED)}
    if failed := [model_title(m) for s, m in evidence.failed if s in settings and m in models]:
        return "failed", f"{', '.join(failed)} diverged"
    return TESTS[study["test"]](evidence, settings, study)


def ahead(evidence: Evidence, settings: list[str], study: Study) -> Verdict:
    """Hi-MoE's CCC above the other's, under a condition or on clean input: interval above 0."""
    condition, severity = study.get("condition", "clean"), float(study.get("severity", 0))
    scores = pick(per_subject(evidence.all_scores, "ccc"), setting=settings, condition=condition, severity=severity)
    wide = mean_of(scores, ["model", "subject"]).pivot(index="subject", columns="model", values="value")
    if not {STUDIED, study["other"]} <= set(wide):
        return "not run", f"needs {STUDIED} and {study['other']} under {condition} {severity:g}"
    gap = (wide[STUDIED] - wide[study["other"]]).to_numpy()
    low, high = _interval(evidence, gap)
    why = f"CCC {number(wide[STUDIED].mean())} against {number(wide[study['other']].mean())}: "
    why += f"{interval(gap.mean(), low, high)}, {(gap > 0).sum()} of {len(gap)} subjects"
    return _verdict(low > 0), why


def lags(evidence: Evidence, settings: list[str], study: Study) -> Verdict:
    """Estimated against injected relative lag over all severities: median error and how many are beyond 1 s."""
    found = recovery(pick(evidence.routing, setting=settings), study["condition"])
    if found.empty:
        return "not run", f"needs {STUDIED} under {study['condition']}"
    error = (found["estimated"] - found["injected"]).abs()
    median, beyond = error.median(), (error > 1).mean()
    slope = (found["moved"] * found["injected"]).sum() / (found["injected"] ** 2).sum()  # of the line through 0
    why = (
        f"median error {number(median, 2)} s (at most {study['median']:g}), {beyond:.0%} beyond 1 s (at most "
        f"{study['beyond']:.0%}), {len(found)} lags; tokens are moved by {number(slope, 2)} of what was injected"
    )
    return _verdict(median <= study["median"] and beyond <= study["beyond"]), why


def follows(evidence: Evidence, settings: list[str], study: Study) -> Verdict:
    """Rank correlation between a modality's planted SNR and its share in the fusion, clean input, by subject."""
    from scipy.stats import spearmanr

    routed = _routed(evidence, settings, "modality_share")
    means = mean_of(routed.assign(part=routed["part"].astype(int)), ["subject", "part"])
    dataset = dataset_of(settings[0])
    informative = evidence.truths[dataset]["informative"]
    planted = np.array([informative[m.name] for m in dataset_info(dataset).modalities])  # in the order of the shares
    shares = means.pivot(index="subject", columns="part", values="value").to_numpy()
    shares = shares[:, : len(planted)]  # the last one is the null token's
    each = np.array([spearmanr(row, planted).statistic for row in shares])
    whole = float(spearmanr(shares.mean(0), planted).statistic)
    why = f"rank correlation of the mean shares {number(whole, 2)} (at least {study['correlation']:g}); by subject "
    return _verdict(whole >= study["correlation"]), why + interval(each.mean(), *_interval(evidence, each), 2)


def loses_less(evidence: Evidence, settings: list[str], study: Study) -> Verdict:
    """Less CCC lost under a condition than the other: interval of the difference below 0. Where neither loses the margin at the
    strongest severity, the condition is too mild to tell them apart."""
    models = [STUDIED, study["other"]]
    lost = pick(areas(pick(evidence.all_scores, setting=settings)), condition=study["condition"], model=models)
    keys = ["condition", "model", "subject"]
    lost = lost.groupby(keys, as_index=False)[["start", "lost"]].mean().assign(setting=study["data"])
    table = compare_areas(lost, evidence.config.statistics).set_index("model")
    if not set(models) <= set(table.index):
        return "not run", f"needs {STUDIED} and {study['other']} under {study['condition']}"
    most = max(_last_drop(evidence, settings, study["condition"], m) for m in models)
    if most < study["margin"]:
        return "untestable on this data", f"neither loses {study['margin']:g} of CCC (at most {number(most)})"
    row = table.loc[study["other"]]
    why = f"mean CCC lost {number(table.loc[STUDIED, 'lost'])} against {number(row['lost'])}: "
    return _verdict(row["high"] < 0), why + interval(row["difference"], row["low"], row["high"])


def _last_drop(evidence: Evidence, settings: list[str], condition: str, model: str) -> float:
    """Mean CCC at severity 0 minus that at the strongest."""
    scores = pick(per_subject(evidence.all_scores, "ccc"), setting=settings, condition=condition, model=model)
    ends = scores.groupby("severity")["value"].mean()
    return float(ends.iloc[0] - ends.iloc[-1])


def clusters(evidence: Evidence, settings: list[str], study: Study) -> Verdict:
    """Adjusted Rand index between planted clusters and as many groups (k-means) of a network's prototype weights over its test
    trials, mean over networks. There may be more prototypes than clusters, which then share them. Beside it the same of the
    predictions, for what any good regression would find, and of the ratings themselves, for what can be found."""
    cluster = evidence.truths[dataset_of(settings[0])]["cluster"]
    weights = _routed(evidence, settings, "prototype_weight").pivot(index=TRIAL, columns="part", values="value")
    predictions = pick(evidence.predictions, setting=settings, model=STUDIED, condition="clean")
    index = _rand(weights, cluster)
    of_predictions, of_ratings = (
        _rand(predictions.pivot_table(index=TRIAL, columns="target", values=column), cluster) for column in ("y_pred", "y_true")
    )
    why = f"adjusted Rand index {number(index, 2)} (at least {study['rand']:g}), mean over networks, {len(weights)} trials; "
    why += f"of the predictions {number(of_predictions, 2)}, of the ratings {number(of_ratings, 2)}"
    return _verdict(index >= study["rand"]), why


def _rand(rows: pd.DataFrame, cluster: dict[str, int]) -> float:
    """Mean over seeds and folds: each network's groups are its alone."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score

    found = []
    for _, part in rows.groupby(["seed", "fold"]):
        groups = KMeans(len(set(cluster.values())), n_init=10, random_state=0).fit_predict(part.to_numpy())
        found.append(adjusted_rand_score(part.index.get_level_values("trial").map(cluster), groups))
    return float(np.mean(found))


def nothing(evidence: Evidence, settings: list[str], study: Study) -> Verdict:
    """Skill above the training mean where nothing was planted: one-sided Wilcoxon tests at 0.05, one per replicate."""
    from scipy.stats import wilcoxon

    scores = pick(per_subject(evidence.all_scores, "skill"), setting=settings, condition="clean", model=STUDIED)
    wide = mean_of(scores, ["setting", "subject"]).pivot(index="setting", columns="subject", values="value")
    if len(wide) < study["replicates"]:
        return "not run", f"needs {study['replicates']} replicates, {len(wide)} are in this run"
    p = np.array([wilcoxon(row, alternative="greater").pvalue for row in wide.to_numpy()])
    means = wide.mean(1).to_numpy()
    n_found = (p < ALPHA).sum()
    why = f"{n_found} of {len(p)} replicates show skill (at most {study['largest']}); mean skill over them "
    return _verdict(n_found <= study["largest"]), why + interval(means.mean(), *_interval(evidence, means))


def unmoved(evidence: Evidence, settings: list[str], study: Study) -> Verdict:
    """The largest change of mean CCC under a condition, over models and severities."""
    scores = pick(per_subject(evidence.all_scores, "ccc"), setting=settings, condition=study["condition"])
    wide = mean_of(scores, ["model", "severity"]).pivot(index="model", columns="severity", values="value")
    change = wide.sub(wide[0.0], axis=0).abs().max(axis=1)
    by_model = ", ".join(f"{model_title(str(m))} {number(v)}" for m, v in change.items())
    return _verdict(change.max() <= study["largest"]), f"CCC changes by at most {by_model} (line {study['largest']:g})"


def _routed(evidence: Evidence, settings: list[str], quantity: str) -> pd.DataFrame:
    """A quantity of Hi-MoE's routing on clean input."""
    return pick(evidence.routing, setting=settings, model=STUDIED, condition="clean", quantity=quantity)


def _interval(evidence: Evidence, values: np.ndarray) -> tuple[float, float]:
    return bootstrap_mean(values, evidence.config.statistics.n_bootstrap, ALPHA, evidence.config.statistics.seed)


def _verdict(found: bool) -> str:
    return "supported" if found else "not supported"


TESTS: dict[str, Callable[[Evidence, list[str], Study], Verdict]] = {
    "ahead": ahead, "clusters": clusters, "follows": follows, "lags": lags, "loses_less": loses_less, "nothing": nothing,
    "unmoved": unmoved,
}  # fmt: skip
