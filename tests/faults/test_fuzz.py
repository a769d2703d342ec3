"""Genuine files damaged in every way that hypothesis thinks of: one line, or values that make sense, in 5 s and 1 GB.

``HIMOE_FUZZ_EXAMPLES=2000`` tries more, and others each time.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults.fuzz.asking import Bench, Worker
from tests.faults.fuzz.readers import READERS

EXAMPLES = int(os.environ.get("HIMOE_FUZZ_EXAMPLES", "100"))
pytestmark = pytest.mark.slow(60)


@pytest.fixture(scope="module")
def worker():
    process = Worker()
    yield process
    process.close()


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_one_line_or_makes_sense(name, worker, tmp_path):
    bench = Bench(name, tmp_path, worker)
    changes = st.lists(st.tuples(st.sampled_from(bench.reader.mutations), st.integers(0, 2**32 - 1)), min_size=1, max_size=3)

    @settings(
        max_examples=EXAMPLES // 4 if name.endswith(", sealed") else EXAMPLES, deadline=None,
        derandomize=EXAMPLES <= 100, database=None, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(changes)
    def judged(changes):
        assert bench.judge(changes) == ""

    judged()
