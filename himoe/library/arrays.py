"""Tokens from arrays of one's own, and tokens that are simulated with a known truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from himoe import io
from himoe.config.sections import Planted
from himoe.data.door import real_numbers
from himoe.library.settings import section
from himoe.registry import load
from himoe.types import HimoeError, Layout, Tokens, TrialInfo

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

TARGETS = ("valence", "arousal")
LARGEST = float(np.finfo(np.float32).max)  # tokens are float32: what is larger would become infinite


def make_tokens(
    x: Mapping[str, np.ndarray | Sequence[ArrayLike]], y: np.ndarray | Sequence[ArrayLike] | None = None, *,
    subject: Sequence[object] | None = None, stimulus: Sequence[object] | None = None, token_rate: float = 2.0,
    targets: Sequence[str] | None = None, features: Mapping[str, Sequence[str]] | None = None,
) -> Tokens:  # fmt: skip
    """Trials on one token clock from arrays of features: what every function of this package that takes tokens is given.

    Parameters
    ----------
    x
        Modality -> its features in every trial: an array (n_trials, n_tokens, n_features), or a list with one array (n_tokens,
        n_features) a trial where their lengths differ. NaN marks what was not measured: a token of a modality counts as present
        where all of its features are finite.
    y
        Ratings: (n_trials, n_outputs), one for each trial, or (n_trials, n_tokens, n_outputs), or a list with one array a
        trial, where they vary within it. NaN where unknown; without ``y`` everywhere. Of as many outputs as tokens, three or
        more, ``targets`` must say that they are outputs.
    subject
        (n_trials,) who the trial is of; without it every trial is of somebody else. Splits keep people apart by it.
    stimulus
        (n_trials,) what was seen; without it something else in every trial.
    token_rate
        Tokens per second, Hz.
    targets
        Names of the targets; valence and arousal where there are two, else ``target 0`` and on.
    features
        Modality -> names of its features; ``0`` and on without it.

    Returns
    -------
    Tokens
        Trial i is named ``000i``; its digest is the SHA-256 of its features and their presence.

    Raises
    ------
    HimoeError
        If modalities, ratings or names do not agree in their numbers of trials, tokens or columns, a value is infinite or too
        large for float32, or it is not clear whether ratings are of tokens or of targets.

    Examples
    --------
    >>> import numpy as np, himoe
    >>> eeg, gsr = np.zeros((3, 8, 4)), np.zeros((3, 8, 1))  # 3 trials of 8 tokens
    >>> gsr[0, 5:] = np.nan  # lost
    >>> tokens = himoe.make_tokens({"eeg": eeg, "gsr": gsr}, y=[[5, 6], [3, 4], [7, 2]], subject=["a", "a", "b"])
    >>> tokens.x.shape, tokens.mask.mean(axis=0).tolist(), tokens.layout.targets
    ((24, 5), [1.0, 0.875], ('valence', 'arousal'))
    """
    if not token_rate > 0:
        raise HimoeError(f"make_tokens: token_rate {token_rate:g} Hz: expected more than 0")
    blocks = {name: [_block(name, trial) for trial in trials] for name, trials in x.items()}
    lengths = _lengths(blocks)
    columns = {name: _features(name, of[0].shape[1], features) for name, of in blocks.items()}
    labels, per_token = _labels(y, lengths, targets)
    known = tuple(targets or (TARGETS if labels[0].shape[1] == 2 else (f"target {k}" for k in range(labels[0].shape[1]))))
    layout = Layout(tuple(blocks), tuple(columns.values()), known, float(token_rate), per_token)
    if len(known) != labels[0].shape[1]:
        raise HimoeError(f"make_tokens: {len(known)} targets named for {labels[0].shape[1]} in y")
    parts = [_trial([of[i] for of in blocks.values()]) for i in range(len(lengths))]
    people, seen = (_names(what, given, len(lengths)) for what, given in (("subject", subject), ("stimulus", stimulus)))
    trials = tuple(TrialInfo(people[i], "1", f"{i:04d}", seen[i], _digest(i, *part)) for i, part in enumerate(parts))
    time = np.concatenate([np.arange(n, dtype=np.float32) / np.float32(token_rate) for n in lengths])
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    values, present = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Tokens(values, present, time, np.concatenate(labels).astype(np.float32), offsets, trials, layout)


def _block(name: str, trial: ArrayLike) -> np.ndarray:
    block = real_numbers(trial, f"make_tokens: {name}")
    if block.ndim != 2 or not block.size:
        raise HimoeError(f"make_tokens: {name}: a trial of shape {block.shape}, expected (n_tokens, n_features)")
    if (np.abs(block) > LARGEST).any():
        raise HimoeError(f"make_tokens: {name} has an infinite value, or one above {LARGEST:.1e}; write NaN where not measured")
    return block


def _lengths(blocks: dict[str, list[np.ndarray]]) -> list[int]:
    """Tokens of every trial; HimoeError where modalities disagree."""
    found = {name: [len(block) for block in of] for name, of in blocks.items()}
    if not any(found.values()):
        raise HimoeError("make_tokens: there is no trial")
    name, first = next(iter(found.items()))
    for other, lengths in found.items():
        if lengths != first:
            raise HimoeError(
                f"make_tokens: {other} has {len(lengths)} trials of {sum(lengths)} tokens, {name} {len(first)} of {sum(first)}"
            )
        if len({block.shape[1] for block in blocks[other]}) > 1:
            raise HimoeError(f"make_tokens: {other} has another number of features in some trials than in others")
    return first


def _features(name: str, n: int, given: Mapping[str, Sequence[str]] | None) -> tuple[str, ...]:
    names = tuple(map(str, (given or {}).get(name, range(n))))
    if len(names) != n:
        raise HimoeError(f"make_tokens: {name} has {n} features, {len(names)} are named")
    return names


def _labels(
    y: np.ndarray | Sequence[ArrayLike] | None, lengths: list[int], targets: Sequence[str] | None
) -> tuple[list[np.ndarray], bool]:
    """Ratings of every token of every trial, and whether they vary within one."""
    if y is None:
        return [np.full((n, len(targets or TARGETS)), np.nan) for n in lengths], True
    given = [real_numbers(of, "make_tokens: y") for of in y]
    given = [of[None] if of.ndim == 0 else of for of in given]
    if len(given) != len(lengths) or len({(of.ndim, of.shape[-1]) for of in given}) > 1 or given[0].ndim > 2:
        raise HimoeError(
            f"make_tokens: y: expected ({len(lengths)} trials, targets) or ({len(lengths)} trials, tokens, targets)"
        )
    if (np.abs(np.concatenate([of.ravel() for of in given])) > LARGEST).any():
        raise HimoeError(
            f"make_tokens: y has an infinite value, or one above {LARGEST:.1e}; write NaN where there is no rating"
        )
    if given[0].ndim == 1:
        n = len(given[0])
        if n > 2 and not targets and set(lengths) == {n}:
            raise HimoeError(
                f"make_tokens: y has {n} ratings of each trial of {n} tokens: name {n} targets where a trial has so many; "
                f"write ({len(given)}, {n}, 1) where each token has one"
            )
        return [np.tile(of, (n, 1)) for of, n in zip(given, lengths, strict=True)], False
    if [len(of) for of in given] != lengths:
        raise HimoeError(f"make_tokens: y has ratings of {sum(map(len, given))} tokens, x has {sum(lengths)}")
    return given, True


def _trial(parts: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Features (n_tokens, F) float32, 0 where absent, and presence (n_tokens, M)."""
    present = np.stack([np.isfinite(part).all(axis=1) for part in parts], axis=1)
    x = np.concatenate([np.where(present[:, m : m + 1], part, 0.0) for m, part in enumerate(parts)], axis=1)
    return x.astype(np.float32), present


