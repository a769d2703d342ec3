"""One subject's tokens in one file."""

from __future__ import annotations

import json
from pathlib import Path

from himoe.data.untrusted import check_members
from himoe.io import atomic, check
from himoe.types import HimoeError, Layout, Tokens, TrialInfo

MAX_BYTES = 1 << 32
FORMAT = 2  # 1: the baseline was subtracted in preparation; 2: it stands beside the features


def write_tokens(path: str | Path, tokens: Tokens) -> None:
    """Write one subject's tokens as .npz; names and trials stand in it as JSON."""
    import numpy as np

    layout = tokens.layout
    meta = {
        "format": FORMAT,
        "trials": [[t.subject, t.session, t.trial, t.stimulus, t.digest] for t in tokens.trials],
        "layout": {
            "modalities": layout.modalities, "features": layout.features, "targets": layout.targets,
            "token_rate": layout.token_rate, "per_token": layout.per_token,
        },
    }  # fmt: skip
    columns = {name: getattr(tokens, name) for name in ("x", "mask", "time", "y", "offsets", "baseline")}
    arrays = {name: column for name, column in columns.items() if column is not None}
    with atomic(path, sealed=True) as temporary, open(temporary, "wb") as stream:
        np.savez(stream, **arrays, meta=np.frombuffer(json.dumps(meta).encode(), np.uint8))


def read_tokens(path: str | Path) -> Tokens:
    """Read what :func:`write_tokens` wrote; nothing is unpickled."""
    import zipfile

    import numpy as np

    check(path)
    try:
        check_members(path, MAX_BYTES)
        with np.load(path, allow_pickle=False) as data:
            arrays = {name: data[name] for name in ("x", "mask", "time", "y", "offsets")}
            baseline = data["baseline"] if "baseline" in data.files else None
            meta = json.loads(bytes(data["meta"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise HimoeError(f"{path}: not a tokens file ({error}); delete it and run again") from error
    if meta.get("format") != FORMAT:
        raise HimoeError(f"{path}: tokens of format {meta.get('format', 1)}, not {FORMAT}; delete it and run again")
    stored = meta["layout"]
    features = tuple(tuple(names) for names in stored["features"])
    layout = Layout(tuple(stored["modalities"]), features, tuple(stored["targets"]), stored["token_rate"], stored["per_token"])
    return Tokens(**arrays, trials=tuple(TrialInfo(*row) for row in meta["trials"]), layout=layout, baseline=baseline)
