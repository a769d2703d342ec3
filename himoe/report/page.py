"""results/report.html and results.json from figures and tables already made. Never needs torch or the data."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from himoe import io, registry
from himoe.config.contents import SECTIONS, Entry, contents, lacks
from himoe.config.facts import dataset_info
from himoe.config.results import read_results
from himoe.config.run import Config
from himoe.names import STUDIED
from himoe.report import methods
from himoe.report.earlier import differences
from himoe.report.identity import command_for, identity, settle_command
from himoe.report.items import STAMP
from himoe.report.latex import latex
from himoe.report.text import number, statements
from himoe.report.titles import model_title

NUMERIC = re.compile(r"^[−+\-<> ]*[\d.,]+(%| \[.*\]| · [\d.,]+( M)?)?$|^–$|^failed: diverged$")
WRITTEN = ("answer", "methods", "appendix")  # sections that hold more than items
EMBED_BYTES = 100_000
FORMS = ("svg", "dark", "phone", "phone_dark", "png", "pdf", "csv")


def render(files: dict[str, list[str]], config: dict[str, Any], config_files: list[str], html: str, json: str) -> None:
    """Write the page and its machine twin.

    Parameters
    ----------
    files
        Everything that is read, by name: ``records`` of figures and tables, the ``files`` these name, ``runs``, ``cards``,
        ``lock``, ``citation``, ``schema`` (of results.json), ``templates``, ``static``, and ``compare``, the results.json of an
        earlier run, where there is one. An item without a record becomes a card that says how to make it.
    config
        The run's settings.
    config_files
        Where the settings were read from.
    """
    settings = Config(**config)
    sweep(Path(html).parent, files["records"])
    earlier = [read_results(path, files["schema"][0]) for path in files.get("compare", [])]
    records = _records(files, settings, config_files, Path(html).parent)
    of = dict(identity(settings, files, config_files))
    io.write_text(html, _page(_context(settings, records, of, files, config_files, earlier), files, Path(html).parent))
    io.write_json(json, {"title": settings.title, "identity": of, "items": records, "config": config}, sealed=True)


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


def _records(files: dict[str, list[str]], config: Config, config_files: list[str], folder: Path) -> list[dict[str, Any]]:
    """Every figure and table that the config asks for, numbered in the order of the page."""
    made = {}
    for file in files["records"]:
        record = io.read_json(file)
        links = {form: _relative(Path(file).parent / record[form], folder) for form in FORMS if form in record}
        made[record["kind"], record["name"]] = record | links
    entries = contents(config, "tables") + contents(config, "figures")
    records = [made.get((e.kind.removesuffix("s"), e.name)) or _card(e, config, config_files) for e in entries]
    counts, taken = {"figure": 0, "table": 0}, set()
    for record in sorted(records, key=lambda r: ("missing" in r, list(SECTIONS).index(r["section"]))):
        counts[record["kind"]] += 1
        record["number"] = f"{record['kind'].capitalize()} {counts[record['kind']]}"
        record["anchor"] = f"{record['kind']}-{record['name']}" if record["name"] in taken else record["name"]
        taken.add(record["name"])  # a figure and a table may have one name
    return records


def _card(entry: Entry, config: Config, config_files: list[str]) -> dict[str, Any]:
    """What stands in the place of an item: what the run lacks, and the command that makes it."""
    absent = lacks(config, entry)
    command = f"snakemake --cores all results/{entry.stem}.{entry.suffixes[0]}"
    return {
        "name": entry.name, "kind": entry.kind.removesuffix("s"), "section": entry.section, "title": entry.title,
        "missing": f"this run does not contain {absent}" if absent else "not made yet",
        "command": command_for(absent, config_files) if absent else command,
    }  # fmt: skip


def _context(
    config: Config, records: list[dict[str, Any]], of: dict[str, str], files: dict[str, list[str]], config_files: list[str],
    earlier: list[dict[str, Any]],
) -> dict[str, Any]:  # fmt: skip
    """What the templates are given."""
    citation = yaml.safe_load(Path(files["citation"][0]).read_text(encoding="utf-8"))
    pages = {record["name"]: record["page"] for record in records if "page" in record}
    answer, claims = pages.get("answer"), pages.get("claims")
    real = [d for d in config.datasets if not registry.is_synthetic(d)]
    shown = config.model_dump(mode="json", exclude={"data_root", "compare"})
    return {
        "title": config.title, "outcome": answer["outcome"] if answer else config.title, "answer": answer, "claims": claims,
        "settle": [need | {"command": settle_command(need["config"], config_files)} for need in claims["settle"]]
        if claims else [],
        "synthetic": len(real) < len(config.datasets), "stamp": STAMP, "facts": methods.facts(config), "identity": of,
        "caveats": {dataset_info(d).title: dataset_info(d).caveats[0] for d in real if dataset_info(d).caveats},
        "sections": _sections(records), "generated": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "models": [model_title(m) for m in config.compared], "studied": model_title(STUDIED),
        "methods": methods.paragraphs(config), "limits": methods.limits(config), "references": methods.references(config),
        "bibtex": methods.bibtex(citation, of["commit"]), "paper": citation["preferred-citation"],
        "repository": citation.get("repository-code", ""),
        "provenance": _provenance(records), "settings": yaml.safe_dump(shown, sort_keys=False),
        "earlier": [differences(run, records) for run in earlier],
    }  # fmt: skip


def _page(context: dict[str, Any], files: dict[str, list[str]], folder: Path) -> str:
    """The page as text; what it embeds is among ``files``."""
    from jinja2 import DictLoader, Environment, StrictUndefined
    from markupsafe import Markup

    templates = {Path(file).name: Path(file).read_text(encoding="utf-8") for file in files["templates"]}
    static = {Path(file).name: Path(file).read_text(encoding="utf-8") for file in files["static"]}
    linked = _Linked({_relative(Path(file), folder): Path(file) for file in files["files"]})
    jinja = Environment(
        loader=DictLoader(templates), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    style = "".join(text for name, text in sorted(static.items()) if name.endswith(".css"))
    script = "".join(text for name, text in sorted(static.items()) if name.endswith(".js"))
    jinja.globals.update(
        data_uri=linked.data_uri, link=linked.address, is_numeric=lambda text: bool(NUMERIC.match(text)), number=number,
        statements=statements,
        latex=lambda item: _text_uri(latex(item["columns"], item["rows"], item["title"], item["name"]), "application/x-tex"),
    )  # fmt: skip
    return jinja.get_template("report.html.jinja").render(
        **context, style=Markup(style), script=Markup(script), style_hash=_csp_hash(style), script_hash=_csp_hash(script)
    )


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
    """Sections in their order, what they hold, and what they lack; those of which nothing was asked are left out."""
    out = []
    for key, title in SECTIONS.items():
        here = [r for r in records if r["section"] == key]
        if not here and key not in WRITTEN:
            continue
        made = [r for r in here if "missing" not in r]
        out.append({"key": key, "title": title, "entries": made, "absent": [r for r in here if "missing" in r]})
    return out


def _provenance(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Of every item its rule and code, and every file that any was made from, once."""
    made = [record for record in records if "provenance" in record]
    files = {file: digest for record in made for file, digest in record["provenance"]["inputs"].items()}
    items = [(r["number"], r["title"], r["provenance"]["rule"], r["provenance"]["code"]) for r in made]
    return {"items": items, "files": sorted(files.items())}


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def _text_uri(text: str, mime: str) -> str:
    return f"data:{mime};base64," + base64.b64encode(text.encode()).decode()


def _csp_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
