"""Imagination of missing modalities, after MMIN (Zhao, Li & Jin, ACL 2021, "Missing Modality Imagination Network for Emotion
Recognition with Uncertain Missing Modalities") and ActionMAE (Woo, Lee, Park, Nugroho & Kim, AAAI 2023, "Towards Good Practices
for Missing Modality Robust Action Recognition").

Kept: from the joint embedding of the present modalities a cascade of residual autoencoders predicts ("imagines") the
embeddings of absent ones (MMIN), whose places are held by learnt tokens (ActionMAE). In training one present modality is
hidden, the prediction is made without it, and the squared distance of its imagined from its real embedding is a loss.

Changed: everything is per step, for any number of modalities; one modality per window is hidden. The real embedding is that of
the encoder in training, detached, where MMIN's encoders are trained before. Bottlenecks have width d and are summed for a
transformer over time (MMIN predicts from them directly); there is no backward imagination (MMIN's cycle), no layer after the
cascade and no attention among modalities (ActionMAE). 290,882 parameters at width 64 on DEAP.

Axes: B windows, T tokens, M modalities, F features, d width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from himoe.config.networks import NetworkSettings
from himoe.config.sections import setting
from himoe.nn.encoder import Heads, ModalityEncoder, TemporalBackbone
from himoe.nn.linear import Linear
from himoe.nn.noise import draw, uniform
from himoe.types import Batch, BuildContext, Output

TITLE = "Imagination"
COLOUR = ("#cc1fcc", "#e622c5")
PLACE = 130
SPACE = {"n_encoder_blocks": (1, 2), "imagination_weight": (1.0, 4.0)}


class Config(NetworkSettings):
    """The cascade and the weight of its loss."""

    n_autoencoders: int = setting(3, "residual autoencoders of the cascade", "ours; MMIN's code: 3, or 5 in its script", ge=1)
    imagination_weight: float = setting(
        1.0,
        "weight of the squared distance between imagined and real embedding",
        "ours; MMIN's code: 1, or 4 in its script",
        ge=0,
    )


def hide(key: Tensor, mask: Tensor) -> Tensor:
    """One random modality of those present in a window, mask (B, T, M) -> (B, M) bool; none where fewer than two are."""
    present = mask.any(1)  # (B, M)
    drawn = torch.where(present, uniform(key, *present.shape), -1.0).argmax(-1, keepdim=True)  # (B, 1)
    chosen = torch.arange(present.shape[1], device=present.device) == drawn  # (B, M)
    return chosen & (present.sum(-1, keepdim=True) > 1)


def imagination_loss(imagined: Tensor, real: Tensor, hidden: Tensor) -> Tensor:
    """Mean over hidden tokens of (imagined - real)^2 (Zhao et al. 2021): imagined, real (B, T, M, d), hidden (B, T, M) -> ().

    The real embeddings are detached: they would move towards what is easily imagined.
    """
    distance = (imagined - real.detach()).square().mean(-1)
    return torch.where(hidden, distance, 0.0).sum() / hidden.sum().clamp(min=1)


class Cascade(nn.Module):
    """Residual autoencoders in sequence on the joint embedding of a step."""

    def __init__(self, n_modalities: int, d: int, n_autoencoders: int):
        super().__init__()
        self.token = nn.Parameter(0.02 * torch.randn(n_modalities, d))
        self.encode = nn.ModuleList(Linear(n_modalities * d, d) for _ in range(n_autoencoders))
        self.decode = nn.ModuleList(Linear(d, n_modalities * d) for _ in range(n_autoencoders))

    def forward(self, h: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """h (B, T, M, d), read where mask (B, T, M) -> imagined embeddings (B, T, M, d), sum of the bottlenecks (B, T, d)."""
        joint = torch.where(mask.unsqueeze(-1), h, self.token).flatten(2)  # (B, T, M*d)
        total = h.new_zeros(())
        for encode, decode in zip(self.encode, self.decode, strict=True):
            bottleneck = F.gelu(encode(joint))  # (B, T, d)
            joint, total = joint + decode(bottleneck), total + bottleneck
        return joint.unflatten(2, h.shape[2:]), total


class Imagination(nn.Module):
    """Encode, hide a modality (in training), imagine the absent ones, transformer over the bottlenecks, predict."""

    def __init__(self, ctx: BuildContext, config: Config):
        super().__init__()
        c, d = config, config.width
        n_features = tuple(len(names) for names in ctx.layout.features)
        self.config = config
        self.encoder = ModalityEncoder(n_features, d, c.n_encoder_blocks, dropout=c.dropout)
        self.cascade = Cascade(len(n_features), d, c.n_autoencoders)
        self.backbone = TemporalBackbone(c.n_blocks, d, c.n_heads, c.block_hidden * d, c.dropout)
        self.heads = Heads(d, ctx.n_outputs)

    def forward(self, batch: Batch) -> Output:
        """Predict every step; losses are empty outside training."""
        h = self.encoder(batch.x, batch.mask)  # (B, T, M, d)
        hidden = torch.zeros_like(batch.mask)  # (B, T, M)
        if self.training:
            hidden = hide(draw(), batch.mask).unsqueeze(1) & batch.mask
        imagined, z = self.cascade(h, batch.mask & ~hidden)  # (B, T, M, d), (B, T, d)
        z = self.backbone(z, batch.time, batch.valid)
        losses = {}
        if self.training:
            losses["imagination"] = self.config.imagination_weight * imagination_loss(imagined, h, hidden)
        return Output(self.heads(z), losses, {})


def build(ctx: BuildContext, config: Config) -> Imagination:
    """The network for this layout."""
    return Imagination(ctx, config)
