"""Values without measure, and texts that no page and no path can hold, are refused before any job, with their key."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from himoe import registry
from himoe.config.load import load_config
from himoe.config.run import Config
from himoe.config.sections import LARGEST, Strict
from himoe.types import HimoeError


def whole_numbers(section, prefix=""):
    """(dotted key, its limits) of every setting whose default is a whole number."""
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from whole_numbers(field.annotation, f"{prefix}{name}.")
        elif type(field.get_default(call_default_factory=True)) is int:
            yield f"{prefix}{name}", [m for m in field.metadata if hasattr(m, "le") or hasattr(m, "lt")]


@pytest.mark.parametrize("section", ["the run", *registry.available("models")])
def test_every_whole_number_has_an_upper_limit(section):
    settings = Config if section == "the run" else registry.config_class(section)
    assert issubclass(settings, Strict)
    assert [key for key, limits in whole_numbers(settings) if not limits] == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        # the default is 60: a hundred times that
        ({"training": {"epochs": 10**9}}, "training.epochs: Input should be less than or equal to 6000 (got '1000000000')"),
        ({"training": {"batch_size": 10**9}}, f"training.batch_size: Input should be less than or equal to {LARGEST}"),
        ({"splits": {"n_folds": 10**9}}, f"splits.n_folds: Input should be less than or equal to {LARGEST}"),
        (
            {"model_options": {"himoe": {"width": 8 * 10**6}}},
            "model_options.himoe.width: Input should be less than or equal to 6400",
        ),
        (
            {"execution": {"folds_per_job": 10**9}},
            f"execution.folds_per_job: Input should be less than or equal to {LARGEST} or",
        ),
        (
            {"execution": {"checkpoint_seconds": 10**9}},
            "execution.checkpoint_seconds: Input should be less than or equal to 86400",
        ),
        *(({"title": title}, "title: expected a line of text") for title in ("a\nb", "   ", "a\u202eb", "a\0b", "\x1b[31m")),
        ({"data_root": "a\0b"}, "data_root: expected a line of text"),
    ],
)
def test_no_measure_no_run(changes, said):
    with pytest.raises(HimoeError) as raised:
        load_config(changes)
    assert str(raised.value).startswith(f"config: {said}")
    assert str(raised.value).isprintable()


def test_what_is_large_and_not_absurd_is_taken():
    config = load_config(
        {
            "seeds": [2**32 - 1], "condition_seed": 2**32 - 1, "twin": {"seed": 5000}, "data_root": "/data/größe x",
            "training": {"epochs": 6000, "batch_size": 4096}, "model_options": {"himoe": {"width": 1024}},
            "execution": {"checkpoint_seconds": 3600},
        }
    )  # fmt: skip
    assert config.training.epochs == 6000
