"""Figures and tables as records: drawn or made from evidence files, written with caption, alt text and provenance."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from himoe import io, registry
from himoe.config import Config, dataset_info
from himoe.protocols import PROTOCOLS
from himoe.provenance import hash_file

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

STAMP = "SYNTHETIC - not comparable with the paper"


class Drawn(NamedTuple):
    """A figure, the numbers in it, and a sentence that states its finding."""

    figure: Figure
    data: pd.DataFrame
    alt: str


class Made(NamedTuple):
    """A table: ``data`` as numbers for the CSV, ``shown`` as text for the report, ``note`` below it, ``alt``: its finding."""

    data: pd.DataFrame
    shown: pd.DataFrame
    alt: str = ""
    note: str = ""


@dataclass(frozen=True)
class Evidence:
    """The files an item needs, read when asked for."""

    files: dict[str, list[str]]
    config: Config

    @property
    def settings(self) -> list[str]:
        """What a result is of: each data set under each protocol, named by the data set alone where there is one protocol."""
        return [self.setting(d, p) for d in self.config.datasets for p in self.config.protocols]

    def setting(self, dataset: str, protocol: str) -> str:
        """``deap_twin``, or ``deap_twin/loso`` in a run of several protocols."""
        return dataset if len(self.config.protocols) == 1 else f"{dataset}/{protocol}"

    def targets_of(self, setting: str) -> tuple[str, ...]:
        """Targets predicted in a setting."""
        return self.config.targets_of(dataset_of(setting))

    def _keyed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """With the column ``dataset`` replaced by ``setting``, so that no item can mix protocols."""
        names = [self.setting(d, p) for d, p in zip(frame["dataset"], frame["protocol"], strict=True)]
        return frame.drop(columns=["dataset", "protocol"]).assign(setting=names)

    @property
    def models(self) -> list[str]:
        """Models that compete, in the config's order; ablations and controls are not among them."""
        return self.config.compared

    @property
    def controls(self) -> list[str]:
        """Models whose data a control spoils."""
        return [m for m in self.config.models if registry.control_of(m)]

    def models_of(self, setting: str) -> list[str]:
        """Models fitted in a setting."""
        return self.config.models_of(dataset_of(setting), self.protocol_of(setting))

    def perturbed(self, condition: str) -> list[str]:
        """Settings in which a condition was evaluated."""
        return [s for s in self.settings if condition in self.config.conditions_of(dataset_of(s), self.protocol_of(s))]

    def protocol_of(self, setting: str) -> str:
        """The protocol of a setting."""
        return setting.partition("/")[2] or self.config.protocols[0]

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Tidy scores by setting, of the models that compete."""
        return self.all_scores[self.all_scores["model"].isin(self.models)]

    @cached_property
    def all_scores(self) -> pd.DataFrame:
        """Tidy scores by setting, ablations among them."""
        import pandas as pd

        return self._keyed(pd.read_csv(self.files["scores"][0], dtype={"subject": str}))

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Predictions of every fit."""
        return self._parquet("predictions")

    @cached_property
    def routing(self) -> pd.DataFrame:
        """Routing of every fit that routes."""
        return self._parquet("routing")

    def _parquet(self, name: str) -> pd.DataFrame:
        import pandas as pd

        parts = [pd.read_parquet(file) for file in self.files[name]]
        return self._keyed(pd.concat([p for p in parts if len(p)] or parts[:1], ignore_index=True))

    @cached_property
    def runs(self) -> list[dict[str, Any]]:
        """Run records."""
        runs = [io.read_json(file) for file in self.files["runs"]]
        return [run | {"setting": self.setting(run["dataset"], run["protocol"])} for run in runs]

    @cached_property
    def failed(self) -> dict[tuple[str, str], list[str]]:
        """(setting, model) -> which of its folds diverged, ``seed 0 fold 3``; only those that have one."""
        out: dict[tuple[str, str], list[str]] = {}
        for run in self.runs:
            folds = [f"seed {run['seed']} fold {fold}" for fold, told in run["folds"].items() if told["failed"]]
            if folds:
                out.setdefault((run["setting"], run["model"]), []).extend(folds)
        return out

    @cached_property
    def cards(self) -> list[dict[str, Any]]:
        """Data cards."""
        return [io.read_json(file) for file in self.files["cards"]]

    @cached_property
    def audits(self) -> list[dict[str, Any]]:
        """Model-info sheets."""
        return [io.read_json(file) for file in self.files["audits"]]

    @cached_property
    def truths(self) -> dict[str, dict[str, Any]]:
        """What was planted, by data set."""
        return {told["dataset"]: told for told in map(io.read_json, self.files["truths"])}

    def yaml(self, name: str) -> Any:
        """A hand-written YAML file."""
        import yaml

        return yaml.safe_load(Path(self.files[name][0]).read_text(encoding="utf-8"))

    @property
    def synthetic(self) -> bool:
        """Whether any of the run's data are simulated."""
        return any(registry.is_synthetic(d) for d in self.config.datasets)

    def facts(self) -> str:
        """How many subjects, seeds and which protocol, for captions."""
        told = []
        for title, names in named(self.config.datasets).items():
            told.append(f"{title}: up to {len(self.config.size(names[0]).subjects)} subjects")
        return f"{'; '.join(told)}; {len(self.config.seeds)} seed(s); protocol {', '.join(self.config.protocols)}."


