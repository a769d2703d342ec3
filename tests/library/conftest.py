"""One thread: workers of a test run, and fits beside it, have the other cores."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """For all tests of the library."""
    torch.set_num_threads(1)
