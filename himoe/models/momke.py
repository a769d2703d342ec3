"""MoMKE (Xu, Jiang & Liang, ACM MM 2024, "Leveraging Knowledge of Modality Experts for Incomplete Multimodal Learning"), for
continuous regression.

Kept: one expert per modality, with a unimodal prediction and a loss on it. The representation of every present modality passes
through all experts, and a soft router per modality mixes the outputs; an absent modality contributes nothing.

Changed: the two stages (unimodal experts first, then all experts with routers) are trained at once, with weighted unimodal
losses. Everything is per step, for any number of modalities. Mixed representations are averaged over the present modalities
(published: concatenated, 0 where absent). Experts are residual feed-forward layers behind a convolutional encoder and in front
of one transformer over time (published: each expert is a transformer, of which M modalities would need M x M passes); a router
is one linear layer (published: an MLP). 178,881 parameters at width 64 on DEAP.

Axes: B windows, T tokens, M modalities, E = M experts, F features, d width.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from himoe.config.networks import NetworkSettings
from himoe.config.sections import setting
from himoe.nn.encoder import Heads, ModalityEncoder, TemporalBackbone
from himoe.nn.losses import affect_loss, masked_mean
from himoe.nn.soft_moe import Experts
from himoe.types import Batch, BuildContext, Output

TITLE = "MoMKE"
COLOUR = ("#c859ff", "#cd50e6")
PLACE = 140
SPACE = {"n_encoder_blocks": (1, 2), "unimodal_weight": (0.3, 1.0)}


class Config(NetworkSettings):
    """Size of the experts and the weight of the unimodal losses."""

    expert_hidden: int = setting(1, "hidden width of an expert, in d", "cited:authors' code of MoMKE", ge=1)
    unimodal_weight: float = setting(1.0, "weight of the error of each modality's own prediction", "ours", ge=0)


class ExpertsOutput(NamedTuple):
    """joint (B, T, d); unimodal (B, T, M, d): each modality through its own expert; combine (B, T, M, E): weights of the
    experts in each modality's mixture, 0 where it is absent."""

    joint: Tensor
    unimodal: Tensor
    combine: Tensor


class ModalityExperts(nn.Module):
    """Every present modality through all experts, mixed by the modality's router, averaged over the present modalities."""

    def __init__(self, n_modalities: int, d: int, hidden: int):
        super().__init__()
        self.norm = nn.LayerNorm(d)
        self.router = nn.Parameter(torch.randn(n_modalities, d, n_modalities) / d**0.5)
        self.router_bias = nn.Parameter(torch.zeros(n_modalities, n_modalities))
        self.experts = Experts(n_modalities, d, hidden)

    def forward(self, h: Tensor, mask: Tensor) -> ExpertsOutput:
        """h (B, T, M, d), mask (B, T, M); the joint representation of a step without any modality is 0."""
        h = torch.where(mask.unsqueeze(-1), h, 0.0)
        x = self.norm(h)
        logits = torch.einsum("btmd,mde->btme", x, self.router) + self.router_bias  # (B, T, M, E)
        combine = torch.softmax(logits, dim=-1) * mask.unsqueeze(-1)
        outputs = self.experts(x.flatten(0, 2)).unflatten(1, mask.shape)  # (E, B, T, M, d)
        mixed = h + torch.einsum("btme,ebtmd->btmd", combine, outputs)  # (B, T, M, d)
        unimodal = h + outputs.diagonal(dim1=0, dim2=3).transpose(2, 3)  # E = M: m by expert m, (B, T, d, M)
        return ExpertsOutput(masked_mean(mixed, mask, 2), unimodal, combine)


class MoMKE(nn.Module):
    """Encode, route through the modality experts, transformer over time, predict."""

    def __init__(self, ctx: BuildContext, config: Config):
        super().__init__()
        c, d = config, config.width
        n_features = tuple(len(names) for names in ctx.layout.features)
        self.config = config
        self.encoder = ModalityEncoder(n_features, d, c.n_encoder_blocks, dropout=c.dropout)
        self.bank = ModalityExperts(len(n_features), d, c.expert_hidden * d)
        self.unimodal_head = nn.Parameter(torch.randn(len(n_features), d, ctx.n_outputs) / d**0.5)
        self.unimodal_bias = nn.Parameter(torch.zeros(len(n_features), ctx.n_outputs))
        self.backbone = TemporalBackbone(c.n_blocks, d, c.n_heads, c.block_hidden * d, c.dropout)
        self.heads = Heads(d, ctx.n_outputs)

    def forward(self, batch: Batch) -> Output:
        """Predict every step; losses are empty outside training."""
        experts = self.bank(self.encoder(batch.x, batch.mask), batch.mask)
        z = self.backbone(experts.joint, batch.time, batch.valid)
        losses = {"unimodal": self.config.unimodal_weight * self.unimodal_loss(experts, batch)} if self.training else {}
        return Output(self.heads(z), losses, {"expert_share": masked_mean(experts.combine, batch.mask, 2)})

    def unimodal_loss(self, experts: ExpertsOutput, batch: Batch) -> Tensor:
        """Mean squared error () of each present modality's own prediction."""
        predictions = torch.einsum("btmd,mdn->btmn", experts.unimodal, self.unimodal_head) + self.unimodal_bias
        return affect_loss(predictions, batch.mask, batch.y)


def build(ctx: BuildContext, config: Config) -> MoMKE:
    """The network for this layout."""
    return MoMKE(ctx, config)
