"""A planted data set as the files that preparation leaves of recordings: tokens, quality, manifest; and the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from himoe import io, registry
from himoe.config.sections import Planted
from himoe.data.tokens import write_tokens
from himoe.provenance import hash_value
from himoe.signal.quality import COUNTED


def simulate(dataset: str, settings: dict[str, Any], folder: Path, threads: int = 1) -> None:
    """Write subjects/*.npz and .json, manifest.json and truth.json into a data set's folder of results."""
    plugin, planted = registry.load("datasets", dataset), Planted(**settings)
    subjects = plugin.INFO.subjects[: planted.subjects]
    tokens, truth = plugin.tokens(subjects, planted, not registry.is_rated(dataset), threads)
    for subject, part in tokens.items():
        quality = {}
        for modality, n_present in zip(plugin.INFO.modalities, part.mask.sum(0).tolist(), strict=True):
            counts = {"tokens": len(part.x), "present": n_present}
            quality[modality.name] = dict.fromkeys(COUNTED, 0) | counts
        write_tokens(folder / "subjects" / f"{subject}.npz", part)
        io.write_json(folder / "subjects" / f"{subject}.json", quality, sealed=True)
    source = {"settings": {"sha256": hash_value(settings)}}
    manifest = {"dataset": dataset, "edition": "planted", "root": "", "records": {s: [] for s in subjects}, "bytes": {}}
    io.write_json(folder / "manifest.json", manifest | {"absent": [], "stray": [], "source": source}, sealed=True)
    io.write_json(folder / "truth.json", {"dataset": dataset} | truth, sealed=True)
