"""Husformer (Wang et al., IEEE Trans. Cognitive and Developmental Systems 2024, "Husformer: A Multimodal Transformer for
Multimodal Human State Recognition"). Kept: temporal convolution per modality; cross-modal transformers, own weights for each
modality, in which its tokens ask the fusion signal, the low-level tokens of all modalities (its own too) in one row along time,
which stays the source of every block; self-attention over the reinforced tokens of all modalities in one row. Changed: any
number of modalities in one batched product, with the blocks of MulT (:mod:`himoe.nn.crossmodal`); only present tokens are keys
anywhere; real timestamps for positions; a learnt null token stands at each step beside the modalities in the self-attention,
so that a step without any is predicted from its neighbours; the original joins all tokens by a convolution into one vector,
here a step's token is the mean of its present modalities and the null one, and every step is predicted. 315,074 parameters at
width 64 on DEAP's layout.

Axes: B windows, T tokens, M modalities, d width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from himoe.config.sections import Strict, setting
from himoe.nn.crossmodal import AttentionBlocks, normed
from himoe.nn.encoder import Heads, ModalityEncoder, TransformerBlock, time_encoding
from himoe.nn.losses import masked_mean
from himoe.types import Batch, BuildContext, Output

TITLE = "Husformer"


class Config(Strict):
    """Shared with Hi-MoE where a field has the same name."""

    width: int = setting(64, "width d of every token", "ours", ge=8, multiple_of=8)
    n_heads: int = setting(2, "attention heads; each costs (M T)^2 scores", "ours", ge=1)
    n_encoder_blocks: int = setting(1, "convolution blocks of a modality's encoder", "cited:Wang et al. 2024, one layer", ge=0)
    n_layers: int = setting(1, "cross-modal blocks of a modality", "ours; form: Wang et al. 2024", ge=1)
    n_blocks: int = setting(1, "self-attention blocks over all modalities' tokens", "ours; form: Wang et al. 2024", ge=1)
    block_hidden: int = setting(2, "hidden width of a block's feed-forward layer, in d", "ours", ge=1)
    dropout: float = setting(0.1, "dropout inside blocks", "ours", ge=0, lt=1)


class Husformer(nn.Module):
    """Encode, let every modality ask the fusion signal of all, read all of them together, predict."""

    def __init__(self, ctx: BuildContext, config: Config):
        super().__init__()
        self.config = config
        n_features, d = tuple(len(names) for names in ctx.layout.features), config.width
        heads, hidden, p = config.n_heads, config.block_hidden * d, config.dropout
        self.encoder = ModalityEncoder(n_features, d, config.n_encoder_blocks, dropout=p)
        self.null = nn.Parameter(0.02 * torch.randn(d))
        made = (AttentionBlocks(len(n_features), d, heads, hidden, p) for _ in range(config.n_layers))
        self.cross = nn.ModuleList(made)
        self.together = nn.ModuleList(TransformerBlock(d, heads, hidden, p) for _ in range(config.n_blocks))
        self.heads = Heads(d, ctx.n_outputs)

    def reinforce(self, low: Tensor, mask: Tensor) -> Tensor:
        """low (M, B, T, d), mask (B, T, M) -> (M, B, T, d): every modality after asking the present tokens of all."""
        signal = normed(low).transpose(0, 1).flatten(1, 2).unsqueeze(0)  # (1, B, M*T, d)
        seen = mask.transpose(1, 2).flatten(1)[None, :, None]  # (1, B, 1, M*T)
        for block in self.cross:
            low = block(low, signal, seen)
        return low

    def forward(self, batch: Batch) -> Output:
        """Predict every step."""
        when = time_encoding(batch.time, self.config.width)
        low = self.encoder(batch.x, batch.mask).permute(2, 0, 1, 3) + when
        z = torch.cat([self.reinforce(low, batch.mask), (self.null + when).unsqueeze(0)]).transpose(0, 1)  # (B, M + 1, T, d)
        there = torch.cat([batch.mask, batch.valid.unsqueeze(-1)], dim=-1).transpose(1, 2)  # (B, M + 1, T)
        shape, z = there.shape[1:], z.flatten(1, 2)
        for block in self.together:
            z = block(z, there.flatten(1))
        return Output(self.heads(masked_mean(z.unflatten(1, shape), there, dim=1)), {}, {})


def build(ctx: BuildContext, config: Config) -> Husformer:
    """The model for any number of modalities."""
    return Husformer(ctx, config)
