"""A trained model on a recording of one's own: prepared by the code that prepared its training data, predicted by the code that
predicts test rows. No label is in it, and nothing is fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from himoe.data.prepare import prepare_subject
from himoe.data.views import matching, narrow
from himoe.data.views import prepare as as_viewed
from himoe.evaluate.outages import SHARE
from himoe.evaluate.predictor import unlabelled
from himoe.library.doubts import doubts, far_out
from himoe.library.matching import long_enough, match, to_trials
from himoe.stats.calibration import calibrated
from himoe.types import HimoeError, Tokens, Trial

if TYPE_CHECKING:
    from himoe.library.bundle import Bundle
    from himoe.library.recording import Recording

NULL = "null"  # the learnt token that stands beside the modalities


@dataclass(frozen=True)
class Prediction:
    """What a model says of a recording.

    Attributes
    ----------
    table : a row per token, or per trial where the model was trained on one rating per trial (``time`` is NaN then): ``trial``,
        ``time`` (s from its onset), a column per target in its unit, ``TARGET_sd`` over networks where there are several,
        ``present_M`` (share of tokens), and of a network that tells them ``share_M`` and ``share_null`` in what is fused,
        ``lag_M`` (s, how far behind the others it is found to be), ``prototype_K`` (signed weight).
    tokens : what the model was given · trials : what they were made of · folds : whose mean it is · warnings : lines.
    """

    table: pd.DataFrame
    tokens: Tokens
    trials: tuple[Trial, ...]
    folds: tuple[int, ...]
    warnings: tuple[str, ...]


def predict(bundle: Bundle, recording: Recording, fold: int | None = None) -> Prediction:
    """Predictions of a recording: the mean of all networks of a bundle, or those of one ``fold``.

    A network that has learnt from this very session is left out. It is known by hashes of its tokens alone: the same trials
    of the same samples, to the last bit. With a trial less, a channel less or a shift by one sample it is not known any more,
    and what is said of it is what was learnt by heart: whose data were trained on is for the user to know.

    Raises
    ------
    HimoeError
        In one line if there is nothing the model can read, a unit is not said or wrong, the mapping does not fit the model,
        there is no such fold, or every network has learnt from the recording.
    """
    inputs, view = bundle.inputs, bundle.spec.view
    matched = match(recording, inputs)
    trials, short = long_enough(recording, inputs, to_trials(recording, inputs, matched))
    tokens, counts = prepare_subject(inputs.info, trials, inputs.targets, inputs.options)
    if not tokens.mask.any():
        raise HimoeError(
            f"{recording.name}: no token of it could be measured; {next(doubts(inputs, matched, trials, counts), '')}"
        )
    if tokens.layout != inputs.layout:
        tokens = matching(tokens, inputs.layout)
    tokens = unlabelled(narrow(view, as_viewed(view, tokens, trials)))
    folds, left_out = _unseen(bundle, tokens, recording.name, fold)
    warned = []
    if recording.unmatched:
        as_one = "the whole recording is taken as one trial"
        warned.append(f"no mark is '{recording.mapping.trials}': {as_one}; marks: {recording.unmatched}")
    warned += [*doubts(inputs, matched, trials, counts, short), *far_out(tokens, [bundle.folds[f].scaler for f in folds])]
    parts = [_of_fold(bundle, f, tokens) for f in folds]
    return Prediction(_table(tokens, parts), tokens, tuple(trials), folds, (*warned, *left_out))


def _unseen(bundle: Bundle, tokens: Tokens, name: str, fold: int | None) -> tuple[tuple[int, ...], list[str]]:
    """Folds that ended well and have not read these trials, and what is to be said of the others."""
    if fold is not None and fold not in bundle.folds:
        raise HimoeError(f"{bundle.path}: there is no fold {fold}; folds: {', '.join(map(str, sorted(bundle.folds)))}")
    asked = [fold] if fold is not None else sorted(bundle.folds)
    if not (well := [f for f in asked if not bundle.folds[f].failed]):
        raise HimoeError(f"{bundle.path}: fold {asked[0]} failed: {bundle.folds[asked[0]].failed}")
    digests = {t.digest for t in tokens.trials}
    if not (unseen := tuple(f for f in well if not digests & set(bundle.folds[f].read))):
        raise HimoeError(f"{name}: the model has learnt from this very recording: what it says of it is no prediction")
    parts = {"failed": len(asked) - len(well), "have learnt from it": len(well) - len(unseen)}
    return unseen, [f"{n} of {len(asked)} networks {what}, and are left out" for what, n in parts.items() if n]


def _of_fold(bundle: Bundle, fold: int, tokens: Tokens) -> dict[str, np.ndarray]:
    """Name of a column -> one value per label (n_labels,)."""
    stored, layout = bundle.folds[fold], tokens.layout
    predictor = bundle.predictor(fold, layout)
    predicted, routing = predictor.predict(tokens)
    if not np.isfinite(predicted).all():
        raise HimoeError(f"{bundle.path}: fold {fold} gives no finite number; is the recording in the units that are said?")
    said = stored.scaler.inverse(calibrated(predicted, stored.calibration or {}))
    out = {name: said[:, k] for k, name in enumerate(layout.targets)}
    if SHARE in routing and predictor.shares:
        shares = predictor.shares(tokens) if layout.per_token else routing[SHARE]
        out |= {f"share_{name}": shares[:, k] for k, name in enumerate((*layout.modalities, NULL))}
    if "lag" in routing:
        lags = _of_trials(routing["lag"], tokens)
        out |= {f"lag_{name}": lags[:, k] for k, name in enumerate(layout.modalities)}
    if "prototype_weight" in routing:
        weights = _of_trials(routing["prototype_weight"], tokens)
        out |= {f"prototype_{k + 1}": column for k, column in enumerate(weights.T)}
    return out


def _of_trials(values: np.ndarray, tokens: Tokens) -> np.ndarray:
    """(n_trials, n) as one row per label: repeated for each of a trial's tokens, or as they are."""
    return np.repeat(values, np.diff(tokens.offsets), axis=0) if tokens.layout.per_token else values


def _table(tokens: Tokens, parts: list[dict[str, np.ndarray]]) -> pd.DataFrame:
    """Means over folds, a row per label."""
    layout, several = tokens.layout, len(parts) > 1
    means = {name: np.mean([part[name] for part in parts], axis=0) for name in parts[0]}
    present = tokens.mask.astype(float)
    if not layout.per_token:
        present = np.add.reduceat(present, tokens.offsets[:-1], axis=0) / np.diff(tokens.offsets)[:, None]
    names = np.array([t.trial for t in tokens.trials], object)
    columns = {
        "trial": np.repeat(names, np.diff(tokens.offsets)) if layout.per_token else names,
        "time": tokens.time.astype(float) if layout.per_token else np.full(len(names), np.nan),
    }
    columns |= {target: means.pop(target) for target in layout.targets}
    columns |= {f"{t}_sd": np.std([part[t] for part in parts], axis=0, ddof=1) for t in layout.targets if several}
    columns |= {f"present_{name}": present[:, m] for m, name in enumerate(layout.modalities)}
    return pd.DataFrame(columns | means)
