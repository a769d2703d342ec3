"""What the paper's abstract claims and what this run says of it, on people that no model has seen. A claim is judged by one
number: the smallest lead of Hi-MoE over any of the models it must be ahead of, in CCC, with a 95% interval over people and
seeds. Supported: above 0. Contradicted: below 0. Equivalent: within the smallest effect of interest either way. Inconclusive:
none of these; then the lead that this design could have seen says how much may have been missed. Predicting nothing (CCC 0) is
always among the models to be ahead of. Hypotheses and smallest effects were fixed in config/claims.yaml before the first fit;
false support and power are simulated with this run's people, seeds, rivals and spread. A verdict on a twin says how the code
behaves on simulated data and nothing about the paper."""

from typing import Any

import numpy as np
import pandas as pd

from himoe import registry
from himoe.config.claims import Claim, parse_claims
from himoe.report.evidence import Evidence
from himoe.report.forest import Bar, panel
from himoe.report.items import TableItem
from himoe.report.judge import NUMBERS, judge_all
from himoe.report.outcome import OPEN, RECORDINGS, Settling, overall, settling
from himoe.report.standing import finite
from himoe.report.text import VERDICTS, interval, listed, number, stamped
from himoe.report.titles import dataset_of, short_titles
from himoe.stats import verdicts
from himoe.stats.frames import pick
from himoe.stats.sides import side_of

TITLE = "Claims, hypotheses and verdicts"
SECTION = "claims"
NEEDS = ("scores", "predictions", "routing", "claims", "runs")
DECIDED = (verdicts.SUPPORTED, verdicts.CONTRADICTED, verdicts.EQUIVALENT)
PAPERS, NO_REAL = "DEAP, DREAMER", "no real recordings"


def make(evidence: Evidence) -> TableItem:
    """One row per claim and data set of the run that it applies to, and one 'not run' row for the others."""
    data = judge_all(evidence)
    gone = evidence.deleted_since("claims", evidence.yaml("claims"))
    redesigned = evidence.redesigned_since()
    notes = [f"Deleted after results existed: {', '.join(gone)}."] if gone else []
    notes += [f"Changed after results existed: {', '.join(redesigned)}."] if redesigned else []
    return TableItem(data, _shown(evidence, data), _finding(evidence, data), "\n".join(notes), _page(evidence, data))


def _page(evidence: Evidence, data: pd.DataFrame) -> dict[str, Any]:
    """Claims by settings: the matrix, and a card for each claim."""
    settings = [s for s in evidence.settings if s in set(data["setting"])]
    short = short_titles(settings)
    titles = {s: {"key": s, "title": short[s], "synthetic": registry.is_synthetic(dataset_of(s))} for s in settings}
    claims = []
    for claim in parse_claims(evidence.yaml("claims")):
        rows = pick(data, id=claim.id)
        cells = {row.setting: _cell(row) for row in rows.itertuples() if row.setting in titles}
        absent = [row for row in rows.itertuples() if row.setting not in titles]
        claims.append({
            "id": claim.id, "claim": claim.claim, "hypothesis": claim.hypothesis, "smallest": claim.smallest_effect,
            "overall": overall([cell["word"] for cell in cells.values()]), "cells": cells, "panel": _panel(rows, titles),
            "elsewhere": [f"{r.setting}: {r.evidence}" for r in absent if _is_told(claim, r)],
            "told": _told(cells, short), "fixed": _fixed(evidence, claim.id),
        })  # fmt: skip
    return {"settings": list(titles.values()), "claims": claims, "settle": _settle(evidence, data, claims, titles)}


def _is_told(claim: Claim, row: Any) -> bool:
    """Whether a card names the data that a claim was not run on: not where it would be any real recordings at all."""
    return bool(claim.data) or NO_REAL not in row.evidence


def _cell(row: Any) -> dict[str, Any]:
    """A verdict with its numbers; null for what does not exist."""
    values = {name: finite(getattr(row, name)) for name in NUMBERS}
    design = _design(row.detectable, row.power, row.false_support).removeprefix("; ")
    return {"word": row.verdict, "sign": VERDICTS[row.verdict][0], "why": row.evidence, "design": design} | values


