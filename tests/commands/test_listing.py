"""``python -m himoe list``: what there is, by literals and docstrings; nothing is imported for it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from himoe import registry
from himoe.__main__ import main
from himoe.commands import listing
from himoe.signal.features import RECIPES
from tests.conftest import ROOT

OF_HAND = '''"""Guess of the mean (Doe & Roe 2001, "A guess"), by nobody here. A second sentence."""

raise RuntimeError("a list imports nothing")
TITLE = "a guess"
'''


def listed(capsys, *arguments):
    assert main(["list", *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("kind", listing.KINDS)
def test_everything_there_is_has_a_line(kind, capsys):
    found = json.loads(listed(capsys, kind, "--json"))
    assert [entry["name"] for entry in found] == (list(RECIPES) if kind == "features" else registry.available(kind))
    assert all(entry["title"] and len(entry["what"]) > 5 and "\n" not in entry["what"] for entry in found)
    page = listed(capsys, kind)
    assert all(entry["name"] in page for entry in found)


def test_words_come_from_the_file_which_is_not_run(tmp_path, monkeypatch):
    (tmp_path / "controls").mkdir()
    (tmp_path / "controls/of_hand.py").write_text(OF_HAND)
    monkeypatch.setattr(registry, "ROOT", tmp_path)
    assert listing.entries("controls") == [
        {
            "name": "of_hand",
            "title": "a guess",
            "what": "Guess of the mean, by nobody here",
            "source": 'Doe & Roe 2001, "A guess"',
        }
    ]


def test_sources_of_data_models_and_features(capsys):
    entry = {kind: {e["name"]: e for e in listing.entries(kind)} for kind in ("datasets", "models", "features")}
    assert entry["models"]["ridge"]["source"] == "Hoerl & Kennard 1970"
    assert entry["models"]["late_fusion"]["source"] == ""
    assert entry["features"]["gsr"]["title"] == "tonic, phasic, responses"
    assert entry["features"]["eeg_de"]["source"] == "Shi, Jiao & Lu 2013"
    assert entry["datasets"]["deap"]["source"] == registry.peek("datasets", "deap")["INFO"].citation
    assert "source" not in listed(capsys, "controls")  # nobody's: no empty column


def test_no_plug_in_and_no_torch_is_imported():
    code = "import sys\nfrom himoe.__main__ import main\n"
    code += "for kind in ('models', 'figures', 'datasets'):\n    main(['list', kind])\n"
    code += "kinds = ('himoe.models.', 'himoe.figures.', 'himoe.datasets.', 'torch', 'numpy', 'matplotlib')\n"
    code += "assert not [m for m in sys.modules if m.startswith(kinds)]"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


def test_a_kind_that_there_is_not_is_told_with_the_valid_ones(capsys):
    with pytest.raises(SystemExit):
        main(["list", "modles"])
    assert "features" in capsys.readouterr().err
