"""What of the site's pages is made from the code when the site is built, and not typed twice: a line ``<!-- made: NAME -->``
in a page is replaced by the text of the function of that name. It reads plug-ins' literals and docstrings; none is imported."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

import himoe
from himoe import registry
from himoe.__main__ import _parser
from himoe.commands import publish
from himoe.config.claims import parse_claims
from himoe.config.contents import SECTIONS
from himoe.config.facts import dataset_info
from himoe.names import STUDIED
from himoe.report.titles import model_title

ROOT = Path(__file__).parent.parent
PAGES = {  # of the repository, that are pages of the site too
    "config/README.md": "docs/reference/config.md", "CONTRIBUTING.md": "docs/howto/contributing.md",
    "CHANGELOG.md": "docs/reference/changelog.md",
}  # fmt: skip

ROUTED = (
    "set_fit_request",
    "set_predict_request",
    "set_score_request",
)  # scikit-learn adds them, with links to its site


def read_source(app: Any, docname: str, content: list[str]) -> None:
    """Sphinx asks for the text of a page: put in what it names, and lead its links to pages of the site."""
    path, text = Path("docs") / f"{docname}.md", content[0]
    if not (ROOT / path).is_file():
        return  # a notebook
    if whole := re.search(r"^<!-- page: (\S+) -->$", text, re.M):
        path = Path(whole[1])
        text = (ROOT / path).read_text(encoding="utf-8")
    text = re.sub(r"^<!-- made: (\w+)(?: (\w+))? -->$", _made, text, flags=re.M)
    text = re.sub(r"^```mermaid\n.*?^```$", "![Rules](../pictures/workflow.svg)", text, flags=re.M | re.S)
    content[0] = re.sub(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)", lambda m: _link(m, path, Path("docs") / docname), text)


def _made(named: re.Match[str]) -> str:
    return globals()[named[1]](*filter(None, [named[2]]))


def _link(link: re.Match[str], path: Path, page: Path) -> str:
    """A link of a file of the repository, for the page that shows it; where it leads to a folder, its text alone."""
    words, target = link.groups()
    if target.startswith(("http", "#", "mailto:")):
        return link[0]
    name, hash_, anchor = target.partition("#")
    there = os.path.normpath(path.parent / name)
    if (ROOT / there).is_dir():
        return words
    return f"[{words}]({os.path.relpath(PAGES.get(there, there), page.parent)}{hash_}{anchor})"


def conditions(section: str) -> str:
    """Every condition of a section of the report: ``missing`` or ``async``."""
    out = []
    for name in registry.available("conditions"):
        facts = registry.peek("conditions", name)
        if facts.get("SECTION", "missing") != section:
            continue
        whole = "; whole tokens" * bool(facts.get("WHOLE_TOKENS")) + "; whole numbers" * bool(facts.get("WHOLE"))
        ends = facts.get("LIMITS")
        limits = f"; {ends[0]:g} to {ends[1]:g}" if ends else ""
        out.append(f"### `{name}`: {facts['TITLE']}\n\n{_plain(facts['doc'])}\n\n*Severity:* {facts['UNIT']}{limits}{whole}.")
    return "\n\n".join(out)


def models() -> str:
    """Every model: the one under study, then the others in the order of figures and tables."""
    out = []
    for name in sorted(registry.available("models"), key=lambda model: (model != STUDIED, registry.place(model))):
        facts = registry.peek("models", name)
        kind = "network" if registry.is_network(name) else "estimator"
        reads = "no physiology" if facts.get("BLIND") else facts.get("MODALITY", "all modalities")
        about = [kind, f"reads {reads}{' as samples' * bool(facts.get('RAW'))}"]
        about += ["a reference, nobody's rival"] * registry.is_reference(name)
        settings = ", ".join(f"`{field}`" for field in registry.config_class(name).model_fields)
        lines = [f"## {model_title(name)} (`{name}`)", f"*{'; '.join(about)}.*", _plain(facts["doc"])]
        out.append("\n\n".join([*lines, f"Settings: {settings}." if settings else "It has no settings."]))
    return "\n\n".join(out)


def datasets() -> str:
    """Every data set of recordings, by its facts."""
    rows = []
    for name in registry.available("datasets"):
        if registry.is_planted(name):
            continue
        info = dataset_info(name)
        signals = ", ".join(f"{m.name} ({m.sfreq:g} Hz, {m.unit})" for m in info.modalities)
        labels = f"{', '.join(info.targets)} ({info.target_range[0]:g} to {info.target_range[1]:g})"
        each = "every token" if info.per_token else "trial"
        rows.append([f"`{name}`", info.title, str(len(info.subjects)), labels, each, signals, info.licence])
    return _table(["name", "data set", "people", "labels", "one label per", "modalities as handed out", "licence"], rows)


def items(kind: str) -> str:
    """Every figure or table of the report, by its section."""
    out = []
    for section, title in SECTIONS.items():
        rows = []
        for name in registry.available(kind):
            facts = registry.peek(kind, name)
            if facts["SECTION"] == section:
                asks = [f"{key}: {_names(value)}" for key, value in facts.get("REQUIRES", {}).items()]
                rows.append([f"`{name}`", f"**{facts['TITLE']}.** {_plain(facts['doc'])}", "; ".join(asks)])
        if rows:
            out.append(f"### {title}\n\n{_table(['name', 'shows', 'needs'], rows)}")
    return "\n\n".join(out)


def _names(value: str | tuple[str, ...]) -> str:
    return "any" if value == "*" else value if isinstance(value, str) else " or ".join(value)


def claims() -> str:
    """The paper's claims and how each is tested."""
    found = parse_claims(yaml.safe_load((ROOT / "config/claims.yaml").read_text(encoding="utf-8")))
    rows = [[c.id, c.claim, c.hypothesis, f"{c.smallest_effect:g}"] for c in found]
    return _table(["", "the paper claims", "tested as", "smallest effect of interest (CCC)"], rows)


