"""Flex-MoE (Yun et al., NeurIPS 2024, "Flex-MoE: Modeling Arbitrary Modality Combination via the Flexible Mixture-of-Experts").

Kept: a bank of learnt embeddings that stand for a missing modality given what was observed; a transformer layer over a
sample's modality tokens whose feed-forward layer is a sparse mixture of experts; the G-Router (top-k gates, balanced by a
loss) for complete samples, the S-Router for the others, its top-1 gate pushed by cross-entropy to the expert that belongs
to what was observed; both share the experts. Changed: a sample is a time step; the bank's entry for every combination,
2^M of them, becomes the missing modality's own embedding plus the mean of what each observed one adds; for the same reason
an expert belongs to a number of absent modalities, not to a combination; complete and incomplete steps are trained together,
not one after the other; as modality dropout leaves few complete steps (2% of DEAP's), the G-Router serves all of them and the
S-Router's logits, which know what was observed, are added where something is missing; all steps are balanced alike; all
experts are computed and weighted, gates outside the top k exactly 0, without noise; the bank begins near 0, k, the number of
experts and the losses' weights are ours; tokens are averaged and read by a transformer over time. 204,042 parameters at width
64 on DEAP.

Axes: B windows, T tokens, N = B T steps, M modalities, E = M + 1 experts, d width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from himoe.config.sections import Strict, setting
from himoe.nn.attention import UNSEEN, attend
from himoe.nn.encoder import Heads, ModalityEncoder, TransformerBlock, time_encoding
from himoe.nn.linear import Linear
from himoe.nn.losses import balance_loss
from himoe.nn.noise import dropout
from himoe.nn.soft_moe import Experts
from himoe.types import Batch, BuildContext, Output

TITLE = "Flex-MoE"
SPACE = {"n_encoder_blocks": (1, 2)}


class Config(Strict):
    """Sizes and weights of the losses."""

    width: int = setting(64, "width d of every token", "ours", ge=8, multiple_of=8)
    n_heads: int = setting(4, "attention heads", "ours", ge=1)
    n_encoder_blocks: int = setting(1, "convolution blocks of a modality's encoder", "ours", ge=0)
    top_k: int = setting(2, "experts a token is sent to (at most all)", "ours; top-2 drawn in Yun et al. 2024", ge=1)
    expert_hidden: int = setting(1, "hidden width of an expert, in d", "ours", ge=1)
    n_blocks: int = setting(2, "transformer blocks over time", "ours", ge=0)
    block_hidden: int = setting(2, "hidden width of a block's feed-forward layer, in d", "ours", ge=1)
    dropout: float = setting(0.1, "dropout inside blocks", "ours", ge=0, lt=1)
    balance_weight: float = setting(1e-2, "weight of the G-Router's balance loss", "ours; Shazeer et al. 2017", ge=0)
    expert_weight: float = setting(0.1, "weight of the S-Router's cross-entropy", "ours; loss: Yun et al. 2024", ge=0)


class MissingBank(nn.Module):
    """Embeddings that stand for missing modalities. ``entry`` (M, M, d): the diagonal is a missing modality's own, (m, n) what
    is added where m is missing and n observed."""

    def __init__(self, n_modalities: int, d: int):
        super().__init__()
        self.entry = nn.Parameter(0.02 * torch.randn(n_modalities, n_modalities, d))

    def forward(self, h: Tensor, mask: Tensor) -> Tensor:
        """h (N, M, d), mask (N, M) -> h where present, entry[m, m] + mean over observed n of entry[m, n] where not."""
        share = mask / mask.sum(1, keepdim=True).clamp(min=1)
        own = self.entry.diagonal(dim1=0, dim2=1).T
        return torch.where(mask.unsqueeze(-1), h, own + torch.einsum("no,mod->nmd", share.to(h.dtype), self.entry))


def top_k_gates(logits: Tensor, k: int) -> Tensor:
    """Softmax over the k largest logits (..., E), exactly 0 for the others (Shazeer et al. 2017, without their noise)."""
    chosen = logits.topk(k).indices.unsqueeze(-1) == torch.arange(logits.shape[-1], device=logits.device)
    return torch.softmax(logits + UNSEEN * ~chosen.any(-2), dim=-1)


def expert_loss(logits: Tensor, absent: Tensor, counted: Tensor) -> Tensor:
    """Mean cross-entropy of the gates' logits (N, M, E) where counted (N,); the target is the number absent (N,)."""
    target = absent[:, None, None].expand(-1, logits.shape[1], 1)
    missed = -torch.log_softmax(logits, dim=-1).gather(-1, target).squeeze(-1).mean(1)
    return torch.where(counted, missed, 0.0).sum() / counted.sum().clamp(min=1)


