"""Runs, data and tools that are made once for all files of this folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from himoe.data.twins import synthesize
from himoe.types import Size
from tests.conftest import stand_in
from tests.workflow import cluster, deployment
from tests.workflow.browser import Page, find_chromium
from tests.workflow.runs import LONG, checkout, made_once, prepared, snakemake


@pytest.fixture(scope="session")
def default_run(tmp_path_factory) -> Path:
    """The default run, finished, its data root somebody's home; ``printed.txt`` is what it printed."""

    def make(folder: Path) -> None:
        done = snakemake(checkout(folder), "--config", "data_root=home/of/somebody")
        assert done.returncode == 0, done.stderr[-4000:]
        (folder / "printed.txt").write_text(done.stdout + done.stderr)

    return made_once(tmp_path_factory, "default_run", make)


@pytest.fixture(scope="session")
def small_data(tmp_path_factory) -> Path:
    """A checkout in which the small run's DEAP twin is prepared."""
    return prepared(tmp_path_factory)


@pytest.fixture(scope="session")
def long_data(tmp_path_factory) -> Path:
    """A checkout in which all that comes before the long fit is made."""

    def make(folder: Path) -> None:
        (checkout(folder) / "run.yaml").write_text(yaml.safe_dump(LONG))
        done = snakemake(folder, "results/dreamer_twin/splits/subject_kfold.csv", "--configfile", "run.yaml")
        assert done.returncode == 0, done.stderr[-2000:]

    return made_once(tmp_path_factory, "long_data", make)


@pytest.fixture(scope="session")
def deap_recordings(tmp_path_factory) -> Path:
    """DEAP's 32 files at full size, as the twin's writer makes them: one, and 31 links to it."""

    def make(folder: Path) -> None:
        synthesize("deap", folder, Size(("s01",), 40, 60.0), "python", 1.0, 0)
        for i in range(2, 33):
            (folder / f"s{i:02d}.dat").symlink_to("s01.dat")

    return made_once(tmp_path_factory, "deap_recordings", make)


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    """Whether the cluster is our own to break; skips with the reason where there is none. A site's is used if asked for."""
    if cluster.answer("sinfo", "--noheader"):
        if not os.environ.get("HIMOE_TEST_CLUSTER"):
            pytest.skip("a SLURM answers that is not ours: set HIMOE_TEST_CLUSTER=1 to submit jobs to it")
        yield False
        return
    folder = tmp_path_factory.mktemp("slurm")
    if not cluster.bring_up(folder):
        pytest.skip(
            "no SLURM answers, and none can be brought up: that needs root, slurm-wlm, slurmdbd, mariadb-server, munge, no "
            "/etc/slurm/slurm.conf, and HIMOE_TOOLS set to a folder with slurm_up.sh and slurm_down.sh"
        )
    yield True
    down = ["bash", str(stand_in("slurm_down.sh")), str(folder)]
    subprocess.run(down, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def conda(tmp_path_factory) -> dict[str, str]:
    """Environment variables under which ``conda`` is found; skips with the reason where there is none."""
    if shutil.which("conda"):
        return {}
    if not (stand_in("mkconda.py") and stand_in("mkchannel.py")):
        pytest.skip("no conda here: set HIMOE_TOOLS to a folder with a stand-in for it (mkconda.py and mkchannel.py)")
    return deployment.build(tmp_path_factory.mktemp("conda"))


@pytest.fixture
def page(tmp_path):
    """A tab of headless Chromium; skips where there is none."""
    if not find_chromium():
        pytest.skip("no Chromium on this machine")
    with Page(tmp_path / "profile") as tab:
        yield tab
