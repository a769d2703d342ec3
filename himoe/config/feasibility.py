"""Whether the data sets of a run are large enough for its protocols and conditions, as far as their size is known."""

from __future__ import annotations

import math

from himoe import registry
from himoe.config.facts import dataset_info, margin, n_tokens, samples_of
from himoe.config.protocols import PROTOCOLS, can_split, can_split_stimuli, n_subject_folds, too_few
from himoe.config.run import Config
from himoe.names import parse_dataset, people_of
from himoe.types import HimoeError


def check_feasibility(config: Config) -> None:
    """Raises HimoeError in one line: which key, which data set, and what would do."""
    for condition, severities in config.conditions.items():
        check_limits(condition, severities, "config: conditions")
    _check_few_shot(config)
    for dataset in config.datasets:
        _check_crop(config.training.crop_seconds, dataset)
        for protocol in config.protocols:
            _check_models(config, dataset, protocol)
            _check_calibration(config, dataset)
            if PROTOCOLS[protocol].independent:
                _check_subjects(config, dataset, protocol)
            else:
                _check_trials(config, dataset, protocol)
        evaluated = {name: s for protocol in config.protocols for name, s in config.conditions_of(dataset, protocol).items()}
        for condition, severities in evaluated.items():
            _check_whole_tokens(dataset, condition, severities)
            _check_margin(config, dataset, condition, severities)


def check_limits(condition: str, severities: list[float], where: str) -> None:
    """HimoeError, beginning with ``where``, if a severity is beyond those that the condition's plug-in says are possible."""
    facts = registry.peek("conditions", condition)
    low, high = facts.get("LIMITS", (0, math.inf))
    for severity in severities:
        if not (low <= severity <= high and math.isfinite(severity)):
            allowed = f"at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
            raise HimoeError(f"{where}.{condition}: severities are finite and {allowed} (got {severity:g})")
        if facts.get("WHOLE") and severity != round(severity):
            raise HimoeError(f"{where}.{condition}: severities are whole numbers (got {severity:g})")


def _check_crop(seconds: float, dataset: str) -> None:
    """A crop is two tokens at least, for a model over time and for a CCC alike."""
    rate = dataset_info(dataset).token_rate
    if round(seconds * rate) < 2:
        raise HimoeError(
            f"config: training.crop_seconds: {seconds:g} s are fewer than two tokens of {dataset}, which has {rate:g} per "
            f"second; use {2 / rate:g} or more"
        )


def _check_models(config: Config, dataset: str, protocol: str) -> None:
    """At least one model can be fitted; one that reads samples finds a whole number of them per token."""
    models = config.models_of(dataset, protocol)
    if not models:
        reasons = "; ".join(f"{m}: {why}" for m in config.models if (why := config.unfit(m, dataset, protocol)))
        raise HimoeError(f"config: models: none can be fitted on {dataset} under {protocol} ({reasons}); add another one")
    for model in models:
        samples_of(model, dataset)


def _check_calibration(config: Config, dataset: str) -> None:
    """Trials to calibrate by where that is asked for, and some that are left."""
    features = config.features_of(dataset)
    k, left = features.calibration_trials, config.trials_used(dataset)
    varied = f"variants.{parse_dataset(dataset).variant}.{registry.recorded_as(dataset)}."
    where = (varied if registry.is_variant(dataset) else "") + "features"
    if features.normalisation == "calibration" and not k:
        raise HimoeError(f"config: {where}.normalisation: calibration needs {where}.calibration_trials of 1 or more")
    if left is not None and left < 1:
        raise HimoeError(f"config: {where}.calibration_trials: {k} leave no trial of {dataset}, which has {left + k}")


