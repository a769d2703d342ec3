"""What was planted, and whether it was found. Questions and thresholds stand in config/studies.yaml; where results had been
seen before one was settled, or the method was designed on these very data, the row says so. A verdict says how the method
behaves where the truth is known and nothing about the paper's data. A lead is judged as for the claims, with 95% intervals over
draws of the data where there are several (each draw has other people, stimuli, networks), else over people and seeds."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from himoe.config.facts import dataset_info
from himoe.config.protocols import lacks_seeds
from himoe.config.studies import Ahead, Clusters, Follows, Lags, Nothing, Study, Unmoved, parse_studies
from himoe.names import STUDIED, parse_dataset
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.text import VERDICTS, interval, number
from himoe.report.titles import dataset_of, model_title
from himoe.stats import intervals, verdicts
from himoe.stats.characteristics import Design, characteristics, spread_of
from himoe.stats.frames import pick
from himoe.stats.inference import mean_of
from himoe.stats.lags import recovery
from himoe.stats.levels import CLEAN, Levels, levels

TITLE = "Planted truth"
SECTION = "trust"
NEEDS = ("scores", "routing", "predictions", "truths", "studies", "runs")
REQUIRES = {"planted": "*"}
TRIAL = ["seed", "fold", "subject", "trial"]
Verdict = tuple[str, str]


def make(evidence: Evidence) -> TableItem:
    """One row per study; one of a data set that is not in the run says so."""
    rows = []
    entries = evidence.yaml("studies")
    for study, entry in zip(parse_studies(entries), entries, strict=True):
        settings = [s for s in evidence.settings if parse_dataset(dataset_of(s)).without_replicate == study.data]
        verdict, why = _judge(evidence, settings, study)
        if edited := evidence.changed_since("studies", entry):
            why = f"{edited}; {why}"
        seen = f". Seen before: {study.seen}" if study.seen else ""
        rows.append([study.id, study.question, study.data, verdict, why + seen])
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
        return verdicts.NOT_RUN, f"{study.data} is not in this run"
    models = {STUDIED, *getattr(study, "others", [])}
    if failed := [model_title(m) for s, m in evidence.failed if s in settings and m in models]:
        return verdicts.FAILED, f"{', '.join(failed)} diverged"
    return JUDGES[study.test](evidence, settings, study)


def ahead(evidence: Evidence, settings: list[str], study: Ahead) -> Verdict:
    """Hi-MoE's CCC above that of every one of the others: on clean input, or in what is left under a condition. Where nobody
    loses the
    smallest effect of interest there, the condition is too mild to tell them apart."""
    condition, models = study.condition, [STUDIED, *study.others]
    scores = pick(evidence.all_scores, setting=settings, model=models)
    if missing := [m for m in models if m not in set(pick(scores, condition=condition)["model"])]:
        return verdicts.NOT_RUN, f"needs {', '.join(missing)}" + (f" under {condition}" if condition != CLEAN else "")
    start, left = ([levels(pick(scores, setting=s), "ccc", condition, at) for s in settings] for at in ("mildest", "beyond"))
    smallest = study.smallest_effect
    if condition != CLEAN and (most := max(_mean(start, m) - _mean(left, m) for m in models)) < smallest:
        return verdicts.UNTESTABLE, f"nobody loses {smallest:g} of CCC (at most {number(most)})"
    leads = _leads(left, study.others)
    lead = verdicts.smallest_lead(leads)
    few = len(settings) == 1 and lacks_seeds(evidence.protocol_of(settings[0]), leads.shape[1])
    word = verdicts.INCONCLUSIVE if few else str(verdicts.decide(lead.low, lead.high, smallest))
    options = evidence.config.statistics
    seen = characteristics(
        Design(leads.shape[0], leads.shape[1], spread_of(leads)),
        smallest,
        options.simulations,
        options.seed,
        _mean(left, STUDIED),
    )
    each = [_beside(start, left, m, condition) for m in models]
    why = f"smallest lead {interval(float(lead.value), float(lead.low), float(lead.high))}; CCC {', '.join(each)}; "
    why += _units(settings, leads)
    return word, why + f"; seen with 80% power {number(seen.detectable)}, false support {seen.false_support:.1%}"


def _leads(left: list[Levels], others: list[str]) -> np.ndarray:
    """(n, n_seeds, n_others + 1): Hi-MoE's CCC minus each other's, and minus 0, by person and seed; with several draws their
    means, (n_draws, 1, n_others + 1)."""
    each = [np.stack([*(of[STUDIED] - of[m] for m in others), of[STUDIED]], axis=-1) for of in left]
    return each[0] if len(each) == 1 else np.stack([leads.mean((0, 1))[None] for leads in each])


def _units(settings: list[str], leads: np.ndarray) -> str:
    return f"{len(settings)} draws" if len(settings) > 1 else f"{leads.shape[0]} people, {leads.shape[1]} seed(s)"


def _mean(of: list[Levels], model: str) -> float:
    return float(np.mean([values[model].mean() for values in of]))


def _beside(start: list[Levels], left: list[Levels], model: str, condition: str) -> str:
    """A model's CCC and, under a condition, which share that is of what."""
    before, after = _mean(start, model), _mean(left, model)
    kept = f" of {number(before)} ({after / before:.0%})" if condition != CLEAN and before > 0 else ""
    return f"{model_title(model)} {number(after)}{kept}"