def _digest(number: int, x: np.ndarray, present: np.ndarray) -> str:
    """Of a trial's content; of its number where nothing was measured: blank ones are no copies of one another."""
    return io.digest(x, present) if present.any() else io.digest(np.array(number))


def _names(what: str, given: Sequence[object] | None, n: int) -> list[str]:
    names = [f"{i:04d}" for i in range(n)] if given is None else [str(name) for name in given]
    if len(names) != n:
        raise HimoeError(f"make_tokens: {what}: {len(names)} names for {n} trials")
    return names


def simulate(people: int = 4, *, per_token: bool = True, **planted: Any) -> tuple[Tokens, dict[str, Any]]:
    """Tokens in which it is known which modality carries the rating, how strongly and when, because it was put there.

    A latent valence and arousal drives six modalities (eeg, gsr, ecg, emg, resp, pupil; 46 features) at 2 Hz through the
    response of each organ, over 1/f noise: the data set ``planted`` of the workflow.

    Parameters
    ----------
    people
        How many, 3 to 40.
    per_token
        Ratings at every moment; False: one a trial.
    **planted
        Settings of the simulation (config/README.md, ``planted``): ``trials``, ``seconds``, ``snr``, ``lag`` (s), ``gaps``,
        ``informative``, ``seed``, ...

    Returns
    -------
    tokens : Tokens
        Of all people; ratings from 1 to 9.
    truth : dict
        ``informative`` (modality -> signal-to-noise ratio), ``lag`` (subject -> trial -> modality -> s), ``cluster``.

    Raises
    ------
    HimoeError
        If a setting is unknown or out of its limits.

    Examples
    --------
    >>> import himoe
    >>> tokens, truth = himoe.simulate(people=3, trials=2, seconds=20, lag=2, informative={"pupil": 0})
    >>> tokens.x.shape, tokens.y.shape, len(tokens.trials)
    ((222, 46), (222, 2), 6)
    >>> truth["informative"]["eeg"], truth["informative"]["pupil"]
    (1.0, 0.0)
    """
    settings = section(Planted, planted | {"subjects": people}, "simulate")
    plugin = load("datasets", "planted")
    parts, truth = plugin.tokens(plugin.INFO.subjects[:people], settings, per_token)
    return Tokens.concatenate(list(parts.values())), truth
