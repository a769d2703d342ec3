"""The two sides of a comparison, each in a process of its own with one thread: our code, and a peer's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

ONE_THREAD = {f"{n}_NUM_THREADS": "1" for n in ("OMP", "MKL", "OPENBLAS")}


def peer(*arguments) -> dict:
    """The peer's own figures; skips where there is none."""
    python = os.environ.get("HIMOE_PEER_PYTHON")
    if not python:
        pytest.skip("no peer: set HIMOE_PEER_PYTHON to the python of an environment with torcheeg 1.1.3")
    return _run(python, str(Path(__file__).parent / "peer.py"), *map(str, arguments))


def ours(code: str, *arguments) -> dict:
    """Figures of our own code in a process of its own; ``code`` prints a dict as JSON with ``done(**figures)``."""
    head = (
        "import json, sys, time\n"
        "from himoe.job import peak_mb\n"
        "def done(**figures):\n"
        "    print(json.dumps(figures | {'peak_mb': peak_mb()}))\n"
    )
    return _run(sys.executable, "-c", head + code, *map(str, arguments))


def _run(*command) -> dict:
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | ONE_THREAD, cwd=ROOT, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])
