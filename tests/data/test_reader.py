"""A reader refuses what a fit must not see."""

from __future__ import annotations

import pytest

from himoe.data.reader import Reader
from himoe.types import HimoeError


def test_reader_refuses_a_forbidden_subject(tmp_path):
    reader = Reader([tmp_path / "s0.npz", tmp_path / "s1.npz"])
    with pytest.raises(HimoeError, match="leakage: a fit asked for test subject s1"):
        reader.load({"s0", "s1"}, {"s1"})