def dataset_of(setting: str) -> str:
    """The data set of a setting."""
    return setting.split("/")[0]


def named(datasets: list[str]) -> dict[str, list[str]]:
    """Data sets by title; replicates of a planted one together: ``Planted null (20 replicates)``."""
    groups: dict[str, list[str]] = {}
    for name in datasets:
        groups.setdefault(name.partition(".")[0] if registry.is_planted(name) else name, []).append(name)
    return {setting_title(k) + (f" ({len(v)} replicates)" if len(v) > 1 else ""): v for k, v in groups.items()}


def setting_title(setting: str) -> str:
    """A setting's name for readers: ``DEAP``, ``DEAP twin``, ``DEAP twin, loso``."""
    dataset, _, protocol = setting.partition("/")
    title = dataset_info(dataset).title + (" twin" if registry.is_twin(dataset) else "")
    if registry.is_planted(dataset):
        title = f"Planted {dataset.partition(registry.ABLATION)[2].replace('_', ' ')}"
        title += ", one label per trial" if registry.is_rated(dataset) else ""
    told = f", {protocol.replace('_', ' ')}" if protocol else ""
    return title + told + (" (invalid)" if protocol and PROTOCOLS[protocol].invalid else "")


def model_title(name: str) -> str:
    """A model's name for readers; an ablation or a control by its model and what is changed."""
    plugin, _, ablation = name.partition(registry.ABLATION)
    title = registry.peek("models", plugin).get("TITLE", plugin.replace("_", " "))
    if control := registry.control_of(name):
        return f"{title}, {registry.peek('controls', control)['TITLE']}"
    return f"{title}, {ablation.replace('_', ' ')}" if ablation else title


def _item(kind: str, name: str, evidence: Evidence, alt: str, note: str, code: Any) -> dict[str, Any]:
    """What a report says beside a figure or table."""
    peeked = registry.peek(kind, name)
    inputs = [f for files in evidence.files.values() for f in files]
    return {
        "name": name, "title": peeked["TITLE"], "section": peeked["SECTION"], "caption": " ".join(peeked["doc"].split()),
        "facts": evidence.facts(), "alt": alt, "note": note, "synthetic": evidence.synthetic and peeked.get("RESULTS", True),
        "provenance": {
            "rule": "draw_figure" if kind == "figures" else "write_table", "code": code,
            "inputs": {f: hash_file(f) for f in sorted(inputs)}, "seeds": list(evidence.config.seeds),
        },
    }  # fmt: skip


def write_table(name: str, files: dict[str, list[str]], config: dict[str, Any], code: Any) -> None:
    """results/tables/{name}.csv and .json."""
    evidence = Evidence(files, Config(**config))
    made: Made = importlib.import_module(f"himoe.tables.{name}").make(evidence)
    shown = made.shown.astype(str)
    item = _item("tables", name, evidence, made.alt, made.note, code)
    item |= {"kind": "table", "columns": list(shown.columns), "rows": shown.to_numpy().tolist(), "csv": f"tables/{name}.csv"}
    io.write_table(f"results/tables/{name}.csv", made.data)
    io.write_json(f"results/tables/{name}.json", item)


def draw_figure(name: str, files: dict[str, list[str]], config: dict[str, Any], code: Any) -> None:
    """results/figures/{name}.svg, .dark.svg, .png, .csv and .json."""
    import matplotlib.pyplot as plt

    from himoe.figures import _paper

    evidence = Evidence(files, Config(**config))
    plugin = importlib.import_module(f"himoe.figures.{name}")
    stem = f"results/figures/{name}"
    for paper, suffixes in ((_paper.LIGHT, ("svg", "png")), (_paper.DARK, ("dark.svg",))):
        with _paper.style(paper):
            drawn: Drawn = plugin.draw(evidence, paper)
            if evidence.synthetic:
                _paper.stamp(drawn.figure, STAMP, paper)
            for suffix in suffixes:
                with io.atomic(f"{stem}.{suffix}") as temporary:
                    metadata = {"Date": None} if suffix.endswith("svg") else {"Software": None}
                    drawn.figure.savefig(temporary, format=suffix[-3:], metadata=metadata)
            plt.close(drawn.figure)
    io.write_table(f"{stem}.csv", drawn.data)
    item = _item("figures", name, evidence, drawn.alt, "", code)
    links = {"svg": f"figures/{name}.svg", "dark": f"figures/{name}.dark.svg", "png": f"figures/{name}.png"}
    io.write_json(f"{stem}.json", item | links | {"kind": "figure", "csv": f"figures/{name}.csv"})
