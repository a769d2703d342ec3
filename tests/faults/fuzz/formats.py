"""How the parts of a file of one format are changed, what holds them together being right again: checksums, lengths, headers.

As in :mod:`tests.faults.fuzz.mutations`. A file that an earlier change has broken is given back as it is.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
import warnings
import zipfile
from typing import Any

import numpy as np

from tests.faults.fuzz.mutations import BYTES, ODD_TEXTS, ODD_VALUES, pick

DTYPES = ("<f4", ">f8", "<f2", "i1", "u1", "<i8", "<c16", "?", "S4", "U3", "O", "<M8[s]", "V8")


def json_value(content: bytes, rng: np.random.Generator) -> bytes:
    """A value anywhere in a JSON document: another one, gone, twice, or one level deeper."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return content
    parent: Any = {"": document}
    root, key = parent, ""
    while isinstance(parent[key], (dict, list)) and parent[key] and rng.random() < 0.85:
        parent = parent[key]
        key = pick(rng, list(parent)) if isinstance(parent, dict) else int(rng.integers(min(len(parent), 50)))
    how = pick(rng, ("odd", "odd", "gone", "twice", "deeper", "other name"))
    if how == "gone":
        del parent[key]
    elif how == "deeper":
        parent[key] = [parent[key]]
    elif how == "twice" and isinstance(parent, list):
        parent.insert(key, parent[key])
    elif how == "other name" and isinstance(parent, dict):
        parent[str(key) + "_"] = parent.pop(key)
    else:
        parent[key] = pick(rng, ODD_VALUES)
    return json.dumps(root.get("", [])).encode()


def csv_cells(content: bytes, rng: np.random.Generator) -> bytes:
    """A cell, row or column of a table: another value, gone, twice, in another place; or another dialect."""
    rows = [line.split(",") for line in content.decode("latin1").split("\n")]
    row, how = int(rng.integers(len(rows))), int(rng.integers(12))
    column = int(rng.integers(len(rows[0])))
    if how <= 2:
        rows[row][int(rng.integers(len(rows[row])))] = pick(rng, ODD_TEXTS)
    elif how == 3:
        del rows[row]
    elif how == 4:
        rows.insert(int(rng.integers(len(rows) + 1)), rows[row])
    elif how == 5:
        rows = [r[:column] + r[column + 1 :] for r in rows]
    elif how == 6:
        rows = [r[:column] + r[column : column + 1] + r[column:] for r in rows]
    elif how == 7:
        rows = [r[1:] + r[:1] for r in rows]
    elif how == 8:
        rows = rows[:1] + rows[:0:-1]
    elif how == 9:
        rows[0][column] = pick(rng, (rows[0][0], "x", "", rows[0][column].upper()))
    text = "\n".join(",".join(r) for r in rows)
    if how == 10:
        text = pick(
            rng, (text.replace(",", ";"), "\ufeff" + text, text.replace("\n", "\r\n"), text.replace(",", ", "), text * 2)
        )
    codec = pick(rng, ("utf-16", "utf-8")) if how == 11 else "utf-8"
    return text.encode(codec, "replace")


