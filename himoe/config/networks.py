"""Settings that the networks share. Free of torch: settings are checked before any network is imported."""

from __future__ import annotations

from typing import Any, Self

from pydantic import model_validator

from himoe.config.fields import Strict, setting


class NetworkSettings(Strict):
    """Sizes of the modality encoders and of the transformer over time; a network overrides what differs in it."""

    width: int = setting(64, "width d of every token", "ours", ge=8, multiple_of=8)
    n_heads: int = setting(4, "attention heads", "ours", ge=1)
    n_encoder_blocks: int = setting(1, "convolution blocks of a modality's encoder", "ours", ge=0)
    n_blocks: int = setting(2, "transformer blocks over time", "ours", ge=0)
    block_hidden: int = setting(2, "hidden width of a block's feed-forward layer, in d", "ours", ge=1)
    dropout: float = setting(0.1, "dropout inside blocks", "ours", ge=0, lt=1)

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        check_divides(self, "n_heads", "width")
        return self


def check_divides(settings: Any, part: str, whole: str) -> None:
    """ValueError where one setting does not divide another."""
    if getattr(settings, whole) % getattr(settings, part):
        raise ValueError(f"{part} {getattr(settings, part)} does not divide {whole} {getattr(settings, whole)}")