class SparseLayer(nn.Module):
    """Pre-LN attention among a step's tokens, then experts in place of a feed-forward layer."""

    def __init__(self, d: int, n_experts: int, c: Config):
        super().__init__()
        self.n_heads, self.k, self.dropout = c.n_heads, min(c.top_k, n_experts), c.dropout
        self.norm_attention, self.norm_experts = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.out = Linear(d, 3 * d), Linear(d, d)
        self.general, self.special = Linear(d, n_experts), Linear(d, n_experts)
        self.observed = Linear(n_experts - 1, n_experts, bias=False)
        self.experts = Experts(n_experts, d, c.expert_hidden * d)

    def forward(self, h: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """h (N, M, d), mask (N, M): complete steps are the G-Router's alone -> tokens (N, M, d), gates (N, M, E), their logits
        (N, M, E)."""
        q, k, v = (s.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for s in self.qkv(self.norm_attention(h)).chunk(3, -1))
        a = attend(q, k, v, torch.ones((), dtype=torch.bool, device=h.device))
        h = h + dropout(self.out(a.transpose(1, 2).flatten(2)), self.dropout, self.training)
        x = self.norm_experts(h)
        special = self.special(x) + self.observed(mask.to(x.dtype)).unsqueeze(1)
        logits = self.general(x) + torch.where(mask.all(1)[:, None, None], 0.0, special)
        gates = top_k_gates(logits, self.k)
        each = self.experts(x.flatten(0, 1)).unflatten(1, x.shape[:2])  # (E, N, M, d)
        mixed = torch.einsum("nme,enmd->nmd", gates, each)
        return h + dropout(mixed, self.dropout, self.training), gates, logits


class FlexMoE(nn.Module):
    """Encode, fill in what is missing, route, average, read over time, predict."""

    def __init__(self, ctx: BuildContext, config: Config):
        super().__init__()
        c, d = config, config.width
        n_features = tuple(len(names) for names in ctx.layout.features)
        self.config = c
        self.encoder = ModalityEncoder(n_features, d, c.n_encoder_blocks, dropout=c.dropout)
        self.bank = MissingBank(len(n_features), d)
        self.layer = SparseLayer(d, len(n_features) + 1, c)
        self.backbone = nn.ModuleList(TransformerBlock(d, c.n_heads, c.block_hidden * d, c.dropout) for _ in range(c.n_blocks))
        self.heads = Heads(d, ctx.n_outputs)

    def forward(self, batch: Batch) -> Output:
        """Predict every step; losses are empty outside training."""
        c, mask, valid = self.config, batch.mask.flatten(0, 1), batch.valid.flatten()
        absent = (~mask).sum(1)  # (N,)
        complete = absent == 0
        tokens = self.bank(self.encoder(batch.x, batch.mask).flatten(0, 1), mask)
        tokens, gates, logits = self.layer(tokens, mask)
        z = tokens.mean(1).unflatten(0, batch.valid.shape) + time_encoding(batch.time, c.width)
        for block in self.backbone:
            z = block(z, batch.valid)
        routing = {"expert_share": gates.mean(1).unflatten(0, batch.valid.shape)}
        losses = {}
        if self.training:
            counted = valid.repeat_interleave(mask.shape[1])
            losses["balance"] = c.balance_weight * balance_loss(gates.flatten(0, 1), counted)
            losses["expert"] = c.expert_weight * expert_loss(logits, absent, ~complete & valid)
        return Output(self.heads(z), losses, routing)


def build(ctx: BuildContext, config: Config) -> FlexMoE:
    """A Flex-MoE for this layout."""
    return FlexMoE(ctx, config)
