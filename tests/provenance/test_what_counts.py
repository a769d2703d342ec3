"""What a fingerprint sees and what it does not, case by case."""

from __future__ import annotations

from pathlib import Path

import pytest

from himoe.provenance import fingerprint
from tests.provenance.package import current_fingerprint


def pair(package: Path, before: str, after: str, words: bool) -> tuple[str, str]:
    out = []
    for source in (before, after):
        (package / "a.py").write_text(source)
        out.append(current_fingerprint("himoe.a", words=words))
    return out[0], out[1]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"""Words."""\na = 1', '"""Other words."""\na = 1'),
        ("a = 1", '"""Words."""\na = 1'),
        ("def f():\n    return 1", 'def f():\n    """Words."""\n    return 1'),
        ("class E(Exception):\n    pass", 'class E(Exception):\n    """Words."""'),
        ("a = 1  # words", "# other words\na = 1"),
        ("a = f(1, 2)", "a = f(\n    1,\n    2,\n)"),
        ("a = 'x'", 'a = "x"'),
        ("a = 1", "if TYPE_CHECKING:\n    from himoe.b import c\na = 1"),
    ],
)
def test_what_does_not_run_never_counts(package, before, after):
    for words in (False, True):
        one, other = pair(package, before, after, words)
        assert one == other


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('raise E("x")', 'raise E("y")'),
        ('raise E(f"{a}: x")', 'raise E(f"{b} {c:g}: y")'),
        ('raise E("x")', 'raise E(f"{a}: x")'),
        ('raise E("x: " + ", ".join(a), 2) from e', 'raise E("y: " + "; ".join(a), 2) from e'),
        ('raise E("x %s" % f(a, "x"))', 'raise E("y %s" % f(a, "y"))'),
        ('raise E(hint="x")', 'raise E(hint="y")'),
        ('if a:\n    raise E("x")', 'if a:\n    raise E("y")'),
        ('log.info("x %s", a)', 'log.info("y %s", a)'),
        ('log.info(f"{a} x")', 'log.info(f"y {a:.3f}")'),
        ('logger.error("x" + a)', 'logger.error("y" + a)'),
        ('logging.warning("x" if a else "x")', 'logging.warning("y" if a else "z")'),
        ('warnings.warn("x", UserWarning, stacklevel=2)', 'warnings.warn("y", UserWarning, stacklevel=2)'),
        ('sys.stderr.write(f"{a}: x")', 'sys.stderr.write(f"y {a}")'),
        ('print("x", a)', 'print("y", a)'),
        ('a: int = setting(1, "x", "ours", ge=0)', 'a: int = setting(1, "y", "cited:z", ge=0)'),
        ('a: int = setting(1, description="x", source="s")', 'a: int = setting(1, description="y", source="t")'),
        ('a: Annotated[int, Field(ge=1, description="x")]', 'a: Annotated[int, Field(ge=1, description="y")]'),
        ('I = DatasetInfo(title="x", licence="x", folder="f")', 'I = DatasetInfo(title="y", licence="z", folder="f")'),
        ('I = DatasetInfo(citation="x", access="x")', 'I = DatasetInfo(citation="y", access="z")'),
        ('I = DatasetInfo(caveats=("x", "y"))', 'I = DatasetInfo(caveats=("z", "y", "x"))'),
        ('TITLE = "x"\nUNIT = "s"\nSECTION = "run"', 'TITLE = "y"\nUNIT = "ms"\nSECTION = "data"'),
    ],
)
def test_words_count_where_they_are_asked_for(package, before, after):
    one, other = pair(package, before, after, words=False)
    assert one == other
    one, other = pair(package, before, after, words=True)
    assert one != other


