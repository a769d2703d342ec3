"""Only a subset of the data set's modalities is there, the same in every trial. The severity is the number of the subset, not a
strength: 0 has all, then come those without one (in the order of the modalities), without two, and so on to each modality
alone. Of up to six modalities these are all subsets (62 beside the whole of six); of more, a fixed sample, about as many of
each size."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from zlib import crc32

import numpy as np

from himoe.conditions._present import without
from himoe.data.perturbation import Perturbation
from himoe.types import Tokens

TITLE = "subset of the modalities"
UNIT = "number of the subset"
WHOLE = True
NUMBERED = True
ALL_OF, MOST = 6, 62  # modalities of which all subsets are taken; subsets of more, at most


@cache
def subsets(n_modalities: int) -> tuple[tuple[int, ...], ...]:
    """Which modalities are absent, by severity; never all."""
    sizes = range(1, n_modalities)
    subsets = [list(combinations(range(n_modalities), size)) for size in sizes]
    if n_modalities > ALL_OF:  # those of the smallest checksums: the same sample wherever it is drawn
        subsets = [sorted(sorted(of, key=lambda s: crc32(bytes(s)))[: MOST // len(sizes)]) for of in subsets]
    return ((), *(subset for of in subsets for subset in of))


def n_severities(n_modalities: int) -> int:
    """All present, and every subset that is taken."""
    return len(subsets(n_modalities))


def absent(severity: float, n_modalities: int) -> tuple[int, ...]:
    """Which modalities the subset of that number is without."""
    return subsets(n_modalities)[round(severity)]


def draw(tokens: Tokens, severity: float, rng: np.random.Generator) -> Perturbation:
    """One trial with the subset of that number."""
    return without(tokens, absent(severity, tokens.mask.shape[1]))


def margin(severity: float, token_rate: float) -> int:
    """Tokens at each end of a trial that are not scored: none."""
    return 0
