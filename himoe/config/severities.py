"""Which severities a condition has on a data set, read without importing its plug-in, and which conditions ablations have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from himoe import registry

if TYPE_CHECKING:
    from himoe.config.run import Config


def severities_on(modalities: tuple[str, ...], condition: str, asked: list[float]) -> list[float]:
    """Severities of those asked for that a condition has where these modalities are: none where it needs another one, or where
    nothing above 0 is left of what counts modalities."""
    facts = registry.peek("conditions", condition)
    if facts.get("MODALITY", modalities[0]) not in modalities:
        return []
    if "n_severities" not in facts["functions"]:
        return asked
    n = registry.compiled("conditions", condition, "n_severities")(len(modalities))
    kept = [severity for severity in asked if severity < n]
    return kept if any(kept) else []


def of_ablations(config: Config) -> list[str]:
    """Conditions of a run under which its ablations are predicted."""
    return [c for c in config.conditions if config.ablations_under is None or c in config.ablations_under]
