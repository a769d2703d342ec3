"""What there is to name in a config: plug-ins by their literals and docstrings, none of them imported, and features."""

from __future__ import annotations

import inspect
import json
import re

from himoe import registry
from himoe.commands import terminal
from himoe.report.titles import dataset_info, model_title

FEATURES = "features"
KINDS = (*registry.KINDS, FEATURES)
CITED = re.compile(r"\s*\(([^()]*\b(?:(?:19|20)\d\d\b|arXiv)[^()]*)\)")  # a work in brackets, with its year


def entries(kind: str) -> list[dict[str, str]]:
    """``name``, ``title``, ``what`` (one sentence) and ``source`` (the work it is from, empty where none is named) of each."""
    return _features() if kind == FEATURES else [_plugin(kind, name) for name in registry.available(kind)]


def report(kind: str, as_json: bool) -> int:
    """Print them, as a table or as JSON; 0."""
    found = entries(kind)
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        shown = [column for column in found[0] if any(entry[column] for entry in found)]
        terminal.console().print(terminal.table("", [{column: entry[column] for column in shown} for entry in found]))
    return 0


def _plugin(kind: str, name: str) -> dict[str, str]:
    facts = registry.peek(kind, name)
    title, source = facts.get("TITLE", name.replace("_", " ")), _source(facts["doc"])
    if kind == "datasets":
        title, source = dataset_info(name).title, dataset_info(name).citation
    elif kind == "models":
        title = model_title(name)
    return {"name": name, "title": title, "what": _sentence(facts["doc"]), "source": source}


def _features() -> list[dict[str, str]]:
    """Recipes of :mod:`himoe.signal.features`; their title is the names of their columns."""
    from himoe.signal.features import RECIPES

    out = []
    for name, recipe in RECIPES.items():
        doc = inspect.getdoc(recipe.run) or ""
        columns = ", ".join(recipe.names(("CHANNEL",)))
        out.append({"name": name, "title": columns, "what": _sentence(doc), "source": _source(doc)})
    return out


def _sentence(doc: str) -> str:
    """The first sentence of a docstring, without the works that it names in brackets."""
    text = CITED.sub("", " ".join(doc.replace("``", "").split()))
    return re.split(r"(?<=\.)\s", text, maxsplit=1)[0].rstrip(".:")


def _source(doc: str) -> str:
    return "; ".join(CITED.findall(" ".join(doc.split())))
