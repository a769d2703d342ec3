"""The methods of a run, its limits and what to cite, in words made from its settings."""

from __future__ import annotations

from typing import Any

from himoe import registry
from himoe.config.facts import dataset_info
from himoe.config.protocols import MIN_SEEDS, PROTOCOLS, lacks_seeds, n_folds
from himoe.config.run import Config
from himoe.names import parse_dataset
from himoe.report.text import listed
from himoe.report.titles import model_title, named

FEW_PEOPLE = 16
TESTED_ON = {
    "loso": "each person in turn, by models trained on all the others",
    "subject_kfold": "people that no model was trained on, dealt to folds",
    "subject_stimulus": "people and clips that no model was trained on",
    "trial_kfold": "unseen trials of people who are known",
    "window_random": "random windows of trials that are known, which is invalid and shows what leakage gives",
}


def facts(config: Config) -> str:
    """Data, people, seeds and how they are tested, in one sentence."""
    sizes = [_with_size(title, len(config.size(names[0]).subjects)) for title, names in named(config.datasets).items()]
    tests = listed([TESTED_ON[p] for p in config.protocols])
    return f"{listed(sizes)}; tested on {tests}; {_n(len(config.seeds), 'seed')}."


def _with_size(title: str, people: int) -> str:
    """``DEAP (32 people)``, ``CASE (2 variants; 30 people)``."""
    return f"{title.removesuffix(')')}; {people} people)" if title.endswith(")") else f"{title} ({people} people)"


def paragraphs(config: Config) -> list[tuple[str, str]]:
    """(heading, text) of the methods, in the order of the work."""
    return [
        ("Data", _data(config)), ("Split", _split(config)), ("Models", _models(config)), ("Training", _training(config)),
        ("Perturbation", _perturbation(config)), ("Judgement", _judgement(config)),
    ]  # fmt: skip


def _data(config: Config) -> str:
    parts = []
    for title, names in named(config.datasets).items():
        info, size = dataset_info(names[0]), config.size(names[0])
        labels = "a label for each moment" if info.per_token else "one label per trial"
        kind = ", simulated in its format" if registry.is_synthetic(names[0]) else ""
        parts.append(
            f"{title} ({info.citation}{kind}): {len(size.subjects)} people, {labels}, targets "
            f"{listed(list(config.targets_of(names[0])))} on {info.target_range[0]:g} to {info.target_range[1]:g}, features "
            f"on a clock of {info.token_rate:g} Hz from windows of {info.token_window:g} s."
        )
    features = config.features
    return " ".join(parts) + (
        f" Features are normalised per {features.normalisation}, scalers fitted on training rows alone."
        if features.normalisation != "none"
        else " Features are scaled by training rows alone."
    )


def _split(config: Config) -> str:
    parts = []
    for protocol in config.protocols:
        folds = [n_folds(protocol, len(config.size(d).subjects), config.splits) for d in config.datasets]
        counts = f"{min(folds)}" if min(folds) == max(folds) else f"{min(folds)} to {max(folds)}"
        apart = listed([f"no {what}" for what in PROTOCOLS[protocol].apart]) or "nothing"
        parts.append(f"Tested on {TESTED_ON[protocol]}: {counts} folds; training and test share {apart}.")
    share = f"{config.splits.validation_fraction:.0%} of the training people choose epochs, penalties and the calibration."
    return " ".join(
        [*parts, share, "Folds are files; that they are disjoint is asserted by content hash wherever they are used."]
    )


def _models(config: Config) -> str:
    networks = [model_title(m) for m in config.compared if registry.is_network(m)]
    others = [model_title(m) for m in config.rivals if not registry.is_network(m)]
    references = [model_title(m) for m in config.compared if registry.is_reference(m)]
    parts = [f"Networks under one trainer: {listed(networks)}."] if networks else []
    parts += [f"Estimators: {listed(others)}."] if others else []
    parts += [f"References, which compete with nobody: {listed(references)}."] if references else []
    parts += [f"Hi-MoE with parts changed: {_n(len(config.ablations), 'ablation')}."] if config.ablations else []
    parts += [f"Controls that must show no skill: {listed([model_title(m) for m in config.under_control])}."] * bool(
        config.under_control
    )
    return " ".join(parts)


