"""Flex-MoE (Yun et al., NeurIPS 2024, "Flex-MoE: Modeling Arbitrary Modality Combination via the Flexible Mixture-of-Experts").

Kept: learnt embeddings stand for a missing modality given the observed ones, and modality tokens go through a transformer layer
whose feed-forward part is a sparse mixture of experts. The G-Router (top-k gates with a balance loss) is for complete samples,
the S-Router for incomplete ones; cross-entropy trains the latter to choose the expert of what was observed. Both share the
experts.

Changed: a sample is a time step. Embeddings and experts for each of the 2^M combinations of modalities become, respectively, a
sum of pairwise terms and one expert per *number* of absent modalities. Modality dropout leaves few complete steps (2% of
DEAP's), so both routers are trained together, the G-Router serves all steps, and the S-Router's logits are added where
something is missing. All steps are balanced, experts outside the top k are computed with gate 0, gates have no noise, and a
transformer over time reads the mean token. Initialisation, k, number of experts and weights of losses are ours. 204,042
parameters at width 64 on DEAP.

Axes: B windows, T tokens, N = B*T steps, M modalities, E = M + 1 experts, H heads, d width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from himoe.config.fields import setting
from himoe.config.networks import NetworkSettings
from himoe.nn.attention import MASKED_LOGIT, attend
from himoe.nn.encoder import Heads, ModalityEncoder, TemporalBackbone
from himoe.nn.linear import Linear
from himoe.nn.losses import balance_loss
from himoe.nn.noise import dropout
from himoe.nn.soft_moe import Experts
from himoe.types import Batch, BuildContext, Output

TITLE = "Flex-MoE"
COLOUR = ("#cc709e", "#995477")
PLACE = 150
SPACE = {"n_encoder_blocks": (1, 2), "expert_weight": (0.03, 0.1)}


class Config(NetworkSettings):
    """The sparse layer and the weights of the losses."""

    top_k: int = setting(2, "experts that a token is routed to (at most all)", "ours; top-2 drawn in Yun et al. 2024", ge=1)
    expert_hidden: int = setting(1, "hidden width of an expert, in d", "ours", ge=1)
    balance_weight: float = setting(1e-2, "weight of the G-Router's balance loss", "ours; Shazeer et al. 2017", ge=0)
    expert_weight: float = setting(0.1, "weight of the S-Router's cross-entropy", "ours; loss: Yun et al. 2024", ge=0)


class MissingBank(nn.Module):
    """Embeddings that stand for missing modalities.

    ``entry`` (M, M, d): (m, m) is the base embedding of missing modality m, (m, n) is added to it where n is observed.
    """

    def __init__(self, n_modalities: int, d: int):
        super().__init__()
        self.entry = nn.Parameter(0.02 * torch.randn(n_modalities, n_modalities, d))

    def forward(self, h: Tensor, mask: Tensor) -> Tensor:
        """h (N, M, d), mask (N, M) -> h where present, entry[m, m] + mean over observed n of entry[m, n] where not."""
        share = mask / mask.sum(1, keepdim=True).clamp(min=1)  # (N, M)
        base = self.entry.diagonal(dim1=0, dim2=1).T  # (M, d)
        return torch.where(mask.unsqueeze(-1), h, base + torch.einsum("no,mod->nmd", share.to(h.dtype), self.entry))


def top_k_gates(logits: Tensor, k: int) -> Tensor:
    """Softmax over the k largest logits (..., E), exactly 0 for the others (Shazeer et al. 2017, eq. 3, without noise)."""
    # one-hot of the k indices (..., k, E), not a threshold: ties would let more than k through
    chosen = logits.topk(k).indices.unsqueeze(-1) == torch.arange(logits.shape[-1], device=logits.device)
    return torch.softmax(logits + MASKED_LOGIT * ~chosen.any(-2), dim=-1)


def expert_loss(logits: Tensor, absent: Tensor, counted: Tensor) -> Tensor:
    """Cross-entropy -log softmax(logits)[target], mean over the tokens of counted steps; a step's target is the expert of its
    number of absent modalities (Yun et al. 2024). logits (N, M, E), absent and counted (N,) -> ()."""
    target = absent[:, None, None].expand(-1, logits.shape[1], 1)  # (N, M, 1)
    cross_entropy = -torch.log_softmax(logits, dim=-1).gather(-1, target).squeeze(-1).mean(1)  # (N,)
    return torch.where(counted, cross_entropy, 0.0).sum() / counted.sum().clamp(min=1)


class SparseLayer(nn.Module):
    """Pre-LN self-attention among a step's modality tokens, then sparse experts in place of the feed-forward layer."""

    def __init__(self, d: int, n_experts: int, c: Config):
        super().__init__()
        self.n_heads, self.k, self.dropout = c.n_heads, min(c.top_k, n_experts), c.dropout
        self.norm_attention, self.norm_experts = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.out = Linear(d, 3 * d), Linear(d, d)
        self.general, self.special = Linear(d, n_experts), Linear(d, n_experts)
        self.observed = Linear(n_experts - 1, n_experts, bias=False)
        self.experts = Experts(n_experts, d, c.expert_hidden * d)

    def forward(self, h: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """h (N, M, d), mask (N, M) -> tokens (N, M, d), gates and their logits (N, M, E). Complete steps use the G-Router
        alone."""
        qkv = self.qkv(self.norm_attention(h)).chunk(3, -1)
        q, k, v = (x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for x in qkv)  # (N, H, M, d/H)
        a = attend(q, k, v, h.new_zeros(()))  # (N, H, M, d/H); every token has a value
        h = h + dropout(self.out(a.transpose(1, 2).flatten(2)), self.dropout, self.training)  # (N, M, d)
        x = self.norm_experts(h)
        special = self.special(x) + self.observed(mask.to(x.dtype)).unsqueeze(1)
        logits = self.general(x) + torch.where(mask.all(1)[:, None, None], 0.0, special)
        gates = top_k_gates(logits, self.k)
        outputs = self.experts(x.flatten(0, 1)).unflatten(1, x.shape[:2])  # (E, N, M, d)
        mixed = torch.einsum("nme,enmd->nmd", gates, outputs)
        return h + dropout(mixed, self.dropout, self.training), gates, logits


class FlexMoE(nn.Module):
    """Encode, fill in missing modalities, route, average, transformer over time, predict."""

    def __init__(self, ctx: BuildContext, config: Config):
        super().__init__()
        c, d = config, config.width
        n_features = tuple(len(names) for names in ctx.layout.features)
        self.config = c
        self.encoder = ModalityEncoder(n_features, d, c.n_encoder_blocks, dropout=c.dropout)
        self.bank = MissingBank(len(n_features), d)
        self.layer = SparseLayer(d, len(n_features) + 1, c)
        self.backbone = TemporalBackbone(c.n_blocks, d, c.n_heads, c.block_hidden * d, c.dropout)
        self.heads = Heads(d, ctx.n_outputs)

    def forward(self, batch: Batch) -> Output:
        """Predict every step; losses are empty outside training."""
        c = self.config
        mask, valid = batch.mask.flatten(0, 1), batch.valid.flatten()  # (N, M), (N,)
        absent = (~mask).sum(1)  # (N,)
        complete = absent == 0
        tokens = self.bank(self.encoder(batch.x, batch.mask).flatten(0, 1), mask)  # (N, M, d)
        tokens, gates, logits = self.layer(tokens, mask)
        z = tokens.mean(1).unflatten(0, batch.valid.shape)  # (B, T, d)
        z = self.backbone(z, batch.time, batch.valid)
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
