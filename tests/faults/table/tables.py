"""Tables in other dialects, cut, with broken clocks, in other units."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from tests.faults.fuzz.owners import source
from tests.faults.table.forms import Change, add, frame, text


def _quoted(t: str) -> str:
    return "\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in t.strip().split("\n"))


def _clock(change: Callable[[pd.Series], Any]) -> Change:
    """Of the first column, the clock."""
    return frame(lambda d: d.assign(**{str(d.columns[0]): change(d.iloc[:, 0].astype(float))}))


def _last(value: float) -> Change:
    return _clock(lambda t: [*t[:-1], value])


TABLES: dict[str, Change] = {
    "byte order mark": lambda b: b"\xef\xbb\xbf" + b,
    "CRLF": text(lambda t: t.replace("\n", "\r\n")),
    "semicolons": text(lambda t: t.replace(",", ";")),
    "decimal commas": text(lambda t: t.replace(",", ";").replace(".", ",")),
    "blanks after commas": text(lambda t: t.replace(",", ", ")),
    "quoted numbers": text(_quoted),
    "UTF-16": text(lambda t: t, "utf-16"),
    "NUL bytes at the end": lambda b: b + b"\0" * 50,
    "empty": lambda b: b"",
    "header only": lambda b: b.split(b"\n")[0] + b"\n",
    "a spreadsheet under its name": lambda b: b"PK\3\4" + b"\0" * 200,
    "comment before the header": lambda b: b"# made by x\n" + b,
    "header again in the middle": lambda b: b + b,
    "blank lines": text(lambda t: t.replace("\n", "\n\n")),
    "last line cut": lambda b: b[:-12],
    "columns in another order": frame(lambda d: d[list(d)[::-1]]),
    "a column more": frame(lambda d: d.assign(more=1)),
    "a column absent": frame(lambda d: d.drop(columns=d.columns[1])),
    "capitals in names": frame(lambda d: d.rename(columns=str.upper)),
    "true for numbers": frame(lambda d: d.assign(**{d.columns[1]: True})),
    "true for a number": text(lambda t: re.sub(r"(?<=,)[^,\n]*(?=\n$)", "True", t)),
    "a row twice": frame(lambda d: pd.concat([d, d.iloc[-1:]])),
    "a word among numbers": lambda b: (
        b.replace(b",", b",x", 1)
        if b.count(b"\n") < 2
        else b"\n".join([*(lines := b.split(b"\n"))[:1], b"x" + lines[1], *lines[2:]])
    ),
}
CLOCKS: dict[str, Change] = {
    "unsorted": frame(lambda d: d.iloc[::-1]),
    "one epoch time among its times": _last(1.6e9 * 1000),
    "1e18 at the end": _last(1e18),
    "infinite at the end": _last(np.inf),
    "a time that is no number": _last(np.nan),
    "milliseconds for its unit": _clock(lambda t: t * 1000),
    "seconds of the epoch": _clock(lambda t: t + 1.6e12),
    "a row twice inside": frame(lambda d: pd.concat([d.iloc[:5], d.iloc[4:]])),
}
CASE = {
    name: source("case", "interpolated", f"data/interpolated/{name}/sub_1.csv", (), 1, 4.0)
    for name in ("physiological", "annotations")
}
ESPORTS = {
    name: source("esports", "csv", f"matches/match_1/player_1/{name}.csv", (), 1, 30.0) for name in ("gsr", "eeg_metrics")
}
RATINGS = source("deap", "raw", "participant_ratings.csv", (), 2, 2.0)
for kind, reader in CASE.items():
    add(f"CASE, {kind}", reader, TABLES)
    add(f"CASE, {kind}", reader, CLOCKS, must_refuse=True)
for reader in ESPORTS.values():
    add(
        "eSports",
        reader,
        {k: v for k, v in TABLES.items() if k != "header only"}
        | {"half of the file's columns": frame(lambda d: d.iloc[:, : d.shape[1] // 2])},
    )
    add("eSports", reader, CLOCKS, must_refuse=True)
add(
    "eSports",
    ESPORTS["eeg_metrics"],
    {
        "labels in percent": frame(lambda d: d.assign(**{c: d[c] * 100 for c in d.columns[1:]})),
        "labels infinite": frame(lambda d: d.assign(**{d.columns[1]: np.inf})),
        "half seconds": _clock(lambda t: t / 2),
    },
    must_refuse=True,
)
add(
    "DEAP, ratings",
    RATINGS,
    TABLES
    | {
        "shuffled rows": frame(lambda d: d.iloc[::-1]),
        "whole numbers as 1.0": frame(lambda d: d.astype({"Trial": float, "Experiment_id": float})),
    },
)
add(
    "DEAP, ratings",
    RATINGS,
    {
        "participant 1.4": frame(lambda d: d.assign(Experiment_id=d["Experiment_id"] + 0.4)),
        "participants as s01": frame(lambda d: d.assign(Participant_id="s01")),
        "another participant": frame(lambda d: d.assign(Participant_id=2)),
        "no values": frame(lambda d: d.assign(Valence=np.nan)),
        "on a scale to 100": frame(lambda d: d.assign(Valence=d["Valence"] * 10)),
        "rows of a trial twice": frame(lambda d: pd.concat([d, d])),
    },
    must_refuse=True,
)
