"""The numbers of a finished run as files to commit, and what README and docs/results say of them made from these: nobody types
a number.

What is published are tables whose rows are means over people. Scores, predictions and labels of single people, which licences
of the recordings may forbid to pass on, stay behind."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

from himoe import io, registry
from himoe.commands.shareable import read_run
from himoe.config.run import Config
from himoe.report.items import STAMP
from himoe.report.titles import setting_title
from himoe.stats.verdicts import NOT_RUN
from himoe.tables.answer import ADDS, BEYOND, KNOWN, STANDS
from himoe.types import HimoeError

ITEMS = (  # what is published of each table, and of figures whose numbers are means: their CSV
    "answer", "claims", "main", "ceilings", "comparison", "folds", "robustness", "subsets", "ablations", "factorial",
    "variance", "uncertainty", "experts", "reported", "specification", "forest", "ranks",
    "lag_recovery", "outage", "embedding", "calibration", "planted",
)  # fmt: skip
PERSONAL = {"subject", "trial", "session"}  # no column of a published table
BEGIN, END = "<!-- results -->", "<!-- /results -->"


def publish(results: Path, folder: Path) -> list[Path]:
    """Copy the tables of the run in ``results`` to ``folder``, beside ``run.json``: what it was made of and by.

    Raises
    ------
    HimoeError
        If there is no finished run, if a table is of another one, or if it has a row for a single person.
    """
    run = read_run(results)
    items = {item["name"]: item for item in run["items"] if item["name"] in ITEMS and "csv" in item}
    tables = {name: results / item["csv"] for name, item in items.items()}
    if "answer" not in tables:
        raise HimoeError(f"{results}: the table 'answer' was not made; name it in the config's tables")
    for name, path in tables.items():
        made = io.read_json(path.with_suffix(".json"))
        if any(made.get(part) != items[name].get(part) for part in ("rows", "provenance")):
            raise HimoeError(f"{path}: made after results.json; run snakemake to its end first")
        with path.open(encoding="utf-8", newline="") as file:
            if personal := PERSONAL & set(next(csv.reader(file))):
                raise HimoeError(f"{path}: column {', '.join(sorted(personal))}: rows of single people are not published")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in ITEMS:
        target = folder / f"{name}.csv"
        if name in tables:
            with io.atomic(target) as temporary:
                shutil.copyfile(tables[name], temporary)
            written.append(target)
        else:
            target.unlink(missing_ok=True)  # of an earlier run
    io.write_json(folder / "run.json", _facts(run))
    return [*written, folder / "run.json"]


def _facts(run: dict[str, Any]) -> dict[str, Any]:
    """What a reader must know of a run, without paths of the machine."""
    config = Config(**run["config"])
    settings = config.model_dump(mode="json", exclude_defaults=True, exclude={"data_root"})
    synthetic = all(registry.is_synthetic(d) for d in config.datasets)
    return {"title": run["title"], "identity": run["identity"], "synthetic": synthetic, "config": settings}


def block(folder: Path) -> str:
    """Markdown of all published runs, those of real recordings first: of each the answers, by data set and protocol."""
    return "\n\n".join(_of_run(facts, at) for facts, at in _runs(folder))


def status(folder: Path) -> str:
    """Markdown for the top of the README: the verdict on each of the paper's claims by run, on the first setting of each, and
    below it, a line a run, where Hi-MoE stands there."""
    words: dict[str, dict[str, str]] = {}
    lines, judged = [], {}
    for facts, at in _runs(folder):
        answers = _rows(at / "answer.csv")
        first = answers[0]["setting"]
        stands = " ".join(row["answer"] for row in answers if row["setting"] == first and row["question"] == STANDS)
        stamp = f" *{STAMP}.*" if facts["synthetic"] else ""
        lines.append(
            f"- **{facts['title']}** ([tables]({_link(folder, at)})), {setting_title(first)}.{stamp} {stands}".rstrip()
        )
        if (at / "claims.csv").is_file():
            judged[at.name] = facts["title"].removeprefix("Hi-MoE on ")
            for row in _rows(at / "claims.csv"):
                said = words.setdefault(f"{row['id']}: {row['claim']}", {})
                if row["setting"] == first:
                    said[at.name] = row["verdict"]
    table = ["| the paper's claim | " + " | ".join(judged.values()) + " |", "|---|" + "---|" * len(judged)]
    table += [f"| {claim} | " + " | ".join(said.get(run, NOT_RUN) for run in judged) + " |" for claim, said in words.items()]
    return "\n".join([*table, "", *lines] if judged else lines)


def _runs(folder: Path) -> list[tuple[dict[str, Any], Path]]:
    """Facts and folder of every published run, those of real recordings first."""
    runs = [(io.read_json(path), path.parent) for path in sorted(folder.glob("*/run.json"))]
    return sorted(runs, key=lambda run: run[0]["synthetic"])


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _link(folder: Path, at: Path) -> str:
    """A run's folder, as the README names it."""
    return f"docs/{folder.name}/{at.name}/"


def _of_run(facts: dict[str, Any], at: Path) -> str:
    """One run: where it comes from, all answers of its first setting, and of the others, a line each, where Hi-MoE stands, what
    it adds, and what is known beyond the clip if anything is."""
    rows = _rows(at / "answer.csv")
    lines = [f"**{facts['title']}** ([tables]({at.name}/); commit `{facts['identity']['commit'].split()[0]}`)"]
    lines += [f"*{STAMP}*"] if facts["synthetic"] else []
    settings = list(dict.fromkeys(row["setting"] for row in rows))
    for setting in settings:
        here = [row for row in rows if row["setting"] == setting]
        if setting == settings[0]:
            lines += ["", f"{setting_title(setting)}:", "", *(f"- *{row['question']}* {row['answer']}" for row in here)]
            continue
        told = [row["answer"] for row in here if row["question"] in (STANDS, ADDS)]
        told += [row["answer"] for row in here if row["question"] == BEYOND and row["answer"].startswith(KNOWN)]
        lines += [""] * (setting == settings[1]) + [f"- {setting_title(setting)}: {' '.join(told)}"]
    return "\n".join(lines)


def write_block(page: Path, text: str) -> None:
    """Put the text between the marks of a page.

    Raises
    ------
    HimoeError
        If the marks are not there, once each and in order.
    """
    whole = page.read_text(encoding="utf-8")
    before, begin, rest = whole.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise HimoeError(f"{page}: no place for the results: put '{BEGIN}' and '{END}' on lines of their own")
    io.write_text(page, f"{before}{BEGIN}\n{text}\n{END}{after}")
