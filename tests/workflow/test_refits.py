"""What an edit makes due: words nothing but what prints them, code what it is behind, ways of execution nothing at all."""

from __future__ import annotations

import re
import shutil
from collections import Counter

import pytest
import yaml

from tests.conftest import ROOT
from tests.workflow.runs import checkout, snakemake

pytestmark = pytest.mark.slow(90)
RUN = {
    "datasets": ["dreamer_twin"], "models": ["ridge", "late_fusion"], "conditions": {}, "splits": {"n_folds": 2},
    "twin": {"subjects": 6, "trials": 2, "seconds": 16}, "training": {"epochs": 1, "crop_seconds": 12},
    "model_options": {"late_fusion": {"width": 16, "match_parameters": False}},
    "figures": [], "tables": ["main", "register", "data_card"],
}  # fmt: skip
COMPUTED = {"prepare_subject", "make_splits", "fit_model", "predict", "audit_fits", "score_predictions"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run in a checkout that has a package of its own, to be edited."""
    folder = checkout(tmp_path_factory.mktemp("refits"))
    shutil.copytree(ROOT / "himoe", folder / "himoe", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "run.yaml").write_text(yaml.safe_dump(RUN))
    done = snakemake(folder, "--configfile", "run.yaml", env={"PYTHONPATH": str(folder)})
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def due(folder, config: str = "run.yaml") -> tuple[Counter, set[str]]:
    """(jobs by rule, models to be fitted) that a dry run would do; nothing downstream is counted twice."""
    done = snakemake(folder, "-n", "--configfile", config, env={"PYTHONPATH": str(folder)})
    assert done.returncode == 0, done.stderr[-3000:]
    output = done.stdout + done.stderr
    stats = re.search(r"^job +count\n[- ]+\n((?:\S+ +\d+\n)+)", output, re.M)
    rows = (line.split() for line in stats[1].splitlines()) if stats else ()
    fits = re.findall(r"^rule fit_model:\n(?:    .*\n)*?    wildcards: .*model=(\w+)", output, re.M)
    return Counter({rule: int(n) for rule, n in rows if rule not in ("all", "total")}), set(fits)


@pytest.fixture
def edit(finished):
    """Replace words in a file of the package; undone after the test."""
    kept = {}

    def replace(name, old, new):
        path = finished / "himoe" / name
        kept.setdefault(path, path.read_text())
        assert old in path.read_text(), f"{name} no longer holds {old!r}"
        path.write_text(path.read_text().replace(old, new))

    yield replace
    for path, text in kept.items():
        path.write_text(text)


def test_a_finished_run_has_nothing_to_do(finished):
    assert due(finished) == (Counter(), set())


def test_words_refit_nothing(finished, edit):
    """An error, a log line, a docstring, a comment, a setting's description and source, a data set's caveat: only what prints
    them is made again."""
    edit("train/loop.py", "resumed at epoch", "goes on at epoch")
    edit("splits/guards.py", "would be trained on test subject", "was about to be trained on test subject")
    edit("train/together.py", '"""The fit of some folds together.', '"""Some folds, fitted together.')
    edit("train/stack.py", "return losses.detach(), gradient", "return losses.detach(), gradient  # both on the device")
    edit("config/sections.py", '"crops per step", "ours"', '"crops of a step", "cited:nobody"')
    edit("datasets/dreamer.py", "caveats=(", 'caveats=("one more",')
    jobs, fits = due(finished)
    assert not COMPUTED & set(jobs)
    assert not fits
    assert jobs["describe_dataset"] == 1  # it prints the caveat
    assert jobs["write_table"] == 3
    assert jobs["render_report"] == 1


@pytest.mark.parametrize(
    ("name", "old", "new", "models"),
    [
        ("nn/losses.py", "1e-", "2e-", {"late_fusion"}), ("train/step.py", "WARM_UP = 0.05", "WARM_UP = 0.06", {"late_fusion"}),
        ("train/estimators.py", "== 1:", "== 2:", {"ridge"}), ("models/ridge.py", " - 1.0", " - 2.0", {"ridge"}),
        ("train/scaling.py", "> 1e-9", ">= 1e-9", {"ridge", "late_fusion"}),
    ],
    ids=lambda v: v if isinstance(v, str) and v.endswith(".py") else "",
)  # fmt: skip
def test_code_refits_what_it_is_behind(finished, edit, name, old, new, models):
    edit(name, old, new)
    jobs, fits = due(finished)
    assert fits == models
    assert jobs["fit_model"] == jobs["predict"] == len(models)
    assert "prepare_subject" not in jobs


def test_how_a_fit_is_executed_refits_nothing(finished):
    execution = {
        "threads": 2, "device": "cpu", "stack": 2, "capture": "off", "checkpoint_seconds": 5, "tensorboard": True,
        "folds_per_job": 2,
    }  # fmt: skip
    (finished / "other.yaml").write_text(yaml.safe_dump(RUN | {"execution": execution}))
    jobs, fits = due(finished, "other.yaml")
    assert not COMPUTED & set(jobs)
    assert not fits
    jobs, fits = due(finished, "run.yaml")
    assert not fits


def test_what_a_fit_is_refits_it(finished):
    (finished / "other.yaml").write_text(yaml.safe_dump(RUN | {"training": RUN["training"] | {"epochs": 2}}))
    assert due(finished, "other.yaml")[1] == {"late_fusion"}  # an estimator has no epochs
    (finished / "other.yaml").write_text(yaml.safe_dump(RUN | {"training": RUN["training"] | {"refit": True}}))
    assert due(finished, "other.yaml")[1] == {"ridge", "late_fusion"}
    (finished / "other.yaml").write_text(yaml.safe_dump(RUN | {"execution": {"folds_per_job": 1}}))
    assert due(finished, "other.yaml")[0]["fit_model"] == 4  # other shards, other folds
