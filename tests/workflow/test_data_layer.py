"""What a change of data or of a setting makes anew, and nothing else; downloads through the workflow."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from threading import Thread

import pandas as pd
import pytest
import yaml

from himoe.data.twins import synthesize
from himoe.types import Size
from tests.conftest import ROOT
from tests.faults.test_fetch import PASSWORD, USER, Quiet, Server
from tests.workflow.runs import checkout, snakemake

SETS = ("deap_twin", "dreamer_twin", "case_twin")
RUN = {
    "datasets": list(SETS), "models": ["train_mean"], "conditions": {}, "splits": {"n_folds": 2},
    "twin": {"subjects": 6, "trials": 3, "seconds": 12},
}  # fmt: skip
CARDS = [f"results/{d}/card.json" for d in SETS]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = checkout(tmp_path_factory.mktemp("data"))
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


def test_a_replaced_recording_concerns_its_subject_alone(tmp_path):
    folder = checkout(tmp_path)
    subjects, data = tuple(f"s{i:02d}" for i in range(1, 33)), folder / "data/deap"
    synthesize("deap", data, Size(subjects[:1], 40, 60.0), "python", 1.0, 0)
    for subject in subjects[1:]:
        (data / f"{subject}.dat").symlink_to(data / "s01.dat")
    (folder / "run.yaml").write_text(yaml.safe_dump({"datasets": ["deap"], "models": ["train_mean"], "conditions": {}}))
    targets = ["results/deap/manifest.json", *(f"results/deap/subjects/{s}.npz" for s in ("s05", "s06"))]
    done = snakemake(folder, *targets, "--configfile", "run.yaml")
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(yaml.safe_load((data / "manifest.json").read_text())) == 32
    (data / "s05.dat").unlink()
    shutil.copy(data / "s01.dat", data / "s05.dat")
    os.utime(data / "s05.dat", (1.3e9, 1.3e9))  # a copy that keeps an old time of change
    planned = snakemake(folder, "-n", *targets, "--configfile", "run.yaml")
    text = planned.stdout + planned.stderr
    assert re.search(r"^clean_subject +1$", text, re.M)
    assert re.search(r"^prepare_subject +1$", text, re.M)
    assert "subject=s06" not in text


def test_every_kind_of_label_reaches_the_scores(tmp_path):
    """Ragged per-token sets, one with late annotators (tokens without a label), through all five models."""
    folder = checkout(tmp_path)
    run = {
        "datasets": ["case_twin", "esports_twin"], "annotator_lag": {"case_twin": 2.0}, "splits": {"n_folds": 2},
        "twin": {"subjects": 6, "trials": 4, "seconds": 30, "snr": 1.0}, "training": {"epochs": 2, "crop_seconds": 12},
        "model_options": {"himoe": {"width": 16, "max_lag": 2}, "late_fusion": {"width": 16}},
        "conditions": {"missing_rate": [0, 0.5], "shift": [0, 2]}, "statistics": {"n_bootstrap": 500},
    }  # fmt: skip
    (folder / "run.yaml").write_text(yaml.safe_dump(run))
    done = snakemake(folder, "--configfile", "run.yaml")
    assert done.returncode == 0, done.stderr[-4000:]
    scores = pd.read_csv(folder / "results/scores.csv")
    assert not scores.isna().any().any()
    assert set(scores["model"]) == {"train_mean", "stimulus_mean", "ridge", "late_fusion", "himoe"}
    predictions = pd.read_parquet(next((folder / "results").glob("case_twin/*/ridge/*/*/predictions.parquet")))
    assert predictions["y_true"].notna().all()


class Owner(Server):
    """A server that wants a user name and hands out one archive."""

    archive = b""

    def do_GET(self):
        import base64

        header = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") == header:
            self.answer(self.archive)
        else:
            self.answer(b"no", 401)


def _with_package(folder, run):
    """A checkout with a copy of the package in it, and its config."""
    folder.mkdir(exist_ok=True)
    checkout(folder)
    shutil.copytree(ROOT / "himoe", folder / "himoe", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "run.yaml").write_text(yaml.safe_dump(run))


def test_rewording_what_is_known_of_a_data_set_prepares_nothing_again(tmp_path):
    _with_package(tmp_path, RUN | {"datasets": ["dreamer_twin"]})
    done = _run(tmp_path, target="results/dreamer_twin/card.json")
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
    due = _run(tmp_path, "-n", target="results/dreamer_twin/card.json")
    assert re.findall(r"^(?:local)?rule (\w+):", due.stdout + due.stderr, re.M) == ["describe_dataset"]
    plugin.write_text(text.replace("EEG_SFREQ, ECG_SFREQ = 128.0", "EEG_SFREQ, ECG_SFREQ = 64.0"))
    due = _run(tmp_path, "-n", target="results/dreamer_twin/card.json")
    assert "synthesize_twin" in due.stdout + due.stderr


def _with_downloads(folder, port):
    """The same, in which the open recordings come from a server of ours that wants credentials."""
    _with_package(folder, {"datasets": ["esports"], "models": ["train_mean"], "conditions": {}, "download": True})
    plugin = folder / "himoe/datasets/esports.py"
    text = plugin.read_text()
    source = f'Download("csv", "http://127.0.0.1:{port}/x.zip", "matches.zip", "", (), ("DEAP_USER", "DEAP_PASSWORD"))'
    assert '    folder="esports_sensors",\n' in text
    text = text.replace('    folder="esports_sensors",\n', f'    folder="esports_sensors",\n    downloads=({source},),\n')
    plugin.write_text(text.replace("import DatasetInfo, Edition", "import DatasetInfo, Download, Edition"))


def _run(folder, *arguments, target="results/esports/card.json", **credentials):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DEAP_", "PYTEST_", "PYTHONPATH"))} | credentials
    command = [sys.executable, "-m", "snakemake", "--cores", "2", target, "--configfile", "run.yaml", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, timeout=300)


def _replace_one_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_download_runs_once_and_its_credentials_are_found_nowhere(tmp_path):
    source, folder = tmp_path / "source", tmp_path / "run"
    synthesize(
        "esports", source, Size(tuple(f"{t}-{i}" for t in ("amateurs", "pros") for i in range(1, 5)), 2, 60.0), "csv", 1.0, 0
    )
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in source.rglob("*.*"):
            zipped.write(path, f"eSports_Sensors_Dataset-main/{path.relative_to(source)}")
    Owner.archive = (tmp_path / "all.zip").read_bytes()
    server = Quiet(("127.0.0.1", 0), Owner)
    Thread(target=server.serve_forever, daemon=True).start()
    _with_downloads(folder, server.server_address[1])
    try:
        without = _run(folder)
        assert without.returncode != 0
        assert "set the environment variable DEAP_USER to download it" in without.stdout + without.stderr
        wrong = _run(folder, DEAP_USER=USER, DEAP_PASSWORD="wr0ng-word")
        assert wrong.returncode != 0
        assert "himoe: http://127.0.0.1" in wrong.stderr
        assert "access refused (401); check DEAP_USER and DEAP_PASSWORD" in wrong.stderr
        assert "Traceback" not in wrong.stderr
        assert not list((folder / "data/esports").glob("*.zip"))
        done = _run(folder, DEAP_USER=USER, DEAP_PASSWORD=PASSWORD)
        assert done.returncode == 0, done.stderr[-3000:]
    finally:
        server.shutdown()
        server.server_close()
    again = _run(folder)  # the server is gone and so are the credentials
    assert again.returncode == 0, again.stderr[-3000:]
    assert "Nothing to be done" in again.stdout + again.stderr
    _replace_one_byte(folder / "data/esports/matches.zip")
    changed = _run(folder)
    assert changed.returncode != 0
    assert "matches.zip: differs from when it was first seen" in changed.stderr
    for text in (done.stdout + done.stderr, wrong.stdout + wrong.stderr):
        assert PASSWORD not in text
        assert "wr0ng-word" not in text
    for path in (p for p in folder.rglob("*") if p.is_file()):
        content = path.read_bytes()
        assert PASSWORD.encode() not in content, path
        assert b"wr0ng-word" not in content, path
