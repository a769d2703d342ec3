"""MulT, the multimodal transformer of Tsai, Bai, Liang, Kolter, Morency & Salakhutdinov (ACL 2019, "Multimodal Transformer
for Unaligned Multimodal Language Sequences"). Kept: temporal convolution per modality; for every ordered pair of modalities a
crossmodal transformer in which the target asks, the source's low-level tokens are keys and values in every block, and no two
tokens need be of one time; per target the results of all sources side by side through self-attention over time; all targets
side by side through a residual layer into the heads. Changed: any number of modalities (one has no pairs: its own tokens stand
for their results), all pairs and all targets as one batched product with weights of their own; a narrow crossmodal part
(``cross_width``), for pairs grow as M (M - 1); layer normalisation without weights of its own, as those of the product behind
it do the same; real timestamps for positions; a prediction at every step where the original takes the last. An absent token is
no key: a learnt null key per source is always there, so that a source without tokens is defined. An absent target still
asks, as a learnt token at its time, and is answered by what is there. 806,914 parameters at width 64 on DEAP's layout.

Axes: B windows, T tokens of a target, U of a source, M modalities, P ordered pairs, n blocks side by side, d and c widths.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from himoe.config.sections import Strict, setting
from himoe.nn.crossmodal import AttentionBlocks, normed
from himoe.nn.encoder import Heads, ModalityEncoder, time_encoding
from himoe.nn.linear import Linear
from himoe.nn.noise import dropout
from himoe.types import Batch, BuildContext, Output

TITLE = "MulT"


class Config(Strict):
    """Shared with Hi-MoE where a field has the same name."""

    width: int = setting(64, "width d of encoders and heads", "ours", ge=8, multiple_of=8)
    cross_width: int = setting(16, "width c of the crossmodal part, per pair", "ours", ge=8, multiple_of=8)
    n_heads: int = setting(2, "attention heads", "ours", ge=1)
    n_encoder_blocks: int = setting(1, "convolution blocks of a modality's encoder", "cited:Tsai et al. 2019, one layer", ge=0)
    n_layers: int = setting(2, "crossmodal blocks of a pair", "ours; form: Tsai et al. 2019", ge=1)
    n_blocks: int = setting(1, "self-attention blocks of a target", "ours; form: Tsai et al. 2019", ge=1)
    block_hidden: int = setting(2, "hidden width of a block's feed-forward layer, in its width", "ours", ge=1)
    dropout: float = setting(0.1, "dropout inside blocks", "ours", ge=0, lt=1)


def others(x: Tensor) -> Tensor:
    """x (M, ...) -> (P, ...): for each modality in turn all others in order, P = M (M - 1), M > 1."""
    n = len(x)
    grid = x.expand(n, *x.shape).flatten(0, 1)  # target by source; its diagonal recurs every n + 1
    return grid[1:].unflatten(0, (n - 1, n + 1))[:, :-1].flatten(0, 1)


class MulT(nn.Module):
    """Encode, let every modality ask every other, read each over time, predict."""

    def __init__(self, ctx: BuildContext, config: Config):
        super().__init__()
        self.config = config
        n_features, d, c = tuple(len(names) for names in ctx.layout.features), config.width, config.cross_width
        m, p = len(n_features), config.dropout
        n_pairs, wide = m * (m - 1), max(m - 1, 1) * c

        def blocks(n: int, width: int, depth: int) -> nn.ModuleList:
            hidden = config.block_hidden * width
            return nn.ModuleList(AttentionBlocks(n, width, config.n_heads, hidden, p) for _ in range(depth))

        self.encoder = ModalityEncoder(n_features, d, config.n_encoder_blocks, dropout=p)
        self.narrow = nn.Parameter(torch.randn(m, d, c) / d**0.5)
        self.absent = nn.Parameter(0.02 * torch.randn(m, 1, 1, c))
        if n_pairs:
            self.null = nn.Parameter(0.02 * torch.randn(m, 1, 1, c))
        self.pairs = blocks(n_pairs, c, config.n_layers if n_pairs else 0)
        self.targets = blocks(m, wide, config.n_blocks)
        self.join, self.up, self.down = Linear(m * wide, d), Linear(d, d), Linear(d, d)
        self.heads = Heads(d, ctx.n_outputs)

    def low_level(self, batch: Batch) -> Tensor:
        """Narrow tokens (M, B, T, c) that know their time; an absent one is the learnt token."""
        low = torch.einsum("btmd,mdc->mbtc", self.encoder(batch.x, batch.mask), self.narrow)
        present = batch.mask.permute(2, 0, 1).unsqueeze(-1)
        return torch.where(present, low, self.absent) + time_encoding(batch.time, self.config.cross_width)

    def crossmodal(self, low: Tensor, mask: Tensor) -> Tensor:
        """low (M, B, T, c), mask (B, T, M) -> (M, B, T, (M - 1) c): what each target heard from all others, in their order."""
        if not self.pairs:
            return low
        m, n_windows = low.shape[:2]
        source = normed(torch.cat([low, self.null.expand(-1, n_windows, 1, -1)], dim=2))
        seen = F.pad(mask.permute(2, 0, 1), (0, 1), value=True).unsqueeze(2)  # (M, B, 1, T + 1)
        z = low.unsqueeze(1).expand(-1, m - 1, -1, -1, -1).flatten(0, 1)
        source, seen = others(source), others(seen)
        for block in self.pairs:
            z = block(z, source, seen)
        return z.unflatten(0, (m, m - 1)).permute(0, 2, 3, 1, 4).flatten(3)

    def forward(self, batch: Batch) -> Output:
        """Predict every step."""
        z = self.crossmodal(self.low_level(batch), batch.mask)
        for block in self.targets:
            z = block(z, normed(z), batch.valid[None, :, None])
        z = self.join(normed(z).permute(1, 2, 0, 3).flatten(2))
        z = z + dropout(self.down(F.gelu(self.up(z))), self.config.dropout, self.training)
        return Output(self.heads(z), {}, {})


def build(ctx: BuildContext, config: Config) -> MulT:
    """The model for any number of modalities."""
    return MulT(ctx, config)
