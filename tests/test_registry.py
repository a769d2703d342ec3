"""The registry reads plug-ins without importing them; fingerprints see code and nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from himoe import names, provenance, registry
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


@pytest.fixture
def package(tmp_path, monkeypatch):
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "a.py").write_text("from himoe.b import g\n\ndef f(x):\n    return g(x) + 1\n")
    (tmp_path / "b.py").write_text("def g(x):\n    return 2 * x\n")
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path)
    provenance._module.cache_clear()
    yield tmp_path
    provenance._module.cache_clear()


def _again():
    provenance._module.cache_clear()
    return provenance.fingerprint("himoe.a")


@pytest.mark.parametrize(
    ("file", "text", "changes"),
    [
        (
            "a.py",
            '"""New words."""\nfrom himoe.b import g\n\n\ndef f(x):\n    """Said."""\n    # why\n    return g(x) + 1\n',
            False,
        ),
        ("a.py", "from himoe.b import g\n\ndef f(x):\n    return g(x) + 2\n", True),
        ("b.py", "def g(x):\n    return 3 * x\n", True),
        ("c.py", "def h(x):\n    return 3 * x\n", False),
    ],
)
def test_fingerprint_sees_code_and_what_it_imports(package, file, text, changes):
    before = provenance.fingerprint("himoe.a")
    (package / file).write_text(text)
    assert (_again() != before) == changes
