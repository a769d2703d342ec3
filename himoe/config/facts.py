"""Facts of data sets, models and conditions, read without importing their plug-ins."""

from __future__ import annotations

import math
from dataclasses import replace

from himoe import registry
from himoe.names import plugin_of
from himoe.provenance import hash_value
from himoe.signal.units import check_units
from himoe.types import DatasetInfo, HimoeError


def dataset_info(dataset: str) -> DatasetInfo:
    """What a data set's plug-in declares of it; HimoeError where a unit is not in the list of :mod:`himoe.signal.units`."""
    info: DatasetInfo = registry.peek("datasets", dataset)["INFO"]
    for modality in info.modalities:
        check_units(modality, f"himoe/datasets/{plugin_of('datasets', dataset)}.py")
    return replace(info, per_token=False) if registry.is_rated(dataset) else info


def facts_of_tokens(dataset: str) -> str:
    """Hash of what tokens depend on of a data set's facts: a reworded caveat prepares no subject again."""
    return hash_value(repr(dataset_info(dataset).without_words()))


def facts_of_card(dataset: str) -> str:
    """Hash of what the data card prints of them."""
    return hash_value(repr(dataset_info(dataset)))


def is_open(dataset: str) -> bool:
    """Whether a data set may be passed on without conditions beyond credit: it is simulated, or under an open licence."""
    licence = dataset_info(dataset).licence
    return registry.is_synthetic(dataset) or (licence.startswith(("CC BY", "CC0")) and not licence.startswith("CC BY-NC"))


def modality_of(model: str, dataset: str) -> str:
    """The one modality that a model reads, under the data set's name for it: ``eeg``, or ``eeg_band_power`` where only band
    powers were recorded. Empty for a model that reads all modalities, and where the data set does not have it."""
    facts = registry.peek("models", model)
    wanted, raw = facts.get("MODALITY", ""), facts.get("RAW", False)
    names = [m.name for m in dataset_info(dataset).modalities]
    if wanted in names and not (raw and registry.is_planted(dataset)):
        return wanted
    return next((name for name in names if wanted and name.startswith(f"{wanted}_") and not raw), "")


def samples_of(model: str, dataset: str) -> int:
    """How many samples of its modality a model reads per token; 0 for a model that reads features."""
    if not registry.peek("models", model).get("RAW"):
        return 0
    info = dataset_info(dataset)
    sfreq = next(m.sfreq for m in info.modalities if m.name == modality_of(model, dataset))
    if sfreq % info.token_rate:
        raise HimoeError(f"{model} on {dataset}: {sfreq:g} Hz is not a whole number of samples per token")
    return round(sfreq / info.token_rate)


def n_tokens(dataset: str, seconds: float) -> int:
    """Tokens of a trial of this length (s), as :func:`himoe.signal.clock.token_times` counts them."""
    info = dataset_info(dataset)
    return max(0, math.floor((seconds - info.token_window) * info.token_rate + 1e-9) + 1)


def margin(condition: str, severity: float, token_rate: float) -> int:
    """Tokens that a condition cuts off at each end of a trial."""
    return registry.compiled("conditions", condition, "margin")(severity, token_rate)
