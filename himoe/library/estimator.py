"""Hi-MoE behind scikit-learn's interface, trained by the workflow's own trainer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from himoe.config.sections import Execution, Splits, Training
from himoe.config.spec import FitSpec
from himoe.evaluate.predictor import predictor_of
from himoe.library.arrays import make_tokens
from himoe.library.settings import section
from himoe.models import himoe as plugin
from himoe.splits.make import held_out
from himoe.stats.calibration import calibrated
from himoe.train import devices
from himoe.train.networks import NetworkFits
from himoe.train.progress import Progress
from himoe.train.results import StoredFold
from himoe.train.tuning import configuration, configure
from himoe.types import HimoeError, Layout, Split, Tokens

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

SEEDS = 2**31 - 1  # of those that are drawn, as scikit-learn draws them
PROTOCOL = "subject_kfold"  # people of inner validation are others than those of training


class HiMoERegressor(RegressorMixin, BaseEstimator):
    """Hi-MoE (Zhu et al., arXiv 2508.02133) as a scikit-learn regressor.

    Fitted as a fold of the workflow is: features and targets standardised on training rows, AdamW with modality dropout, gaps
    and shifts, the epoch chosen by the CCC of people held out, scale and offset of the predictions calibrated on them.

    Parameters
    ----------
    modalities
        Name -> number of columns of ``X``, in their order; None: one modality.
    token_rate
        Tokens per second of ``X``, Hz.
    options
        Settings of the model that are not the default: ``{"width": 32, "max_lag": 4}``.
    training
        Settings of the trainer that are not the default: ``{"epochs": 20, "learning_rate": 1e-3}``.
    validation_fraction
        Share of the people that inner validation takes, one at least.
    random_state
        Seed of weights, order, noise and of who is held out; equal seeds give equal predictions. A generator, or None for
        numpy's own, gives another one to every fit.
    device
        ``cpu``, ``cuda``, or ``auto``: a GPU where torch sees one.

    Attributes
    ----------
    fitted_ : himoe.train.results.FittedFold
        Weights, normalisation, calibration, ``history`` of the epochs, ``best_epoch``.
    layout_ : himoe.types.Layout
        Modalities, features and targets that it was fitted on.
    n_features_in_ : int
        Number of columns of ``X``.

    Notes
    -----
    scikit-learn's ``check_estimator`` is run on it; what cannot apply, and why, stands in docs/reference/api.md.

    Examples
    --------
    >>> import himoe
    >>> tokens, _ = himoe.simulate(people=4, trials=3, seconds=20)
    >>> model = himoe.HiMoERegressor(options={"width": 8}, training={"epochs": 2, "crop_seconds": 20})
    >>> model = model.fit(tokens)
    >>> model.predict(tokens).shape  # a row a rating: here one for every token
    (444, 2)
    """

    def __init__(
        self, modalities: Mapping[str, int] | None = None, *, token_rate: float = 2.0,
        options: Mapping[str, Any] | None = None, training: Mapping[str, Any] | None = None,
        validation_fraction: float = 0.25, random_state: int | np.random.RandomState | None = 0, device: str = "auto",
    ):  # fmt: skip
        self.modalities = modalities
        self.token_rate = token_rate
        self.options = options
        self.training = training
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.device = device

    def fit(self, X: ArrayLike | Tokens, y: ArrayLike | None = None, groups: ArrayLike | None = None) -> HiMoERegressor:
        """Train on these trials.

        Parameters
        ----------
        X
            (n_trials, n_tokens, n_features), or (n_trials, n_features) of trials of one token; NaN where not measured. Or
            Tokens, with their own ratings and people.
        y
            (n_trials,) or (n_trials, n_outputs), a rating a trial, or (n_trials, n_tokens, n_outputs); NaN where unknown.
        groups
            (n_trials,) who each trial is of; without it everyone is somebody else. People are never on both sides of inner
            validation: leave it out only where trials do not share people.

        Returns
        -------
        HiMoERegressor
            Itself.

        Raises
        ------
        ValueError
            If ``X`` or ``y`` is no array of numbers of such a shape, or there are fewer than two people.
        HimoeError
            If a setting is not valid, training diverged, or a trial of the held-out people is a copy of another one.
        """
        if isinstance(X, Tokens):
            tokens, flat = X, False
        elif y is None:
            raise ValueError("HiMoERegressor requires y to be passed, but the target y is None")
        else:
            tokens, flat = self._tokens(X, y, groups), np.asarray(y).ndim == 1
        self._spec = self._specify()
        split = self._split(tokens, self._spec.seed)
        with _as_for_a_fit(self._spec.training, self.device) as (execution, device):
            progress = Progress("HiMoERegressor", 1, self._spec.training.epochs)
            try:
                fits = NetworkFits(self._spec, execution, device, lambda subjects, forbidden: tokens, progress)
                [[fitted]] = fits.fit([split])
            finally:
                progress.stop()
        if fitted.failed:
            raise HimoeError(f"HiMoERegressor: {fitted.failed}; lower training's learning_rate or look for outliers in X")
        self.fitted_, self.layout_, self.n_features_in_ = fitted, tokens.layout, tokens.layout.n_features
        self._flat = flat
        return self

    def predict(self, X: ArrayLike | Tokens) -> np.ndarray:
        """Ratings of these trials.

        Parameters
        ----------
        X
            As in :meth:`fit`; the columns of an array in the order of the modalities and features that it was fitted on.

        Returns
        -------
        numpy.ndarray
            Shaped as the ``y`` that it was fitted on; (n_ratings, n_outputs) for Tokens. An array given to one that was
            fitted on Tokens: a row a trial, or (n_trials, n_tokens, n_outputs) where ratings vary within it.

        Raises
        ------
        ValueError
            If ``X`` has other columns than in training.
        HimoeError
            If Tokens have other modalities, features or tokens per second.
        """
        check_is_fitted(self)
        tokens = X if isinstance(X, Tokens) else self._new_tokens(X)
        self._check_layout(tokens.layout)
        said = self._predicted(tokens)
        if isinstance(X, Tokens):
            return said
        if self.layout_.per_token:
            return said.reshape(len(tokens.trials), -1, said.shape[1])
        return said[:, 0] if self._flat else said

    def __sklearn_tags__(self) -> Any:
        """NaN is absence, trials have an axis of time, and few rows without people teach little."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.three_d_array = True
        tags.target_tags.multi_output = tags.regressor_tags.poor_score = True
        return tags

    def _check_layout(self, layout: Layout) -> None:
        """HimoeError where tokens are not of what it was fitted on."""
        for what in ("modalities", "features", "token_rate"):
            if (given := getattr(layout, what)) != (known := getattr(self.layout_, what)):
                shown = "" if what == "features" else f": {_shown(given)}, not {_shown(known)}"
                raise HimoeError(f"HiMoERegressor: these tokens differ in {what} from those that it was fitted on{shown}")

    def _new_tokens(self, X: ArrayLike) -> Tokens:
        """``X`` as trials of what it was fitted on."""
        x, layout = self._columns(X, fitting=False), self.layout_
        named = dict(zip(layout.modalities, layout.features, strict=True))
        blocks = {name: x[..., columns] for name, columns in layout.slices.items()}
        return make_tokens(blocks, token_rate=layout.token_rate, targets=layout.targets, features=named)

    def _tokens(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None) -> Tokens:
        """``X`` as trials of a fit."""
        x = self._columns(X, fitting=True)
        sizes = self.modalities or {"x": x.shape[2]}
        if sum(sizes.values()) != x.shape[2]:
            raise ValueError(f"modalities have {sum(sizes.values())} columns, X has {x.shape[2]}")
        ends = np.cumsum(list(sizes.values()))[:-1]
        blocks = dict(zip(sizes, np.split(x, ends, axis=2), strict=True))
        people = None if groups is None else list(np.asarray(groups))
        return make_tokens(blocks, self._ratings(y, len(x)), subject=people, token_rate=self.token_rate)

    def _columns(self, X: ArrayLike, fitting: bool) -> np.ndarray:
        """(n_trials, n_tokens, n_features) float64, checked by scikit-learn as a table of tokens."""
        shape = np.shape(X) if isinstance(X, np.ndarray | list | tuple) else ()
        table = np.reshape(X, (-1, shape[2])) if len(shape) == 3 else X
        checks = {"dtype": np.float64, "ensure_all_finite": "allow-nan", "ensure_min_samples": 2 if fitting else 1}
        checked = validate_data(self, table, reset=fitting, **checks)
        return checked.reshape(shape) if len(shape) == 3 else checked[:, None]

    def _ratings(self, y: ArrayLike, n_trials: int) -> np.ndarray:
        """(n_trials, n_outputs) or (n_trials, n_tokens, n_outputs)."""
        given = check_array(y, dtype=np.float64, ensure_all_finite="allow-nan", ensure_2d=False, allow_nd=True, input_name="y")
        if len(given) != n_trials or np.isnan(given).all():
            raise ValueError(f"y has {len(given)} trials, X has {n_trials}; {np.isfinite(given).sum()} values of y are known")
        return given[:, None] if given.ndim == 1 else given

    def _specify(self) -> FitSpec:
        """What the fit is."""
        training = section(Training, self.training, "HiMoERegressor: training")
        section(plugin.Config, self.options, "HiMoERegressor: options")
        of = {"dataset": "own", "protocol": PROTOCOL, "model": "himoe", "shard": 0, "folds": (0,)}
        state = self.random_state
        seed = int(state) if isinstance(state, Integral) else int(check_random_state(state).randint(SEEDS))
        return FitSpec(**of, seed=seed, options=dict(self.options or {}), training=training)

    def _split(self, tokens: Tokens, seed: int) -> Split:
        """People of training and of inner validation; nobody is tested."""
        people = sorted({t.subject for t in tokens.trials})
        if len(people) < 2:
            raise ValueError(
                f"trials of {len(people)} person(s), n_samples={len(tokens.trials)}: inner validation takes 2 or more"
            )
        given = {"validation_fraction": self.validation_fraction, "seed": seed}
        held = set(held_out(people, section(Splits, given, "HiMoERegressor")))
        keys = {(t.subject, t.trial): t.digest for t in tokens.trials}
        valid = {key: digest for key, digest in keys.items() if key[0] in held}
        return Split(0, {key: digest for key, digest in keys.items() if key[0] not in held}, valid, {})

    def _predicted(self, tokens: Tokens) -> np.ndarray:
        """(n_ratings, n_outputs) in the unit of the targets."""
        spec, fitted = self._spec, self.fitted_
        settings = configuration(plugin, configure(plugin, spec.model, spec.options), spec.training, {})
        stored = StoredFold(fitted.scaler, fitted.state, fitted.read)
        with _as_for_a_fit(spec.training, self.device) as (execution, _):
            said, _ = predictor_of(spec, execution, settings, stored, self.layout_).predict(
                replace(tokens, layout=self.layout_)
            )
        return fitted.scaler.inverse(calibrated(said, fitted.calibration))


def _shown(part: tuple[str, ...] | float) -> str:
    return ", ".join(part) if isinstance(part, tuple) else f"{part:g} a second"


@contextmanager
def _as_for_a_fit(training: Training, device: str) -> Iterator[tuple[Execution, torch.device]]:
    """torch set up as for a fit, and as it was again behind it: a library leaves no trace in the process of others."""
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    deterministic, tf32 = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.allow_tf32
    uninitialised: Any = torch.utils.deterministic  # fill_uninitialized_memory is absent from torch's stubs
    filled = uninitialised.fill_uninitialized_memory
    execution = section(Execution, {"threads": threads, "device": device, "stack": 1}, "HiMoERegressor")
    with torch.random.fork_rng():
        try:
            yield execution, devices.settle(training, execution)
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(deterministic)
            torch.set_float32_matmul_precision(precision)
            torch.backends.cudnn.allow_tf32 = tf32
            uninitialised.fill_uninitialized_memory = filled
