"""What must come out of planted data, as config/studies.yaml states it, checked when it is read."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from himoe.config.errors import explain
from himoe.config.fields import Count, Fraction, Name, Positive, Strict
from himoe.names import CLEAN
from himoe.registry import check, hint
from himoe.types import HimoeError


class _Study(Strict):
    """A question on one planted data set, by one test; each test has a record with the figures from which on it counts as
    found."""

    id: Name
    question: str
    data: Name
    seen: str = Field(default="", description="what had been seen of results when it was settled")


class Ahead(_Study):
    """Hi-MoE is ahead of every one of the others, by CCC."""

    test: Literal["ahead"]
    condition: Name = CLEAN
    others: Annotated[list[Name], Field(min_length=1)]
    smallest_effect: Positive


class Lags(_Study):
    """Lags that a condition injects are found: median error and share of errors beyond 1 s, at most."""

    test: Literal["lags"]
    condition: Name
    median: Positive  # s
    beyond: Fraction


class Follows(_Study):
    """A modality's share in the fusion follows its planted SNR: rank correlation, at least."""

    test: Literal["follows"]
    correlation: Fraction


class Clusters(_Study):
    """Prototypes tell planted clusters apart: adjusted Rand index, at least."""

    test: Literal["clusters"]
    rand: Fraction


class Nothing(_Study):
    """Nothing is found where nothing was planted: intervals that miss 0, at most, of as many replicates."""

    test: Literal["nothing"]
    replicates: Count
    largest: Annotated[int, Field(ge=0)]


class Unmoved(_Study):
    """A condition moves no model's CCC by more than the largest change."""

    test: Literal["unmoved"]
    condition: Name
    largest: Annotated[float, Field(ge=0)]


Study = Ahead | Lags | Follows | Clusters | Nothing | Unmoved
TESTS: dict[str, type[Study]] = {
    "ahead": Ahead, "lags": Lags, "follows": Follows, "clusters": Clusters, "nothing": Nothing, "unmoved": Unmoved,
}  # fmt: skip


def parse_studies(entries: Any) -> list[Study]:
    """The entries of config/studies.yaml, checked; HimoeError with the id and the key of what is not valid."""
    if not (isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)):
        raise HimoeError("config/studies.yaml: write it as a list of studies, each with id, question, data and test")
    studies = [_parse(entry, str(entry.get("id", i))) for i, entry in enumerate(entries)]
    names = [study.id for study in studies]
    if twice := [name for name in names if names.count(name) > 1]:
        raise HimoeError(f"config/studies.yaml: the id {twice[0]} appears twice")
    return studies


def _parse(entry: dict[str, Any], name: str) -> Study:
    test = str(entry.get("test", ""))
    if test not in TESTS:
        suggestion = " ".join(filter(None, [hint(test, TESTS), f"valid names: {', '.join(TESTS)}"]))
        raise HimoeError(f"config/studies.yaml: {name}.test: there is no '{test}'; {suggestion}")
    try:
        study = TESTS[test].model_validate(entry)
    except ValidationError as error:
        raise HimoeError(f"config/studies.yaml: {explain(error, TESTS[test], entry, name)}") from error
    if (condition := getattr(study, "condition", CLEAN)) != CLEAN:
        check("conditions", condition, f"config/studies.yaml: {name}.condition")
    return study
