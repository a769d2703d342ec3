"""Packages in the place of the real one."""

from __future__ import annotations

import shutil

import pytest

from himoe import provenance
from tests.provenance.package import PACKAGE


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An empty package in the place of the real one."""
    (tmp_path / "himoe").mkdir()
    (tmp_path / "himoe" / "__init__.py").write_text("")
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path / "himoe")
    provenance.hash_module.cache_clear()
    yield tmp_path / "himoe"
    provenance.hash_module.cache_clear()


@pytest.fixture
def copy(package):
    """A copy of the real package in its place."""
    shutil.copytree(PACKAGE, package, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return package
