"""ShaSpec (Wang, Chen, Ma, Avery, Hull & Carneiro, CVPR 2023, "Multi-modal Learning with Missing Modality via Shared-Specific
Feature Modelling"), for continuous regression.

Kept: one encoder shared by all modalities and a specific one for each. A modality's feature is its shared feature plus a common
linear projection of (shared, specific); an absent one's is the mean of the shared features of the present ones. The features
of all modalities are concatenated for the decoder. Two losses: L1 distance of shared features of neighbours on a ring of
modalities (the choice in the authors' code, as are the weights), and a linear classifier that tells the modality from a
specific feature.

Changed: every step of a window is regressed, with presence, mean and losses per step, for any number of modalities. The 3D
encoders are small convolutions over time, the shared one behind a linear layer per modality, as numbers of features differ.
The decoder is a linear layer, a transformer over time and the heads; features of a step without any modality are 0. 173,449
parameters at width 64 on DEAP.

Axes: B windows, T tokens, M modalities, F features, d width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from himoe.config.networks import NetworkSettings
from himoe.config.sections import setting
from himoe.nn.encoder import Heads, ModalityEncoder, TemporalBackbone
from himoe.nn.linear import Linear
from himoe.nn.losses import masked_mean
from himoe.types import Batch, BuildContext, Output

TITLE = "ShaSpec"
COLOUR = ("#8800cc", "#a047cc")
PLACE = 120
SPACE = {"n_encoder_blocks": (1, 2), "align_weight": (0.03, 0.1)}


class Config(NetworkSettings):
    """The encoders and the weights of the two auxiliary losses."""

    n_encoder_blocks: int = setting(1, "convolution blocks of the shared and of each specific encoder", "ours", ge=0)
    align_weight: float = setting(
        0.1, "weight of the distance between modalities' shared features", "cited:authors' code of ShaSpec", ge=0
    )
    domain_weight: float = setting(
        0.02, "weight of classifying the modality of a specific feature", "cited:authors' code of ShaSpec", ge=0
    )


def alignment_loss(shared: Tensor, mask: Tensor) -> Tensor:
    """sum_m mean |shared_m - shared_(m+1)| over the steps where both are present, modalities on a ring (authors' code; Wang et
    al. 2023). shared (B, T, M, d), mask (B, T, M) -> (), 0 without a pair."""
    distance = (shared - shared.roll(-1, 2)).abs().mean(-1)  # (B, T, M)
    pair = mask & mask.roll(-1, 2)  # (B, T, M)
    return (torch.where(pair, distance, 0.0).sum((0, 1)) / pair.sum((0, 1)).clamp(min=1)).sum()


def domain_loss(logits: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy -log softmax(logits_m)[m], mean over present features (Wang et al. 2023).

    logits (B, T, M, M): of the feature of each modality, over modalities; mask (B, T, M) -> ().
    """
    log_probability = torch.log_softmax(logits, dim=-1).diagonal(dim1=2, dim2=3)  # (B, T, M)
    return -torch.where(mask, log_probability, 0.0).sum() / mask.sum().clamp(min=1)


class ShaSpec(nn.Module):
    """Shared and specific features, their residual fusion, mean shared features for absent modalities, decoder."""

    def __init__(self, ctx: BuildContext, config: Config):
        super().__init__()
        c, d = config, config.width
        n_features = tuple(len(names) for names in ctx.layout.features)
        self.config = config
        self.specific = ModalityEncoder(n_features, d, c.n_encoder_blocks, dropout=c.dropout)
        self.stem = ModalityEncoder(n_features, d, n_blocks=0)
        self.shared = ModalityEncoder((d,), d, c.n_encoder_blocks, dropout=c.dropout)
        self.project = Linear(2 * d, d)
        self.domain = Linear(d, len(n_features))
        self.decode = Linear(len(n_features) * d, d)
        self.backbone = TemporalBackbone(c.n_blocks, d, c.n_heads, c.block_hidden * d, c.dropout)
        self.heads = Heads(d, ctx.n_outputs)

    def encode(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, T, F), mask (B, T, M) -> shared and specific features, both (B, T, M, d) and 0 where absent."""
        tokens, present = self.stem(x, mask).transpose(1, 2), mask.transpose(1, 2)  # (B, M, T, d), (B, M, T)
        # the shared encoder sees every modality as a window of one modality
        shared = self.shared(tokens.flatten(0, 1), present.flatten(0, 1).unsqueeze(-1)).squeeze(2)  # (B*M, T, d)
        return shared.unflatten(0, present.shape[:2]).transpose(1, 2), self.specific(x, mask)

    def fuse(self, shared: Tensor, specific: Tensor, mask: Tensor) -> Tensor:
        """Shared and specific features (B, T, M, d), mask (B, T, M) -> features of all modalities, absent ones too (B, T, M,
        d)."""
        fused = shared + self.project(torch.cat([shared, specific], dim=-1))  # (B, T, M, d)
        imputed = masked_mean(shared, mask, 2).unsqueeze(2)  # (B, T, 1, d)
        return torch.where(mask.unsqueeze(-1), fused, imputed)

    def forward(self, batch: Batch) -> Output:
        """Predict every step; losses are empty outside training."""
        shared, specific = self.encode(batch.x, batch.mask)
        features = self.fuse(shared, specific, batch.mask)
        z = self.backbone(self.decode(features.flatten(2)), batch.time, batch.valid)
        losses = {}
        if self.training:
            losses["align"] = self.config.align_weight * alignment_loss(shared, batch.mask)
            losses["domain"] = self.config.domain_weight * domain_loss(self.domain(specific), batch.mask)
        return Output(self.heads(z), losses, {})


def build(ctx: BuildContext, config: Config) -> ShaSpec:
    """The network for this layout."""
    return ShaSpec(ctx, config)
