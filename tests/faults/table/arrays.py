"""DEAP's and DREAMER's arrays as people save them again: pickles, MATLAB files, BDF."""

from __future__ import annotations

import gzip
import io as memory
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.io import loadmat, savemat

from tests.faults.fuzz.owners import source
from tests.faults.table.forms import Change, add

DAT = source("deap", "python", "s01.dat", (), 2, 2.0)


def arrays(change: Callable[[dict[str, Any]], Any], protocol: int = 2) -> Change:
    """Of a pickle's dict."""
    return lambda content: pickle.dumps(change(pickle.loads(content, encoding="latin1")), protocol)


def each(change: Callable[[Any], Any], name: str = "data") -> Change:
    """Of one array."""
    return arrays(lambda a: a | {name: change(a[name])})


add(
    "DEAP .dat",
    DAT,
    {
        **{f"protocol {p}": arrays(lambda a: a, p) for p in range(6)},
        "big endian": each(lambda x: x.astype(">f8")),
        "Fortran order": each(np.asfortranarray),
        "an array more": arrays(lambda a: a | {"more": np.zeros(2)}),
        "gzip": lambda b: gzip.compress(b, 1),
        "UTF-16 text": lambda b: "hello".encode("utf-16"),
    },
)
add(
    "DEAP .dat",
    DAT,
    {
        "a channel more": each(lambda x: np.concatenate([x, x[:, :1]], 1)),
        "times before channels": each(lambda x: x.swapaxes(1, 2)),
        "one trial less": arrays(lambda a: {k: v[:1] for k, v in a.items()}),
        "labels of one trial": each(lambda y: y[:1], "labels"),
        "labels transposed": each(lambda y: y.T, "labels"),
        "labels infinite": each(lambda y: y * np.inf, "labels"),
        "labels 0 to 8": each(lambda y: y - 9, "labels"),
        "labels complex": each(lambda y: y.astype(complex), "labels"),
        "labels a list": each(lambda y: y.tolist(), "labels"),
        "objects": each(lambda x: x.astype(object)),
        "text beside": arrays(lambda a: a | {"note": "x"}),
        "keys of bytes": arrays(lambda a: {k.encode(): v for k, v in a.items()}),
        "a masked array": each(np.ma.masked_array),
        "a structured type": each(lambda x: np.zeros(3, "f8,i4")),
        "cut": lambda b: b[: len(b) // 2],
        "empty": lambda b: b"",
        "a login page": lambda b: b"<!DOCTYPE html><html>Log in</html>",
    },
    must_refuse=True,
)

MAT = source("deap", "matlab", "s01.mat", (), 2, 2.0)


def saved(change: Callable[[dict[str, Any]], dict[str, Any]], simplify: bool = False, **options: Any) -> Change:
    """Of a MATLAB file's variables, saved again."""

    def again(content: bytes) -> bytes:
        variables = loadmat(memory.BytesIO(content), simplify_cells=simplify)
        out = memory.BytesIO()
        savemat(out, change({k: v for k, v in variables.items() if not k.startswith("__")}), **options)
        return out.getvalue()

    return again


def version_7_3(content: bytes) -> bytes:
    """A real one: HDF5 with MATLAB's header."""
    import h5py

    head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, HDF5 schema 1.00 .".ljust(124) + b"\x00\x02IM"
    out = memory.BytesIO()
    with h5py.File(out, "w", userblock_size=512) as file:
        for name, value in loadmat(memory.BytesIO(content)).items():
            if isinstance(value, np.ndarray) and value.dtype.kind == "f":
                file.create_dataset(name, data=value.T)
    return head + out.getvalue()[len(head) :]


def _sparse(_: Any) -> Any:
    from scipy.sparse import eye_array

    return {"S": eye_array(4, format="csc")}


EXTRAS = {
    "text": "mine",
    "rows of text": np.array(["ab", "cd"]),
    "nothing": np.zeros((0, 0)),
    "a struct": {"a": 1, "b": {"c": np.arange(3)}},
    "truth": np.array([True]),
    "complex": np.array([1 + 2j]),
}
add(
    "DEAP .mat",
    MAT,
    {
        **{f"{name} beside": saved(lambda v, x=x: v | {"more": x}) for name, x in EXTRAS.items()},
        "sparse beside": saved(lambda v: v | _sparse(v)),
        "not packed": saved(lambda v: v, do_compression=False),
        "version 4": saved(lambda v: {"labels": v["labels"]}, format="4"),
        "columns for rows": saved(lambda v: v, oned_as="column"),
    },
)
add(
    "DEAP .mat",
    MAT,
    {
        "version 7.3": version_7_3,
        "HDF5 alone": lambda b: b"\x89HDF\r\n\x1a\n" + bytes(2048),
        "empty": lambda b: b"",
        "data twice": lambda b: b + b[128:],
        "sparse data": saved(lambda v: v | {"data": _sparse(v)["S"]}),
        "logical data": saved(lambda v: v | {"data": v["data"] > 0}),
        "logical labels": saved(lambda v: v | {"labels": v["labels"] > 0}),
        "complex data": saved(lambda v: v | {"data": v["data"] + 1j}),
        "text for data": saved(lambda v: v | {"data": "x"}),
        "other names": saved(lambda v: {k.upper(): x for k, x in v.items()}),
        "cut": lambda b: b[:-100],
    },
    must_refuse=True,
)

DREAMER = source("dreamer", "matlab", "DREAMER.mat", (), 2, 3.0, 2)


def person(change: Callable[[dict[str, Any]], Any]) -> Change:
    """Of what DREAMER.mat holds of each person."""

    def every(v: dict[str, Any]) -> dict[str, Any]:
        top = v["DREAMER"]
        return {"DREAMER": top | {"Data": _cells([_celled(change(dict(p))) for p in top["Data"]])}}

    return saved(every, simplify=True)


def _cells(items: list[Any]) -> np.ndarray:
    out = np.empty((len(items), 1), object)
    for i, item in enumerate(items):
        out[i, 0] = item
    return out


def _celled(p: dict[str, Any]) -> dict[str, Any]:
    """Recordings as cells and scores as columns, as loadmat's simplified tree has them no more."""
    kinds = {k: {part: _cells(list(p[k][part])) for part in p[k]} for k in ("EEG", "ECG") if k in p}
    return {k: kinds.get(k, np.reshape(v, (-1, 1)) if k.startswith("Score") else v) for k, v in p.items()}


def _exchanged(recordings: dict[str, Any]) -> dict[str, Any]:
    """Baselines for stimuli."""
    return {"stimuli": recordings["baseline"], "baseline": recordings["stimuli"]}


def signal(kind: str, change: Callable[[np.ndarray], np.ndarray]) -> Change:
    """Of each recording of a kind."""
    return person(lambda p: p | {kind: {part: [change(a) for a in p[kind][part]] for part in p[kind]}})


add(
    "DREAMER",
    DREAMER,
    {
        "saved again": person(lambda p: p),
        "not packed": saved(lambda v: v, do_compression=False),
        "version 7.3": version_7_3,
        "a variable before it": saved(lambda v: {"a": 1.0} | v),
    },
)
add(
    "DREAMER",
    DREAMER,
    {
        "lower-case fields": person(lambda p: {k.lower(): v for k, v in p.items()}),
        "channels before times": signal("EEG", np.transpose),
        "ECG of three columns": signal("ECG", lambda a: np.c_[a, a[:, 0]]),
        "EEG and ECG exchanged": person(lambda p: p | {"EEG": p["ECG"], "ECG": p["EEG"]}),
        "baselines and stimuli exchanged": person(lambda p: p | {kind: _exchanged(p[kind]) for kind in ("EEG", "ECG")}),
        "baselines and stimuli of ECG exchanged": person(lambda p: p | {"ECG": _exchanged(p["ECG"])}),
        "ECG of two clips exchanged": person(lambda p: p | {"ECG": p["ECG"] | {"stimuli": list(p["ECG"]["stimuli"])[::-1]}}),
        "logical EEG": signal("EEG", lambda a: a > 0),
        "half as many samples": signal("ECG", lambda a: a[::2][:50]),
        "scores 0 to 4": person(lambda p: p | {"ScoreValence": p["ScoreValence"] - 5}),
        "scores of halves": person(lambda p: p | {"ScoreValence": p["ScoreValence"] * 0 + 2.5}),
        "another name": saved(lambda v: {"dreamer": v["DREAMER"]}),
        "one person less": saved(
            lambda v: {"DREAMER": v["DREAMER"] | {"Data": _cells([_celled(v["DREAMER"]["Data"][0])])}}, simplify=True
        ),
        "twice in the file": lambda b: b + b[128:],
        "two files": lambda b: b * 2,
        "empty": lambda b: b"",
        "cut": lambda b: b[: len(b) // 3],
    },
    must_refuse=True,
)

BDF = source("deap", "raw", "s01.bdf", (), 2, 2.0)


def field(first: int, width: int, value: str) -> Change:
    """Of a BDF header."""
    return lambda b: b[:first] + value.ljust(width).encode() + b[first + width :]


add(
    "DEAP .bdf",
    BDF,
    {
        "number of records -1": field(236, 8, "-1"),
        "date nonsense": field(168, 8, "99.99.99"),
        "EDF in its first byte": field(0, 8, "0"),
        "no person": field(8, 80, ""),
    },
)
add(
    "DEAP .bdf",
    BDF,
    {
        "number of records 99999": field(236, 8, "99999"),
        "0 signals": field(252, 4, "0"),
        "-5 signals": field(252, 4, "-5"),
        "9999 signals": field(252, 4, "9999"),
        "header of 0 bytes": field(184, 8, "0"),
        "records of 0 s": field(244, 8, "0"),
        "records of 2 s": field(244, 8, "2"),
        "gzip": lambda b: gzip.compress(b, 1),
        "cut": lambda b: b[:-3000],
        "an electrode's name gone": field(256, 16, "XX"),
        "empty": lambda b: b"",
        "no triggers": lambda b: b[: len(b) // 3] + bytes(len(b) - len(b) // 3),
    },
    must_refuse=True,
)
