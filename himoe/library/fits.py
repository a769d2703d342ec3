"""A fit of results/ as a model to use: its settings and folds, what it reads, where it comes from, how well it did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from himoe import __version__, io, registry
from himoe.config.facts import dataset_info
from himoe.config.spec import FitSpec
from himoe.data.prepare import layout_of
from himoe.data.recordings import read_trials
from himoe.data.views import shared
from himoe.library.inputs import About, Input, Inputs, Score
from himoe.names import CLEAN
from himoe.provenance import hash_file
from himoe.stats.frames import pick
from himoe.train.results import StoredFold, read_shard
from himoe.types import DatasetInfo, HimoeError

METRICS = ("ccc", "pcc", "rmse", "mae", "skill")


def shards_of(fit: Path) -> list[Path]:
    """The folders of a fit that hold weights: itself, or its shards; HimoeError if there are none."""
    found = [fit] if (fit / "run.json").is_file() else sorted(fit.glob("shard-*/run.json"))
    if not found:
        raise HimoeError(
            f"{fit}: neither a bundle nor a fit; name a folder that `export` wrote, or results/DATASET/PROTOCOL/MODEL/seed-0"
        )
    return [fit] if found == [fit] else [record.parent for record in found]


def of_fit(fit: Path) -> tuple[FitSpec, dict[int, StoredFold], Inputs, About]:
    """Settings, folds, inputs and origin of a fit.

    Raises
    ------
    HimoeError
        If it is none, if its model cannot be used on a recording (a control, a reference made of labels, simulated tokens), or
        if the data card of its data set is absent or older than this.
    """
    shards = shards_of(fit)
    spec = spec_of(shards[0])
    _check_usable(fit, spec)
    folds = {number: fold for s in shards for number, fold in read_shard(s / "weights.safetensors", s / "run.json").items()}
    card_file = shards[0].parents[3] / "card.json"
    card = io.read_json(card_file) if card_file.is_file() else {}
    if "preparation" not in card:
        raise HimoeError(
            f"{card_file}: absent, or does not say how tokens are made; `snakemake results/{spec.dataset}/card.json` makes it"
        )
    _check_same_tokens(shards[0])
    info, results = dataset_info(spec.dataset), shards[0].parents[4]
    return spec, folds, _inputs(spec, info, card, results), _about(spec, info, card, results)


def spec_of(shard: Path) -> FitSpec:
    """What a fit is, from its run record."""
    record = io.read_json(shard / "run.json")
    try:
        kept = {name: record[name] for name in FitSpec.model_fields if name != "folds"}
        return FitSpec(**kept, folds=tuple(sorted(map(int, record["folds"]))))
    except (ValidationError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise HimoeError(
            f"{shard / 'run.json'}: no record of a fit of this version ({' '.join(str(error).split())[:200]})"
        ) from error


def _check_same_tokens(shard: Path) -> None:
    """HimoeError if tokens were made anew since the fit: the data card says how they are made now."""
    for subject, known in sorted(io.read_json(shard / "run.json").get("tokens", {}).items()):
        file = shard.parents[3] / "subjects" / f"{subject}.npz"
        if file.is_file() and hash_file(file) != known:
            raise HimoeError(f"{shard}: {file} is not what it was fitted on; run snakemake again, with the config of the fit")


def _check_usable(fit: Path, spec: FitSpec) -> None:
    """HimoeError for a fit that says nothing about a new recording."""
    if registry.is_planted(spec.dataset):
        raise HimoeError(f"{fit}: {spec.dataset} is simulated as features: no recording can be made into them")
    if spec.view.control:
        raise HimoeError(f"{fit}: {spec.model} is a control, trained on data that were changed: it predicts nothing")
    if registry.is_reference(spec.model):
        raise HimoeError(f"{fit}: {spec.model} reads who or which clip it is, and no signal: it cannot predict a new recording")


def _inputs(spec: FitSpec, info: DatasetInfo, card: dict[str, Any], results: Path) -> Inputs:
    """What its networks read, as the data were prepared for them."""
    how = card["preparation"]
    there = [m for m in info.modalities if m.name in how["modalities"]]
    targets = tuple(how["targets"])
    layout = layout_of(info, targets)
    if how.get("common_with"):
        layout = shared(layout, layout_of(dataset_info(how["common_with"]), targets))
    features, rest = dict(zip(layout.modalities, layout.features, strict=True)), _baselines(results, spec.dataset)
    modalities = tuple(
        Input(
            name=m.name, channels=m.channels, sfreq=m.sfreq, unit=m.unit, recipe=m.features, normalise=m.normalise,
            features=features[m.name], baseline=rest.get(m.name, 0.0),
        )
        for m in there
    )  # fmt: skip
    n_people, n_trials = max(card["n_subjects"], 1), max(card["n_trials"], 1)
    return Inputs(
        modalities=modalities, targets=targets, target_range=info.target_range, per_token=info.per_token,
        token_rate=info.token_rate, token_window=info.token_window, options=how["options"], trials=n_trials / n_people,
        seconds=(card["n_tokens"] / n_trials - 1) / info.token_rate + info.token_window,
    )  # fmt: skip


def _baselines(results: Path, dataset: str) -> dict[str, float]:
    """Modality -> s of rest before a trial, of the first recording that is there; empty where none is."""
    files = sorted((results / registry.recorded_as(dataset) / "subjects").glob("*.safetensors"))
    trials = [trial for file in files for trial in read_trials(file, verify=False)[:1]][:1]
    rest = {name: max(-s.start, 0.0) for trial in trials for name, s in trial.signals.items()}
    return rest | {name: s.data.shape[1] / s.sfreq for trial in trials for name, s in trial.baseline.items()}


def _about(spec: FitSpec, info: DatasetInfo, card: dict[str, Any], results: Path) -> About:
    """Origin and scores; no scores where nothing was scored yet."""
    synthetic = registry.is_synthetic(spec.dataset)
    title = f"{info.title}, simulated in its format (a twin)" if synthetic else info.title
    licence = "simulated: no data of the original" if synthetic else info.licence
    return About(
        title=title, citation=info.citation, licence=licence, caveats=info.caveats, synthetic=synthetic,
        people=card["n_subjects"], scores=_scores(spec, results / "scores.csv"), version=__version__,
    )  # fmt: skip


def _scores(spec: FitSpec, file: Path) -> tuple[Score, ...]:
    """Means over people that were left out, of clean recordings; people of a fold that failed have none, and ``n`` tells."""
    if not file.is_file():
        return ()
    rows = pick(io.read_table(file, dtype={"subject": str}), **spec.columns, condition=CLEAN)
    rows = rows[rows["metric"].isin(METRICS)].dropna(subset="value")
    by = rows.groupby(["target", "metric"], sort=True)["value"]
    found = {key: (values.mean(), values.std(ddof=1) if len(values) > 1 else 0.0, len(values)) for key, values in by}
    return tuple(
        Score(target=target, metric=metric, mean=float(mean), sd=float(sd), n=n)
        for (target, metric), (mean, sd, n) in found.items()
    )
