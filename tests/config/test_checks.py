"""What would fail in a job stops the run before the first one, in one line that names the key and what would do."""

from __future__ import annotations

import subprocess
import sys
from itertools import product

import numpy as np
import pytest
import yaml

from himoe.config.facts import dataset_info, n_tokens
from himoe.config.load import MOVED, load_config
from himoe.config.protocols import PROTOCOLS, can_split, can_split_stimuli, n_folds, n_subject_folds
from himoe.config.run import Config
from himoe.config.sections import Splits
from himoe.signal.clock import token_times
from himoe.splits import make
from himoe.splits.files import read_splits
from himoe.types import HimoeError
from tests.conftest import make_tokens

PLANTED = {"datasets": ["planted-x"], "models": ["ridge"]}
ROUTERS = "Input should be 'soft', 'dense', 'laplace', 'top1', 'uniform' or 'concat'"

REFUSED = [
    # settings of models
    ({"model_options": {"himoe": {"width": 17}}}, "model_options.himoe.width: Input should be a multiple of 8 (got '17')"),
    (
        {"model_options": {"himoe": {"router": "sotf"}}},
        f"model_options.himoe.router: {ROUTERS} (got 'sotf'); did you mean 'soft'?",
    ),
    ({"models": ["himoe", "himoe-"]}, "models: 'himoe-' names no variant; write 'himoe'"),
    ({"datasets": ["deap_twin-"]}, "datasets: 'deap_twin-' is not the whole name of a data set"),
    (PLANTED | {"datasets": ["planted-x."], "planted": {"x": {}}}, "datasets: 'planted-x.' is not the whole name"),
    (PLANTED | {"datasets": ["planted_twin-x"], "planted": {"x": {}}}, "datasets: 'planted_twin-x' is not the whole name"),
    ({"threads": 4}, "threads: unknown key; did you mean 'execution.threads'?"),
    ({"models_on": {"deap_twn": ["ridge"]}}, "models_on: there is no 'deap_twn'; did you mean 'deap_twin'?"),
    (
        {"models_on": {"deap_twin/losso": ["ridge"]}},
        "models_on.deap_twin/losso: there is no 'losso'; valid names: subject_kfold",
    ),
    ({"models_on": {"deap_twin": ["rigde"]}}, "models_on.deap_twin: there is no 'rigde'; did you mean 'ridge'?"),
    ({"models_on": {"deap_twin": []}}, "models_on leaves it out"),
    ({"execution": {"device": "gpu"}}, "execution.device: Input should be 'auto', 'cpu' or 'cuda' (got 'gpu'); write cuda"),
    ({"datasets": ["deap_twinn"]}, "datasets: there is no 'deap_twinn'; did you mean 'deap_twin'?"),
    ({"seeds": 3}, "seeds: Input should be a valid list (got '3'); write it as a list, [...]"),
    ({"ablations": {"Router Mine": {"router": "top1"}}}, "ablations.Router Mine: String should match pattern"),
    ({"planted": {None: {}}}, "a name that YAML takes for nothing must be quoted"),
    ({"model_options": {"himoe": {"n_heads": 3}}}, "n_heads 3 does not divide width 64"),
    ({"model_options": {"mult": {"n_heads": 3}}, "models": ["mult"]}, "n_heads 3 does not divide cross_width 16"),
    ({"model_options": {"eegnet": {"n_spatial": 3}}, "models": ["eegnet"]}, "n_spatial 3 does not divide width 16"),
    ({"model_options": {"himoe": {"widthh": 16}}}, "model_options.himoe.widthh: unknown key; did you mean 'width'?"),
    (
        {"model_options": {"himoe": {"n_heads": "many"}}},
        "model_options.himoe.n_heads: Input should be a valid integer, unable to parse string as an integer (got 'many')",
    ),
    (
        {"model_options": {"ridge": {"penalties": [1, "x"]}}},
        "model_options.ridge.penalties.1: Input should be a valid number, unable to parse string as a number (got 'x')",
    ),
    ({"model_options": {"boosting": {"learning_rate": 2}}}, "boosting.learning_rate: Input should be less than or equal to 1"),
    ({"model_options": {"train_mean": {"x": 1}}}, "model_options.train_mean.x: unknown key; valid keys: none"),
    ({"model_options": {"himoe-flat": {"width": 16}}}, "model_options: there is no 'himoe-flat'; did you mean 'himoe'?"),
    ({"model_options": {"himoe": 3}}, "model_options.himoe: Input should be a valid dictionary (got '3')"),
    ({"ablations": {"a": {"router": "sotf"}}}, f"ablations.a.router: {ROUTERS} (got 'sotf'); did you mean 'soft'?"),
    ({"ablations": {"a": {"width": 17}}}, "ablations.a.width: Input should be a multiple of 8 (got '17')"),
    ({"ablations": {"a": {"widthh": 16}}}, "ablations.a.widthh: unknown key; did you mean 'width'?"),
    # models
    ({"models": ["subject_mean"]}, "models: none can be fitted on deap_twin under subject_kfold (subject_mean: it knows"),
    ({"models": ["ridge", "ridge"]}, "models: ridge appears twice"),
    ({"controls": {"noise_physiolgy": ["ridge"]}}, "controls: there is no 'noise_physiolgy'; did you mean 'noise_physiology'?"),
    ({"controls": {"noise_physiology": ["rigde"]}}, "controls.noise_physiology: there is no 'rigde'; did you mean 'ridge'?"),
    ({"controls": {"noise_physiology": ["train_mean"]}}, "train_mean reads no physiology, so the control would change nothing"),
    # severities of conditions
    (
        {"conditions": {"shift": [0, 0.3]}},
        "conditions.shift: 0.3 s is no whole number of tokens of deap_twin, which has 2 per s",
    ),
    (
        {"datasets": ["esports"]},
        "conditions.shift: 0.5 s is no whole number of tokens of esports, which has 1 per second; use mul",
    ),
    ({"conditions": {"missing_rate": [0, 1.5]}}, "conditions.missing_rate: severities are finite and from 0 to 1 (got 1.5)"),
    ({"conditions": {"outage": [float("inf")]}}, "conditions.outage"),
    ({"conditions": {"one_modality": [0, 1.5]}}, "conditions.one_modality: severities are whole numbers (got 1.5)"),
    ({"ablations_under": ["shfit"]}, "ablations_under: there is no 'shfit'; did you mean 'shift'?"),
    ({"conditions": {"shift": [float("nan")]}}, "conditions.shift.0: "),
    ({"conditions": {"shift": 3}}, "conditions.shift: Input should be a valid list (got '3')"),
    ({"conditions": {"shfit": [1]}}, "conditions: there is no 'shfit'; did you mean 'shift'?"),
    # trials too short for them
    (
        {"twin": {"seconds": 8}},
        "conditions.shift: severity 4 cuts 8 tokens off both ends of a trial, which leaves nothing of trials of deap_twin "
        "(8 s, 13 tokens); set twin.seconds to 10 or more, or use smaller severities",
    ),
    ({"conditions": {"shift": [0, 40]}}, "deap_twin (32 s, 61 tokens); use smaller severities"),  # no twin is as long
    ({"datasets": ["deap"], "conditions": {"shift": [0, 40]}}, "trials of deap (60 s, 117 tokens); use smaller severities"),
    (
        PLANTED | {"planted": {"x": {"seconds": 8}}, "conditions": {"shift_all": [0, 4]}},
        "set planted.x.seconds to 10 or more, or use smaller severities",
    ),
    # too little to split
    (
        PLANTED | {"planted": {"x": {"subjects": 3}}, "splits": {"n_folds": 2}},
        "protocols: subject_kfold of planted-x: 3 subjects are too few for 2 folds: 1 left to train and validate on, "
        "of 2 at least; set splits.n_folds to 3, or use loso",
    ),
    ({"protocols": ["subject_stimulus"], "twin": {"trials": 3}}, "3 stimuli are too few for splits.n_stimulus_folds: 3"),
    ({"protocols": ["trial_kfold"], "twin": {"trials": 4}}, "4 trials of a subject are too few for splits.n_folds: 8"),
    (
        {"protocols": ["window_random"], "twin": {"trials": 2, "seconds": 8}},
        "protocols: window_random of deap_twin: 2 windows of a subject are too few for splits.n_folds: 8",
    ),
    (
        {"protocols": ["window_random"], "splits": {"window_seconds": 40}},
        "a window of 40 s does not fit into a trial of deap_twin, which has 61 tokens; use 30.5 or less",
    ),
    # sections
    (PLANTED | {"planted": {"x": {"subjcts": 3}}}, "planted.x.subjcts: unknown key; did you mean 'subjects'?"),
    (PLANTED | {"planted": {"x": {"informative": {"eeg": -1}}}}, "planted.x.informative.eeg: Input should be greater than or"),
    (PLANTED | {"planted": {"X Y": {}}}, "planted.X Y: String should match pattern"),
    ({"features": {"eeg": {"filtr": "x"}}}, "features.eeg.filtr: unknown key; did you mean 'filter'?"),
    (
        {"splits": {"n_folds": 1}, "seeds": "all"},
        "seeds: Input should be a valid list (got 'all'); write it as a list, [...]; "
        "splits.n_folds: Input should be greater than or equal to 2 (got '1')",
    ),
    # keys of earlier versions
    ({"training": {"threads": 2}}, "training.threads: moved; write execution.threads"),
    (
        {"features": {"quality": {"baseline_correction": True}}},
        "features.quality.baseline_correction: moved; write features.baseline",
    ),
    (
        {"training": {"epochs": 3, "stack": 3, "folds_per_job": 8}},
        "training.stack: moved; write execution.stack; training.folds_per_job: moved; write execution.folds_per_job",
    ),
    ({"execution": {"treads": 2}}, "execution.treads: unknown key; did you mean 'threads'?"),
    ({"a\nb": 1}, "'a\\nb': unknown key; valid keys: data_root"),
    ({None: 1}, "Keys should be strings"),
]


