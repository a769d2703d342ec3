"""How the bytes or words of any file are changed. Each takes a file's bytes and a generator and gives bytes back; the same
generator makes the same change."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

Mutation = Callable[[bytes, np.random.Generator], bytes]
ODD_TEXTS = (
    "nan", "inf", "-inf", "-1", "0", "1e308", "1e18", "1600000000", "", "1,5", '"x"', "x" * 300, "[" * 5000, "null", "true",
    "99999999999999999999", "0x10", "1_0", "<script>", "é", "\0", "../../x", "2024-01-01", "-0.0", "{}",
)  # fmt: skip
ODD_VALUES = (
    None, True, -1, 0, 10**30, 1e308, float("nan"), float("inf"), "", "nan", "<script>", [], {}, [[]], [None], {"a": []},
    "x" * 300, "../../x", 1.5, "1", -(2**63), [1] * 50,
)  # fmt: skip
COUNTS = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\x01\0\0\0", b"\0" * 16, b"\xff" * 16)


def pick(rng: np.random.Generator, choices: Any) -> Any:
    """One of several."""
    return choices[int(rng.integers(len(choices)))]


def _span(content: bytes, rng: np.random.Generator) -> tuple[int, int]:
    """A part of a file, short more often than long."""
    first = int(rng.integers(len(content) + 1))
    return first, min(len(content), first + 1 + int(len(content) ** rng.random()))


def flip(content: bytes, rng: np.random.Generator) -> bytes:
    """One bit, anywhere or, as often, among the first 512 bytes."""
    if not content:
        return content
    changed = bytearray(content)
    changed[int(rng.integers(pick(rng, (len(content), min(512, len(content))))))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def cut(content: bytes, rng: np.random.Generator) -> bytes:
    """The end is lost."""
    return content[: _span(content, rng)[0]]


def drop(content: bytes, rng: np.random.Generator) -> bytes:
    """A part is lost."""
    first, last = _span(content, rng)
    return content[:first] + content[last:]


def double(content: bytes, rng: np.random.Generator) -> bytes:
    """A part, or the whole, stands twice."""
    first, last = pick(rng, (_span(content, rng), (0, len(content))))
    return content[:last] + content[first:last] + content[last:]


def reorder(content: bytes, rng: np.random.Generator) -> bytes:
    """Two parts that follow one another change places."""
    first, middle, last = sorted(int(rng.integers(len(content) + 1)) for _ in range(3))
    return content[:first] + content[middle:last] + content[first:middle] + content[last:]


def overwrite(content: bytes, rng: np.random.Generator) -> bytes:
    """Bytes that lengths and counts are made of, anywhere or among the first 512."""
    at, new = int(rng.integers(pick(rng, (len(content) + 1, min(512, len(content) + 1))))), pick(rng, COUNTS)
    return content[:at] + new + content[at + len(new) :]


def noise(content: bytes, rng: np.random.Generator) -> bytes:
    """A part becomes noise."""
    first, last = _span(content, rng)
    return content[:first] + rng.bytes(min(last - first, 4096)) + content[last:]


def odd_word(content: bytes, rng: np.random.Generator) -> bytes:
    """A word or number of a text becomes another."""
    at = int(rng.integers(len(content) + 1))
    if found := re.compile(rb"[\w.+-]+").search(content, at):
        content = content[: found.start()] + pick(rng, ODD_TEXTS).encode() + content[found.end() :]
    return content


BYTES: tuple[Mutation, ...] = (flip, cut, drop, double, reorder, overwrite, noise)
