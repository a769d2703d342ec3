"""Documents that are generated from the settings: JSON schema, table of keys, decision register.

Written by ``python -m himoe.config.document`` (``make schema``).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from himoe import registry
from himoe.config.regimes import Regime
from himoe.config.run import Config
from himoe.config.sections import Planted, walk
from himoe.io import write_text


def schema() -> dict[str, Any]:
    """JSON schema of a config file."""
    return Config.model_json_schema() | {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def key_table() -> str:
    """Markdown table of every key."""
    return _table(_of_a_run(), "default")


def _of_a_run() -> list[tuple[str, Any, str, str]]:
    return [*walk(Config()), *walk(Regime(), "regimes.NAME."), *walk(Planted(), "planted.NAME.")]


def _table(rows: list[tuple[str, Any, str, str]], value: str) -> str:
    out = [f"| key | {value} | meaning | source |", "|---|---|---|---|"]
    for key, default, description, source in rows:
        shown = re.sub(r"[\[\]']", "", str(default)) if isinstance(default, list) else str(default)
        out.append(f"| `{key}` | {shown} | {description} | {source} |".replace("|  |", "| |"))
    return "\n".join(out)


def register() -> str:
    """Markdown of every setting of a run and of each model, by the source of its default."""
    rows = _of_a_run()
    for name in registry.available("models"):
        rows += walk(registry.config_class(name)(), f"{name}.")
    out = []
    for title, begins in (("Said in the paper's abstract", "paper"), ("From a work that is cited", "cited:"), ("Ours", "ours")):
        chosen = [row for row in rows if row[3].startswith(begins)]
        out += [f"### {title}: {len(chosen)} of {len(rows)}", "", _table(chosen, "default"), ""]
    return "\n".join(out).rstrip()


def generated(root: Path) -> dict[Path, str]:
    """Text of every generated document, by its path; in a page, only the part between its marks is generated."""
    readme, decisions = root / "config/README.md", root / "docs/reference/decisions.md"
    return {
        root / "config/schema.json": json.dumps(schema(), indent=1, sort_keys=True) + "\n",
        readme: _between(readme, "keys", key_table()),
        decisions: _between(decisions, "register", register()),
    }


def _between(path: Path, mark: str, text: str) -> str:
    head, rest = path.read_text(encoding="utf-8").split(f"<!-- {mark} -->\n", 1)
    return f"{head}<!-- {mark} -->\n{text}\n<!-- /{mark} -->{rest.split(f'<!-- /{mark} -->', 1)[1]}"


def main(root: Path = Path()) -> None:
    """Write the generated documents of a checkout."""
    for path, text in generated(root).items():
        write_text(path, text)


if __name__ == "__main__":
    main()
