"""The real package, broken by rule: every constant, operator, name and argument counts."""

from __future__ import annotations

import ast
import random
from collections import Counter

from himoe import provenance
from himoe.provenance import fingerprint, modules_behind
from tests.provenance.package import ALONE, COVERED, EVERY, RULES, current_fingerprint, is_text, path_of, texts

N_MUTANTS = 12  # of each kind of node


def mutant(node: ast.AST) -> tuple[str, object] | None:
    """A field of a node and another value of it: code that does something else."""
    match node:
        case ast.Constant(value=bool() as value):
            return "value", not value
        case ast.Constant(value=str() as value):
            return "value", value + "x"
        case ast.Constant(value=int() | float() as value):
            return "value", value + 1
        case ast.Constant(value=None):
            return "value", 0
        case ast.BinOp(op=op) | ast.AugAssign(op=op):
            return "op", ast.Add() if isinstance(op, ast.Sub) else ast.Sub()
        case ast.BoolOp(op=op):
            return "op", ast.Or() if isinstance(op, ast.And) else ast.And()
        case ast.UnaryOp():
            return "op", ast.UAdd()
        case ast.Compare(ops=[op, *others]):
            return "ops", [ast.NotEq() if isinstance(op, ast.Eq) else ast.Eq(), *others]
        case ast.Name(id=name):
            return "id", name + "_"
        case ast.Attribute(attr=name):
            return "attr", name + "_"
        case ast.arg(arg=name) | ast.keyword(arg=str() as name):
            return "arg", name + "_"
        case ast.alias(name=name):
            return "name", name + "_"
        case ast.arguments(defaults=[_, *others]):
            return "defaults", others
        case ast.FunctionDef(decorator_list=[_, *others]) | ast.ClassDef(decorator_list=[_, *others]):
            return "decorator_list", others
        case ast.Call(args=[_, *others]):
            return "args", others
        case ast.Raise(exc=ast.expr(), cause=None):
            return "exc", None
        case ast.If(test=test):
            return "test", ast.UnaryOp(ast.Not(), test)
        case ast.Return(value=ast.expr()):
            return "value", None
        case ast.Subscript():
            return "slice", ast.Constant("another")
    return None


def blind(tree: ast.Module) -> set[int]:
    """Nodes that a fingerprint does not see: words with all that is in them, but for the values a log line names, and how a
    model is drawn."""
    out: set[int] = set()
    for kind, found in texts(tree).items():
        for text in found:
            if kind == "line" and isinstance(text, ast.JoinedStr):
                values = [value for value in text.values if isinstance(value, ast.FormattedValue)]
                inner = [value for value in text.values if value not in values]
                inner += [n for value in values if value.format_spec for n in ast.walk(value.format_spec)]
                out |= {id(n) for n in inner}
            else:
                out |= {id(n) for n in ast.walk(text)}
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            out |= {id(inner) for part in node.body for inner in ast.walk(part)}
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    for node in tree.body:  # how a model is drawn
        if isinstance(node, ast.Assign) and {ast.unparse(n) for n in node.targets} <= {"COLOUR", "PLACE"} - read:
            out |= {id(inner) for inner in ast.walk(node)}
    return out


def is_shell(node: ast.AST, words: set[int]) -> bool:
    """Whether a node holds nothing by itself: it goes when its words do, or its values stay without it."""
    typing = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    several = isinstance(node, ast.Tuple) and all(id(part) in words for part in node.elts)
    name = isinstance(node, ast.Name) and node.id == "TYPE_CHECKING"
    return isinstance(node, (ast.Pass, ast.FormattedValue)) or is_text(node) or typing or several or name


def test_nothing_but_words_is_left_out():
    """Every node of the package, one by one: of a file's tree are left all nodes but its words and what does not run."""
    n_words = 0
    for name in EVERY:
        tree = ast.parse(path_of(name).read_text())
        nodes, unseen = list(ast.walk(tree)), blind(tree)
        words = {id(text) for found in texts(tree).values() for text in found}
        lost = {id(node) for node in nodes if is_shell(node, words)} | unseen | words
        left = {id(node) for node in ast.walk(provenance._Wordless().visit(tree))}
        assert not words & left, name
        assert not {id(node) for node in nodes} - left - lost, name
        n_words += len(words)
    assert n_words > 500


def test_every_mutant_is_seen(copy):
    """Constants, operators, names, arguments, defaults, decorators: each alone, no two alike, and any two together."""
    rng = random.Random(2508)
    trees = {name: ast.parse(path_of(name).read_text()) for name in COVERED}
    where: dict[str, list[tuple[str, ast.AST]]] = {}
    for name, tree in trees.items():
        unseen = blind(tree)
        for node in ast.walk(tree):
            if id(node) not in unseen and mutant(node):
                kind = type(node.value) if isinstance(node, ast.Constant) else type(node)
                where.setdefault(kind.__name__, []).append((name, node))
    assert len(where) >= 20
    drawn = [case for cases in where.values() for case in rng.sample(cases, min(N_MUTANTS, len(cases)))]
    assert len(drawn) > 250
    hashes: dict[str, list[str]] = {name: [current_fingerprint(name, without=ALONE)] for name in trees}
    last: dict[str, ast.AST] = {}
    for name, node in drawn:
        both = name in last and rng.random() < 0.3 and apart(node, last[name])  # before a change takes one out of the other
        undo = [change(node)]
        hashes[name].append(written(name, trees[name]))
        if both:
            undo.append(change(last[name]))
            hashes[name].append(written(name, trees[name]))
        for field, value, changed in reversed(undo):
            setattr(changed, field, value)
        last[name] = node
    for name, tree in trees.items():
        assert written(name, tree) == hashes[name][0], f"{name}: the mutants were not of this file"
        twice = [n for n, count in Counter(hashes[name]).items() if count > 1]
        assert not twice, name


def apart(node: ast.AST, other: ast.AST) -> bool:
    """Whether neither is part of the other, so that one edit does not hide the other."""
    return all(one is not inner for one, all_of in ((node, other), (other, node)) for inner in ast.walk(all_of))


def change(node: ast.AST) -> tuple[str, object, ast.AST]:
    """Make a node its mutant; field and value it had."""
    field, value = mutant(node)
    before = getattr(node, field)
    setattr(node, field, value)
    return field, before, node


def written(name: str, tree: ast.Module) -> str:
    """Fingerprint of one module with this tree for its source."""
    path_of(name).write_text(ast.unparse(tree))
    return current_fingerprint(name, without=ALONE)


def test_every_rule_sees_every_module_behind_it(copy):
    before = {rule: fingerprint(*rule) for rule in RULES}
    behind = {rule: modules_behind(*rule) for rule in RULES}
    for name in random.Random(2508).sample(COVERED, 2):
        path = path_of(name)
        kept = path.read_text()
        path.write_text(kept + "\nADDED = 1\n")
        provenance.hash_module.cache_clear()
        assert {r for r in RULES if fingerprint(*r) != before[r]} == {r for r in RULES if name in behind[r]}, name
        path.write_text(kept)