def _told(cells: dict[str, dict[str, Any]], short: dict[str, str]) -> list[dict[str, Any]]:
    """Verdicts with the data sets that have the very same."""
    alike: dict[tuple[str, str], list[str]] = {}
    for setting, cell in cells.items():
        alike.setdefault((cell["word"], cell["why"]), []).append(setting)
    return [{"titles": listed([short[s] for s in of]), "cell": cells[of[0]]} for of in alike.values()]


def _panel(rows: pd.DataFrame, titles: dict[str, Any]) -> dict[str, Any] | None:
    """The smallest lead on each setting, drawn; none where nothing was judged."""
    made = [r for r in rows.itertuples() if r.setting in titles and np.isfinite(r.low)]
    bars = [Bar(titles[r.setting]["title"], r.lead, r.low, r.high, side_of(r.low, r.high)) for r in made]
    return panel("smallest lead, CCC", bars, made[0].smallest, label=180) if made else None


def _fixed(evidence: Evidence, claim: str) -> str:
    """When the threshold was fixed."""
    (entry,) = [entry for entry in evidence.yaml("claims") if entry["id"] == claim]
    if edited := evidence.changed_since("claims", entry):
        return edited
    seals = sorted(run["sealed"]["date"] for run in evidence.runs if run.get("sealed"))
    return f"sealed on {seals[0]}, before the first fit, and unchanged since" if seals else "not sealed"


def _settle(
    evidence: Evidence, data: pd.DataFrame, claims: list[dict[str, Any]], titles: dict[str, Any]
) -> list[dict[str, Any]]:
    """What would settle the claims that nothing has decided, each need once, with the claims that have it; where one could be
    judged and was inconclusive, that is what is asked."""
    out: dict[Settling, list[str]] = {}
    synthetic = all(setting["synthetic"] for setting in titles.values())
    for claim in claims:
        rows = pick(data, id=claim["id"]) if claim["overall"] not in DECIDED else data.iloc[:0]
        judged = rows[rows["verdict"] == verdicts.INCONCLUSIVE]
        asked = pd.concat([judged, rows[~rows["setting"].isin(titles)]]) if len(judged) else rows
        for row in asked.itertuples():
            if row.setting in titles:
                people = len(evidence.config.size(dataset_of(row.setting)).subjects)
                found = settling(row, evidence, evidence.protocol_of(row.setting), people)
            else:
                found = _recordings(row.setting, synthetic) if NO_REAL in row.evidence else None
            if found and claim["id"] not in out.setdefault(found, []):
                out[found].append(claim["id"])
    return [{"ids": ids, "needs": need.words, "config": need.config} for need, ids in out.items()]


def _recordings(titles: str, synthetic: bool) -> Settling | None:
    """Real recordings: the two that a claim names, or any where a run has none."""
    if titles == PAPERS:
        return Settling(f"recordings of {titles.replace(', ', ' and ')}", RECORDINGS)
    return Settling("real recordings in the place of simulated ones", OPEN) if synthetic else None


def _shown(evidence: Evidence, data: pd.DataFrame) -> pd.DataFrame:
    gaps = [interval(*gap) for gap in data[["lead", "low", "high"]].to_numpy(float)]
    design = [_design(*row) for row in data[["detectable", "power", "false_support"]].to_numpy(float)]
    return pd.DataFrame({
        "claim": data["id"] + " · " + data["claim"],
        "data set": [stamped(s) if s in evidence.settings else s for s in data["setting"]],
        "verdict": data["verdict"].map(VERDICTS), "smallest lead, CCC [95% CI]": gaps,
        "evidence": [why + told for why, told in zip(data["evidence"], design, strict=True)],
    })  # fmt: skip


def _design(detectable: float, power: float, false_support: float) -> str:
    """What the design sees, as the end of a sentence; empty where nothing could be judged."""
    if not np.isfinite(detectable):
        return ""
    chances = f"power {power:.0%} at the smallest effect, false support {false_support:.1%}"
    return f"; sees a lead of {number(detectable)} with 80% power ({chances})"


def _finding(evidence: Evidence, data: pd.DataFrame) -> str:
    real = [s for s in evidence.settings if not registry.is_synthetic(dataset_of(s))]
    counts = pick(data, setting=real)["verdict"].value_counts().to_dict()
    return f"On real recordings: {', '.join(f'{n} {word}' for word, n in counts.items()) or 'no claim was tested'}."