def _check_subjects(config: Config, dataset: str, protocol: str) -> None:
    """Enough of them, and of stimuli where these are kept apart, for :mod:`himoe.splits.make`."""
    size, splits, where = config.size(dataset), config.splits, f"config: protocols: {protocol} of {dataset}"
    n_subjects, n_folds = len(size.subjects), n_subject_folds(protocol, len(size.subjects), splits)
    if not can_split(n_subjects, n_folds):
        raise HimoeError(f"{where}: {too_few(n_subjects, n_folds)}")
    _check_learning_curve(config, dataset, protocol, n_subjects - -(-n_subjects // n_folds))
    n_stimuli, n_folds = config.trials_used(dataset), splits.n_stimulus_folds  # every trial of a subject is another stimulus
    if "stimulus" in PROTOCOLS[protocol].apart and n_stimuli and not can_split_stimuli(n_stimuli, n_folds):
        raise HimoeError(f"{where}: {n_stimuli} stimuli are too few for splits.n_stimulus_folds: {n_folds}")


def _check_learning_curve(config: Config, dataset: str, protocol: str, n_left: int) -> None:
    """Fewer people than the largest fold leaves to learn from: those are what the model itself learns from."""
    asked = {people_of(m) for m in config.models_of(dataset, protocol)}
    if too_many := [n for n in config.learning_curve.people if n in asked and n >= n_left]:
        remedy = f"use 2 to {n_left - 1}" if n_left > 2 else "leave them out"
        raise HimoeError(
            f"config: learning_curve.people: {too_many[0]} are not fewer than the {n_left} that folds of {protocol} of "
            f"{dataset} leave to learn from; {remedy}"
        )


def _check_few_shot(config: Config) -> None:
    """Somewhere two trials of a person are left to score beside those that are rated; where they are not, nobody is scored."""
    settings = [(d, p) for d in config.datasets for p in config.protocols if PROTOCOLS[p].independent]
    if config.few_shot and not settings:
        raise HimoeError(
            "config: few_shot: no protocol of this run keeps people apart, so there is no new person; leave it out"
        )
    tested = [_trials_tested(config, *setting) for setting in settings]
    if config.few_shot and not any(n is None or n >= max(config.few_shot) + 2 for n in tested):
        n = max((n for n in tested if n is not None), default=0)
        remedy = f"use {n - 2} or less" if n > 2 else "leave it out"
        raise HimoeError(
            f"config: few_shot: {max(config.few_shot)} rated trials leave fewer than 2 to score of the {n} that a fold tests "
            f"of a person; {remedy}"
        )


def _trials_tested(config: Config, dataset: str, protocol: str) -> int | None:
    """Trials of a person that the largest fold tests; None where that is not known."""
    n = config.trials_used(dataset)
    return n and -(-n // (config.splits.n_stimulus_folds if "stimulus" in PROTOCOLS[protocol].apart else 1))


def _check_trials(config: Config, dataset: str, protocol: str) -> None:
    """Enough trials, or windows, of every subject for :mod:`himoe.splits.make`."""
    n, what, n_folds = config.trials_used(dataset), "trials", config.splits.n_folds
    if PROTOCOLS[protocol].windows:
        n_windows, what = _windows_per_trial(config, dataset), "windows"
        n = n * n_windows if n and n_windows else None
    if n and not can_split(n, n_folds):
        raise HimoeError(
            f"config: protocols: {protocol} of {dataset}: {n} {what} of a subject are too few for splits.n_folds: {n_folds}"
        )


def _windows_per_trial(config: Config, dataset: str) -> int | None:
    """Windows that :func:`himoe.data.views.cut` makes of a trial; None where trials differ in length."""
    seconds, rate = config.size(dataset).seconds, dataset_info(dataset).token_rate
    if seconds is None:
        return None
    n, length = n_tokens(dataset, seconds), config.splits.window_seconds
    if n_windows := n // max(1, round(length * rate)):
        return n_windows
    raise HimoeError(
        f"config: splits.window_seconds: a window of {length:g} s does not fit into a trial of {dataset}, which has {n} "
        f"tokens; use {n / rate:g} or less"
    )


def _check_whole_tokens(dataset: str, condition: str, severities: list[float]) -> None:
    if not registry.peek("conditions", condition).get("WHOLE_TOKENS"):
        return
    rate = dataset_info(dataset).token_rate
    for severity in severities:
        if abs(severity * rate - round(severity * rate)) > 1e-6:
            raise HimoeError(
                f"config: conditions.{condition}: {severity:g} s is no whole number of tokens of {dataset}, which has {rate:g} "
                f"per second; use multiples of {1 / rate:g} s"
            )


def _check_margin(config: Config, dataset: str, condition: str, severities: list[float]) -> None:
    """What the largest severity cuts off both ends of a trial must leave something to score."""
    seconds, info = config.size(dataset).seconds, dataset_info(dataset)
    largest = max(severities, key=lambda severity: margin(condition, severity, info.token_rate))
    cut = margin(condition, largest, info.token_rate)
    if seconds is None or n_tokens(dataset, seconds) > 2 * cut:
        return
    enough = info.token_window + 2 * cut / info.token_rate
    key = _key_of_seconds(dataset, enough)
    remedy = f"set {key} to {enough:g} or more, or " if key else ""
    raise HimoeError(
        f"config: conditions.{condition}: severity {largest:g} cuts {cut} tokens off both ends of a trial, which leaves "
        f"nothing of trials of {dataset} ({seconds:g} s, {n_tokens(dataset, seconds)} tokens); {remedy}use smaller severities"
    )


def _key_of_seconds(dataset: str, seconds: float) -> str:
    """The key that can make a simulated data set's trials this long; empty for recordings, and past a twin's original."""
    if registry.is_planted(dataset):
        return f"planted.{parse_dataset(dataset).variant}.seconds"
    return "twin.seconds" if registry.is_twin(dataset) and seconds <= (dataset_info(dataset).seconds or math.inf) else ""
