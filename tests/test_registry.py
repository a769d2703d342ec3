"""The registry reads plug-ins without importing them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from himoe import names, registry
from himoe.types import DatasetInfo, HimoeError


def test_peek_equals_the_imported_literal():
    for name in registry.available("datasets"):
        peeked = registry.peek("datasets", name)["INFO"]
        assert isinstance(peeked, DatasetInfo)
        assert peeked == registry.load("datasets", name).INFO


def test_peek_imports_nothing(root):
    code = "import sys\nfrom himoe import names, registry\nregistry.peek('models', 'himoe')\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def test_config_fields_are_those_of_the_class():
    for name in registry.available("models"):
        assert registry.peek("models", name)["config_fields"] == list(registry.load("models", name).Config.model_fields)


def test_a_twin_is_read_by_its_original():
    assert names.plugin_of("datasets", "deap_twin") == "deap"
    assert registry.is_twin("deap_twin")
    assert not registry.is_twin("deap")
    assert registry.load("datasets", "deap_twin") is registry.load("datasets", "deap")


def test_unknown_names_list_the_valid_ones():
    with pytest.raises(HimoeError, match=r"valid names: .*himoe.*ridge"):
        registry.check("models", "resnet")
