"""results/report.html and results.json from figures and tables already made. Never needs torch or the data."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from himoe import io, registry
from himoe.config.run import Config, lacking
from himoe.provenance import commit, environment, hash_file, hash_value
from himoe.report.items import STAMP
from himoe.report.titles import named, setting_title

ROOT = registry.ROOT.parent
NUMERIC = re.compile(r"^[−+\-<> ]*[\d.,]+(%| \[.*\]| · [\d.,]+( M)?)?$|^–$|^failed: diverged$")
EMBED_BYTES = 300_000


def render(figures: list[str], tables: list[str], runs: list[str], config: dict[str, Any], html: Path, json: Path) -> None:
    """Write the page and its machine twin; an item whose file is absent becomes a card that says how to make it."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    settings = Config(**config)
    made = {Path(file).stem: Path(file) for file in (*tables, *figures)}
    wanted = [("tables", name) for name in settings.tables] + [("figures", name) for name in settings.figures]
    items = [_load(kind, name, made.get(name), settings) for kind, name in wanted]
    counts = {"figure": 0, "table": 0}
    sections = []
    for key, title in registry.SECTIONS.items():
        own = [item for item in items if item["section"] == key]
        for item in own:
            counts[item["kind"]] += 1
            item["number"] = f"{item['kind'].capitalize()} {counts[item['kind']]}"
        if own:
            sections.append({"key": key, "title": title, "entries": own})
    identity = _identity(settings, [io.read_json(file) for file in runs])
    style, script = ((ROOT / "report/static" / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    jinja = Environment(
        loader=FileSystemLoader(ROOT / "report/templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    page = jinja.get_template("report.html.jinja").render(
        title=settings.title, synthetic=any(registry.is_synthetic(d) for d in settings.datasets), stamp=STAMP,
        sections=sections, identity=identity, generated=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), style=Markup(style),
        script=Markup(script), style_hash=_csp_hash(style), script_hash=_csp_hash(script),
        data_uri=_data_uri, link=_link, is_numeric=lambda text: bool(NUMERIC.match(text)),
        datasets=list(named(settings.datasets)),
    )  # fmt: skip
    io.write_text(html, page)
    io.write_json(json, {"title": settings.title, "identity": dict(identity), "items": items, "config": config})


def _load(kind: str, name: str, path: Path | None, config: Config) -> dict[str, Any]:
    """An item's record, or a card in its place that says what it lacks or how to make it."""
    if path is not None and path.is_file():
        return io.read_json(path)
    peeked, lacks = registry.peek(kind, name), lacking(kind, name, config)
    target = f"results/{kind}/{name}.{'svg' if kind == 'figures' else 'csv'}"
    missing = f"Not made: this run does not contain {lacks}." if lacks else f"Not made yet: snakemake --cores all {target}"
    return {"name": name, "kind": kind[:-1], "section": peeked["SECTION"], "title": peeked["TITLE"], "missing": missing}


def _identity(config: Config, runs: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What identifies this run, in the order a reader asks."""
    lock = ROOT / "envs/requirements.lock"
    env = environment()
    cards = {d: Path(f"results/{d}/card.json") for d in config.datasets}
    hashes = {d: hash_value(io.read_json(p)["source_sha256"])[:12] if p.is_file() else "absent" for d, p in cards.items()}
    return [
        ("commit", commit(ROOT)),
        ("config", hash_value(config.model_dump(mode="json"))[:12]),
        ("data", ", ".join(f"{setting_title(d)} {h}" for d, h in hashes.items())),
        ("environment lock", hash_file(lock)[:12] if lock.is_file() else "absent"),
        ("versions", ", ".join(f"{k} {env[k]}" for k in ("python", "torch", "numpy", "snakemake"))),
        (
            "hardware",
            f"{env['platform']}, {os.cpu_count()} cores; fits on {', '.join(sorted({r['device'] for r in runs}) or ['–'])}",
        ),
        ("fitting time", f"{sum(r['wall_seconds'] for r in runs):.0f} s over {len(runs)} jobs"),
        ("protocols", ", ".join(config.protocols)),
        ("seeds", ", ".join(map(str, config.seeds))),
    ]


def _csp_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _data_uri(path: str, mime: str) -> str:
    """A file under results/ as a data URI."""
    return f"data:{mime};base64," + base64.b64encode(Path("results", path).read_bytes()).decode()


def _link(path: str, mime: str) -> str:
    """Embedded where small, so that the page can travel alone; a relative link otherwise."""
    return _data_uri(path, mime) if Path("results", path).stat().st_size < EMBED_BYTES else path
