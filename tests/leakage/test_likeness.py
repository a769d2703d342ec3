"""Near copies are looked for among whole trials: two short windows of different songs can be alike by chance."""

from __future__ import annotations

import numpy as np
import pytest

from himoe.config.spec import View
from himoe.data.views import prepare
from himoe.evaluate import audit, probes
from himoe.splits import make
from himoe.splits.files import read_splits
from tests.conftest import make_tokens
from tests.leakage.folds import SHORT


@pytest.fixture
def alike(tmp_path):
    """Trials and windows of 1 s (2 tokens), of which one of s1 is one of s0 to the third digit; the folds of the windows."""
    tokens = make_tokens(6, 6)
    first, other = tokens.offsets[0], tokens.offsets[6]
    tokens.mask[other : other + 2] = tokens.mask[first : first + 2] = True
    tokens.x[other : other + 2] = tokens.x[first : first + 2] + 0.001
    windows = prepare(View(window=1.0), tokens)
    make.make_splits("window_random", list(windows.trials), SHORT.model_copy(update={"window_seconds": 1.0})).to_csv(
        tmp_path / "splits.csv", index=False
    )
    return tokens, windows, read_splits(str(tmp_path / "splits.csv"))


def test_windows_that_are_alike_by_chance_are_no_copies(alike):
    tokens, windows, splits = alike
    assert probes.likeness(windows).max() > audit.COPY  # by which the run was refused
    finding = audit.no_copies(tokens, splits)
    assert finding.verdict == audit.PASSED


def test_a_whole_trial_under_another_name_is_a_copy_also_where_windows_are_split(alike):
    tokens, _, splits = alike
    a, b = (slice(tokens.offsets[i], tokens.offsets[i + 1]) for i in (0, 6))
    tokens.x[b], tokens.mask[b] = tokens.x[a] + np.float32(0.001), tokens.mask[a]
    finding = audit.no_copies(tokens, splits)
    assert finding.verdict == audit.REFUSED
    assert "is a copy of" in finding.evidence
