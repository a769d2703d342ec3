"""Late-fusion transformer: Hi-MoE's encoder, backbone and heads without the paper's ideas.

Modality encoders, attention pooling over the present modalities of a step, a transformer over time, the same heads. With
``affect_weight`` it has Hi-MoE's loss on each modality's own prediction, so that what is left between the two is the rest.
Given a number of parameters to match, the feed-forward layers are widened until it is met, so that a difference from Hi-MoE is
not one of size.

Axes: B windows, T tokens, N = B*T steps, M modalities, d width.
"""

from __future__ import annotations

import torch
from torch import nn

from himoe.config.networks import NetworkSettings
from himoe.config.sections import setting
from himoe.nn.encoder import Heads, ModalityEncoder, TemporalBackbone
from himoe.nn.linear import Linear
from himoe.nn.losses import affect_loss
from himoe.nn.soft_moe import MaskedFusion
from himoe.types import Batch, BuildContext, Output

COLOUR = ("#5991ff", "#b2b4ff")
PLACE = 160
REFERENCE = "himoe"
SPACE = {"affect_weight": (0.0, 0.3, 1.0)}


class Config(NetworkSettings):
    """Sizes as in Hi-MoE."""

    n_encoder_blocks: int = setting(2, "convolution blocks of a modality's encoder", "ours", ge=0)
    n_blocks: int = setting(2, "transformer blocks over time", "ours", ge=1)
    block_hidden: int = setting(2, "hidden width of a block's feed-forward layer, in d, where no size is matched", "ours", ge=1)
    affect_weight: float = setting(
        0.0, "weight of the error of each modality's own prediction, a linear map of its token, as Hi-MoE has it", "ours", ge=0
    )
    match_parameters: bool = setting(True, "match the number of parameters of the reference model, Hi-MoE", "ours")


class LateFusion(nn.Module):
    """Encode, fuse, transformer over time, predict."""

    def __init__(self, ctx: BuildContext, config: Config, hidden: int):
        super().__init__()
        self.config = config
        d = config.width
        n_features = tuple(len(names) for names in ctx.layout.features)
        self.encoder = ModalityEncoder(n_features, d, config.n_encoder_blocks, dropout=config.dropout)
        self.null = nn.Parameter(0.02 * torch.randn(d))
        self.fusion = MaskedFusion(d)
        self.backbone = TemporalBackbone(config.n_blocks, d, config.n_heads, hidden, config.dropout)
        self.heads = Heads(d, ctx.n_outputs)
        if config.affect_weight:
            self.affect = Linear(d, ctx.n_outputs)

    def forward(self, batch: Batch) -> Output:
        """Predict every step."""
        h = self.encoder(batch.x, batch.mask)  # (B, T, M, d)
        n_steps = h.shape[0] * h.shape[1]
        tokens = torch.cat([h.flatten(0, 1), self.null.expand(n_steps, 1, -1)], dim=1)  # (N, M + 1, d)
        mask = torch.cat([batch.mask.flatten(0, 1), batch.mask.new_ones(n_steps, 1)], dim=1)  # (N, M + 1)
        z, shares = self.fusion(tokens, mask)  # (N, d), (N, M + 1)
        z = self.backbone(z.unflatten(0, batch.valid.shape), batch.time, batch.valid)  # (B, T, d)
        losses = {}
        if self.training and self.config.affect_weight:
            losses["affect"] = self.config.affect_weight * affect_loss(self.affect(h), batch.mask, batch.y)
        return Output(self.heads(z), losses, {"modality_share": shares.unflatten(0, batch.valid.shape)})


def build(ctx: BuildContext, config: Config) -> LateFusion:
    """A transformer of ``ctx.n_parameters`` parameters (within one hidden unit per block), or of ``block_hidden``."""
    hidden = config.block_hidden * config.width
    if ctx.n_parameters:
        base = sum(p.numel() for p in LateFusion(ctx, config, 1).parameters())
        per_unit = config.n_blocks * (2 * config.width + 1)  # parameters that one more hidden unit in every block adds
        hidden = max(1, 1 + round((ctx.n_parameters - base) / per_unit))
    return LateFusion(ctx, config, hidden)
