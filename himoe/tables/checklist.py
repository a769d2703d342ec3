"""What the ACM's artifact badges, the machine-learning reproducibility checklists and ReScience C ask of a replication, and how
this run answers. Statuses are worked out from the run's records, its config and the repository; those stated by hand say so,
and a point without a check of its own is met where what answers it is there."""

import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import yaml

from himoe import registry
from himoe.config.contents import possible
from himoe.config.facts import is_open
from himoe.report.evidence import Evidence
from himoe.report.items import TableItem

TITLE = "Reproducibility checklist"
SECTION = "appendix"
NEEDS = ("runs", "audits", "reported", "checklist")
ROOT = registry.ROOT.parent
MET, PARTLY, UNMET, NONE = "met", "partly", "not met", "not applicable"
SIGNS = {MET: "✓", PARTLY: "◐", UNMET: "✗", NONE: "–"}
PAPER = ("deap", "dreamer")
SEEDS = 3
Answer = tuple[str, str]


def make(evidence: Evidence) -> TableItem:
    """One row per point."""
    rows = []
    for point in evidence.yaml("checklist"):
        status, why = answer(point, evidence)
        there = [place for place in point.get("where", ()) if _is_there(place, evidence)]
        rows.append([point["source"], point["asks"], status, why, " ".join(there) or "nothing"])
    data = pd.DataFrame(rows, columns=["standard", "asks", "status", "why", "where"])
    shown = data.assign(status=[f"{SIGNS[s]} {s}" for s in data["status"]])
    counts = ", ".join(f"{(data['status'] == s).sum()} {s}" for s in SIGNS)
    return TableItem(data, shown, f"Of {len(data)} points: {counts}.")


def answer(point: dict[str, Any], evidence: Evidence) -> Answer:
    """Status and reason; never better than ``partly`` where something a point rests on is not there."""
    if "status" in point:
        return point["status"], f"stated by hand: {point['why']}"
    status, why = TESTS[point["test"]](evidence) if "test" in point else (MET, "")
    absent = [place for place in point["where"] if not _is_there(place, evidence)]
    if absent and status == MET:
        status = PARTLY
    reasons = [why, f"not here: {', '.join(absent)}" if absent else ""]
    return status, "; ".join(filter(None, reasons)) or "what answers it is there"


def _is_there(place: str, evidence: Evidence) -> bool:
    """Whether a file is in the repository, or an item in the report of this run."""
    if not place.startswith("#"):
        return (ROOT / place).is_file()
    return place[1:] in (entry.name for kind in ("tables", "figures") for entry in possible(evidence.config, kind))


def _graded(share: float, why: str) -> Answer:
    """Met, partly or not, by the share of what is asked for that is there."""
    return (MET if share == 1 else PARTLY if share else UNMET), why


def _citation() -> dict[str, Any]:
    """The citation file."""
    return yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def archived(evidence: Evidence) -> Answer:
    """A DOI in the citation file."""
    doi = _citation().get("doi")
    return (MET, f"doi {doi}") if doi else (UNMET, "the citation file has no DOI")


def authors_named(evidence: Evidence) -> Answer:
    """Authors who are people, so that a reader can compare."""
    if people := [author for author in _citation()["authors"] if "family-names" in author]:
        return MET, f"{len(people)} authors to compare"
    return PARTLY, "the citation file names no person to compare with the paper's authors"


def replicated(evidence: Evidence) -> Answer:
    """The paper's data sets themselves, not their twins, and its numbers beside ours."""
    there = [d for d in PAPER if d in evidence.config.datasets]
    if not there:
        return UNMET, "no recordings of DEAP or DREAMER in this run" + ("; simulated twins" if evidence.synthetic else "")
    status, numbers = reported(evidence)
    return _graded((len(there) + (status == MET)) / 3, f"{', '.join(there)}; {numbers}")


def reported(evidence: Evidence) -> Answer:
    """Numbers of the paper that a person has entered."""
    n = len(evidence.yaml("reported")["values"])
    return (MET, f"{n} numbers of the paper") if n else (UNMET, "no number of the paper has been read yet")


def costs(evidence: Evidence) -> Answer:
    """Parameters and operations of every fold of a network."""
    networks = [f for run in evidence.runs for f in run["folds"].values() if f["history"]]
    known = [f for f in networks if f["n_parameters"] and f["n_macs"]]
    return _graded(len(known) / max(len(networks), 1), f"{len(known)} of {len(networks)} folds of networks counted")


def timed(evidence: Evidence) -> Answer:
    """Wall time, memory and device of every fit."""
    known = [r for r in evidence.runs if r["wall_seconds"] and r["peak_mb"] and r["device"]]
    return _graded(len(known) / max(len(evidence.runs), 1), f"{len(known)} of {len(evidence.runs)} fits have a record")


def no_failures(evidence: Evidence) -> Answer:
    """Diverged folds are printed, and make a result incomplete."""
    failed = sum(map(len, evidence.failed.values()))
    return (PARTLY, f"{failed} folds diverged; they are printed as failed") if failed else (MET, "no fold diverged")


def audited(evidence: Evidence) -> Answer:
    """Findings of the audit: passed, or only measured; ``not run`` is a gap, and so is a protocol that leaks on purpose."""
    verdicts = [f["verdict"] for sheet in evidence.audits for f in sheet["findings"]]
    gaps = sum(v not in ("passed", "reported") for v in verdicts)
    return _graded(
        1 - gaps / max(len(verdicts), 1), f"{verdicts.count('passed')} checks passed, {gaps} did not or were not run"
    )


def open_data(evidence: Evidence) -> Answer:
    """Licences of the recordings; simulated data come out of the run itself."""
    names = evidence.config.recordings
    if not names:
        return NONE, "all data are simulated by the run itself"
    free = sum(map(is_open, names))
    why = f"{free} of {len(names)} data sets are open, the others on request to their owners"
    return (MET if free == len(names) else PARTLY), why


def locked(evidence: Evidence) -> Answer:
    """Versions that the fits recorded against the lock file."""
    lock = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "envs/requirements.lock").read_text(encoding="utf-8").lower(), re.M))
    used = {(n, v) for run in evidence.runs for n, v in run["environment"].items() if n in lock}
    other = sorted(f"{n} {v}" for n, v in used if v.partition("+")[0] != lock[n])
    why = f"other than in the lock: {', '.join(other)}" if other else f"{len(used)} packages as in the lock"
    return (PARTLY if other else MET if used else UNMET), why


def tuned(evidence: Evidence) -> Answer:
    """Whether anything was searched."""
    n = evidence.config.tuning.configurations
    why = f"{n} configuration(s) of each model and fold"
    return (MET, why) if n > 1 else (PARTLY, f"{why}: nothing was searched")


def repeated(evidence: Evidence) -> Answer:
    """Seeds of the run."""
    n = len(evidence.config.seeds)
    return (MET if n >= SEEDS else PARTLY), f"{n} seed(s) of every fit; {SEEDS} or more show what a seed does"


def intervals(evidence: Evidence) -> Answer:
    """Whether intervals hold people and seeds."""
    n = len(evidence.config.seeds)
    return (
        MET if n > 1 else PARTLY
    ), f"95% intervals over people{' and seeds' if n > 1 else '; one seed, whose luck they do not hold'}"


CHECKS = (
    archived, authors_named, replicated, reported, costs, timed, no_failures, audited, open_data, locked, tuned, repeated,
    intervals,
)  # fmt: skip
TESTS: dict[str, Callable[[Evidence], Answer]] = {check.__name__: check for check in CHECKS}