def test_how_a_model_is_drawn_counts_only_where_code_reads_it(package):
    """A colour or a place may be changed, added and taken away; where the code reads a name, its value counts."""
    drawn = 'COLOUR = ("#000000", "#ffffff")\nPLACE = 10\na = 1'
    for after in ('COLOUR = ("#111111", "#ffffff")\nPLACE = 20\na = 1', "a = 1"):
        one, other = pair(package, drawn, after, words=False)
        assert one == other
        one, other = pair(package, drawn, after, words=True)
        assert one != other
    one, other = pair(package, "PLACE = 10\na = PLACE", "PLACE = 20\na = PLACE", words=False)
    assert one != other


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('if a == "x":\n    raise E("t")', 'if a == "y":\n    raise E("t")'),
        ('if a:\n    raise E("t")', 'if not a:\n    raise E("t")'),
        ('if a:\n    raise E("t")', 'raise E("t")'),
        ('raise E("t")', 'raise F("t")'),
        ('raise E("t", 2)', 'raise E("t", 3)'),
        ('raise E("t", a=1)', 'raise E("t", b=1)'),
        ('raise E(b"x")', 'raise E(b"y")'),
        ('raise E("t")', 'raise E("t") from e'),
        ('raise E("t")', 'E("t")'),
        ('E("x")', 'E("y")'),
        ('log.info("t", f("x"))', 'log.info("t", f("y"))'),
        ('log.info(f"t {f(1)}")', 'log.info(f"t {f(2)}")'),
        ("log.info(f\"t {f('x')}\")", "log.info(f\"t {f('y')}\")"),
        ('log.info("t", a["x"])', 'log.info("t", a["y"])'),
        ('log.info("t" if a == "x" else "t")', 'log.info("t" if a == "y" else "t")'),
        ('log.info("t", a)', 'log.info("t", b)'),
        ('log.info("t")', 'log.error("t")'),
        ('log.addHandler("x")', 'log.addHandler("y")'),
        ('log = logging.getLogger("x")', 'log = logging.getLogger("y")'),
        ('np.log.info("x")', 'np.log.info("y")'),
        ('warnings.filterwarnings("x")', 'warnings.filterwarnings("y")'),
        ('stream.write("x")', 'stream.write("y")'),
        ('print("x", file=a)', 'print("y", file=a)'),
        ('a = setting("x", "t", "s")', 'a = setting("y", "t", "s")'),
        ('a = setting(1, "t", "s", ge=0)', 'a = setting(1, "t", "s", ge=1)'),
        ('a = setting(1, "t", "s", pattern="x")', 'a = setting(1, "t", "s", pattern="y")'),
        ('a: Literal["x"] = setting(1, "t", "s")', 'a: Literal["y"] = setting(1, "t", "s")'),
        ('evidence.setting(1, "x")', 'evidence.setting(1, "y")'),
        ('a: Annotated[str, Field(pattern="x")]', 'a: Annotated[str, Field(pattern="y")]'),
        ('I = DatasetInfo(title="t", folder="x")', 'I = DatasetInfo(title="t", folder="y")'),
        ('I = DatasetInfo(caveats=("t",), targets=("x",))', 'I = DatasetInfo(caveats=("t",), targets=("y",))'),
        ("I = DatasetInfo(licence=A)", "I = DatasetInfo(licence=B)"),
        ('I = Edition(title="x")', 'I = Edition(title="y")'),
        ('def f():\n    UNIT = "x"', 'def f():\n    UNIT = "y"'),
        ('NAME = TITLE = "x"', 'NAME = TITLE = "y"'),
        ("UNIT = 10.0", "UNIT = 11.0"),
        ('UNIT = {"x": 1}', 'UNIT = {"x": 2}'),
        ('HABIT_UNIT = "x"', 'HABIT_UNIT = "y"'),
        ('a = {"x": 1}', 'a = {"y": 1}'),
        ('a = b["x"]', 'a = b["y"]'),
        ('a = "x" in b', 'a = "y" in b'),
        ('a = f"x{b}"', 'a = f"y{b}"'),
        ('def f(a="x"):\n    return a', 'def f(a="y"):\n    return a'),
        ('def f(a: "x"):\n    return a', 'def f(a: "y"):\n    return a'),
        ("@cache\ndef f():\n    return 1", "def f():\n    return 1"),
        ("a = 1\nb = 2", "b = 2\na = 1"),
        ("a = 1", "a = 1.0"),
        ("a = 1", "a = True"),
        ("import x", "import y"),
        ("if TYPE_CHECKING:\n    a = 1\nelse:\n    a = 2", "if TYPE_CHECKING:\n    a = 1\nelse:\n    a = 3"),
        ("if not TYPE_CHECKING:\n    a = 1", "if not TYPE_CHECKING:\n    a = 2"),
    ],
)
def test_all_else_counts(package, before, after):
    for words in (False, True):
        one, other = pair(package, before, after, words)
        assert one != other


def test_edits_do_not_cancel(package):
    (package / "a.py").write_text("from himoe import b\na = 1\n")
    (package / "b.py").write_text("a = 2\n")
    before = current_fingerprint("himoe.a")
    (package / "a.py").write_text("from himoe import b\na = 2\n")
    (package / "b.py").write_text("a = 1\n")
    assert current_fingerprint("himoe.a") != before


def test_both_kinds_are_kept_apart_from_each_other(package):
    (package / "a.py").write_text('raise E("x")')
    wordless, words = fingerprint("himoe.a"), fingerprint("himoe.a", words=True)
    assert wordless != words
    assert (fingerprint("himoe.a", words=True), fingerprint("himoe.a")) == (words, wordless)