@pytest.mark.parametrize(("changes", "sentence"), REFUSED, ids=lambda value: str(value)[:60] if isinstance(value, dict) else "")
def test_refused_in_one_line(changes, sentence):
    with pytest.raises(HimoeError) as error:
        load_config({"datasets": ["deap_twin"]} | changes)
    assert str(error.value).startswith("config: ")
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"conditions": {"missing_rate": [0, 1], "outage": [0.3, 1000], "shift": [0.5]}},
        {"twin": {"seconds": 10}},
        {"twin": {"seconds": 8}, "protocols": ["window_random"]},  # under which nothing is perturbed
        {"datasets": ["esports"], "conditions": {"shift": [0, 1000]}},  # its trials differ in length: only the job knows
        {"protocols": ["subject_stimulus"], "twin": {"trials": 4}},
        {"protocols": ["trial_kfold"], "twin": {"trials": 3}, "splits": {"n_folds": 3}},
        {"models": ["subject_mean"], "protocols": ["trial_kfold"]},
        PLANTED | {"planted": {"x": {"seconds": 8, "conditions": []}}},
        PLANTED | {"planted": {"x": {"subjects": 3}}, "protocols": ["loso"]},
        {"model_options": {"himoe": {"width": 16}}, "ablations": {"a": {"router": "dense"}}},
    ],
    ids=str,
)
def test_what_can_run_is_not_refused(changes):
    load_config({"datasets": ["deap_twin"]} | changes)