def _training(config: Config) -> str:
    t, tuning = config.training, config.tuning
    calibrated = "Predictions of every model are rescaled on validation people." if t.calibration != "none" else ""
    searched = _n(tuning.configurations, "configuration") + " of each model, chosen on validation people"
    loss = f"loss MSE and CCC ({t.ccc_weight:g})"
    lost = f"whole modalities are dropped with chance {t.modality_dropout:g}, tokens up to a share of {t.token_dropout:g}"
    return (
        f"At most {t.epochs} epochs (patience {t.patience}), AdamW, learning rate {t.learning_rate:g}, batches of "
        f"{t.batch_size} crops of {t.crop_seconds:g} s, {loss}. While training, {lost}, modalities shifted by up to "
        f"{t.shift_seconds:g} s with chance {t.shift_chance:g}. {searched}. {calibrated}"
    )


def _perturbation(config: Config) -> str:
    if not config.conditions:
        return "Clean input alone."
    conditions = [
        f"{registry.peek('conditions', c)['TITLE']} ({_severities(values)})" for c, values in config.conditions.items()
    ]
    return f"At test time alone, the same draws for all models: {'; '.join(conditions)}."


def _severities(values: list[float]) -> str:
    return ", ".join(f"{v:g}" for v in values) if len(values) <= 8 else f"{len(values)} of them"


def _judgement(config: Config) -> str:
    return (
        "The unit is the person. A claim is judged by the smallest lead of Hi-MoE over any model that it must be ahead of, in "
        "CCC, mean over people, seeds and targets, with a 95% interval over people and seeds; thresholds were sealed before "
        f"the first fit. Power and false support are simulated with this design ({config.statistics.simulations} runs)."
    )


def limits(config: Config) -> list[str]:
    """What a reader must not conclude, from the settings alone."""
    out = ["Only the paper's abstract was at hand: what it leaves open is a decision of ours (appendix, decision register)."]
    if synthetic := [d for d in config.datasets if registry.is_synthetic(d)]:
        what = "All data are" if len(synthetic) == len(config.datasets) else "Some data are"
        out.append(f"{what} simulated: what is found there says how the code behaves and nothing about people or the paper.")
    recorded = {parse_dataset(d).plugin for d in config.datasets if not registry.is_synthetic(d)}
    if absent := [t for d, t in (("deap", "DEAP"), ("dreamer", "DREAMER")) if d not in recorded]:
        out.append(f"{listed(absent)}, on which the paper reports, {'is' if len(absent) == 1 else 'are'} not in this run.")
    if any(lacks_seeds(p, len(config.seeds)) for p in config.protocols):
        out.append(f"People share networks of fewer than {MIN_SEEDS} seeds: the luck of training is in no interval.")
    if few := [d for d in config.datasets if len(config.size(d).subjects) < FEW_PEOPLE]:
        smallest = min(len(config.size(d).subjects) for d in few)
        out.append(f"Few people (from {smallest}): intervals are wide, and what is not seen may be there.")
    if config.tuning.configurations < 10:
        out.append(f"{_n(config.tuning.configurations, 'configuration')} of each model: no model is at its best.")
    caveats = {f"{dataset_info(d).title}: {c}." for d in config.datasets for c in dataset_info(d).caveats}
    return out + sorted(caveats)


def references(config: Config) -> list[str]:
    """Works that data and models of this run come from: citations of data sets, then the first sentence on each model."""
    data = [dataset_info(d).citation for d in config.datasets]
    models = [registry.peek("models", m)["doc"].split("\n\n")[0] for m in config.compared]
    return list(dict.fromkeys([*(f"{c}." for c in data), *(" ".join(text.split()) for text in models)]))


def bibtex(citation: dict[str, Any], commit: str) -> str:
    """The paper and this software, from the citation file."""
    paper = citation["preferred-citation"]
    authors = " and ".join(a["family-names"] for a in paper["authors"])
    number = paper["url"].rpartition("/")[2]
    software, year = citation["authors"][0]["name"], citation["date-released"][:4]
    return (
        f"@misc{{himoe_paper,\n  title = {{{paper['title']}}},\n  author = {{{authors}}},\n  year = {{{paper['year']}}},\n"
        f"  eprint = {{{number}}},\n  archivePrefix = {{arXiv}},\n  url = {{{paper['url']}}}\n}}\n"
        f"@software{{himoe_replication,\n  title = {{{citation['title']}}},\n  author = {{{{{software}}}}},\n"
        f"  version = {{{citation['version']}}},\n  year = {{{year}}},\n  note = {{commit {commit}}}\n}}"
    )


def _n(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
