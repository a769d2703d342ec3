"""The paper's claims as config/claims.yaml states them, checked when they are read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from himoe.config.sections import Name, Positive, Strict
from himoe.provenance import hash_value
from himoe.types import HimoeError

PER_TOKEN = "per token"


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


def seal(files: Iterable[Path | str]) -> dict[str, Any]:
    """What a fit writes down of these files as it begins: a hash of every claim and study by file and id, and the day. An edit
    after
    results exist cannot be hidden from it."""
    hashes = {Path(f).stem: {entry["id"]: hash_value(entry) for entry in _entries(f)} for f in files}
    return hashes | {"date": date.today().isoformat()}


def _entries(path: Path | str) -> list[dict[str, Any]]:
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def parse_claims(entries: Any) -> list[Claim]:
    """The entries of config/claims.yaml, checked; HimoeError with the place of the first that is not valid."""
    try:
        return TypeAdapter(list[Claim]).validate_python(entries)
    except ValidationError as error:
        first = error.errors()[0]
        raise HimoeError(f"config/claims.yaml: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
