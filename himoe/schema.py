"""JSON schema of a config file and the table of its keys, written from :mod:`himoe.config`: ``python -m himoe.schema``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from himoe.config import Config
from himoe.io import write_text
from himoe.settings import Planted, walk


def schema() -> dict[str, Any]:
    """JSON schema of a config file."""
    return Config.model_json_schema() | {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def key_table() -> str:
    """Markdown table of every key."""
    rows = ["| key | default | meaning | source |", "|---|---|---|---|"]
    for key, value, description, source in [*walk(Config()), *walk(Planted(), "planted.NAME.")]:
        shown = re.sub(r"[\[\]']", "", str(value)) if isinstance(value, list) else str(value)
        rows.append(f"| `{key}` | {shown} | {description} | {source} |")
    return "\n".join(rows)


def main(root: Path = Path("config")) -> None:
    """Write config/schema.json and the key table of config/README.md."""
    write_text(root / "schema.json", json.dumps(schema(), indent=1, sort_keys=True) + "\n")
    readme = (root / "README.md").read_text(encoding="utf-8")
    head, rest = readme.split("<!-- keys -->\n", 1)
    tail = rest.split("<!-- /keys -->", 1)[1]
    write_text(root / "README.md", f"{head}<!-- keys -->\n{key_table()}\n<!-- /keys -->{tail}")


if __name__ == "__main__":
    main()
