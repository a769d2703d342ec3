"""The picture of the workflow in the docs shows the rules as they are."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT
from tests.workflow.runs import checkout, snakemake

pytestmark = pytest.mark.slow(5)


def arrows(mermaid: str) -> set[tuple[str, str]]:
    """(rule, rule that reads what it makes), by name."""
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", mermaid))
    return {(names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", mermaid)}


def test_the_picture_shows_every_rule_and_arrow(tmp_path):
    done = snakemake(checkout(tmp_path), "--rulegraph", "mermaid-js")
    assert done.returncode == 0, done.stderr[-2000:]
    drawn = arrows((ROOT / "docs/explanation/workflow.md").read_text())
    assert ("fit_model", "predict") in drawn
    assert drawn == arrows(done.stdout), "make picture"
