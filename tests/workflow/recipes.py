"""CONTRIBUTING's recipes, read from its text."""

from __future__ import annotations

import re

from tests.conftest import ROOT

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def recipes() -> tuple[dict[str, str], list[str]]:
    """Path -> text of what CONTRIBUTING tells to write (blocks of one path follow one another), and its commands."""
    files: dict[str, str] = {}
    commands: list[str] = []
    for language, text in BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text()):
        if language == "bash":
            commands += text.splitlines()
            continue
        path = text.splitlines()[0].removeprefix("# ")
        assert re.fullmatch(r"(himoe/\w+/\w+\.py|config/\w+\.yaml)", path), f"the first line of a recipe is its path: {path}"
        files[path] = files.get(path, "") + text
    return files, commands


FILES, COMMANDS = recipes()
