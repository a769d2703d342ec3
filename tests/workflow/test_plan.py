"""The plan says what Snakemake would do, and nothing of what it does not know."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
import yaml

from himoe import io
from himoe.__main__ import main
from himoe.commands import estimate, plan
from himoe.config.load import load_config
from tests.conftest import ROOT
from tests.workflow.runs import checkout, snakemake

RUN = {
    "datasets": ["planted-base"], "planted": {"base": {"subjects": 6, "trials": 4, "seconds": 16}}, "conditions": {},
    "models": ["train_mean", "ridge"], "splits": {"n_folds": 2}, "figures": [], "tables": ["main"],
}  # fmt: skip
FIT = "results/planted-base/subject_kfold/train_mean/seed-0/shard-0/run.json"


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A run of which one fit is done."""
    folder = checkout(tmp_path_factory.mktemp("plan"))
    (folder / "run.yaml").write_text(yaml.safe_dump(RUN))
    done = snakemake(folder, FIT, "--configfile", "run.yaml")
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def planned(folder, capsys, monkeypatch, *arguments):
    monkeypatch.chdir(folder)
    status = main(["plan", *arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def rows(text):
    return {m[1]: tuple(map(int, m.groups()[1:])) for m in re.finditer(r"^(\w+) +(\d+) +(\d+) +(\d+)\s*$", text, re.M)}


def test_the_plan_counts_as_snakemake_does_and_changes_nothing(begun, capsys, monkeypatch):
    dry = snakemake(begun, "-n", "--configfile", "run.yaml")
    before = {p: p.stat().st_mtime_ns for p in (begun / "results").rglob("*")}
    status, text, _ = planned(begun, capsys, monkeypatch, "--configfile", "run.yaml")
    assert status == 0
    counted = rows(text)
    # simulation and splits are shared; train_mean is fitted, ridge is not
    assert counted["make_splits"] == (1, 1, 0)
    assert counted["fit_model"] == (2, 1, 1)
    assert counted["predict"] == (2, 0, 2)
    for rule, (whole, done, left) in counted.items():
        assert whole == done + left
        assert left == int((re.search(rf"^{rule} +(\d+)", dry.stdout + dry.stderr, re.M) or [0, 0])[1])
    assert "fits: 2, of which 1 are done" in text
    assert "planted-base  subject_kfold  new people      2" in text
    assert "no estimate: none of these fits was made with these settings before" in text  # of ridge
    assert {p: p.stat().st_mtime_ns for p in (begun / "results").rglob("*")} == before  # nothing was run


def test_time_is_that_of_earlier_fits(begun, capsys, monkeypatch):
    record = json.loads((begun / FIT).read_text())
    io.write_json(begun / FIT, record | {"wall_seconds": 60.0}, sealed=True)
    _, text, _ = planned(begun, capsys, monkeypatch, "--configfile", "run.yaml", "--config", "seeds=[0,1,2]", "--cores", "2")
    io.write_json(begun / FIT, record, sealed=True)
    # two more seeds of train_mean, 60 s each, side by side; of ridge's three fits nothing is known
    (line,) = [line for line in text.splitlines() if line.startswith("time: ")]
    assert line.startswith("time: about 60 s on 2 core(s) for 2 fits, by run.json of earlier ones: ")
    assert line.endswith(" of CPU; and 3 fits that no earlier one resembles; fits alone")
    assert "; a fit and its predictions " in text


def test_time_goes_with_the_folds_and_roughly_with_people_and_epochs():
    both = {"datasets": ["deap_twin", "dreamer_twin"], "planted": {}, "twin": {"subjects": 6, "trials": 2, "seconds": 10}}
    config = load_config(RUN | both | {"splits": {"n_folds": 6}})
    spec = config.fit_spec("deap_twin", "subject_kfold", "ridge", 0, 0).model_dump(mode="json")
    record = spec | {"wall_seconds": 40.0, "cpu_seconds": 30.0, "device": "cpu", "folds": {"0": {}, "1": {}}}
    fit = {"dataset": "deap_twin", "protocol": "subject_kfold", "model": "ridge", "seed": "0", "shard": "0"}
    on_gpu = record | {"device": "cuda", "wall_seconds": 4.0, "cpu_seconds": 5.0}
    assert estimate.cost_of(fit, config, [record]) == (120, 90, 0, False, 1)  # 2 of 6 folds took 40 s
    assert estimate.cost_of(fit, config, [on_gpu]) == (12, 15, 12, False, 1)
    assert estimate.cost_of(fit, config, [record, on_gpu]) == (12, 15, 12, False, 1)  # not their mean
    cpu = load_config(RUN | both | {"splits": {"n_folds": 6}, "execution": {"device": "cpu"}})
    assert estimate.cost_of(fit, cpu, [record, on_gpu]) == (120, 90, 0, False, 1)
    assert estimate.cost_of(fit, cpu, [on_gpu]) is None
    on_dreamer = estimate.cost_of(fit | {"dataset": "dreamer_twin"}, config, [record])
    assert on_dreamer == (120, 90, 0, True, 1)  # as many seconds of trials
    longer = spec["training"] | {"epochs": 3 * spec["training"]["epochs"]}
    assert estimate.cost_of(fit, config, [record | {"training": longer}]) == (40, 30, 0, True, 1)
    assert estimate.cost_of(fit, config, [record | {"options": {"penalties": [1]}}]) is None
    assert estimate.cost_of(fit, config, []) is None


def test_at_most_is_as_if_no_fit_stopped_early():
    """Of 20 epochs with a patience of 5: two configurations, the best epochs 3 and 18, ran 8 and 20; a refit of 18 more: 46 of
    60 that there could have been. A fold that failed in its first epoch says nothing."""
    tried = [{"best_epoch": 3}, {"best_epoch": 18}]
    fold = {"tried": tried, "history": [{}] * 20, "best_epoch": 18}
    record = {"training": {"epochs": 20, "patience": 5, "refit": True}, "folds": {"0": fold, "1": {"tried": [], "history": []}}}
    assert estimate.most(record) == 60 / 46
    record["training"]["refit"] = False
    assert estimate.most(record) == 40 / 28
    assert estimate.most(record | {"folds": {"0": {"tried": [{"valid_ccc": 0.1}], "history": []}}}) == 1  # an estimator


def test_hours_at_most_stand_beside_those_that_are_likely(tmp_path, monkeypatch):
    """A fit of two folds took 3,600 s, 10 epochs of 40 each: two seeds more take two hours of CPU, eight at most."""
    config = load_config(RUN | {"datasets": ["deap_twin"], "planted": {}, "models": ["himoe"], "splits": {"n_folds": 2}})
    spec = config.fit_spec("deap_twin", "subject_kfold", "himoe", 0, 0).model_dump(mode="json")
    epochs = spec["training"]["epochs"]
    fold = {"tried": [{"best_epoch": epochs // 4 - spec["training"]["patience"]}], "history": [{}]}
    record = spec | {"wall_seconds": 3600.0, "cpu_seconds": 3600.0, "device": "cuda", "folds": {"0": fold, "1": fold}}
    monkeypatch.setattr(estimate, "recorded", lambda: {"himoe": [record]})
    fits = [{"dataset": "deap_twin", "protocol": "subject_kfold", "model": "himoe", "seed": s, "shard": "0"} for s in "12"]
    said = estimate.time_left(fits, config, 1)
    assert "2.0 h of CPU, 2.0 h of GPU; were none to stop early, 8.0 h of CPU, 8.0 h of GPU" in said


def test_fits_that_are_out_of_date_are_counted_apart(begun, monkeypatch):
    monkeypatch.chdir(begun)
    names = {"dataset": "planted-base", "protocol": "subject_kfold", "model": "train_mean", "seed": "0", "shard": "0"}
    jobs = plan.Jobs({"fit_model": 4}, {"fit_model": 2}, [names, names | {"model": "ridge"}])
    said = "4, of which 2 are done; 1 of the others are there, but of other code, settings or data"
    assert plan.state_of_fits(jobs) == said
    assert plan.state_of_fits(plan.Jobs({}, {}, [])) == "0, of which 0 are done"


def test_disk_is_a_number_a_sample():
    # DREAMER's twin: 6 people, 2 trials of 10 s, EEG 14 x 128 Hz and ECG 2 x 256 Hz, four bytes each
    config = load_config({"datasets": ["dreamer_twin"], "twin": {"subjects": 6, "trials": 2, "seconds": 10}})
    assert estimate.recordings_bytes(config, "dreamer_twin") == 6 * 2 * 10 * (14 * 128 + 2 * 256) * 4
    assert estimate.recordings_bytes(load_config({"datasets": ["esports"], "conditions": {}}), "esports") is None


def test_an_untouched_folder_has_no_estimate(tmp_path, capsys, monkeypatch):
    folder = checkout(tmp_path)
    status, text, _ = planned(folder, capsys, monkeypatch)
    assert status == 0
    assert "time: no estimate: nothing was fitted yet" in text
    assert rows(text)["fit_model"][1] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--config", "modles=[ridge]"], "modles: unknown key; did you mean 'models'?"),
        (["--config", "datasets=[deap]"], "the run would not start: data set 'DEAP': nothing of it in data/deap/"),
        (["--configfile", "absent.yaml"], "absent.yaml: not readable as a config file"),
        (["--config", "x"], "--config: "),
        (["--config", "training.epochs=3"], "(a key of a section: training='{epochs: 3}')"),
    ],
)
def test_what_is_wrong_is_one_line(begun, capsys, monkeypatch, arguments, said):
    status, _, text = planned(begun, capsys, monkeypatch, *arguments)
    assert status == 1
    assert said in text
    assert len(text.splitlines()) == 1


def test_without_a_snakefile_it_says_where_it_belongs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(plan.HimoeError, match="no Snakefile here"):
        plan.read_config([], [])


@pytest.mark.parametrize("command", ["", "doctor", "plan", "verify-data"])
def test_help_has_examples(command):
    call = [sys.executable, "-m", "himoe", *filter(None, [command]), "--help"]
    done = subprocess.run(call, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0
    assert f"python -m himoe {command} " in done.stdout if command else "verify-data" in done.stdout
