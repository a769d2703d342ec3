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


@pytest.mark.parametrize("name", registry.available("models"))
def test_settings_of_a_model_are_known_without_the_model(name):
    alone, whole = registry.config_class(name), registry.load("models", name).Config
    assert alone is not whole
    assert alone.model_json_schema() == whole.model_json_schema()
    assert alone().model_dump() == whole().model_dump()


def test_settings_of_models_and_margins_of_conditions_need_no_heavy_module(root):
    code = """
import sys
from himoe import registry
for name in registry.available("models"):
    registry.config_class(name)
for name in registry.available("conditions"):
    registry.compiled("conditions", name, "margin")
heavy = {"torch", "numpy", "pandas", "scipy", "sklearn", "mne", "matplotlib"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Writes a model's plug-in of any source; its name."""
    monkeypatch.setattr(registry, "ROOT", tmp_path)
    (tmp_path / "models").mkdir()
    caches = (registry.peek, registry.compiled, registry.syntax_tree)

    def write(source: str) -> str:
        (tmp_path / "models/mine.py").write_text("from __future__ import annotations\n\n" + source)
        return "mine"

    yield write
    for cached in caches:
        cached.cache_clear()


def test_settings_may_use_what_stands_beside_them(plugin):
    source = """
from typing import TYPE_CHECKING, Literal
import no_such_module
from no_such_module import dropout
from pydantic import model_validator
from himoe.config.fields import Strict, setting
if TYPE_CHECKING:
    from no_such_module import Thing
KINDS = Literal["a", "b"]
LEAST = 2

class Shared(Strict):
    width: int = setting(8, "width", "ours", ge=LEAST)

def build(ctx: Thing, config: Config) -> dropout:
    return no_such_module.build(ctx)

class Config(Shared):
    kind: KINDS = "a"
    dropout: float = 0.1
    inner: Shared = Shared()

    @model_validator(mode="after")
    def even(self) -> Config:
        if self.width % LEAST:
            raise ValueError("width must be even")
        return self
"""
    config = registry.config_class(plugin(source))
    assert list(config.model_fields) == ["width", "kind", "dropout", "inner"]
    assert config(width=4, inner={"width": 3}).inner.width == 3
    with pytest.raises(ValueError, match="width must be even"):
        config(width=5)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("class Settings: pass", "himoe/models/mine.py: there is no Config"),
        (
            "import no_such_module as m\nclass Config(m.Base): pass",
            "himoe/models/mine.py: Config: ModuleNotFoundError: No module",
        ),
        ("def f(:\n", "himoe/models/mine.py, line 3: invalid syntax"),
    ],
)
def test_a_broken_plugin_is_one_line(plugin, source, message):
    with pytest.raises(HimoeError) as error:
        registry.config_class(plugin(source))
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_twin_is_read_by_its_original():
    assert names.plugin_of("datasets", "deap_twin") == "deap"
    assert registry.is_twin("deap_twin")
    assert not registry.is_twin("deap")
    assert registry.load("datasets", "deap_twin") is registry.load("datasets", "deap")


def test_unknown_names_list_the_valid_ones():
    with pytest.raises(HimoeError, match=r"valid names: .*himoe.*ridge"):
        registry.check("models", "resnet")