@pytest.mark.parametrize(
    "files",
    [
        "config",
        "paper",
        "open",
        "ceap",
        "planted",
        "ladder",
        "config ablations",
        "open ablations",
        "config factorial",
        "quick sensitivity",
    ],
)
def test_shipped_files_load_alone_and_together(root, files):
    raw = {}
    for name in files.split():
        raw |= yaml.safe_load((root / f"config/{name}.yaml").read_text())
    assert load_config(raw).models


def test_moved_keys_are_keys_where_they_moved_to_and_no_longer_where_they_were():
    for old, new in MOVED.items():
        for key, there in ((old, False), (new, True)):
            *sections, name = key.split(".")
            fields = Config.model_fields
            for section in sections:
                fields = fields[section].annotation.model_fields
            assert (name in fields) == there, key


def test_nothing_heavy_is_imported(root):
    code = f"""
import sys
from himoe.config.load import load_config
from himoe.types import HimoeError
nan = inf = 0.0
load_config({{"model_options": {{"himoe": {{"width": 16}}}}, "ablations": {{"a": {{"router": "dense"}}}}}})
for changes in {[changes for changes, _ in REFUSED]!r}:
    try:
        load_config(changes)
    except HimoeError:
        pass
heavy = {{"torch", "numpy", "pandas", "scipy", "sklearn", "mne", "matplotlib"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


@pytest.mark.parametrize("seconds", [1.0, 2.0, 2.4, 2.5, 8.0, 59.99, 60.0])
def test_tokens_are_counted_as_the_clock_makes_them(seconds):
    for dataset in ("deap", "esports"):
        info = dataset_info(dataset)
        assert n_tokens(dataset, seconds) == len(token_times(seconds, info.token_rate, info.token_window))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("n_parts", [2, 3, 4])
def test_what_is_refused_is_what_cannot_be_split(protocol, n_parts, tmp_path):
    settings = Splits(n_folds=n_parts, n_stimulus_folds=n_parts)
    for n_subjects, n_trials in product([2, 3, 5], [2, 3, 4, 7]):
        _refused_if_too_few(protocol, settings, n_subjects, n_trials, tmp_path / "splits.csv")


def _refused_if_too_few(protocol, settings, n_subjects, n_trials, path):
    trials = list(make_tokens(n_subjects, n_trials, 2).trials)
    can = can_split(n_trials, settings.n_folds)
    if PROTOCOLS[protocol].independent:
        can = can_split(n_subjects, n_subject_folds(protocol, n_subjects, settings))
    if "stimulus" in PROTOCOLS[protocol].apart:
        can = can and can_split_stimuli(n_trials, settings.n_stimulus_folds)
    if can:
        make.make_splits(protocol, trials, settings).to_csv(path, index=False)
        assert len(read_splits(str(path))) == n_folds(protocol, n_subjects, settings)
    else:
        with pytest.raises(HimoeError, match="too few"):
            make.make_splits(protocol, trials, settings)


def test_a_causal_ablation_is_known_by_its_value_not_by_its_spelling():
    raw = {"training": {"readout": "ridge"}, "ablations": {"a": {"causal": "no"}}}
    assert isinstance(load_config(raw), Config)
    with pytest.raises(HimoeError, match="which is not causal"):
        load_config(raw | {"ablations": {"a": {"causal": "yes"}}})


def test_windows_of_a_trial_are_counted_as_they_are_cut():
    from himoe.config.feasibility import _windows_per_trial
    from himoe.data.views import cut

    config = Config(datasets=["deap_twin"], splits={"window_seconds": 2.0}, twin={"subjects": 6, "trials": 2, "seconds": 12.4})
    tokens = make_tokens(1, 1, n_tokens("deap_twin", 12.4))
    assert _windows_per_trial(config, "deap_twin") == len(cut(tokens, 2.0).trials)
    assert np.diff(tokens.offsets).tolist() == [21]
