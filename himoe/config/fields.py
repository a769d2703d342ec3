"""What the sections of a config are made of: names, numbers and texts with their limits."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidatorFunctionWrapHandler,
    field_validator,
)

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Label = Annotated[str, Field(pattern="^[a-z0-9_]+$")]  # what comes behind a - in a name
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
LARGEST = 4096  # of a whole number that states no limit; a setting whose default is large may be a hundred times that
Count = Annotated[int, Field(ge=1)]
Some = Annotated[int, Field(ge=1, le=LARGEST)]  # where a word may stand in the place of a number


def _digits(value: Any) -> Any:
    """A whole number that came as text: ``--config seeds=[0,1]`` hands texts on."""
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 20 else value


def _printable(text: str) -> str:
    """The text without blanks at its ends; ValueError where it is blank or holds what no page and no path can."""
    if not text.strip() or any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text):
        raise ValueError("expected a line of text, without line breaks, control characters or letters that turn its direction")
    return text.strip()


Text = Annotated[str, AfterValidator(_printable)]
# What numpy's and scikit-learn's generators take; no truth value and no fraction.
SEEDS = 2**32
Seed = Annotated[int, BeforeValidator(_digits), Field(ge=0, lt=SEEDS, strict=True)]


class Strict(BaseModel):
    """A section whose unknown keys are errors and whose values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="wrap")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, read: ValidatorFunctionWrapHandler) -> Any:
        made = read(value)
        if (keys := _truth_for_a_number(value, made)) is not None:
            raise ValueError(": ".join([*filter(None, [".".join(keys)]), "expected a number, got yes or no (true or false)"]))
        return made


def _truth_for_a_number(value: Any, made: Any) -> list[str] | None:
    """Keys below a value to where a truth value was read as 1 or 0, else None: YAML takes ``yes`` and ``off`` for such."""
    if isinstance(value, bool):
        return [] if isinstance(made, int | float) and not isinstance(made, bool) else None
    if isinstance(value, dict) and isinstance(made, dict):
        parts = [(str(key), of, made.get(key)) for key, of in value.items()]
    elif isinstance(value, list | tuple) and isinstance(made, list | tuple):
        parts = [(str(i), *pair) for i, pair in enumerate(zip(value, made, strict=False))]
    else:
        return None
    found = ((key, _truth_for_a_number(of, read)) for key, of, read in parts)
    return next(([key, *below] for key, below in found if below is not None), None)


def setting(default: Any, description: str, source: str, **limits: Any) -> Any:
    """A field with its meaning and the source of its default. A whole number has an upper limit, stated or generous: zeros
    too many are told before any job, not by a machine that is out of memory."""
    if type(default) is int and not {"le", "lt"} & limits.keys():
        limits["le"] = max(LARGEST, 100 * default)
    factory = {"default_factory": lambda: default} if isinstance(default, (list, dict)) else {"default": default}
    return Field(**factory, description=description, json_schema_extra={"source": source}, **limits)
