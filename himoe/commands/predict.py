"""``python -m himoe predict MODEL RECORDING``: a trained model on a recording of one's own."""

from __future__ import annotations

import sys
from pathlib import Path

from himoe import io
from himoe.commands import picture
from himoe.commands.place import check_place
from himoe.library.bundle import Bundle, load
from himoe.library.inference import Prediction
from himoe.library.recording import read_recording
from himoe.names import trial_of
from himoe.types import HimoeError

MOST_DRAWN = 4  # trials below one another
TABLES = (".csv", ".parquet")


def report(model: Path, recording: Path, mapping: Path | None, out: Path | None, plot: Path | None, fold: int | None) -> int:
    """Predict, write or print the table, draw; the exit status."""
    for path in filter(None, (out, plot)):
        check_place(path, model)
    if out and out.suffix.lower() not in TABLES:
        raise HimoeError(f"{out}: a table ends in {' or '.join(TABLES)}")
    bundle = load(model)
    said = bundle.predict(read_recording(recording, mapping), fold)
    for line in said.warnings:
        sys.stderr.write(f"himoe: warning: {line}\n")
    if bundle.about.synthetic:
        sys.stderr.write("himoe: warning: SYNTHETIC: the model was trained on simulated data and knows nothing of people\n")
    if out:
        io.write_table(out, said.table)
    else:
        sys.stdout.write(said.table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
    if plot:
        trials = shown(bundle, said)
        picture.draw(plot, trials[:MOST_DRAWN])
        if len(trials) > MOST_DRAWN:
            sys.stderr.write(f"himoe: {plot}: the first {MOST_DRAWN} of {len(trials)} trials\n")
    return 0


def shown(bundle: Bundle, said: Prediction) -> list[picture.Shown]:
    """Each trial of a prediction as it is drawn."""
    tokens, layout = said.tokens, said.tokens.layout
    recorded = {t.trial: t for t in said.trials}
    out = []
    for info, first, last in zip(tokens.trials, tokens.offsets[:-1], tokens.offsets[1:], strict=True):
        rows = said.table[said.table["trial"] == info.trial]
        traces = picture.traces_of(recorded[trial_of(info.trial)], layout.modalities)
        means = rows.filter(regex="^(lag|share)_").mean()
        out.append(
            picture.Shown(
                title=f"{info.subject} · {info.trial}", traces=traces, time=tokens.time[first:last],
                present=tokens.mask[first:last],
                predicted={t: (rows["time"].to_numpy(), rows[t].to_numpy()) for t in layout.targets},
                lags={str(n)[4:]: float(v) for n, v in means.items() if str(n).startswith("lag_")},
                shares={str(n)[6:]: float(v) for n, v in means.items() if str(n).startswith("share_")},
                target_range=bundle.inputs.target_range, synthetic=bundle.about.synthetic,
            )
        )  # fmt: skip
    return out
