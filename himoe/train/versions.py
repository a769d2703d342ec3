"""Versions of torch that networks work with. No part of what a fit is: a range that grows refits nothing."""

from __future__ import annotations

import logging
from functools import cache

from himoe.types import HimoeError

OLDEST, NEWEST = (2, 9), (2, 13)  # as pyproject.toml asks for, and as envs/requirements.lock pins
log = logging.getLogger("himoe")


@cache  # a line of the log once
def check_torch(version: str) -> None:
    """Refuse a torch that is too old for stacks of networks; say in a log line that one is newer than any that was tried.

    Raises
    ------
    HimoeError
        If it is too old.
    """
    if is_tried(version):
        return
    if minor_of(version) < OLDEST:
        raise HimoeError(
            f"torch {version} is installed; Hi-MoE's networks need {dotted(OLDEST)} or newer: pip install -r "
            "envs/requirements.lock, or another torch from there on"
        )
    log.info("torch %s is newer than any that is known to work (%s)", version, TRIED)


def is_tried(version: str) -> bool:
    """Whether a version, ``2.11.0+cu130``, is within the range that the tests pass at both ends of, and at 2.11."""
    return OLDEST <= minor_of(version) <= NEWEST


def minor_of(version: str) -> tuple[int, ...]:
    """``2.11.0+cu130`` -> (2, 11)."""
    return tuple(int(part) for part in version.split(".")[:2])


def dotted(minor: tuple[int, ...]) -> str:
    """(2, 11) -> ``2.11``."""
    return ".".join(map(str, minor))


TRIED = f"{dotted(OLDEST)} to {dotted(NEWEST)}"
