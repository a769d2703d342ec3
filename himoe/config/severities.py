"""Which severities a condition has on a data set, read without importing its plug-in."""

from __future__ import annotations

from himoe import registry


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
