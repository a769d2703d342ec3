"""Every tutorial runs from top to bottom, as a reader would run it, and is kept without output."""

from __future__ import annotations

import re

import pytest

from himoe.stats.verdicts import WORDS
from tests.conftest import ROOT

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient", reason="notebooks cannot be executed (the extra `docs`)")
pytest.importorskip("ipykernel", reason="notebooks cannot be executed (the extra `docs`)")
pytestmark = pytest.mark.slow(30)
FOLDER = ROOT / "docs/tutorials"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_tutorial_runs_and_shows_something(path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(FOLDER)}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in shown)
    assert not [output for output in shown if output.get("name") == "stderr"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_tutorial_is_kept_without_output(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert path.stem in (FOLDER / "index.md").read_text()


def test_the_tutorial_of_power_uses_the_words_of_the_verdicts():
    cells = nbformat.read(FOLDER / "power.ipynb", as_version=4).cells
    text = "".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert {word.lower() for word in re.findall(r'"([^"]+)"', text)} <= set(WORDS)
    assert re.findall(r"[*](\w+)[*]", text) == list(WORDS)
