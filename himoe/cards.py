"""Which GPU of a machine a job takes where several run side by side: the one that the fewest others have.

A job holds its card by a Unix socket that is bound to a name in the kernel's abstract namespace and never used. One process at
a time can have such a name; there is no file, and the name is free as soon as the process has ended, however it did.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import socket
import subprocess
from itertools import takewhile
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"
PLACES = 64  # of jobs that share a card
log = logging.getLogger("himoe")
_held: list[socket.socket] = []


def take() -> str:
    """Take a card for this process, which CUDA then shows it alone; before CUDA is looked at. Empty where nothing is chosen:
    there is no card, or a scheduler has chosen.

    SLURM gives each of its jobs cards of its own; where one was given several, as for a whole run inside an allocation, the
    jobs of that run share them out.
    """
    cards, allocation = visible(), os.environ.get("SLURM_JOB_ID", "") if VISIBLE in os.environ else ""
    if not cards or (allocation and len(cards) == 1):
        return ""
    try:
        card, others = _hold(cards, allocation, {} if allocation else _ids_of(cards))
    except OSError as error:  # a sandbox without sockets
        log.warning("GPUs are not shared out among jobs: %s", error)
        return ""
    os.environ[VISIBLE] = card
    if others:
        shared = "all %d GPUs are taken: %s is shared with %d other jobs; --resources gpu=%d lets no more run than there are"
        log.warning(shared, len(cards), card, others, len(cards))
    else:
        log.info("GPU %s, one of %d", card, len(cards))
    return card


def visible() -> list[str]:
    """Cards that CUDA would show this process: those that ``CUDA_VISIBLE_DEVICES`` names, else all that the driver lists."""
    if VISIBLE in os.environ:
        names = (name.strip() for name in os.environ[VISIBLE].split(","))
        return list(takewhile(lambda name: name and name != "NoDevFiles" and not name.startswith("-"), names))
    try:
        return listed(_driver())
    except (OSError, subprocess.SubprocessError) as error:
        if Path("/proc/driver/nvidia").exists():
            log.warning("GPUs are not shared out among jobs: nvidia-smi does not list them (%s)", error)
        return []


def _driver() -> str:
    """What ``nvidia-smi -L`` prints."""
    return subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60, check=True).stdout


def _ids_of(cards: list[str]) -> dict[str, str]:
    """Of cards that are named by their number, the id: jobs that name the same card otherwise are to see one another."""
    if not any(card.isdigit() for card in cards):
        return {}
    try:
        return dict(re.findall(r"^GPU (\d+):.*\(UUID: ([^)]+)\)", _driver(), re.MULTILINE))
    except (OSError, subprocess.SubprocessError):
        return {}


def listed(text: str) -> list[str]:
    """Ids in what ``nvidia-smi -L`` prints; of a card that is split into MIG instances, those of the instances."""
    cards: list[str] = []
    for name in re.findall(r"\(UUID: ([^)]+)\)", text):
        if name.startswith("MIG") and cards and not cards[-1].startswith("MIG"):
            cards.pop()  # the line above: the card they are parts of
        cards.append(name)
    return cards


def _hold(cards: list[str], allocation: str, ids: dict[str, str]) -> tuple[str, int]:
    """A card with the fewest jobs, the first of equals, held by its id from now on; and how many others have it.

    Two jobs that see the same places free want the same one: the one that comes too late looks again.
    """
    while True:
        names = {card: [_name(ids.get(card, card), allocation, place) for place in range(PLACES)] for card in cards}
        held = {card: [_is_held(name) for name in names[card]] for card in cards}
        card = min(cards, key=lambda card: sum(held[card]))
        if all(held[card]) or _bind(names[card][held[card].index(False)]):
            return card, sum(held[card])


def _name(card: str, allocation: str, place: int) -> str:
    """In the abstract namespace: what begins with a zero byte, 108 bytes at most."""
    return f"\0himoe gpu {place} {allocation} {card}"[:100]


def _is_held(name: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
        answer = asking.connect_ex(name)
    if answer in (0, errno.ECONNREFUSED):
        return answer == 0
    raise OSError(answer, os.strerror(answer))


def _bind(name: str) -> bool:
    """Whether the name is this process's now."""
    holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        holder.bind(name)
    except OSError as error:
        holder.close()
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    _held.append(holder)
    return True
