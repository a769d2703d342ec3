"""The time left for a run, by hand; on a terminal and nowhere else."""

from __future__ import annotations

import io
import logging

from himoe.config.time_left import TimeLeft, duration, watch


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self):
        return True


def said(time_left, **facts):
    """What the handler would write of an event."""
    record = logging.LogRecord("snakemake", logging.INFO, "", 0, "12 of 57 steps (21%) done", (), None)
    vars(record).update(facts)
    assert time_left.see(record)
    return time_left.format(record)


def run(*events):
    """Lines of progress of a run: (s, "begin" or "end", job, rule); counts of its rules come first."""
    counts, events = events[0], events[1:]
    now = [0.0]
    time_left, lines = TimeLeft(logging.Formatter(), lambda: now[0]), []
    said(time_left, event="run_info", stats=counts | {"total": sum(counts.values())})
    for now[0], what, job, rule in events:
        if what == "begin":
            said(time_left, event="job_info", jobid=job, rule_name=rule)
        else:
            said(time_left, event="job_finished", job_id=job)
            lines.append(said(time_left, event="progress").removeprefix("12 of 57 steps (21%) done"))
    return lines


def test_one_after_the_other():
    """Four fits, the first of 100 s: 300 s are left. The second takes 140 s: two of 120 s on average."""
    events = (0, "begin", 1, "fit"), (100, "end", 1, ""), (100, "begin", 2, "fit"), (240, "end", 2, "")
    assert run({"fit": 4}, *events) == [", about 5 min left", ", about 4 min left"]


def test_side_by_side_and_already_running():
    """Two at a time: at 100 s one of 100 s is finished, one has run as long, two are left: 200 s of work, two at a time."""
    events = (0, "begin", 1, "fit"), (0, "begin", 2, "fit"), (100, "end", 1, "")
    assert run({"fit": 4}, *events) == [", about 2 min left"]  # 100 s, in whole minutes


def test_what_was_never_finished_is_not_guessed():
    """Three preparations of 10 s, of which two are left; how long the fits are nobody knows. `all` itself takes no time."""
    first = (0, "begin", 1, "prepare"), (10, "end", 1, "")
    assert run({"prepare": 3, "fit": 5, "all": 1}, *first) == [", 20 s or more left"]
    assert run({"prepare": 3, "all": 1}, *first) == [", about 20 s left"]
    assert run({"prepare": 1, "fit": 5}, *first) == [""]


def test_how_long_is_said():
    assert [duration(s) for s in (45, 89, 90, 720, 5400)] == ["45 s", "89 s", "2 min", "12 min", "1.5 h"]


def test_a_terminal_is_told_and_a_file_and_a_pipe_are_not(tmp_path):
    logger = logging.Logger("one of its own")
    terminal, pipe = logging.StreamHandler(Terminal()), logging.StreamHandler(io.StringIO())
    file = logging.FileHandler(tmp_path / "log")
    for handler in (terminal, pipe, file):
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
    watch(logger)
    logger.info("stats", extra={"event": "run_info", "stats": {"fit": 2, "total": 2}})
    logger.info("begin", extra={"event": "job_info", "jobid": 1, "rule_name": "fit"})
    logger.info("end", extra={"event": "job_finished", "job_id": 1})
    logger.info("1 of 2 steps (50%) done", extra={"event": "progress", "done": 1, "total": 2})
    assert terminal.stream.getvalue().splitlines()[-1] == "1 of 2 steps (50%) done, about 0 s left"
    for text in (pipe.stream.getvalue(), (tmp_path / "log").read_text()):
        assert text.splitlines()[-1] == "1 of 2 steps (50%) done"
