"""The time left for a whole run, behind Snakemake's own line of progress: on a terminal, and in no log."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable


class TimeLeft(logging.Formatter):
    """A handler's formatter, with the time left behind ``12 of 57 steps (21%) done``.

    A job that is left takes the mean of those of its rule that this run has finished, less what it has been running already; as
    many run side by side as have on average so far. Where no job of a rule was finished yet, the others are a lower bound.
    """

    def __init__(self, inner: logging.Formatter, clock: Callable[[], float] = time.monotonic):
        super().__init__()
        self.inner, self.clock = inner, clock
        self.left: Counter[str] = Counter()  # rule -> jobs that are not finished
        self.running: dict[int, tuple[str, float]] = {}  # job -> its rule, when it began
        self.taken: dict[str, list[float]] = {}  # rule -> s of each finished job
        self.began: float | None = None

    def see(self, record: logging.LogRecord) -> bool:
        """A filter that lets everything through, and takes note of jobs that begin and end."""
        event, facts = getattr(record, "event", None), vars(record)
        if event == "run_info":
            self.left = Counter({rule: n for rule, n in facts["stats"].items() if rule != "total"})
        elif event == "job_info":
            self.began = self.clock() if self.began is None else self.began
            self.running[facts["jobid"]] = facts["rule_name"], self.clock()
        elif event == "job_finished" and facts["job_id"] in self.running:
            rule, began = self.running.pop(facts["job_id"])
            self.taken.setdefault(rule, []).append(self.clock() - began)
            self.left[rule] -= 1
        return True

    def format(self, record: logging.LogRecord) -> str:
        """As the handler's own formatter has it, and the time left where it is a line of progress."""
        text, said = self.inner.format(record), self.words() if getattr(record, "event", None) == "progress" else ""
        return f"{text}, {said}" if said else text

    def words(self) -> str:
        """``about 4 min left``, or ``4 min or more left``; empty where nothing is known or left."""
        waiting = Counter(rule for rule, _ in self.running.values())
        means = {rule: sum(taken) / len(taken) for rule, taken in self.taken.items()}
        seconds = sum((n - waiting[rule]) * means[rule] for rule, n in self.left.items() if n > 0 and rule in means)
        for rule, began in self.running.values():
            seconds += max(0.0, means.get(rule, 0.0) - (self.clock() - began))
        if not seconds or self.began is None:
            return ""
        busy = sum(map(sum, self.taken.values())) + sum(self.clock() - began for _, began in self.running.values())
        seconds /= max(1.0, busy / max(self.clock() - self.began, 1e-9))
        known = all(rule in means for rule, n in self.left.items() if n > 0 and rule != "all")
        return f"about {duration(seconds)} left" if known else f"{duration(seconds)} or more left"


def duration(seconds: float) -> str:
    """``45 s``, ``12 min``, ``2.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def watch(logger: logging.Logger) -> None:
    """Say the time left wherever Snakemake's logger writes to a terminal; a file gets the lines as they were."""
    for handler in logger.handlers:
        if isinstance(handler, logging.FileHandler) or not isinstance(handler, logging.StreamHandler) or not handler.formatter:
            continue
        if handler.stream.isatty():
            time_left = TimeLeft(handler.formatter)
            handler.setFormatter(time_left)
            logger.addFilter(time_left.see)
