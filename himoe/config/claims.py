"""The paper's claims as config/claims.yaml states them, checked when they are read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from himoe import registry
from himoe.config.facts import dataset_info
from himoe.config.fields import Name, Positive, Strict
from himoe.names import STUDIED, model_variant, parse_dataset
from himoe.provenance import hash_value
from himoe.types import HimoeError

if TYPE_CHECKING:
    from himoe.config.run import Config

PER_TOKEN = "per token"
DESIGN = (  # who is compared with whom, on what, under what
    "models", "models_on", "ablations", "seeds", "conditions", "condition_seed", "variants", "features", "annotator_lag",
    "regimes",
)  # fmt: skip


class Claim(Strict):
    """A claim, who Hi-MoE must be ahead of for it to hold, under what, and by how much that is of interest (CCC)."""

    id: Name
    claim: str
    hypothesis: str
    against: Literal["rivals", "networks", "ablations"]
    smallest_effect: Positive
    ablations: list[Name] = Field(default=[], description="those it is judged against")
    under: Name | None = Field(default=None, description="condition; clean input without it")
    data: list[Name] = Field(default=[], description="data sets it names; every one without it")
    labels: Literal["per token"] | None = None
    seen: str = Field(default="", description="what had been seen of results when it was settled")

    @property
    def of_mechanism(self) -> bool:
        """Whether it is about how the network works, and nothing where the network adds nothing."""
        return self.against != "rivals"


def seal(files: Iterable[Path | str], config: Config) -> dict[str, Any]:
    """What a fit writes down as it begins: a hash of every claim and study of these files by file and id, the run's design
    (:data:`DESIGN`), and the day. An edit after results exist cannot be hidden from it."""
    hashes = {Path(f).stem: {entry["id"]: hash_value(entry) for entry in _entries(f)} for f in files}
    return hashes | {"design": design(config), "date": date.today().isoformat()}


def design(config: Config) -> dict[str, str]:
    """A hash of each setting of :data:`DESIGN`."""
    settings = config.model_dump(mode="json")
    return {name: hash_value(settings[name]) for name in DESIGN}


def _entries(path: Path | str) -> list[dict[str, Any]]:
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def parse_claims(entries: Any) -> list[Claim]:
    """The entries of config/claims.yaml, checked; HimoeError with the place of the first that is not valid."""
    try:
        return TypeAdapter(list[Claim]).validate_python(entries)
    except ValidationError as error:
        first = error.errors()[0]
        raise HimoeError(f"config/claims.yaml: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def applies(claim: Claim, dataset: str) -> bool:
    """Whether a claim is about this data set: those it names, else every one but the planted, which have their own studies."""
    if claim.data:
        return parse_dataset(dataset).plugin in claim.data
    return not registry.is_planted(dataset)


def has_labels(claim: Claim, dataset: str) -> bool:
    """Whether a data set's labels can tell."""
    return claim.labels != PER_TOKEN or dataset_info(dataset).per_token


def others_of(config: Config, dataset: str, protocol: str, claim: Claim) -> list[str]:
    """The models that Hi-MoE must be ahead of for this claim."""
    if claim.against == "ablations":
        return [model_variant(STUDIED, name) for name in claim.ablations]
    fitted = [m for m in config.rivals if m in config.models_of(dataset, protocol)]
    return [m for m in fitted if claim.against == "rivals" or registry.is_network(m)]


def lacks(config: Config, dataset: str, protocol: str, claim: Claim) -> str:
    """What a run does not hold that a claim needs; empty if nothing."""
    fitted = config.models_of(dataset, protocol)
    if absent := [m for m in claim.ablations if model_variant(STUDIED, m) not in fitted]:
        return f"needs {len(absent)} of the ablations of config/ablations.yaml"
    if STUDIED not in fitted or not others_of(config, dataset, protocol, claim):
        return f"needs {STUDIED} and {'a network trained alike' if claim.against == 'networks' else 'another model'}"
    under = config.conditions_of(dataset, protocol, others_of(config, dataset, protocol, claim)[0])
    if claim.under and claim.under not in under:
        return f"needs the condition {claim.under}"
    if claim.under and len(under[claim.under]) < 2:
        return f"needs two severities of {claim.under}, the mildest and what it is held against"
    return ""
