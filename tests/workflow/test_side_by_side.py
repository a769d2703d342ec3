"""config/README's recipe for two runs side by side, followed to the letter: what they share is made once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from himoe import io
from tests.conftest import ROOT
from tests.workflow.runs import checkout

pytestmark = pytest.mark.slow(60)
RUN = {
    "datasets": ["dreamer_twin"], "twin": {"subjects": 6, "trials": 2, "seconds": 16}, "models": ["train_mean"],
    "conditions": {}, "splits": {"n_folds": 2}, "figures": [], "tables": ["main", "data_card"],
}  # fmt: skip
RECIPE = re.compile(r"^```bash\n(snakemake .*? --directory runs/a .*?)^```$", re.M | re.S)
COMMON = {"synthesize_twin", "take_in", "clean_subject", "prepare_subject", "make_splits", "describe_dataset"}


@pytest.fixture(scope="module")
def side_by_side(tmp_path_factory):
    """A checkout in which the recipe was followed, the last command as a dry run: its folder, and what that would do."""
    folder = checkout(tmp_path_factory.mktemp("side_by_side"))
    (folder / "config/a.yaml").write_text(yaml.safe_dump(RUN))
    (folder / "config/b.yaml").write_text(yaml.safe_dump(RUN | {"models": ["train_mean", "ridge"]}))
    (commands,) = RECIPE.findall((ROOT / "config/README.md").read_text())
    first, copy, second = commands.splitlines()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for command in (first, copy, f"{second} --dry-run"):
        done = subprocess.run(
            command, shell=True, cwd=folder, capture_output=True, text=True, env=os.environ | {"PATH": path}, timeout=1800
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return folder, done.stdout + done.stderr


def test_the_second_run_makes_only_what_differs(side_by_side):
    """Ridge is fitted, and what speaks of all models is made again; nothing is cleaned, and train_mean is not fitted again."""
    _, said = side_by_side
    stats = re.search(r"^Job stats:\n(.*?)^total", said, re.M | re.S)
    jobs = {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", stats[1], re.M)}
    assert (jobs["fit_model"], jobs["predict"], jobs["render_report"]) == (1, 1, 1)
    assert not COMMON & set(jobs)


def test_each_has_results_of_its_own(side_by_side):
    folder, _ = side_by_side
    assert not (folder / "results").exists()
    assert (folder / "runs/a/results/report.html").is_file()
    card = io.read_json(folder / "runs/a/results/dreamer_twin/card.json")
    assert card["trial_seconds"] == {"min": 16, "median": 16, "max": 16}
    assert card["people_per_stimulus"] == {"min": 6, "median": 6, "max": 6, "shared": 2}
