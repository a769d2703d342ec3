"""One subject's tokens in one file."""

from __future__ import annotations

import json
from pathlib import Path

from himoe.io import atomic
from himoe.types import HimoeError, Layout, Tokens, TrialInfo


def write_tokens(path: str | Path, tokens: Tokens) -> None:
    """Write one subject's tokens as .npz; names and trials stand in it as JSON."""
    import numpy as np

    layout = tokens.layout
    meta = {
        "trials": [[t.subject, t.session, t.trial, t.stimulus, t.digest] for t in tokens.trials],
        "layout": {
            "modalities": layout.modalities, "features": layout.features, "targets": layout.targets,
            "token_rate": layout.token_rate, "per_token": layout.per_token,
        },
    }  # fmt: skip
    with atomic(path) as temporary, open(temporary, "wb") as stream:
        np.savez(
            stream, x=tokens.x, mask=tokens.mask, time=tokens.time, y=tokens.y, offsets=tokens.offsets,
            meta=np.frombuffer(json.dumps(meta).encode(), np.uint8),
        )  # fmt: skip


def read_tokens(path: str | Path) -> Tokens:
    """Read what :func:`write_tokens` wrote; nothing is unpickled."""
    import zipfile

    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as data:
            arrays = {name: data[name] for name in ("x", "mask", "time", "y", "offsets")}
            meta = json.loads(bytes(data["meta"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise HimoeError(f"{path}: not a tokens file ({error}); delete it and run again") from error
    stored = meta["layout"]
    features = tuple(tuple(names) for names in stored["features"])
    layout = Layout(tuple(stored["modalities"]), features, tuple(stored["targets"]), stored["token_rate"], stored["per_token"])
    return Tokens(**arrays, trials=tuple(TrialInfo(*row) for row in meta["trials"]), layout=layout)
