"""One subject's tokens in one file."""

from __future__ import annotations

import json
from pathlib import Path

from himoe.data.untrusted import read_npz
from himoe.io import atomic, check
from himoe.types import HimoeError, Layout, Tokens, TrialInfo

MAX_BYTES = 1 << 29  # of one subject; DEAP's take 10 MB
FORMAT = 2  # 1: the baseline was subtracted in preparation; 2: it stands beside the features
KINDS = {"x": "f", "mask": "b", "time": "f", "y": "f", "offsets": "i"}  # what numbers each array holds


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
    """Tokens of one person, as a run leaves them; nothing is unpickled.

    Parameters
    ----------
    path
        ``results/DATASET/subjects/SUBJECT.npz``.

    Returns
    -------
    Tokens
        Trials one after another: ``x`` (n_tokens, n_features), ``mask`` (n_tokens, n_modalities), ``y`` (n_tokens, n_outputs).

    Raises
    ------
    HimoeError
        If it is no such file, of an older format, damaged, or contradicts itself.

    Examples
    --------
    >>> import himoe, pathlib, tempfile
    >>> from himoe.data.tokens import write_tokens
    >>> tokens, _ = himoe.simulate(people=3, trials=2, seconds=20)
    >>> path = pathlib.Path(tempfile.mkdtemp(), "p.npz")
    >>> write_tokens(path, tokens)
    >>> himoe.read_tokens(path).layout.modalities
    ('eeg', 'gsr', 'ecg', 'emg', 'resp', 'pupil')
    """
    check(path)
    try:
        data = read_npz(path, MAX_BYTES, (*KINDS, "baseline", "meta"))
        arrays = {name: data[name] for name in KINDS}
        meta = json.loads(bytes(data["meta"]))
        if meta.get("format") != FORMAT:
            raise HimoeError(f"{path}: tokens of format {meta.get('format', 1)}, not {FORMAT}; delete it and run again")
        stored = meta["layout"]
        features = tuple(tuple(names) for names in stored["features"])
        names, targets = tuple(stored["modalities"]), tuple(stored["targets"])
        layout = Layout(names, features, targets, stored["token_rate"], stored["per_token"])
        trials = tuple(TrialInfo(*row) for row in meta["trials"])
        tokens = Tokens(**arrays, trials=trials, layout=layout, baseline=data.get("baseline"))
        _check_arrays(tokens)
        _check_names(tokens)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise HimoeError(f"{path}: not a tokens file ({error}); delete it and run again") from error
    return tokens


def _check_arrays(tokens: Tokens) -> None:
    """ValueError where arrays contradict the layout or one another."""
    n, layout = len(tokens.x), tokens.layout
    expected = {
        "x": (n, layout.n_features), "mask": (n, len(layout.modalities)), "time": (n,), "y": (n, len(layout.targets)),
        "offsets": (len(tokens.trials) + 1,),
    }  # fmt: skip
    for name, shape in expected.items():
        if (found := getattr(tokens, name)).shape != shape:
            raise ValueError(f"{name} has shape {found.shape}, expected {shape}")
        if found.dtype.kind != KINDS[name]:
            raise ValueError(f"{name} holds {found.dtype}")
    level = tokens.baseline
    if level is not None and (level.shape != (len(tokens.trials), layout.n_features) or level.dtype.kind != "f"):
        raise ValueError(f"baseline holds {level.dtype} of shape {level.shape}")
    ends = tokens.offsets.tolist()
    if ends[0] != 0 or ends[-1] != n or sorted(ends) != ends:
        raise ValueError(f"its trials do not share out its {n} tokens")


def _check_names(tokens: Tokens) -> None:
    """ValueError where a name is no text, or the clock no number."""
    layout = tokens.layout
    texts = [
        *layout.modalities,
        *layout.targets,
        *sum(layout.features, ()),
        *(t for i in tokens.trials for t in vars(i).values()),
    ]
    if odd := [text for text in texts if not isinstance(text, str)]:
        raise ValueError(f"{odd[0]!r} is no name")
    if isinstance(layout.token_rate, bool) or not 0 < layout.token_rate < 1e6:
        raise ValueError(f"{layout.token_rate!r} tokens a second")
