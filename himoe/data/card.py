"""The data card: what a data set holds after preparation."""

from __future__ import annotations

from typing import Any

import numpy as np

from himoe.types import DatasetInfo, HimoeError, Layout, Tokens


def describe(
    dataset: str, info: DatasetInfo, manifest: dict[str, Any], parts: list[Tokens], quality: list[dict[str, dict[str, int]]],
    preparation: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """What there is, what is missing and how labels are spread.

    Parameters
    ----------
    parts, quality : tokens of each subject and what the quality gate counted of them, modality by modality.
    preparation : how the run makes tokens of recordings, which it takes to make them of others alike (:mod:`himoe.library`).
    """
    tokens, by = Tokens.concatenate(parts), preparation["options"]["normalise"]["by"]
    return {
        "dataset": dataset, "title": info.title, "licence": info.licence, "citation": info.citation, "caveats": info.caveats,
        "trial_seconds": trial_seconds(tokens, info.token_window), "people_per_stimulus": people_per_stimulus(tokens),
        "n_subjects": sum(len(part.trials) > 0 for part in parts), "n_trials": len(tokens.trials), "n_tokens": len(tokens.time),
        "n_stimuli": len({t.stimulus for t in tokens.trials}), "token_rate": info.token_rate,
        "token_window": info.token_window, "per_token": info.per_token, "n_features": tokens.layout.n_features,
        "modalities": _modalities(info, tokens.layout, quality, by), "labels": _labels(info, tokens, dataset),
        "preparation": preparation, "absent_subjects": manifest["absent"],
        "stray_files": manifest["stray"], "edition": manifest["edition"],
        "source_sha256": {name: fact["sha256"] for name, fact in manifest["source"].items()},
    }  # fmt: skip


def trial_seconds(tokens: Tokens, window: float) -> dict[str, float]:
    """Shortest, median and longest trial in whole windows of ``window`` s."""
    return _spread((np.diff(tokens.offsets) - 1) / tokens.layout.token_rate + window)


def people_per_stimulus(tokens: Tokens) -> dict[str, float]:
    """How many people have seen a stimulus: fewest, median and most; ``shared``: stimuli that more than one has seen."""
    people: dict[str, set[str]] = {}
    for trial in tokens.trials:
        people.setdefault(trial.stimulus, set()).add(trial.subject)
    n_people = np.array([len(seen_by) for seen_by in people.values()])
    return _spread(n_people) | {"shared": int((n_people > 1).sum())}


def _spread(values: np.ndarray) -> dict[str, float]:
    return {"min": float(values.min()), "median": float(np.median(values)), "max": float(values.max())}


def _modalities(
    info: DatasetInfo, layout: Layout, quality: list[dict[str, dict[str, int]]], normalisation: str
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Each prepared modality's facts and the sums of its counts over subjects."""
    out = {}
    for m in (m for m in info.modalities if m.name in quality[0]):
        counts = {name: sum(subject[m.name][name] for subject in quality) for name in quality[0][m.name]}
        by = m.normalised(normalisation)
        names = layout.features[layout.modalities.index(m.name)]
        kept = {c for c in m.channels if any(name.startswith(f"{c}/") for name in names)}  # all where features name none
        facts = {"n_chans": len(kept or m.channels), "sfreq": m.sfreq, "unit": m.unit, "max_gap": m.max_gap}
        out[m.name] = counts | facts | {"recipe": m.features, "normalise": by}
    return out


def _labels(info: DatasetInfo, tokens: Tokens, dataset: str) -> dict[str, dict[str, Any]]:
    """Histogram, mean and SD of each target: over tokens, or over trials where there is one label per trial. HimoeError where
    nobody has one."""
    out = {}
    for i, name in enumerate(tokens.layout.targets):
        y = tokens.y[:, i] if info.per_token else tokens.y[tokens.offsets[:-1], i]
        if not np.isfinite(y).any():
            raise HimoeError(
                f"{dataset}: no trial has a label of {name}; choose other targets, as in targets: {{{dataset}: [...]}}"
            )
        counts, edges = np.histogram(y[np.isfinite(y)], bins=8, range=info.target_range)
        spread = {"mean": float(np.nanmean(y)), "sd": float(np.nanstd(y))}
        out[name] = {"counts": counts.tolist(), "edges": edges.round(4).tolist()} | spread
    return out