def _other_array(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An array of another type, shape or order, or with other numbers."""
    how = int(rng.integers(8))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            if how <= 1:
                return array.astype(pick(rng, DTYPES))
            if how == 2:
                return array.T
            if how == 3:
                return array[pick(rng, (slice(0), slice(1), slice(1, None), slice(None, None, -1), None))]
            if how == 4:
                return np.concatenate([array, array])
            if how == 5:
                return array.reshape(-1)
            changed = array.copy()
            changed.reshape(-1)[int(rng.integers(max(array.size, 1)))] = pick(rng, (np.nan, np.inf, -1e300, 0, -1))
            return changed
        except (TypeError, ValueError, IndexError, OverflowError):
            return np.zeros(3)


def _other_items(items: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """A mapping with an array changed, gone, under another name, or another's."""
    name, other = pick(rng, list(items)), pick(rng, list(items))
    how = int(rng.integers(8))
    if how == 0:
        return {k: v for k, v in items.items() if k != name}
    if how == 1:
        return {(f"{k}_" if k == name else k): v for k, v in items.items()}
    if how == 2:
        return items | {name: items[other], other: items[name]}
    if how == 3:
        return items | {"more": np.zeros(3)}
    return items | {name: _other_array(np.asarray(items[name]), rng)}


def npz_arrays(content: bytes, rng: np.random.Generator) -> bytes:
    """An .npz whose arrays are others, each with its own header and checksum."""
    try:
        with np.load(io.BytesIO(content)) as stored:
            items = dict(stored)
        out = io.BytesIO()
        np.savez(out, **_other_items(items, rng))
    except Exception:  # it is broken by an earlier change
        return content
    return out.getvalue()


def zip_members(content: bytes, rng: np.random.Generator) -> bytes:
    """A zip file with a member's bytes changed, gone, twice, renamed, exchanged or packed otherwise, its checksums right."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as zipped:
            members = [(info.filename, zipped.read(info)) for info in zipped.infolist()]
        at, how = int(rng.integers(len(members))), int(rng.integers(7))
        name, inner = members[at]
        if how <= 2:
            members[at] = (name, pick(rng, BYTES)(inner, rng))
        elif how == 3:
            del members[at]
        elif how == 4:
            members.insert(at, (name, inner))
        elif how == 5:
            members[at] = (pick(rng, ("../" + name, "/" + name, name.upper(), "a/" + name, "x", name + "/")), inner)
        out = io.BytesIO()
        with warnings.catch_warnings(), zipfile.ZipFile(out, "w", pick(rng, (0, 8, 12, 14))) as zipped:
            warnings.simplefilter("ignore")
            for name, inner in members:
                zipped.writestr(name, inner)
    except Exception:  # as above
        return content
    return out.getvalue()


def pickled(content: bytes, rng: np.random.Generator) -> bytes:
    """A pickle, by any protocol, of arrays that are others."""
    try:
        items = pickle.loads(content, encoding="latin1")
        return pickle.dumps(_other_items(items, rng), int(rng.integers(6)))
    except Exception:  # as above
        return content


def matlab(content: bytes, rng: np.random.Generator) -> bytes:
    """A MATLAB file, packed or not, with a leaf or a field of its tree changed."""
    from scipy.io import loadmat, savemat

    try:
        items = {k: v for k, v in loadmat(io.BytesIO(content), simplify_cells=True).items() if not k.startswith("__")}
        at = items
        while len(inner := [k for k, v in at.items() if isinstance(v, dict)]) and rng.random() < 0.9:
            at = at[pick(rng, inner)]
        changed = _other_items(at, rng)
        at.clear()
        at.update(changed)
        out = io.BytesIO()
        savemat(out, items, do_compression=bool(rng.integers(2)))
    except Exception:  # as above
        return content
    return out.getvalue()


def bdf_field(content: bytes, rng: np.random.Generator) -> bytes:
    """A field of a BDF header, which is text of fixed width."""
    widths = (8, 80, 80, 8, 8, 8, 44, 8, 8, 4)
    at, width = pick(rng, [(sum(widths[:i]), w) for i, w in enumerate(widths)] + [(256 + 8 * i, 8) for i in range(1600)])
    new = pick(rng, (*ODD_TEXTS[:12], "1", "2", "44", "9999", "-8388608", "8388607", "uV", "BIOSEMI"))
    return content[:at] + new.encode()[:width].ljust(width) + content[at + width :]


def safetensors_header(content: bytes, rng: np.random.Generator) -> bytes:
    """The JSON header of a .safetensors file, its length right or not."""
    if len(content) < 8 or (n := struct.unpack("<Q", content[:8])[0]) > len(content):
        return content
    header = json_value(content[8 : 8 + n], rng)
    length = len(header) if rng.random() < 0.9 else int(pick(rng, (0, 1 << 60, max(len(header) - 1, 0), 1 << 31)))
    return struct.pack("<Q", length) + header + content[8 + n :]


def parquet_columns(content: bytes, rng: np.random.Generator) -> bytes:
    """A .parquet file with a column of another type, gone, renamed or reordered, or rows twice."""
    import pandas as pd

    try:
        frame = pd.read_parquet(io.BytesIO(content))
        name, how = pick(rng, list(frame)), int(rng.integers(6))
        if how == 0:
            frame = frame.drop(columns=name)
        elif how == 1:
            frame = frame.rename(columns={name: name + "_"})
        elif how == 2:
            frame = pd.concat([frame, frame])
        elif how == 3:
            frame = frame.iloc[:0]
        elif how == 4:
            frame[name] = pick(rng, ("x", None, np.nan, np.inf, True, 10**9))
        else:
            frame[name] = [[1.0]] * len(frame)
        out = io.BytesIO()
        frame.to_parquet(out, index=False)
    except Exception:  # as above
        return content
    return out.getvalue()


def yaml_lines(content: bytes, rng: np.random.Generator) -> bytes:
    """A line of a YAML file: gone, twice, moved, indented otherwise, or an anchor and its aliases."""
    lines = content.decode("latin1").split("\n")
    at, how = int(rng.integers(len(lines))), int(rng.integers(6))
    if how == 0:
        del lines[at]
    elif how == 1:
        lines.insert(at, lines[at])
    elif how == 2:
        lines.insert(int(rng.integers(len(lines))), lines.pop(at))
    elif how == 3:
        lines[at] = pick(rng, (" ", "\t", "  ", "- ")) + lines[at]
    elif how == 4:
        lines[at] += pick(rng, (" &a", " *a", ": &b [*b]", " !!python/object:x {}", " # ", ": {<<: *a}", " |", " ---"))
    else:
        lines.insert(at, pick(rng, ("---", "...", "a: &a [1]", "seeds: *a", "%YAML 3", "? [a, b]", "'")))
    return "\n".join(lines).encode("utf-8", "replace")
