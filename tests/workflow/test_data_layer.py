"""What a change of data or of a setting makes anew, and nothing else."""

from __future__ import annotations

import os
import re
import shutil

import pytest
import yaml

from tests.conftest import ROOT
from tests.workflow.runs import checkout, copied, run_by_itself, snakemake, with_package

pytestmark = pytest.mark.slow(45)
SETS = ("deap_twin", "dreamer_twin", "case_twin")
RUN = yaml.safe_load((ROOT / "config/config.yaml").read_text()) | {"datasets": list(SETS)}
CARDS = [f"results/{d}/card.json" for d in SETS]


@pytest.fixture(scope="module")
def prepared(default_run, tmp_path_factory):
    """The data of the default run, and one more data set."""
    folder = copied(default_run, tmp_path_factory.mktemp("data"))
    (folder / "run.yaml").write_text(yaml.safe_dump(RUN))
    done = snakemake(folder, *CARDS, "--configfile", "run.yaml")
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


def plan(folder, changes, *targets) -> dict[str, dict[str, int]]:
    """rule -> data set -> number of jobs that a changed config would run."""
    (folder / "changed.yaml").write_text(yaml.safe_dump(RUN | changes))
    done = snakemake(folder, "-n", *(targets or CARDS), "--configfile", "changed.yaml")
    assert done.returncode == 0, done.stderr[-2000:]
    out: dict[str, dict[str, int]] = {}
    for rule, wildcards in re.findall(r"^rule (\w+):.*?wildcards: ([^\n]*)", done.stdout + done.stderr, re.M | re.S):
        name = re.search(r"dataset=(\w+)", wildcards)[1]
        out.setdefault(rule, {}).setdefault(name, 0)
        out[rule][name] += 1
    return out


def test_nothing_changed_nothing_runs(prepared):
    assert plan(prepared, {}) == {}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"features": {"gsr": {"scr_amplitude": 0.05}}}, {"deap_twin": "prepare", "case_twin": "prepare"}),
        ({"features": {"eeg": {"filter": "window_local"}}}, {"deap_twin": "prepare", "dreamer_twin": "prepare"}),
        ({"features": {"quality": {"clipped_share": 0.2}}}, dict.fromkeys(SETS, "prepare")),
        ({"annotator_lag": {"case_twin": 2.0}}, {"case_twin": "prepare"}),
        ({"targets": {"deap_twin": ["liking"]}}, {"deap_twin": "prepare"}),
        ({"dataset_options": {"dreamer_twin": {"flip_dominance": True}}}, {"dreamer_twin": "clean"}),
        ({"editions": {"deap_twin": "matlab"}}, {"deap_twin": "synthesize"}),
    ],
    ids=lambda value: next(iter(value)),
)
def test_a_changed_setting_remakes_what_depends_on_it(prepared, changes, expected):
    made = plan(prepared, changes)
    assert made["prepare_subject"] == dict.fromkeys(expected, 6)
    assert made["describe_dataset"] == dict.fromkeys(expected, 1)
    assert made.get("clean_subject", {}) == {d: 6 for d, first in expected.items() if first != "prepare"}
    assert made.get("synthesize_twin", {}) == {d: 1 for d, first in expected.items() if first == "synthesize"}


def test_a_replaced_recording_concerns_its_subject_alone(deap_recordings, tmp_path):
    folder = checkout(tmp_path)
    data = copied(deap_recordings, folder / "data/deap")
    (folder / "run.yaml").write_text(yaml.safe_dump({"datasets": ["deap"], "models": ["train_mean"], "conditions": {}}))
    targets = ["results/deap/manifest.json", *(f"results/deap/subjects/{s}.npz" for s in ("s05", "s06"))]
    done = snakemake(folder, *targets, "--configfile", "run.yaml")
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(yaml.safe_load((data / "manifest.json").read_text())) == 32
    (data / "s05.dat").unlink()
    shutil.copy(data / "s01.dat", data / "s05.dat")
    os.utime(data / "s05.dat", (1.3e9, 1.3e9))  # a copy that keeps an old time of change
    plan = snakemake(folder, "-n", *targets, "--configfile", "run.yaml")
    text = plan.stdout + plan.stderr
    assert re.search(r"^clean_subject +1$", text, re.M)
    assert re.search(r"^prepare_subject +1$", text, re.M)
    assert "subject=s06" not in text


def test_rewording_what_is_known_of_a_data_set_prepares_nothing_again(long_data, tmp_path):
    with_package(copied(long_data, tmp_path))
    done = run_by_itself(tmp_path, "results/dreamer_twin/card.json")
    assert done.returncode == 0, done.stderr[-3000:]
    plugin = tmp_path / "himoe/datasets/dreamer.py"
    text = plugin.read_text()
    for old, new in (
        ("there is no skin conductance", "skin conductance was not recorded"), ('title="DREAMER"', 'title="The DREAMER set"'),
        ("end-user licence,", "licence for end users,"), ("IEEE JBHI 22(1), 2018", "JBHI 2018"),
        ("request DREAMER.mat", "ask for DREAMER.mat"),
    ):  # fmt: skip
        assert old in text
        text = text.replace(old, new)
    plugin.write_text(text)
    due = run_by_itself(tmp_path, "results/dreamer_twin/card.json", "-n")
    assert re.findall(r"^(?:local)?rule (\w+):", due.stdout + due.stderr, re.M) == ["describe_dataset"]
    plugin.write_text(text.replace("EEG_SFREQ, ECG_SFREQ = 128.0", "EEG_SFREQ, ECG_SFREQ = 64.0"))
    due = run_by_itself(tmp_path, "results/dreamer_twin/card.json", "-n")
    assert "synthesize_twin" in due.stdout + due.stderr
