"""The run that all files of this folder use."""

from __future__ import annotations

import pytest

from tests.library import trained


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A checkout with a trained Hi-MoE and a ridge, and one person's recording as EDF."""
    return trained.trained(tmp_path_factory)
