"""A mapping as Snakemake reads it, checked and completed."""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import ValidationError

from himoe.config.checks import check
from himoe.config.run import Config
from himoe.names import STUDIED, model_variant
from himoe.types import HimoeError


def load_config(raw: dict[str, Any]) -> Config:
    """Check a mapping as read by Snakemake.

    Raises
    ------
    HimoeError
        One line: path of the key, what is wrong, the nearest valid name.
    """
    try:
        config = Config.model_validate(_with_variants(raw))
    except ValidationError as error:
        raise HimoeError("config: " + "; ".join(_explain(e) for e in error.errors())) from error
    check(config)
    return config


def _with_variants(raw: dict[str, Any]) -> dict[str, Any]:
    """Every ablation and every control is a model of the run."""
    models, ablations, controls = (raw.get(key) for key in ("models", "ablations", "controls"))
    models = Config().models if models is None else models
    own = [model_variant(STUDIED, name) for name in ablations] if isinstance(ablations, dict) else []
    if isinstance(controls, dict):
        own += [model_variant(m, name) for name, of in controls.items() if isinstance(of, list) for m in of]
    if not (isinstance(models, list) and own):
        return raw
    return raw | {"models": [*models, *(m for m in own if m not in models)]}


def _explain(error: Any) -> str:
    path = ".".join(str(part) for part in error["loc"])
    if error["type"] != "extra_forbidden":
        return f"{path}: {error['msg']} (got {str(error['input'])[:60]!r})"
    section: Any = Config
    for part in error["loc"][:-1]:
        section = section.model_fields[part].annotation
    valid = list(section.model_fields)
    near = difflib.get_close_matches(str(error["loc"][-1]), valid, n=1)
    return f"{path}: unknown key; " + (f"did you mean '{near[0]}'?" if near else f"valid keys: {', '.join(valid)}")
