"""What the bench knows of one reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.fuzz.mutations import Mutation

Mutations = tuple[Mutation, ...]


@dataclass(frozen=True)
class Reader:
    """``write`` makes genuine files in a folder, ``read`` reads them, ``file`` is the one that is damaged. ``wrong`` says what
    is wrong with values that came out (empty: nothing); ``sealed``: no change whatever may come through."""

    file: str
    write: Callable[[Path], None]
    read: Callable[[Path], Any]
    mutations: Mutations
    wrong: Callable[[Any], str] = lambda value: ""
    sealed: bool = False
