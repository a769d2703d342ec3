"""ShaSpec (Wang, Chen, Ma, Avery, Hull & Carneiro, CVPR 2023, "Multi-modal Learning with Missing Modality via Shared-Specific
Feature Modelling"), for continuous regression.

Kept: one shared encoder for all modalities and a specific one for each; a modality's feature is its shared feature plus one
linear projection, common to all modalities, of (shared, specific); an absent modality's feature is the mean of the shared
features of those that are present; all features, imagined ones included, go side by side into the decoder; shared features are
aligned by the L1 distance of neighbours on a ring of modalities (the choice in the authors' code, as are the losses' weights);
a linear classifier names the modality of a specific feature. Changed: every step of a window is regressed, and presence, mean
and losses are per step, for any number of modalities; the 3D encoders are small convolutions over time, and as modalities
differ in their numbers of features, a linear layer of its own with LayerNorm precedes the shared one; the decoder is a linear
layer, a transformer over time and the heads; a step with nothing present has the feature 0. 173,449 parameters at width 64 on
DEAP.

Axes: B windows, T tokens, M modalities, F features, d width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from himoe.config.sections import Strict, setting
from himoe.nn.encoder import Heads, ModalityEncoder, TransformerBlock, time_encoding
from himoe.nn.linear import Linear
from himoe.nn.losses import masked_mean
from himoe.types import Batch, BuildContext, Output

TITLE = "ShaSpec"
SPACE = {"n_encoder_blocks": (1, 2)}


class Config(Strict):
    """Sizes as in the other networks; the weights of the two auxiliary losses."""

    width: int = setting(64, "width d of every token", "ours", ge=8, multiple_of=8)
    n_heads: int = setting(4, "attention heads", "ours", ge=1)
    n_encoder_blocks: int = setting(1, "convolution blocks of the shared and of each specific encoder", "ours", ge=0)
    n_blocks: int = setting(2, "transformer blocks over time", "ours", ge=1)
    block_hidden: int = setting(2, "hidden width of a block's feed-forward layer, in d", "ours", ge=1)
    dropout: float = setting(0.1, "dropout inside blocks", "ours", ge=0, lt=1)
    align_weight: float = setting(
        0.1, "weight of the distance between modalities' shared features", "cited:authors' code of ShaSpec", ge=0
    )
    domain_weight: float = setting(
        0.02, "weight of naming the modality of a specific feature", "cited:authors' code of ShaSpec", ge=0
    )


def alignment_loss(shared: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference of the shared features (B, T, M, d) of neighbours on a ring of modalities, over the steps where
    both are present (mask (B, T, M)), summed over the ring (); 0 where there is no pair."""
    distance = (shared - shared.roll(-1, 2)).abs().mean(-1)
    pair = mask & mask.roll(-1, 2)
    return (torch.where(pair, distance, 0.0).sum((0, 1)) / pair.sum((0, 1)).clamp(min=1)).sum()


def domain_loss(logits: Tensor, mask: Tensor) -> Tensor:
    """Mean cross-entropy () of logits (B, T, M, M), the last axis being the modalities a feature may be of, over the features
    present (mask (B, T, M)); the truth is the diagonal."""
    said = torch.log_softmax(logits, dim=-1).diagonal(dim1=2, dim2=3)
    return -torch.where(mask, said, 0.0).sum() / mask.sum().clamp(min=1)


class ShaSpec(nn.Module):
    """Shared and specific features, their residual fusion, the mean of the shared ones for what is absent."""

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
        self.backbone = nn.ModuleList(TransformerBlock(d, c.n_heads, c.block_hidden * d, c.dropout) for _ in range(c.n_blocks))
        self.heads = Heads(d, ctx.n_outputs)

    def encode(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, T, F), mask (B, T, M) -> shared and specific features, both (B, T, M, d) and 0 where absent."""
        # to the shared encoder a modality is a window
        tokens, there = self.stem(x, mask).transpose(1, 2), mask.transpose(1, 2)
        shared = self.shared(tokens.flatten(0, 1), there.flatten(0, 1).unsqueeze(-1)).squeeze(2)
        return shared.unflatten(0, there.shape[:2]).transpose(1, 2), self.specific(x, mask)

    def fuse(self, shared: Tensor, specific: Tensor, mask: Tensor) -> Tensor:
        """Features (B, T, M, d) of all modalities, present or not, of shared and specific ones (B, T, M, d), mask (B, T, M)."""
        own = shared + self.project(torch.cat([shared, specific], dim=-1))
        imagined = masked_mean(shared, mask, 2).unsqueeze(2)
        return torch.where(mask.unsqueeze(-1), own, imagined)

    def forward(self, batch: Batch) -> Output:
        """Predict every step; losses are empty outside training."""
        shared, specific = self.encode(batch.x, batch.mask)
        features = self.fuse(shared, specific, batch.mask)
        z = self.decode(features.flatten(2)) + time_encoding(batch.time, self.config.width)
        for block in self.backbone:
            z = block(z, batch.valid)
        prediction = self.heads(z)
        if not self.training:
            return Output(prediction, {}, {})
        losses = {
            "align": self.config.align_weight * alignment_loss(shared, batch.mask),
            "domain": self.config.domain_weight * domain_loss(self.domain(specific), batch.mask),
        }
        return Output(prediction, losses, {})


def build(ctx: BuildContext, config: Config) -> ShaSpec:
    """The network for this layout."""
    return ShaSpec(ctx, config)
