"""No line of CONTRIBUTING's recipes is there for nothing: without any one of them a check of its kind fails."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import types
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import yaml

from himoe.config.sections import walk
from himoe.data.door import let_in
from himoe.data.rows import to_rows
from himoe.report import style
from himoe.signal.quality import implausible
from himoe.signal.units import units_of
from himoe.types import HimoeError, Size
from tests.conftest import make_tokens
from tests.report.two_models import evidence
from tests.workflow.recipes import FILES

PLUGINS = {path.split("/")[1]: text for path, text in FILES.items() if path.endswith(".py")}


def imported(text):
    """The module as Python sees it; what the linter and the reader ask of it is asked first."""
    tree = ast.parse(text)
    named = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
    assert all(ast.get_docstring(n) for n in [tree, *named])
    module = types.ModuleType("recipe")
    sys.modules["recipe"] = module  # pydantic looks annotations up there
    exec(compile(tree, "recipe", "exec"), module.__dict__)
    return module


def lint(text):
    command = [Path(sys.executable).with_name("ruff"), "check", "--quiet", "--select", "F", "-"]
    assert subprocess.run(command, input=text, text=True, capture_output=True).returncode == 0


def datasets(made, folder):
    info, size = made.INFO, Size(made.INFO.subjects[:2], made.INFO.n_trials, made.INFO.seconds)
    assert len(info.modalities) == 2
    made.synthesize(folder, size, "csv", 4.0, 0)
    first, second = made.records(folder, size, info.editions[0])
    trials = list(made.read(folder, first, size))
    assert len(trials) == size.n_trials
    for trial in trials:
        assert {n: s.data.shape for n, s in trial.signals.items()} == {m.name: (1, 20) for m in info.modalities}
        inside = let_in(trial, info.modalities)
        assert not any(implausible(inside.signals[m.name].data, units_of(m)).any() for m in info.modalities)
    level = [[t.signals["gsr"].data.mean(), t.targets[0]] for t in trials]
    assert np.corrcoef(np.transpose(level))[0, 1] > 0.9
    path = folder / second.files[0]
    whole = pd.read_csv(path)
    for broken in (whole.assign(valence=0), whole.drop(index=0), whole.drop(columns="clip"), whole.assign(gsr="a")):
        broken.to_csv(path, index=False)
        with pytest.raises(HimoeError, match=second.subject):
            list(made.read(folder, second, size))
    path.unlink()
    assert made.records(folder, size, info.editions[0]) == [first]


def models(made, folder):
    assert (bool(made.TITLE), len(made.COLOUR), made.PLACE) == (True, 2, 45)
    ((key, value, meaning, source),) = walk(made.Config())
    assert (key, value, bool(meaning), source) == ("kept", 0.9, True, "ours")
    rows = to_rows(make_tokens())
    predicted = made.predict(made.fit(rows, made.Config(), 0), rows.unlabelled())
    assert predicted.shape == rows.y.shape
    assert all(np.corrcoef(a, b)[0, 1] > 0.8 for a, b in zip(predicted.T, rows.y.T, strict=True))
    unlabelled = replace(rows, y=np.where(np.arange(len(rows.y))[:, None] == 0, np.nan, rows.y))
    assert np.isfinite(made.predict(made.fit(unlabelled, made.Config(), 0), rows.unlabelled())).all()
    flat = made.predict(made.fit(rows, made.Config(kept=0), 0), rows.unlabelled())
    np.testing.assert_allclose(flat, np.tile(rows.y.mean(axis=0), (len(rows.y), 1)), rtol=1e-5)


def conditions(made, folder):
    one = make_tokens().select([0])
    for severity in (0.0, 1.0):
        out = made.apply(one, severity, np.random.default_rng(0))
        assert (out.x != one.x).any() == (severity > 0)
        assert (out.x[one.x == 0] == 0).all()
        assert out.x.dtype == np.float32
    assert (made.margin(1.0, 2.0), bool(made.TITLE), made.UNIT) == (0, True, "SD")


def controls(made, folder):
    tokens = make_tokens()
    tokens.y[:3] = np.nan
    out = made.apply(tokens, 0)
    assert made.TITLE
    assert made.NEEDS_INPUT
    assert np.isnan(out.y[:3]).all()
    assert np.isfinite(out.y[3:]).all()
    assert (out.y[3:] != tokens.y[3:]).all()
    assert out.y[3:].min() >= 1


def figures(made, folder):
    figure, data, alt = made.draw(evidence(folder), style.LIGHT)
    (ax,) = figure.axes
    assert [bar.get_width() for bar in ax.patches] == [1.5, 1.0]
    assert ax.get_title() == "DEAP twin"
    assert ax.get_xlabel()
    assert data["value"].tolist() == [1.5, 1.0]
    assert "1.00, of ridge" in alt
    assert (bool(made.TITLE), made.SECTION, made.NEEDS) == (True, "comparison", ("scores",))
    plt.close("all")


def tables(made, folder):
    data, shown, alt, note, *_ = made.make(evidence(folder))
    assert data["value"].tolist() == [0.4, 0.2]
    assert shown["CCC"].tolist() == ["0.400", "0.200"]
    assert shown["data set"].tolist() == ["DEAP twin"] * 2
    assert alt == "ridge is first."
    assert note
    assert (bool(made.TITLE), made.SECTION, made.NEEDS) == (True, "comparison", ("scores",))


@pytest.mark.parametrize("kind", PLUGINS)
def test_every_line_of_a_recipe_is_needed(kind, tmp_path):
    check, lines = globals()[kind], PLUGINS[kind].splitlines()
    lint(PLUGINS[kind])
    check(imported(PLUGINS[kind]), _new(tmp_path, "whole"))
    for number, line in enumerate(lines[1:], start=1):  # without the first there is no path: test_recipes of the workflow
        if not line.strip():
            continue
        without = "\n".join([*lines[:number], *lines[number + 1 :]]) + "\n"
        try:
            check(imported(without), _new(tmp_path, str(number)))
            lint(without)
        except (Exception, pytest.fail.Exception):
            continue
        pytest.fail(f"{kind}: nothing fails without line {number + 1}: {line}")


def _new(folder, name):
    os.mkdir(folder / name)
    return folder / name


def test_every_line_of_the_config_is_asked_for():
    asked = yaml.safe_load(FILES["config/mine.yaml"])
    plugins = {"datasets", "models", "conditions", "controls", "figures", "tables", "ablations"}
    assert set(asked) == plugins | {"twin", "splits", "training", "model_options"}
