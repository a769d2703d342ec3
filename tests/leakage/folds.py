"""Splits of the small sets of tokens that tests make by hand."""

from himoe.config.sections import Splits

SHORT = Splits(n_folds=4, n_stimulus_folds=2, window_seconds=3.0)