def lags(evidence: Evidence, settings: list[str], study: Lags) -> Verdict:
    """Estimated against injected relative lag over all severities: median error and how many are beyond 1 s."""
    found = recovery(pick(evidence.routing, setting=settings), study.condition)
    if found.empty:
        return verdicts.NOT_RUN, f"needs {STUDIED} under {study.condition}"
    error = (found["estimated"] - found["injected"]).abs()
    median, beyond = error.median(), (error > 1).mean()
    slope = (found["moved"] * found["injected"]).sum() / (found["injected"] ** 2).sum()  # of the line through 0
    why = (
        f"median error {number(median, 2)} s (at most {study.median:g}), {beyond:.0%} beyond 1 s (at most "
        f"{study.beyond:.0%}), {len(found)} lags; tokens are moved by {number(slope, 2)} of what was injected"
    )
    return _found(median <= study.median and beyond <= study.beyond), why


def follows(evidence: Evidence, settings: list[str], study: Follows) -> Verdict:
    """Rank correlation between a modality's planted SNR and its share in the fusion, clean input, by subject."""
    from scipy.stats import spearmanr

    routed = _routed(evidence, settings, "modality_share")
    means = mean_of(
        routed.assign(part=routed["part"].astype(int), subject=routed["setting"] + routed["subject"]), ["subject", "part"]
    )
    dataset = dataset_of(settings[0])
    informative = evidence.truths[dataset]["informative"]
    planted = np.array([informative[m.name] for m in dataset_info(dataset).modalities])  # in the order of the shares
    shares = means.pivot(index="subject", columns="part", values="value").to_numpy()
    shares = shares[:, : len(planted)]  # the last one is the null token's
    each = np.array([spearmanr(row, planted).statistic for row in shares])
    whole = float(spearmanr(shares.mean(0), planted).statistic)
    why = f"rank correlation of the mean shares {number(whole, 2)} (at least {study.correlation:g}); by subject "
    return _found(whole >= study.correlation), why + _text(intervals.interval(each[:, None]), 2)


def clusters(evidence: Evidence, settings: list[str], study: Clusters) -> Verdict:
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
    why = f"adjusted Rand index {number(index, 2)} (at least {study.rand:g}), mean over networks, {len(weights)} trials; "
    why += f"of the predictions {number(of_predictions, 2)}, of the ratings {number(of_ratings, 2)}"
    return _found(index >= study.rand), why


def _rand(rows: pd.DataFrame, cluster: dict[str, int]) -> float:
    """Mean over seeds and folds: each network's groups are its alone."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score

    found = []
    for _, part in rows.groupby(["seed", "fold"]):
        groups = KMeans(len(set(cluster.values())), n_init=10, random_state=0).fit_predict(part.to_numpy())
        found.append(adjusted_rand_score(part.index.get_level_values("trial").map(cluster), groups))
    return float(np.mean(found))


def nothing(evidence: Evidence, settings: list[str], study: Nothing) -> Verdict:
    """Nothing was planted: intervals of CCC and of PCC, one per replicate and either way, miss 0 as rarely as chance has it."""
    if len(settings) < study.replicates:
        return verdicts.NOT_RUN, f"needs {study.replicates} replicates, {len(settings)} are in this run"
    scores, found, said = pick(evidence.all_scores, setting=settings, model=STUDIED), [], []
    for metric in ("ccc", "pcc"):
        values = [levels(pick(scores, setting=s), metric)[STUDIED] for s in settings]
        each = [intervals.interval(v) for v in values]
        found.append(sum(bool(i.low > 0 or i.high < 0) for i in each))
        mean = intervals.interval(np.array([[v.mean()] for v in values]))
        said.append(f"{metric.upper()} misses 0 in {found[-1]} of {len(each)}, mean {_text(mean)}")
    return _found(max(found) <= study.largest), f"{'; '.join(said)} (at most {study.largest} each)"


def unmoved(evidence: Evidence, settings: list[str], study: Unmoved) -> Verdict:
    """The largest change of mean CCC under a condition, over models."""
    scores = pick(evidence.all_scores, setting=settings)
    start, left = (
        [levels(pick(scores, setting=s), "ccc", study.condition, at) for s in settings] for at in ("mildest", "beyond")
    )
    change = {m: abs(_mean(left, m) - _mean(start, m)) for m in left[0]}
    by_model = ", ".join(f"{model_title(m)} {number(v)}" for m, v in change.items())
    return _found(max(change.values()) <= study.largest), f"CCC changes by at most {by_model} (line {study.largest:g})"


def _routed(evidence: Evidence, settings: list[str], quantity: str) -> pd.DataFrame:
    """A quantity of Hi-MoE's routing on clean input."""
    return pick(evidence.routing, setting=settings, model=STUDIED, condition="clean", quantity=quantity)


def _text(of: intervals.Interval, digits: int = 3) -> str:
    return interval(float(of.mean), float(of.low), float(of.high), digits)


def _found(found: bool) -> str:
    return verdicts.SUPPORTED if found else verdicts.CONTRADICTED


JUDGES: dict[str, Callable[[Evidence, list[str], Any], Verdict]] = {
    "ahead": ahead, "clusters": clusters, "follows": follows, "lags": lags, "nothing": nothing, "unmoved": unmoved,
}  # fmt: skip
