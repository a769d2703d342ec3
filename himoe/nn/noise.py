"""Counter-based random numbers: noise is a function of (key, counter), not the state of a generator.

A key is int64; ``fold_in`` derives one from another. Models trained together have a key each, so that a fold gets the same
noise alone, stacked with others, on any device and after being resumed, with no state to store. The hash of the counter (in
the manner of Salmon et al. 2011) is the finaliser of SplitMix64 over a Weyl sequence (Steele, Lea & Flood 2014).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as int64
FIRST, SECOND = -4658895280553007687, -7723592293110705685  # 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
HALF = 1 << 7
VIEWS = tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 13)


class Ahead(NamedTuple):
    """The draws of a block, known before: words of each, and where all of them stand in the key's sequence (n_words,)."""

    sizes: tuple[int, ...]
    places: Tensor

    @staticmethod
    def of(sizes: list[int], device: torch.device) -> Ahead:
        """Of draws of so many words."""
        return Ahead(tuple(sizes), torch.cat([_places(i, n, device) for i, n in enumerate(sizes)]))


class Source:
    """Draws from one key: a word is a function of the key, the number of the draw and its place in it. Where the draws are
    known ``ahead``, all are made at once, which takes as many operations as one and changes no bit."""

    def __init__(self, key: Tensor, ahead: Ahead | None):
        self.key, self.ahead = key, ahead
        self.sizes: list[int] = []
        self._drawn: tuple[Tensor, ...] | None = None

    def take(self, n: int) -> Tensor:
        """The next draw, n words (..., n) for a key (...)."""
        number = len(self.sizes)
        self.sizes.append(n)
        if self.ahead is None or self.ahead.sizes[number : number + 1] != (n,):
            return _words(self.key, _places(number, n, self.key.device))
        if self._drawn is None:
            self._drawn = _words(self.key, self.ahead.places).split(self.ahead.sizes, -1)
        return self._drawn[number]


_sources: list[Source] = []


def _mix(z: Tensor) -> Tensor:
    """SplitMix64's finaliser; int64 wraps around as uint64 would."""
    z = (z ^ ((z >> 30) & 0x3FFFFFFFF)) * FIRST  # >> copies the sign bit into the upper bits: masked out
    z = (z ^ ((z >> 27) & 0x1FFFFFFFFF)) * SECOND
    return z ^ ((z >> 31) & 0x1FFFFFFFF)


def fold_in(key: Tensor, number: int | Tensor) -> Tensor:
    """A new key for each ``number`` (int64, broadcast against ``key``)."""
    return _mix(_mix(key + GOLDEN) + number)


def bits(key: Tensor, n: int) -> Tensor:
    """Words of 64 random bits (..., n) for keys (...)."""
    return _words(key, _places(0, n, key.device))


def _places(draw: int, n: int, device: torch.device) -> Tensor:
    """Where the words of a draw stand in a sequence, (n,): apart from those of any other draw, however long."""
    return torch.arange(1, n + 1, device=device) + (draw << 40)


def _words(key: Tensor, places: Tensor) -> Tensor:
    """Of the sequences of keys (...), what stands at these places (n,): (..., n)."""
    return _mix(key.unsqueeze(-1) + GOLDEN * places)


def uniform(key: Tensor, *shape: int) -> Tensor:
    """Uniform float32 in [0, 1), multiples of 2^-24: ``(..., *shape)`` for keys (...)."""
    n = torch.Size(shape).numel()
    return (((bits(key, n) >> 40) & 0xFFFFFF).float() * 2.0**-24).unflatten(-1, shape)


def integers(key: Tensor, low: int, high: int, *shape: int) -> Tensor:
    """Uniform int64 from ``low`` to ``high``, both included: ``(..., *shape)`` for keys (...)."""
    return low + (uniform(key, *shape) * (high - low + 1)).long()


@contextmanager
def keyed(key: Tensor, ahead: Ahead | None = None) -> Iterator[Source]:
    """Within this block :func:`draw` and :func:`dropout` draw from ``key``, one after the other."""
    _sources.append(Source(key, ahead))
    try:
        yield _sources[-1]
    finally:
        _sources.pop()


def take(n: int) -> Tensor:
    """The next draw of the current :func:`keyed` block, n words.

    Raises
    ------
    RuntimeError
        Outside of one. A model in training mode is called by the trainer, which has the key.
    """
    if not _sources:
        raise RuntimeError("noise is drawn outside of noise.keyed(key)")
    return _sources[-1].take(n)


def draw() -> Tensor:
    """A key of one's own, of the current :func:`keyed` block."""
    return fold_in(take(1).squeeze(-1), 0)


def dropout(x: Tensor, p: float, training: bool) -> Tensor:
    """Inverted dropout (Srivastava et al. 2014) with probability p, rounded to a multiple of 2^-8: eight numbers of a word are
    an eighth of the work on a GPU, where noise was a quarter of a step. What is kept is scaled by the rounded probability."""
    lost = min(round(p * 2 * HALF), 2 * HALF - 1)
    if not training or lost == 0:
        return x
    n = x.numel()
    keep = bytes_from(take(-(-n // 8)), lost - HALF)[..., :n].unflatten(-1, x.shape)
    return x * (keep * (2 * HALF / (2 * HALF - lost)))


def bytes_from(drawn: Tensor, least: int, as_view: bool = VIEWS) -> Tensor:
    """Whether each of the eight int8 in 64 bits is ``least`` or more: (..., n) -> (..., 8 n), the lowest first.

    ``as_view``: read them as int8, which fails under vmap before torch 2.13; else each is shifted to the top, where 64 bits
    compare as it does."""
    if as_view:
        return drawn.view(torch.int8) >= least
    places = torch.arange(56, -1, -8, device=drawn.device)
    return ((drawn.unsqueeze(-1) << places) >= least << 56).flatten(-2)
