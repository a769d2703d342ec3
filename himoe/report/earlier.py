"""An earlier run's results.json beside this run's: verdicts and scores that are in both."""

from __future__ import annotations

from typing import Any

from himoe.report.text import number
from himoe.report.titles import model_title, setting_title

METRIC = "ccc"


def differences(earlier: dict[str, Any], now: list[dict[str, Any]]) -> dict[str, Any]:
    """Verdicts that changed and scores of both runs; ``now``: the items of this run."""
    then = earlier["items"]
    verdicts, scores = (_both(read(then), read(now)) for read in (_verdicts, _scores))
    known = [(key, a, b) for key, (a, b) in scores.items() if a is not None and b is not None]
    known.sort(key=lambda row: -abs(row[2] - row[1]))  # the largest difference first
    rows = [[setting_title(s), target, model_title(m), number(a), number(b), number(b - a)] for (s, target, m), a, b in known]
    changed = [[c, setting_title(s), a, b] for (c, s), (a, b) in verdicts.items() if a != b]
    largest = abs(known[0][2] - known[0][1]) if known else 0.0
    finding = f"{len(rows)} scores are in both runs; the largest difference of CCC is {number(largest)}. "
    finding += f"{len(changed)} of {len(verdicts)} verdicts are other than they were."
    return {
        "title": earlier["title"], "commit": earlier["identity"].get("commit", "–"), "finding": finding, "changed": changed,
        "columns": ["data set", "target", "model", "CCC earlier", "CCC now", "now less earlier"], "rows": rows,
    }  # fmt: skip


def _both(then: dict[Any, Any], now: dict[Any, Any]) -> dict[Any, tuple[Any, Any]]:
    return {key: (then[key], value) for key, value in now.items() if key in then}


def _page(items: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next((item.get("page", {}) for item in items if item["name"] == name), {})


def _verdicts(items: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    claims = _page(items, "claims").get("claims", [])
    return {(claim["id"], setting): cell["word"] for claim in claims for setting, cell in claim["cells"].items()}


def _scores(items: list[dict[str, Any]]) -> dict[tuple[str, str, str], float | None]:
    page = _page(items, "main")
    out = {}
    for row in (row for block in page.get("blocks", []) for row in block["rows"]):
        for column, cell in zip(page["columns"], row["cells"], strict=True):
            if cell:
                out[column["setting"], column["target"], row["model"]] = cell[METRIC][0]
    return out
