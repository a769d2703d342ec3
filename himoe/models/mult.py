"""MulT, the multimodal transformer of Tsai, Bai, Liang, Kolter, Morency & Salakhutdinov (ACL 2019, "Multimodal Transformer for
Unaligned Multimodal Language Sequences").

Kept: a temporal convolution per modality, then a crossmodal transformer for every ordered pair of modalities: the target's
tokens are queries, the source's low-level tokens keys and values in every block, and the two need no common clock. The results
of a target's sources are concatenated and go through self-attention over time; all targets are concatenated and go through a
residual layer.

Changed: any number of modalities (one alone has no pairs and skips the crossmodal part), all pairs in one batched product with
separate weights, a narrow crossmodal part (``cross_width``) as there are M (M - 1) pairs, layer normalisation without affine
weights, real timestamps for positions, a prediction at every step where the original takes the last. Absent tokens are not
keys; a learnt null key per source is always visible, so that an empty source is defined, and an absent target queries with a
learnt token. 806,914 parameters at width 64 on DEAP.

Axes: B windows, T tokens of a target, U of a source, M modalities, P = M (M - 1) ordered pairs, d and c widths.
"""

from __future__ import annotations

from typing import Self

import torch
from pydantic import model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from himoe.config.networks import check_divides
from himoe.config.sections import Strict, setting
from himoe.nn.crossmodal import AttentionBlocks, normed
from himoe.nn.encoder import Heads, ModalityEncoder, time_encoding
from himoe.nn.linear import Linear
from himoe.nn.noise import dropout
from himoe.types import Batch, BuildContext, Output

TITLE = "MulT"
COLOUR = ("#0088cc", "#22a4e6")
PLACE = 100
SPACE = {"n_layers": (1, 2)}


class Config(Strict):
    """Sizes of the encoders and of the crossmodal part."""

    width: int = setting(64, "width d of encoders and heads", "ours", ge=8, multiple_of=8)
    cross_width: int = setting(16, "width c of the crossmodal part, per pair", "ours", ge=8, multiple_of=8)
    n_heads: int = setting(2, "attention heads", "ours", ge=1)
    n_encoder_blocks: int = setting(1, "convolution blocks of a modality's encoder", "cited:Tsai et al. 2019, one layer", ge=0)
    n_layers: int = setting(2, "crossmodal blocks of a pair", "ours; form: Tsai et al. 2019", ge=1)
    n_blocks: int = setting(1, "self-attention blocks of a target", "ours; form: Tsai et al. 2019", ge=1)
    block_hidden: int = setting(2, "hidden width of a block's feed-forward layer, in its width", "ours", ge=1)
    dropout: float = setting(0.1, "dropout inside blocks", "ours", ge=0, lt=1)

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        check_divides(self, "n_heads", "cross_width")
        return self


def others(x: Tensor) -> Tensor:
    """The source of every pair: x (M, ...) -> (P, ...), for each target in turn all other modalities in order; M > 1."""
    n = len(x)
    grid = x.expand(n, *x.shape).flatten(0, 1)  # (M*M, ...), target by source
    # after the first entry, a diagonal entry ends every run of n + 1
    return grid[1:].unflatten(0, (n - 1, n + 1))[:, :-1].flatten(0, 1)


class MulT(nn.Module):
    """Encode, cross-attention of every modality to every other, self-attention of each target, join, predict."""

    def __init__(self, ctx: BuildContext, config: Config):
        super().__init__()
        self.config = config
        n_features = tuple(len(names) for names in ctx.layout.features)
        m, d, c, p = len(n_features), config.width, config.cross_width, config.dropout
        n_pairs = m * (m - 1)
        target_width = max(m - 1, 1) * c

        def blocks(n: int, width: int, depth: int) -> nn.ModuleList:
            hidden = config.block_hidden * width
            return nn.ModuleList(AttentionBlocks(n, width, config.n_heads, hidden, p) for _ in range(depth))

        self.encoder = ModalityEncoder(n_features, d, config.n_encoder_blocks, dropout=p)
        self.narrow = nn.Parameter(torch.randn(m, d, c) / d**0.5)
        self.absent = nn.Parameter(0.02 * torch.randn(m, 1, 1, c))
        if n_pairs:
            self.null = nn.Parameter(0.02 * torch.randn(m, 1, 1, c))
        self.pairs = blocks(n_pairs, c, config.n_layers if n_pairs else 0)
        self.targets = blocks(m, target_width, config.n_blocks)
        self.join, self.up, self.down = Linear(m * target_width, d), Linear(d, d), Linear(d, d)
        self.heads = Heads(d, ctx.n_outputs)

    def low_level(self, batch: Batch) -> Tensor:
        """Narrow tokens (M, B, T, c) with time encoding; an absent one is a learnt token."""
        low = torch.einsum("btmd,mdc->mbtc", self.encoder(batch.x, batch.mask), self.narrow)
        present = batch.mask.permute(2, 0, 1).unsqueeze(-1)  # (M, B, T, 1)
        return torch.where(present, low, self.absent) + time_encoding(batch.time, self.config.cross_width)

    def crossmodal(self, low: Tensor, mask: Tensor) -> Tensor:
        """low (M, B, T, c), mask (B, T, M) -> (M, B, T, (M - 1) c): of each target, the results of all its sources in order."""
        if not self.pairs:
            return low
        m, n_windows = low.shape[:2]
        source = normed(torch.cat([low, self.null.expand(-1, n_windows, 1, -1)], dim=2))  # (M, B, T + 1, c)
        seen = F.pad(mask.permute(2, 0, 1), (0, 1), value=True).unsqueeze(2)  # (M, B, 1, T + 1)
        z = low.unsqueeze(1).expand(-1, m - 1, -1, -1, -1).flatten(0, 1)  # (P, B, T, c), each target once per source
        source, seen = others(source), others(seen)  # (P, B, T + 1, c), (P, B, 1, T + 1)
        for block in self.pairs:
            z = block(z, source, seen)
        return z.unflatten(0, (m, m - 1)).permute(0, 2, 3, 1, 4).flatten(3)

    def forward(self, batch: Batch) -> Output:
        """Predict every step."""
        z = self.crossmodal(self.low_level(batch), batch.mask)  # (M, B, T, (M - 1) c)
        for block in self.targets:
            z = block(z, normed(z), batch.valid[None, :, None])
        z = self.join(normed(z).permute(1, 2, 0, 3).flatten(2))  # (B, T, d)
        z = z + dropout(self.down(F.gelu(self.up(z))), self.config.dropout, self.training)
        return Output(self.heads(z), {}, {})


def build(ctx: BuildContext, config: Config) -> MulT:
    """The model for any number of modalities."""
    return MulT(ctx, config)
