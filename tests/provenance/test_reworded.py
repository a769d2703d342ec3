"""The real package, reworded by rule: only what prints the words has another fingerprint."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter

from himoe import provenance
from himoe.provenance import fingerprint, modules_behind
from tests.provenance.package import ALONE, COVERED, EVERY, PRINTERS, RULES, path_of, texts


def reword(source: str, *kinds: str) -> tuple[str, Counter]:
    """The file with `` reworded`` before the closing quote of every text of these kinds, and at the end of every comment."""
    found, count = texts(ast.parse(source)), Counter()
    lines = source.encode().splitlines(keepends=True)
    nodes = {(node.end_lineno, node.end_col_offset): kind for kind in kinds if kind != "comment" for node in found[kind]}
    for (line, column), kind in sorted(nodes.items(), reverse=True):
        before, after = lines[line - 1][:column], lines[line - 1][column:]
        quote = 3 if before.endswith((b'"""', b"'''")) else 1
        assert before[-quote:] in (b'"""', b"'''", b'"', b"'")
        lines[line - 1] = before[:-quote] + b" reworded" + before[-quote:] + after
        count[kind] += 1
    out = b"".join(lines).decode()
    if "comment" in kinds:
        rows = out.splitlines(keepends=True)
        for token in tokenize.generate_tokens(io.StringIO(out).readline):
            if token.type == tokenize.COMMENT:
                rows[token.end[0] - 1] = rows[token.end[0] - 1].rstrip("\n") + " reworded\n"
                count["comment"] += 1
        out = "".join(rows)
    return out, count


def seen(words: bool) -> tuple[dict[str, str], dict[tuple[str, ...], str]]:
    """Fingerprints of every module alone, and of what rules ask for."""
    provenance.hash_module.cache_clear()
    alone = {name: fingerprint(name, words=words, without=ALONE) for name in EVERY}
    return alone, {rule: fingerprint(*rule, words=words) for rule in [*RULES, PRINTERS]}


def test_comments_docstrings_and_formatting_never_count(copy):
    wordless, words, count = seen(False), seen(True), Counter()
    for name in EVERY:
        source, n = reword(path_of(name).read_text(), "comment", "docstring")
        path_of(name).write_text(source)
        count += n
    assert count["comment"] > 50 < count["docstring"]
    assert seen(True) == words  # sees all that the other sees
    for name in EVERY:
        path_of(name).write_text(ast.unparse(ast.parse(path_of(name).read_text())))
    assert seen(False) == wordless


def test_a_fit_is_blind_to_words_and_a_table_is_not(copy):
    wordless, words, count = seen(False), seen(True), {}
    for name in EVERY:
        source, count[name] = reword(path_of(name).read_text(), "error", "line", "setting", "data set", "printed")
        assert ast.parse(source)
        path_of(name).write_text(source)
    assert seen(False) == wordless
    now = seen(True)
    assert {name for name in EVERY if now[0][name] != words[0][name]} == {name for name in EVERY if count[name]}
    speaks = {rule for rule in now[1] if any(count[name] for name in modules_behind(*rule))}
    assert {rule for rule in now[1] if now[1][rule] != words[1][rule]} == speaks  # a helper that only calculates has no words
    together = sum((count[name] for name in COVERED), Counter())
    assert set(together) == {"error", "line", "setting", "data set", "printed"}, (
        "a kind of words is nowhere: the test says nothing"
    )
