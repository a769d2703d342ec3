"""What a report contains: its figures and tables, known from the config and the plug-ins' literals before any is made."""

from __future__ import annotations

from typing import Any, NamedTuple

from himoe import registry
from himoe.config.run import Config
from himoe.names import VARIANT
from himoe.provenance import fingerprint, hash_value

SECTIONS = {  # of the report, in its order: key -> title
    "answer": "The answer", "claims": "Which claims hold?", "comparison": "Is it better?",
    "missing": "When modalities are missing?", "async": "When they are out of step?", "model": "Why?",
    "trust": "Can I trust it?", "data": "What are the data?", "cost": "What did it cost?",
    "methods": "Methods and references", "appendix": "Appendix",
}  # fmt: skip
PER_CONDITION = "conditions"
ANY = "*"
PICTURES = ("svg", "dark.svg", "phone.svg", "phone.dark.svg", "png", "pdf")  # of a figure: for pages and phones, to take away
SPOKEN_OF = ("datasets", "models", "conditions", "controls")
PRINTED = ("TITLE", "UNIT", "INFO", "COLOUR", "PLACE")


class Entry(NamedTuple):
    """A figure or a table of the report. ``condition`` is empty but for a figure that is drawn once per condition
    (``PER = "conditions"`` in its plug-in)."""

    kind: str
    plugin: str
    condition: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """Literals of the plug-in."""
        return registry.peek(self.kind, self.plugin)

    @property
    def name(self) -> str:
        """Unique in the report, and its anchor there: ``condition_curve-shift``."""
        return f"{self.plugin}{VARIANT}{self.condition}" if self.condition else self.plugin

    @property
    def stem(self) -> str:
        """Its files without their suffixes, below the folder of results: ``figures/condition_curve/shift``."""
        return f"{self.kind}/{self.plugin}" + (f"/{self.condition}" if self.condition else "")

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Suffixes of its files; the last one's holds the record of the others."""
        return (*PICTURES, "csv", "json") if self.kind == "figures" else ("csv", "json")

    @property
    def title(self) -> str:
        """What readers see above it."""
        return self.facts["TITLE"] + (f": {self._condition['TITLE']}" if self.condition else "")

    @property
    def caption(self) -> str:
        """The plug-in's docstring, after that of the condition it is drawn for."""
        texts = ([self._condition["doc"]] if self.condition else []) + [self.facts["doc"]]
        return " ".join(" ".join(texts).split())

    @property
    def section(self) -> str:
        """Key of its section, one of :data:`SECTIONS`; of a figure drawn for a condition, the one that the condition names."""
        section = self.facts["SECTION"]
        return self._condition.get("SECTION", section) if self.condition else section

    @property
    def needs(self) -> tuple[str, ...]:
        """Which evidence it is made from."""
        return self.facts["NEEDS"]

    @property
    def category(self) -> str:
        """Its section in Snakemake's own report, numbered so that both reports have the same order."""
        return f"{list(SECTIONS).index(self.section) + 1:02d} {SECTIONS[self.section]}"

    @property
    def code(self) -> str:
        """Fingerprint of what makes it, and of the plug-ins whose settings it describes (``DESCRIBES = "models"``)."""
        described = self.facts.get("DESCRIBES", "")
        plugins = [f"himoe.{described}.{name}" for name in registry.available(described)] if described else []
        return code_and_words(f"himoe.{self.kind}.{self.plugin}", "himoe.report.items", *plugins)

    def labels(self, config: Config) -> dict[str, str]:
        """What Snakemake's own report prints beside it."""
        return labels(self.title, self.kind.removesuffix("s"), config)

    @property
    def _condition(self) -> dict[str, Any]:
        return registry.peek("conditions", self.condition)


def labels(title: str, kind: str, config: Config) -> dict[str, str]:
    """What Snakemake's own report prints beside a file; a run on simulated data marks every one."""
    simulated = any(registry.is_synthetic(d) for d in config.datasets)
    return {"result": title, "kind": kind, "data": "SYNTHETIC" if simulated else "recorded"}


def contents(config: Config, kind: str) -> list[Entry]:
    """Figures or tables the config asks for, in its order; those drawn once per condition for every one that is evaluated."""
    evaluated = [c for c in config.conditions if any(c in config.conditions_of(d, p) for d, p in _settings(config))]
    entries = []
    for name in getattr(config, kind):
        each = registry.peek(kind, name).get("PER") == PER_CONDITION
        entries += [Entry(kind, name, c) for c in evaluated] if each and evaluated else [Entry(kind, name)]
    return entries


def possible(config: Config, kind: str) -> list[Entry]:
    """Those of :func:`contents` for which the run holds what it takes; the report shows a card in the place of the others."""
    return [entry for entry in contents(config, kind) if not lacks(config, entry)]


def lacks(config: Config, entry: Entry) -> str:
    """What an entry requires and the run does not hold; empty if nothing."""
    absent = _lacking(entry, config)
    if not absent and entry.facts.get("PER") == PER_CONDITION and not entry.condition:
        return "a condition that is evaluated"
    return absent


def _lacking(entry: Entry, config: Config) -> str:
    """What its REQUIRES (section of the config -> name, several of which one will do, or * for any) names and the config does
    not contain."""
    absent = []
    for section, names in registry.peek(entry.kind, entry.plugin).get("REQUIRES", {}).items():
        any_of, there = (names,) if isinstance(names, str) else names, getattr(config, section)
        if not there if ANY in any_of else not set(any_of) & set(there):
            absent.append(section if ANY in any_of else " or ".join(any_of))
    return ", ".join(absent)


def code_and_words(*modules: str) -> str:
    """Fingerprint of modules that print: of their code and words, and of the words they read from plug-ins they do not import
    (titles, units, colours, places, what is said about a data set)."""
    plugins = {f"{kind}/{name}": registry.peek(kind, name) for kind in SPOKEN_OF for name in registry.available(kind)}
    words = {key: [repr(facts.get(name)) for name in PRINTED] for key, facts in plugins.items()}
    return hash_value([fingerprint(*modules, words=True), words])[:12]


def _settings(config: Config) -> list[tuple[str, str]]:
    return [(dataset, protocol) for dataset in config.datasets for protocol in config.protocols]
