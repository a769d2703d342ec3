"""results/report.html and results.json from figures and tables already made. Never needs torch or the data."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from himoe import io, registry
from himoe.config.contents import Entry, contents, lacks
from himoe.config.run import Config
from himoe.provenance import changes, commit, environment, hash_file, hash_value
from himoe.report.evidence import read_runs
from himoe.report.items import STAMP
from himoe.report.titles import named, setting_title

ROOT = registry.ROOT.parent
NUMERIC = re.compile(r"^[−+\-<> ]*[\d.,]+(%| \[.*\]| · [\d.,]+( M)?)?$|^–$|^failed: diverged$")
EMBED_BYTES = 300_000
CHANGES_NAMED = 6
FORMS = ("svg", "dark", "png", "csv")


def render(files: dict[str, list[str]], config: dict[str, Any], config_files: list[str], html: str, json: str) -> None:
    """Write the page and its machine twin.

    Parameters
    ----------
    files
        Everything that is read, by name: ``records`` of figures and tables, the ``files`` these name, ``runs``, ``cards``,
        ``lock``, ``templates``, ``static``. An item without a record becomes a card that says how to make it.
    config
        The run's settings.
    config_files
        Where the settings were read from.
    """
    settings = Config(**config)
    sweep(Path(html).parent, files["records"])
    records = _records(files, settings, Path(html).parent)
    identity = _identity(settings, files, config_files)
    io.write_text(html, _page(settings, records, identity, files, Path(html).parent))
    io.write_json(json, {"title": settings.title, "identity": dict(identity), "items": records, "config": config}, sealed=True)


def sweep(folder: Path, records: list[str]) -> None:
    """Delete figures and tables that another run has left in the same folder: beside this report they would pass for its own.
    ``records``: those of this run. What no record names is nobody's and stays."""
    kept = {Path(record).resolve() for record in records}
    for file in [*folder.glob("figures/**/*.json"), *folder.glob("tables/*.json")]:
        record = {} if file.resolve() in kept else io.read_json(file)
        if isinstance(record, dict) and {"kind", "name"} <= record.keys():
            forms = [Path(str(record[form])).name for form in FORMS if form in record]
            for name in (*forms, f"{file.name}.sha256", file.name):
                (file.parent / name).unlink(missing_ok=True)


def _records(files: dict[str, list[str]], config: Config, folder: Path) -> list[dict[str, Any]]:
    """Every figure and table that the config asks for, numbered in the order of the page."""
    made = {}
    for file in files["records"]:
        record = io.read_json(file)
        links = {form: _relative(Path(file).parent / record[form], folder) for form in FORMS if form in record}
        made[record["kind"], record["name"]] = record | links
    entries = contents(config, "tables") + contents(config, "figures")
    records = [made.get((e.kind.removesuffix("s"), e.name)) or _card(e, config) for e in entries]
    counts = {"figure": 0, "table": 0}
    for record in sorted(records, key=lambda r: list(registry.SECTIONS).index(r["section"])):
        counts[record["kind"]] += 1
        record["number"] = f"{record['kind'].capitalize()} {counts[record['kind']]}"
    return records


def _card(entry: Entry, config: Config) -> dict[str, Any]:
    """What stands in the place of an item: what the run lacks, or the command that makes it."""
    absent = lacks(config, entry)
    command = f"snakemake --cores all results/{entry.stem}.{entry.suffixes[0]}"
    missing = f"Not made: this run does not contain {absent}." if absent else f"Not made yet: {command}"
    return {
        "name": entry.name, "kind": entry.kind.removesuffix("s"), "section": entry.section, "title": entry.title,
        "missing": missing,
    }  # fmt: skip


def _page(
    config: Config, records: list[dict[str, Any]], identity: list[tuple[str, str]], files: dict[str, list[str]], folder: Path
) -> str:
    """The page as text; what it embeds is among ``files``."""
    from jinja2 import DictLoader, Environment, StrictUndefined
    from markupsafe import Markup

    templates = {Path(file).name: Path(file).read_text(encoding="utf-8") for file in files["templates"]}
    static = {Path(file).name: Path(file).read_text(encoding="utf-8") for file in files["static"]}
    linked = _Linked({_relative(Path(file), folder): Path(file) for file in files["files"]})
    jinja = Environment(
        loader=DictLoader(templates), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    style, script = static["report.css"], static["report.js"]
    return jinja.get_template("report.html.jinja").render(
        title=config.title, synthetic=any(registry.is_synthetic(d) for d in config.datasets), stamp=STAMP,
        sections=_sections(records), identity=identity, generated=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        style=Markup(style), script=Markup(script), style_hash=_csp_hash(style), script_hash=_csp_hash(script),
        data_uri=linked.data_uri, link=linked.address, is_numeric=lambda text: bool(NUMERIC.match(text)),
        datasets=list(named(config.datasets)),
    )  # fmt: skip


class _Linked(NamedTuple):
    """Files that the page shows or links, by their path from its folder."""

    paths: dict[str, Path]

    def data_uri(self, link: str, mime: str) -> str:
        """The file itself as an address."""
        return f"data:{mime};base64," + base64.b64encode(self.paths[link].read_bytes()).decode()

    def address(self, link: str, mime: str) -> str:
        """The file itself where it is small, so that the page can travel alone; a relative link otherwise."""
        return self.data_uri(link, mime) if self.paths[link].stat().st_size < EMBED_BYTES else link


def _sections(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sections in their order, without those that hold nothing."""
    sections = [
        {"key": key, "title": title, "entries": [r for r in records if r["section"] == key]}
        for key, title in registry.SECTIONS.items()
    ]
    return [section for section in sections if section["entries"]]


def _identity(config: Config, files: dict[str, list[str]], config_files: list[str]) -> list[tuple[str, str]]:
    """What identifies this run, in the order a reader asks."""
    runs = read_runs(files["runs"], config)
    cards = {card["dataset"]: card for card in map(io.read_json, files["cards"])}
    hashes = {d: hash_value(cards[d]["source_sha256"])[:12] if d in cards else "absent" for d in config.datasets}
    env = environment()
    devices = ", ".join(sorted({run["device"] for run in runs})) or "–"
    changed = changes(ROOT, *config_files)
    return [
        ("commit", commit(ROOT, *config_files)),
        *([("changed since", some_of(changed))] if changed else []),
        ("config", hash_value(config.model_dump(mode="json"))[:12]),
        ("data", ", ".join(f"{setting_title(d)} {h}" for d, h in hashes.items())),
        ("environment lock", ", ".join(hash_file(lock)[:12] for lock in files["lock"]) or "absent"),
        ("versions", ", ".join(f"{k} {env[k]}" for k in ("python", "torch", "numpy", "snakemake"))),
        ("hardware", f"{env['platform']}, {os.cpu_count()} cores; fits on {devices}"),
        ("fitting time", f"{sum(r['wall_seconds'] for r in runs):.0f} s over {len(runs)} jobs"),
        ("protocols", ", ".join(config.protocols)),
        ("seeds", ", ".join(map(str, config.seeds))),
    ]


def some_of(names: list[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(names) - CHANGES_NAMED
    return ", ".join(names[:CHANGES_NAMED]) + (f" and {more} more" if more > 0 else "")


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def _csp_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
