"""A worker and what it is asked: a damaged file, and how the reader bore it."""

from __future__ import annotations

import json
import selectors
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.conftest import ROOT
from tests.faults.fuzz.mutations import Mutation
from tests.faults.fuzz.readers import READERS
from tests.faults.fuzz.worker import MOST_MB

MOST_SECONDS = 5.0


class Worker:
    """A process that reads files; one that dies or hangs is replaced."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """With everything imported; then memory is limited."""
        command = [sys.executable, "-m", "tests.faults.fuzz.worker"]
        self.process = subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout
        assert self.process.stdout.readline(), "the worker did not start"

    def ask(self, name: str, folder: Path, seconds: float = 60.0) -> dict[str, Any]:
        """Its answer; ``broken`` where none comes."""
        if self.process is None:
            self.start()
        assert self.process
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{name}\t{folder}\n")
        self.process.stdin.flush()
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.process.stdout, selectors.EVENT_READ)
            line = self.process.stdout.readline() if waiting.select(seconds) else ""
        if line:
            return json.loads(line)
        code = self.process.poll()
        self.close()
        return {"outcome": "broken", "text": f"no answer within {seconds} s" if code is None else f"it ended with {code}"}

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


class Bench:
    """One reader with its genuine files; :meth:`judge` is what hypothesis calls."""

    def __init__(self, name: str, folder: Path, worker: Worker):
        self.name, self.reader, self.worker, self.folder = name, READERS[name], worker, folder
        (folder / "genuine").mkdir(parents=True)
        self.reader.write(folder / "genuine")
        self.content = (folder / "genuine" / self.reader.file).read_bytes()
        self.value = self._ask(self.content)["value"]
        assert self.value, f"{name}: the genuine files are refused"

    def _ask(self, content: bytes) -> dict[str, Any]:
        at = self.folder / "damaged"
        shutil.rmtree(at, ignore_errors=True)
        shutil.copytree(self.folder / "genuine", at)
        (at / self.reader.file).write_bytes(content)
        return self.worker.ask(self.name, at)

    def judge(self, changes: list[tuple[Mutation, int]]) -> str:
        """What is wrong with how a changed file is taken; empty if nothing is."""
        content = self.content
        for change, seed in changes:
            content = change(content, np.random.default_rng(seed))
        said = self._ask(content)
        if said["outcome"] == "broken":
            return str(said["text"])
        if said["seconds"] > MOST_SECONDS or said["mb"] > MOST_MB:
            return f"{said['seconds']:.1f} s and {said['mb']:.0f} MB"
        if said["outcome"] == "refused":
            return "" if said["text"] and "\n" not in said["text"] else f"no one line: {said['text']!r}"
        if said["value"] == self.value:
            return ""
        if self.reader.sealed:
            return "a changed file was read"
        return str(said["text"])
