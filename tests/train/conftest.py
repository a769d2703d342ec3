"""What tests of interrupted fits compare with."""

from __future__ import annotations

import pytest

from tests.train.interrupted import TOGETHER, run, write_made


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Tokens and splits on disk, and the weights of a fit that nobody disturbed."""
    root = tmp_path_factory.mktemp("made")
    write_made(root)
    run(root, root / "clean")
    run(root, root / "clean-2", execution=TOGETHER)
    return root
