"""Every message that docs/howto/troubleshooting.md quotes is one that the code still prints."""

from __future__ import annotations

import ast
import errno
import os
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import snakemake
import torch

from himoe.config.facts import dataset_info
from himoe.config.load import load_config
from himoe.config.run import Config
from himoe.config.sections import Execution, Training
from himoe.data import download, intake, sources
from himoe.data.tokens import write_tokens
from himoe.data.untrusted import extract, read_numpy_pickle
from himoe.datasets import deap
from himoe.evaluate import audit
from himoe.splits import guards
from himoe.train import devices
from himoe.types import HimoeError, Split
from tests.conftest import ROOT, make_tokens

QUOTED = re.findall(r"^```text\n(.*?)\n```$", (ROOT / "docs/howto/troubleshooting.md").read_text(), re.M | re.S)
FIXED = 12  # letters of its own that a string of the code must have to count
DEAP, FOLDER = dataset_info("deap"), Path("data/deap")
PYTHON = sources.Recordings(FOLDER, DEAP.editions[0], FOLDER)


@cache
def templates() -> list[tuple[list[str], re.Pattern]]:
    """Every string of the package and of Snakemake's own errors, with anything where a value is put in."""
    ours = [*(ROOT / "himoe").rglob("*.py"), *(ROOT / "workflow").rglob("*.py")]
    theirs = [Path(snakemake.__file__).parent / name for name in ("exceptions.py", "deployment/conda.py")]
    out = []
    for path in [*ours, *theirs]:
        for node in ast.walk(ast.parse(path.read_text())):
            words = _words(node)
            if words and sum(map(len, words)) >= FIXED:
                ends = ".+" if not words[-1] else ""
                pattern = "(?:.+?)".join(map(re.escape, words)).removesuffix("(?:.+?)") + ends
                out.append((words, re.compile(pattern, re.S)))
    return out


def _words(node: ast.AST) -> list[str]:
    """The fixed words of a string around each value, which may be put in by f"", % or format."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    fixed = (p.value if isinstance(p, ast.Constant) and isinstance(p.value, str) else "{}" for p in parts)
    return re.split(r"\{\}|%[sd]", "".join(fixed)) if isinstance(node, (ast.JoinedStr, ast.Constant)) else []


@pytest.mark.parametrize("message", QUOTED, ids=lambda m: m[:40])
def test_the_words_of_a_message_stand_in_the_code(message):
    known = np.zeros(len(message), bool)
    for words, template in templates():
        for found in template.finditer(message) if all(word in message for word in words) else ():
            known[slice(*found.span())] = True
    assert known.mean() > 0.8, f"not in the code: {''.join(c for c, k in zip(message, known, strict=True) if not k)}"


def test_words_that_nobody_says_are_found():
    with pytest.raises(AssertionError, match="not in the code"):
        test_the_words_of_a_message_stand_in_the_code(
            "data/deap/s02.dat: is broken in a way that no code knows; buy another one"
        )


def missing_data(monkeypatch):
    sources.find(FOLDER, DEAP)


def no_credentials(monkeypatch):
    monkeypatch.delenv("DEAP_USER", raising=False)
    sources.find(FOLDER, DEAP, download=True)


def absent_subject(monkeypatch):
    intake.find_record("deap", PYTHON, Config().size("deap"), "s02", False)


def truncated(monkeypatch):
    deap.write_python2_pickle(FOLDER / "s02.dat", {"labels": np.ones((4, 4)), "data": np.zeros((4, 40, 10))})
    (FOLDER / "s02.dat").write_bytes((FOLDER / "s02.dat").read_bytes()[:-500])
    read_numpy_pickle(FOLDER / "s02.dat")


def login_page(monkeypatch):
    (FOLDER / "data_preprocessed_python.zip").write_text("<!DOCTYPE html><title>Sign in</title>")
    extract(FOLDER / "data_preprocessed_python.zip", Path("unpacked"), ("*.dat",))


def login_page_downloaded(monkeypatch):
    raise HimoeError(download.Downloader(DEAP.downloads[0]).web_page())  # tests/faults/test_fetch.py has the server


def another_file(monkeypatch):
    (FOLDER / "s02.dat").write_text("x")
    (FOLDER / intake.TRUSTED).write_text('{"s02.dat": {"bytes": 1, "sha256": "0"}}')
    _, wrong = intake.compare(PYTHON, {"s02.dat": {"bytes": 1, "sha256": "1"}})
    raise HimoeError(wrong["s02.dat"])


def leakage(monkeypatch):
    guards.check_split(Split(0, {("s01", "v01"): "a"}, {("s02", "v01"): "b"}, {("s03", "v02"): "a"}), "loso")


def full_disk(monkeypatch):
    def fsync(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    write_tokens("results/deap/subjects/s01.npz", make_tokens(1, 1))


def no_gpu(monkeypatch, device="cuda", given=""):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch, "__version__", "2.13.0+cpu")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    devices.settle(Training(), Execution(device=device))


def old_torch(monkeypatch):
    monkeypatch.setattr(torch, "__version__", "2.8.0")
    devices.settle(Training(), Execution())


def useless_gpu(monkeypatch):
    no_gpu(monkeypatch, "auto", "0")


PROVOKED = {
    "config: training.epoch": lambda _: load_config({"training": {"epoch": 3}}),
    "config: models: there is no": lambda _: load_config({"models": ["rigde"]}),
    "config: datasets: real": lambda _: load_config({"datasets": ["deap", "dreamer_twin"]}),
    "data set 'DEAP': nothing": missing_data, "data set 'DEAP': set the": no_credentials,
    "data/deap: DEAP, edition": absent_subject, "data/deap/s02.dat: refused": truncated,
    "data/deap/data_preprocessed_python.zip": login_page, "https://": login_page_downloaded,
    "data/deap/s02.dat: differs": another_file, "loso fold 0": leakage, "results/deap/subjects": full_disk,
    "execution.device": no_gpu, "this job was given": useless_gpu,
    "torch 2.8.0 is": old_torch,
}  # fmt: skip


@pytest.mark.parametrize("begins", PROVOKED)
def test_provoked_the_message_is_the_one_that_is_quoted(begins, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    FOLDER.mkdir(parents=True)
    (quoted,) = [message for message in QUOTED if message.startswith(begins)]
    with pytest.raises(HimoeError) as raised:
        PROVOKED[begins](monkeypatch)
    assert str(raised.value) == quoted


def test_what_is_refused_by_the_audit_reads_as_quoted():
    (quoted,) = [m for m in QUOTED if ": copies: " in m]
    tokens = make_tokens(3, 2)
    for what in (tokens.x, tokens.mask):  # s2's first trial is s0's
        what[tokens.offsets[4] : tokens.offsets[5]] = what[: tokens.offsets[1]]
    first, second, third = ({(t.subject, t.trial): t.digest} for t in (tokens.trials[i] for i in (0, 2, 4)))
    finding = audit.no_copies(tokens, [Split(0, first, second, third)])
    assert finding.verdict == audit.REFUSED
    said, as_quoted = (re.sub(r"s\d+ [vt]\d+|\d\.\d+", "_", m) for m in (f"copies: {finding.evidence}", quoted))
    assert as_quoted.endswith(said)


def test_every_entry_quotes_or_says_how_it_looks():
    for entry in re.split(r"^### ", (ROOT / "docs/howto/troubleshooting.md").read_text(), flags=re.M)[1:]:
        assert "```text" in entry or "```console" in entry or "traceback" in entry, entry.splitlines()[0]
