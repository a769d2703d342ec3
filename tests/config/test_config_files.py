"""Config files as they are written: what YAML lets pass and nobody means is refused with its line."""

from __future__ import annotations

import time

import pytest

from himoe.config.files import check_files, read_file
from himoe.config.load import load_config
from himoe.types import HimoeError
from tests.conftest import ROOT


def bomb(levels: int) -> str:
    """Nine times nine times ... one value."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeds: [0]\nmodels: [ridge]\nseeds: [1, 2]\n", "the key 'seeds' is given twice.*line 3"),
        ("twin:\n  snr: 1\n  trials: 4\n  snr: 2\n", "the key 'snr' is given twice.*line 4"),
        ('{"seeds": [0], "seeds": [1]}', "the key 'seeds' is given twice"),
        ('{"twin": {"snr": 1, "snr": 2}}', "the key 'snr' is given twice"),
        (bomb(9), "more than 100000 values, its aliases spelled out"),
        ("twin: &x {a: *x}\n", "it refers to itself"),
        ("a: " + "[" * 5000 + "]" * 5000, "recursion"),
        ("seeds: [0]\n---\nseeds: [1]\n", "expected a single document"),
        ('title: !!python/object/apply:os.system ["touch pwned"]\n', "could not determine a constructor"),
        ("training:\n\tepochs: 3\n", "found character"),
        ("[1, 2]", "a config file holds keys with values, as in `seeds: .0.`, not list"),
        ("x" * (1 << 21), "2097152 bytes, more than the 1048576 a config file may have"),
    ],
    ids=["twice", "twice below", "twice in JSON", "twice below in JSON", "bomb", "itself", "deep", "documents", "object",
         "tab", "list", "large"],
)  # fmt: skip
def test_what_nobody_means_is_refused(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.yaml").write_text(text)
    started = time.process_time()
    with pytest.raises(HimoeError, match=rf"c\.yaml: .*{message}"):
        check_files(["c.yaml"])
    assert time.process_time() - started < 5  # the machine may be busy with others
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("name", ["absent.yaml", "."])
def test_what_is_no_file_is_named(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HimoeError, match="not readable as a config file"):
        read_file(tmp_path / name)


def test_what_is_meant_is_read(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "\ufeffa: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n", newline="\r\n"
    )  # a merge may be overruled
    assert read_file(tmp_path / "a.yaml") == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}}
    (tmp_path / "b.json").write_text('{"seeds": [0],\n\t"title": "t"}')
    assert read_file(tmp_path / "b.json") == {"seeds": [0], "title": "t"}
    (tmp_path / "c.yaml").write_text("")
    assert read_file(tmp_path / "c.yaml") == {}
    check_files(sorted((ROOT / "config").glob("*.yaml"))[:1])


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (None, "config: expected keys with values, as in `seeds: .0.`, got NoneType"),
        ([1], "config: expected keys with values, .*, got list"),
        ({"training": {"learning_rate": float("inf")}}, "training.learning_rate: .* finite"),
        ({"training": {"weight_decay": float("nan")}}, "training.weight_decay: "),
        ({"twin": {"snr": float("inf")}}, "twin.snr: .* finite"),
        ({"model_options": {"himoe": {"max_lag": float("inf")}}}, "model_options.himoe.max_lag: .* finite"),
        ({"annotator_lag": {"case_twin": float("inf")}, "datasets": ["case_twin"]}, "annotator_lag.case_twin: "),
        ({"seeds": [2**32]}, "seeds.0: .*less than 4294967296"),
        ({"seeds": [True]}, "seeds.0: .*valid integer"),
        ({"seeds": [-1]}, "seeds.0: .*greater than or equal to 0"),
        ({"training": {"epochs": True}}, "training.epochs: expected a number, got yes or no"),
        ({"conditions": {"missing_rate": [False, 0.5]}}, "conditions: missing_rate.0: expected a number, got yes or no"),
        ({"model_options": {"himoe": {"max_lag": True}}}, "model_options.himoe.max_lag: expected a number"),
        ({"training": {"crop_seconds": 0.7}}, "training.crop_seconds: 0.7 s are fewer than two tokens of .* use 1 or more"),
        ({"condition_seed": 2**40}, "condition_seed: .*less than"),
        ({"splits": {"seed": 2**40}}, "splits.seed: .*less than"),
        ({"model_options": {"ridge": {"penalties": [1.0, -1.0]}}}, "model_options.ridge.penalties.1: .*greater than 0"),
        ({"models": ["ridge_token"], "model_options": {"ridge_token": {"penalties": [-1.0]}}}, "penalties.0: .*greater than 0"),
        ({"conditions": {"missing_rate": [0, 0.5, 0.5]}}, "conditions.missing_rate: 0.5 appears twice"),
        ({"conditions": {"missing_rate": [0, 1.5]}}, "conditions.missing_rate: severities are finite and from 0 to 1"),
        ({"conditions": {"shift": [0, float("inf")]}}, "conditions.shift"),
        ({"targets": {"deap_twin": ["valence", "valence"]}}, "targets.deap_twin: valence appears twice"),
        ({"controls": {"noise_physiology": ["ridge", "ridge"]}}, "controls.noise_physiology: ridge appears twice"),
        ({"variants": {"x": {"deap_twin": {"modalities": ["eeg"] * 2}}}}, "variants.x.deap_twin.modalities: eeg appears twice"),
        ({"datasets": [f"planted-a.{10**30}"], "planted": {"a": {}}}, "a replicate is a number of six digits at most"),
    ],
)  # fmt: skip
def test_values_that_nobody_means_are_refused_with_their_key(raw, message):
    with pytest.raises(HimoeError, match=message):
        load_config(raw)
