"""The standing table: every entry is collected, the quick ones hold, and one that does not makes the bench fail."""

from __future__ import annotations

import ast
import contextlib
import os
from pathlib import Path

import pytest

from tests.faults import __main__ as bench
from tests.faults import table
from tests.faults.table.record import FAULTS, SECONDS, Fault, refused, tried

ALL = table.collect(examples=3)
QUICK = [f for f in ALL if f.seconds <= SECONDS and f.family != "at random"]
FAMILIES = list(dict.fromkeys(f.family for f in QUICK))


def test_every_entry_is_collected():
    """Each file of the folder adds some, each decorated function is one, no name stands twice in a family."""
    folder = Path(table.__file__).parent
    decorated = 0
    for path in folder.glob("[a-z]*.py"):
        functions = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]
        decorated += sum(
            any(isinstance(d, ast.Call) and getattr(d.func, "id", "") == "fault" for d in f.decorator_list) for f in functions
        )
    names = [f"{f.family}: {f.name}" for f in ALL]
    assert sum(f.attempt.__class__.__name__ == "function" and f.attempt.__name__ == "_" for f in FAULTS) == decorated > 10
    assert len(set(names)) == len(names) > 400
    assert {f.family for f in FAULTS} | {"at random"} == {f.family for f in ALL}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_quick_ones_are_handled(family, tmp_path):
    rows = [tried(f, tmp_path / str(number)) for number, f in enumerate(QUICK) if f.family == family]
    assert not [(row.fault.name, row.seen) for row in rows if row.handled is False]


def test_a_fault_that_is_not_handled_makes_the_bench_fail(tmp_path, monkeypatch, capsys):
    def taken(folder):
        return refused(lambda: "read it")

    faults = [Fault("f", "good", "one line", lambda folder: "as it should"), Fault("f", "bad | <b>", "one line", taken)]
    monkeypatch.setattr(bench, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(bench, "collect", lambda examples: faults)
    assert bench.main([]) == 1
    text = (tmp_path / "page.md").read_text()
    assert "| **all** | 2 | 1 | 1 | 0 |" in text
    assert r"| bad \| &lt;b> | one line | **NOT HANDLED** AssertionError: taken: read it" in text
    assert "NOT HANDLED  f: bad | <b>: AssertionError: taken: read it" in capsys.readouterr().err
    monkeypatch.setattr(bench, "collect", lambda examples: faults[:1])
    assert bench.main([]) == 0
    monkeypatch.setattr(bench, "collect", lambda examples: [])
    assert bench.main([]) == 1  # an empty table has found nothing


@pytest.mark.parametrize(
    "attempt", [lambda folder: 1 / 0, lambda folder: refused(lambda: int("x"))], ids=["breaks", "traceback"]
)
def test_another_error_is_not_handled(tmp_path, attempt):
    assert tried(Fault("f", "x", "one line", attempt), tmp_path / "a").handled is False


def waits(folder):
    os.mkfifo(folder / "pipe")
    with contextlib.suppress(OSError):  # as a reader would
        return (folder / "pipe").read_text()


def works(folder):
    while True:
        pass


@pytest.mark.parametrize("attempt", [waits, works])
def test_one_that_takes_too_long_is_not_handled(tmp_path, attempt):
    row = tried(Fault("f", "x", "one line", attempt, 0.05), tmp_path / "a")
    assert row.handled is False
    assert "TooLong: more than 0.5 s" in row.seen


def test_one_that_takes_too_much_memory_is_not_handled(tmp_path):
    row = tried(Fault("f", "x", "one line", lambda folder: str(len(bytearray(b"x") * (1500 << 20)))), tmp_path / "a")
    assert row.handled is False
    assert "MB where 1024 are allowed" in row.seen


def test_the_page_is_that_of_this_table():
    """Its names, in its order: what was seen is written by ``make faults`` alone."""
    text = bench.PAGE.read_text()
    assert "NOT HANDLED" not in text
    rows = [f"| {bench.cell(f.name)} | {bench.cell(f.expected)} |" for f in ALL]
    assert not [row for row in rows if row not in text]
