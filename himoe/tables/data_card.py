"""What each data set holds after preparation: what is there, what is missing and what the quality gate refused. A token is
present where enough of a modality's features could be measured (half, unless the config says otherwise). A window of a channel
is refused if it was not wholly recorded, if the channel never moves (dead) or not in this window (flat), if it lies at the
recording's rails (clipped), if it holds what no skin or heart shows (implausible: another unit, or no contact), if the
recording is too short for the feature, or if its baseline could not be measured."""

from typing import Any

import pandas as pd

from himoe.report.evidence import Evidence
from himoe.report.items import TableItem
from himoe.report.titles import setting_title

TITLE = "Data card"
SECTION = "data"
NEEDS = ("cards",)
REASONS = {
    "not_recorded": "not recorded", "dead": "dead", "flat": "flat", "clipped": "clipped",
    "implausible": "implausible", "too_short": "too short", "no_baseline": "no baseline",
}  # fmt: skip


def make(evidence: Evidence) -> TableItem:
    """One row per data set and modality; subjects, trials, labels and caveats in the note."""
    rows, notes = [], []
    for card in evidence.cards:
        for name, m in card["modalities"].items():
            keys = ("n_chans", "sfreq", "unit", "max_gap", "recipe", "normalise", "tokens", "present", "features_unmeasured")
            row = {"dataset": card["dataset"], "modality": name} | {k: m[k] for k in (*keys, "windows", *REASONS)}
            rows.append(row | {"present_share": m["present"] / max(m["tokens"], 1)} | _of_the_data_set(card))
        notes.append(_note(card))
    data = pd.DataFrame(rows)
    shown = pd.DataFrame({
        "data set": data["dataset"].map(setting_title), "modality": data["modality"].str.replace("_", " "),
        "channels": data["n_chans"],
        "recorded": [_recorded(row) for row in data.to_dict("records")],
        "features": data["recipe"], "normalised": data["normalise"],
        "tokens present": [f"{100 * s:.1f}%" for s in data["present_share"]],
        "windows refused": [_refused(row) for row in data.to_dict("records")],
    })  # fmt: skip
    lowest = data.loc[data["present_share"].idxmin()]
    share, where = 100 * lowest["present_share"], f"{setting_title(lowest['dataset'])}, {lowest['modality']}"
    finding = f"The least complete modality ({where}) has {share:.1f}% of its tokens."
    return TableItem(data, shown, "Every modality is complete." if share == 100 else finding, "\n".join(notes))


def _of_the_data_set(card: dict[str, Any]) -> dict[str, Any]:
    """What all modalities of a data set share, for the CSV: histograms as ``target: counts``, of bins of equal width."""
    spreads = {f"{what}_{k}": v for what in ("trial_seconds", "people_per_stimulus") for k, v in card[what].items()}
    counts = "; ".join(f"{name}: {_counts(label)}" for name, label in card["labels"].items())
    return {"n_trials": card["n_trials"], "n_stimuli": card["n_stimuli"], **spreads, "label_histograms": counts}


def _counts(label: dict[str, Any]) -> str:
    return " ".join(map(str, label["counts"]))


def _recorded(row: dict[str, Any]) -> str:
    """Rate and unit; of an irregular series the rate of its grid."""
    rate = f"{row['sfreq']:g} Hz"
    return f"events, on a grid of {rate}, {row['unit']}" if row["max_gap"] else f"{rate}, {row['unit']}"


def _refused(row: dict[str, Any]) -> str:
    """Share of a modality's windows that the quality gate refused, by reason."""
    shares = {words: 100 * row[reason] / max(row["windows"], 1) for reason, words in REASONS.items()}
    texts = [f"{share:.1f}% {words}" if share >= 0.05 else f"<0.1% {words}" for words, share in shares.items() if share > 0]
    return ", ".join(texts) or "none"


def _range(spread: dict[str, float], unit: str) -> str:
    """``60 s``, or ``40 to 65 s, median 52`` where they differ."""
    low, high = spread["min"], spread["max"]
    return f"{low:g} {unit}" if low == high else f"{low:g} to {high:g} {unit}, median {spread['median']:g}"


def _note(card: dict[str, Any]) -> str:
    """Subjects, trials, stimuli, labels, licence and caveats of a data set."""
    per, people = "token" if card["per_token"] else "trial", card["people_per_stimulus"]
    labels = "; ".join(
        f"{name}: mean {v['mean']:.2f}, SD {v['sd']:.2f}, {len(v['counts'])} bins from {v['edges'][0]:g} to {v['edges'][-1]:g} "
        f"hold {_counts(v)}"
        for name, v in card["labels"].items()
    )
    seen = (
        f"{_range(people, 'people')} ({people['shared']} of them by more than one)" if people["shared"] else "one person each"
    )
    text = (
        f"{setting_title(card['dataset'])}, edition '{card['edition']}': {card['n_subjects']} subjects, "
        f"{card['n_trials']} trials of {_range(card['trial_seconds'], 's')}; {card['n_stimuli']} stimuli, seen by "
        f"{seen}; {card['n_tokens']} tokens at {card['token_rate']:g} Hz ({card['token_window']:g} s windows), "
        f"{card['n_features']} features; labels per {per}: {labels}. Licence: {card['licence']}. "
        + " ".join(f"Caveat: {c}." for c in card["caveats"])
    )
    if card["absent_subjects"]:
        text += f" Absent subjects: {', '.join(card['absent_subjects'])}."
    if card["stray_files"]:
        few = ", ".join(card["stray_files"][:3]) + (", ..." if len(card["stray_files"]) > 3 else "")
        text += f" Files in its folder that are not read: {len(card['stray_files'])} ({few})."
    return text
