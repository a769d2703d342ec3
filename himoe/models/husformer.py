"""Husformer (Wang et al., IEEE Trans. Cognitive and Developmental Systems 2024, "Husformer: A Multimodal Transformer for
Multimodal Human State Recognition").

Kept: a temporal convolution per modality, then a cross-modal transformer per modality, whose queries are its tokens and whose
keys and values, in every block, are the fusion signal: the low-level tokens of all modalities in one sequence. Self-attention
over the reinforced tokens of all modalities follows.

Changed: any number of modalities in one batched product, with the blocks of MulT (:mod:`himoe.nn.crossmodal`). Only present
tokens are keys; a learnt null token joins each step of the self-attention, so that a step without any modality is predicted
from its neighbours. Positions are real timestamps, and every step is predicted from the mean of its tokens, where the original
convolves all tokens into one vector. 315,074 parameters at width 64 on DEAP.

Axes: B windows, T tokens, M modalities, d width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from himoe.config.fields import setting
from himoe.config.networks import NetworkSettings
from himoe.nn.crossmodal import AttentionBlocks, normed
from himoe.nn.encoder import Heads, ModalityEncoder, TransformerBlock, time_encoding, unseen_steps
from himoe.nn.losses import masked_mean
from himoe.types import Batch, BuildContext, Output

TITLE = "Husformer"
COLOUR = ("#176e99", "#466c80")
PLACE = 110
SPACE = {"n_layers": (1, 2)}


class Config(NetworkSettings):
    """Numbers of blocks and heads."""

    n_heads: int = setting(2, "attention heads; each costs (M T)^2 scores", "ours", ge=1)
    n_encoder_blocks: int = setting(1, "convolution blocks of a modality's encoder", "cited:Wang et al. 2024, one layer", ge=0)
    n_layers: int = setting(1, "cross-modal blocks of a modality", "ours; form: Wang et al. 2024", ge=1)
    n_blocks: int = setting(1, "self-attention blocks over all modalities' tokens", "ours; form: Wang et al. 2024", ge=1)


class Husformer(nn.Module):
    """Encode, cross-attention of each modality to the fusion signal, self-attention over all tokens, predict."""

    def __init__(self, ctx: BuildContext, config: Config):
        super().__init__()
        self.config = config
        n_features, d = tuple(len(names) for names in ctx.layout.features), config.width
        heads, hidden, p = config.n_heads, config.block_hidden * d, config.dropout
        self.encoder = ModalityEncoder(n_features, d, config.n_encoder_blocks, dropout=p)
        self.null = nn.Parameter(0.02 * torch.randn(d))
        cross = (AttentionBlocks(len(n_features), d, heads, hidden, p) for _ in range(config.n_layers))
        self.cross = nn.ModuleList(cross)
        self.together = nn.ModuleList(TransformerBlock(d, heads, hidden, p) for _ in range(config.n_blocks))
        self.heads = Heads(d, ctx.n_outputs)

    def reinforce(self, low: Tensor, mask: Tensor) -> Tensor:
        """Tokens low (M, B, T, d), mask (B, T, M) -> (M, B, T, d), after attending to the present tokens of all modalities."""
        signal = normed(low).transpose(0, 1).flatten(1, 2).unsqueeze(0)  # (1, B, M*T, d)
        seen = mask.transpose(1, 2).flatten(1)[None, :, None]  # (1, B, 1, M*T)
        for block in self.cross:
            low = block(low, signal, seen)
        return low

    def forward(self, batch: Batch) -> Output:
        """Predict every step."""
        positions = time_encoding(batch.time, self.config.width)  # (B, T, d)
        low = self.encoder(batch.x, batch.mask).permute(2, 0, 1, 3) + positions  # (M, B, T, d)
        null = (self.null + positions).unsqueeze(0)  # (1, B, T, d)
        z = torch.cat([self.reinforce(low, batch.mask), null]).transpose(0, 1)  # (B, M + 1, T, d)
        present = torch.cat([batch.mask, batch.valid.unsqueeze(-1)], dim=-1).transpose(1, 2)  # (B, M + 1, T)
        z = z.flatten(1, 2)  # (B, (M + 1)*T, d): one sequence
        unseen = unseen_steps(present.flatten(1))
        for block in self.together:
            z = block(z, unseen)
        z = masked_mean(z.unflatten(1, present.shape[1:]), present, dim=1)  # (B, T, d)
        return Output(self.heads(z), {}, {})


def build(ctx: BuildContext, config: Config) -> Husformer:
    """The model for any number of modalities."""
    return Husformer(ctx, config)