def status() -> str:
    """Which claims hold so far, as at the top of the README."""
    return publish.status(ROOT / "docs/results").replace("docs/results/", "results/")


def glossary() -> str:
    """The report's own glossary, as a definition list."""
    page = (ROOT / "report/templates/howto.html.jinja").read_text(encoding="utf-8")
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page)
    return "\n\n".join(f"{word}\n: {meaning}" for word, meaning in found)


def commands() -> str:
    """What each command says of itself."""
    parser = _parser()
    (sub,) = (action for action in parser._actions if action.choices and action.dest == "command")
    choices: dict[str, Any] = dict(sub.choices or {})
    texts = {name: command.format_help().rstrip() for name, command in choices.items()}
    return "\n\n".join(f"## {name}\n\n```text\n{text}\n```" for name, text in texts.items())


def api() -> str:
    """Every public name of the package, those of its modules below."""
    found = {name: getattr(himoe, name) for name in getattr(himoe, "__all__", []) if name != "__version__"}
    modules = {name: what for name, what in found.items() if isinstance(what, ModuleType)}
    own = _rst(_directive(name, what) for name, what in found.items() if name not in modules)
    of_modules = [f"### himoe.{name}\n\n{_rst([_module(what.__name__)])}" for name, what in modules.items()]
    return "\n\n".join([own, *of_modules])


def _directive(name: str, what: object) -> str:
    if isinstance(what, type):
        return f".. autoclass:: himoe.{name}\n   :members:\n   :exclude-members: {', '.join(ROUTED)}"
    return f".. autofunction:: himoe.{name}"


def _module(name: str) -> str:
    return f".. automodule:: {name}\n   :members:"


def mathematics(room: str) -> str:
    """Every module of a room."""
    files = sorted((ROOT / "himoe" / room).glob("[a-z]*.py"))
    blocks = []
    for name in (f"himoe.{room}.{file.stem}" for file in files):
        importlib.import_module(name)  # an error here is one of the page, not an empty section
        blocks.append(f"## {name}\n\n" + _rst([_module(name)]))
    return "\n\n".join(blocks)


def _rst(directives: Iterable[str]) -> str:
    return "\n\n".join(f"```{{eval-rst}}\n{text}\n```" for text in directives)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(c.replace("|", r"\|").replace("\n", " ") for c in row) + " |" for row in [head, *rows]]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def _plain(doc: str) -> str:
    """A docstring as Markdown."""
    text = re.sub(r":(?:mod|func|class|data|attr|meth):`~?([^`]+)`", r"`\1`", doc)
    return re.sub(r"``([^`]+)``", r"`\1`", text).strip()
