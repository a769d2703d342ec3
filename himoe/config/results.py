"""A run's results.json as another run reads it: checked against the schema that ships with the workflow, before any job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from himoe import io
from himoe.types import HimoeError

SAID = 160  # characters of what the schema says of a file


def read_results(path: str | Path, schema: str | Path) -> dict[str, Any]:
    """A run's results.json.

    Raises
    ------
    HimoeError
        In one line, if there is none at ``path`` or it is not as the ``schema`` says.
    """
    import jsonschema

    results = io.read_json(path)
    validator = jsonschema.Draft202012Validator(json.loads(Path(schema).read_text(encoding="utf-8")))
    if error := jsonschema.exceptions.best_match(validator.iter_errors(results)):
        place = ".".join(map(str, error.absolute_path)) or "the file"
        said = " ".join(error.message.split())
        raise HimoeError(f"{path}: {place}: {said[:SAID]}; compare= takes the results.json of a run of this version")
    return dict(results)
