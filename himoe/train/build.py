"""A network built for a layout."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from himoe import registry
from himoe.types import BuildContext, HimoeError, Layout

if TYPE_CHECKING:
    from torch import nn

    from himoe.config.sections import Training


def crop_tokens(token_rate: float, training: Training) -> int:
    """Tokens of a training crop and of a prediction segment."""
    return max(2, round(training.crop_seconds * token_rate))


def build_model(
    plugin: ModuleType, settings: Any, reference: dict[str, Any], layout: Layout, training: Training
) -> nn.Module:  # fmt: skip
    """A network for this layout; if its plug-in has a REFERENCE, as large as that model with the options ``reference``."""
    context = BuildContext(layout, crop_tokens(layout.token_rate, training))
    if (name := getattr(plugin, "REFERENCE", "")) and settings.match_parameters:
        other = registry.load("models", name)
        size = count_parameters(other.build(context, other.Config(**reference)))
        context = BuildContext(layout, context.n_times, size)
    model = plugin.build(context, settings)
    n_parameters = count_parameters(model)
    if context.n_parameters and abs(n_parameters - context.n_parameters) > 0.05 * context.n_parameters:
        raise HimoeError(
            f"{n_parameters} parameters against {name}'s {context.n_parameters}: choose another width or "
            "match_parameters: false"
        )
    if training.readout == "none" or getattr(plugin, "RAW", False):  # there is no ridge on samples
        return model
    from himoe.nn.readout import WithReadout

    return WithReadout(model, tuple(map(len, layout.features)), context.n_outputs, training.readout_penalty)


def count_parameters(model: nn.Module) -> int:
    """Numbers that training changes."""
    return sum(p.numel() for p in model.parameters())
