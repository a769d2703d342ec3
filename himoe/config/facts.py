"""What plug-ins say of themselves in literals, read without importing them."""

from __future__ import annotations

from dataclasses import replace

from himoe import registry
from himoe.types import DatasetInfo, HimoeError


def dataset_info(dataset: str) -> DatasetInfo:
    """Facts of a data set, read without importing its plug-in."""
    info = registry.peek("datasets", dataset)["INFO"]
    return replace(info, per_token=False) if registry.is_rated(dataset) else info


def is_open(dataset: str) -> bool:
    """Whether what was recorded may be passed on: simulated, or under an open licence."""
    return registry.is_synthetic(dataset) or dataset_info(dataset).licence.startswith(("CC BY", "CC0"))


def modality_of(model: str, dataset: str) -> str:
    """The one modality that a model reads, as a data set calls it: ``eeg`` or, where only band powers came,
    ``eeg_band_power``; empty for a model that reads all, and where there is no such recording."""
    facts = registry.peek("models", model)
    wanted, raw = facts.get("MODALITY", ""), facts.get("RAW", False)
    names = [m.name for m in dataset_info(dataset).modalities]
    if wanted in names and not (raw and registry.is_planted(dataset)):
        return wanted
    return next((name for name in names if wanted and name.startswith(f"{wanted}_") and not raw), "")


def samples_of(model: str, dataset: str) -> int:
    """Samples a token of a model that reads samples; 0 for one that reads features."""
    if not registry.peek("models", model).get("RAW"):
        return 0
    info = dataset_info(dataset)
    sfreq = next(m.sfreq for m in info.modalities if m.name == modality_of(model, dataset))
    if sfreq % info.token_rate:
        raise HimoeError(f"{model} on {dataset}: {sfreq:g} Hz is no whole number of samples per token")
    return round(sfreq / info.token_rate)
