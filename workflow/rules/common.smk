# Contract: checks the config before any job (CONFIG), looks for the recordings (SOURCES), and says which fits there are. Imports
# the ground of the package and himoe/config alone, and of himoe/data what looks at names of files and at nothing else.
import logging
import os
import re
import shlex
import shutil
import signal
import sys
import threading
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from himoe import registry
from himoe.config import cluster, facts, files
from himoe.config.claims import parse_claims
from himoe.config.code import (
    audit_code,
    dataset_code,
    fit_code,
    predict_code,
    script_code,
)
from himoe.config.contents import Entry, code_and_words, labels, possible
from himoe.config.load import load_config
from himoe.config.results import read_results
from himoe.config.studies import parse_studies
from himoe.config.time_left import watch
from himoe.config.transfer import tested_across
from himoe.data.sources import RunSources
from himoe.job import ShortLines
from himoe.provenance import environment
from himoe.types import HimoeError

logger.addFilter(ShortLines())
logging.raiseExceptions = False  # a line that its file cannot take (full disk, letters) is left out of it, and no traceback
if workflow.is_main_process:
    watch(logger)

# Scripts import the package of this checkout. Where Snakemake activates a conda environment it hides PYTHONPATH and hands on its
# own search path.
sys.path.append(str(registry.ROOT.parent))
os.environ.update(
    PYTHONPATH=os.pathsep.join(
        filter(None, [str(registry.ROOT.parent), os.getenv("PYTHONPATH")])
    )
)

# Snakemake 9.27 writes the path of its Python into shell lines as it is: in "My Documents", or "a (copy)", no job would start.
sys.executable = shlex.quote(sys.executable)

# A home that cannot be written: matplotlib would make its list of fonts anew in every job.
if not os.access(Path("~").expanduser(), os.W_OK):
    os.environ.setdefault("MPLCONFIGDIR", str(Path(".snakemake/matplotlib").resolve()))

# A scheduler's warning goes to every process of a job. It is meant for the fit, which writes its checkpoint and ends; were Snakemake,
# in between, to die of it, the scheduler would kill the fit before it has written.
if "SLURM_JOB_ID" in os.environ and (
    threading.current_thread() is threading.main_thread()
):
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)


wildcard_constraints:
    dataset="[A-Za-z0-9][A-Za-z0-9_.-]*",
    protocol="[a-z_]+",
    model="[A-Za-z0-9_-]+",
    seed="[0-9]+",
    shard="[0-9]+",
    subject="[A-Za-z0-9][A-Za-z0-9_.-]*",
    figure="[A-Za-z0-9_]+",
    other="[A-Za-z0-9][A-Za-z0-9_.-]*",
    table="[A-Za-z0-9_]+",


REPOSITORY = Path(os.path.relpath(registry.ROOT.parent))


def by_hand(name):
    """A file of config/ that is written by hand: of the folder that the run is made in, else (``--directory``) of the checkout."""
    path = Path("config") / name
    return str(path if path.exists() else REPOSITORY / path)


# What is wrong with a run is one line, before any job. Hypotheses are checked here and not when their tables are written.
try:
    files.check_place(registry.ROOT.parent, Path.cwd())
    files.check_writable(*map(Path, (".", ".snakemake", "results")))
    files.check_files([*workflow.configfiles, *workflow.overwrite_configfiles])
    CONFIG = load_config(config)
    SOURCES = RunSources(CONFIG)
    if CONFIG.compare:
        read_results(CONFIG.compare, REPOSITORY / "report/results.schema.json")
    if workflow.is_main_process:
        files.check_times("results", Path("results").glob("**/*"))
        for _dataset in CONFIG.recordings:
            files.check_times(SOURCES.root(_dataset), SOURCES.files(_dataset))
    for _table, _file, _parse in (
        ("claims", "claims.yaml", parse_claims),
        ("planted", "studies.yaml", parse_studies),
    ):
        if _table in CONFIG.tables:
            _parse(files.read_by_hand(by_hand(_file)))
except (HimoeError, OSError) as error:
    raise WorkflowError(f"himoe: {error}") from None


def subjects(dataset):
    """Subjects a data set is expected to have."""
    return CONFIG.size(dataset).subjects


def shards(dataset, protocol):
    """Numbers of the shards that together hold every fold."""
    return range(len(CONFIG.shard_sizes(dataset, protocol)))


# The folder of one shard's fit.
FIT = "results/{dataset}/{protocol}/{model}/seed-{seed}/shard-{shard}"


def fits(pattern, datasets=None, protocols=None, models=None):
    """``pattern`` for every fit of the run, or of some data sets, protocols and models."""
    return [
        pattern.format(dataset=d, protocol=p, model=m, seed=s, shard=i)
        for d in datasets or CONFIG.datasets
        for p in protocols or CONFIG.protocols
        for m in CONFIG.models_of(d, p)
        if models is None or m in models
        for s in CONFIG.seeds
        for i in shards(d, p)
    ]


def versions(*names):
    """Versions of what a rule's result depends on: an upgrade of torch is another fit. Where rules run in conda environments of
    their own, Snakemake itself notices a change of their files, and what is installed here says nothing.
    """
    deployed = {str(m).lower() for m in workflow.deployment_settings.deployment_method}
    if any("conda" in name for name in deployed):
        return {}
    found = environment()
    return {name: found[name] for name in ("python", "numpy", *names)}


def section(model, *without):
    """A section of the config as plain values, for ``params``: a rule gets only what it reads."""
    return model.model_dump(mode="json", exclude=set(without))
