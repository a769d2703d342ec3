"""Hi-MoE (Zhu, Han, Jiang, Zhou & Wang, arXiv 2508.02133), a hypothesis built from its abstract.

Top to bottom: encode each modality, align across modalities, route modality tokens softly through the modality expert
bank, read the result over time, route it by differential attention through the emotion expert bank, predict each step.

Axes: B windows, T tokens, M modalities, S = M + 1 (null token), E modality experts, K prototypes, d width.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from himoe.config.sections import Strict, setting
from himoe.nn.alignment import (
    LagBank,
    LocalCrossAttention,
    agreement,
    dynamics,
    lag_design,
    lag_scores,
    mean_of_others,
    pair_scores,
    power,
    shift_tokens,
)
from himoe.nn.encoder import Heads, ModalityEncoder, TransformerBlock, absent_to_zero, time_encoding
from himoe.nn.linear import Linear
from himoe.nn.losses import affect_loss, balance_loss, diversity_loss, info_nce, masked_mean, router_z_loss
from himoe.nn.noise import draw, integers
from himoe.nn.prototypes import DifferentialPrototypes, Felt
from himoe.nn.routers import ConcatFusion, GatedMoE, LinearlyGatedPrototypes, SingleExpert
from himoe.nn.soft_moe import MaskedFusion, MaskedSoftMoE, Routed
from himoe.types import Batch, BuildContext, Output

TITLE = "Hi-MoE"


class Config(Strict):
    """Every choice the abstract leaves open."""

    width: int = setting(64, "width d of every token", "ours", ge=8, multiple_of=8)
    n_heads: int = setting(4, "attention heads", "ours", ge=1)
    n_encoder_blocks: int = setting(2, "convolution blocks of a modality's encoder", "ours", ge=0)
    max_lag: float = setting(8.0, "largest lag the lag bank scores, s", "ours; temporal alignment: paper", ge=0)
    lag_passes: int = setting(6, "passes in which the lags of all modalities settle", "ours; as in annealing (Rose 1998)", ge=1)
    lag_radius: float = setting(8.0, "reach of the mean that tokens are compared without when lags are scored, s", "ours", gt=0)
    lag_rest: float = setting(3.0, "nats in favour of no lag, before the habits of modalities are learnt", "ours", ge=0)
    attention_radius: float = setting(2.0, "reach of the local cross-attention, s", "ours", ge=0)
    semantic_width: int = setting(32, "width of the shared semantic space", "ours", ge=2)
    temperature: float = setting(0.1, "temperature of InfoNCE", "cited:CLIP-style contrast (van den Oord et al. 2018)", gt=0)
    extra_experts: int = setting(2, "modality experts beyond one per modality", "ours", ge=0)
    expert_hidden: int = setting(2, "hidden width of an expert, in d", "ours", ge=1)
    n_blocks: int = setting(2, "transformer blocks over time", "ours", ge=0)
    block_hidden: int = setting(2, "hidden width of a block's feed-forward layer, in d", "ours", ge=1)
    n_prototypes: int = setting(8, "emotional prototypes", "ours; prototypes: paper", ge=2)
    lambda_init: float = setting(0.5, "initial lambda of differential attention", "ours; form: Ye et al. 2024", ge=0, le=0.9)
    alignment: Literal["both", "temporal", "semantic", "none"] = setting(
        "both", "halves of the alignment: lag bank and local attention; InfoNCE and agreement", "paper; its parts ours"
    )
    causal: bool = setting(
        False, "no step sees a later one; without the alignment's temporal half, for a lag is that of a whole window", "ours"
    )
    router: Literal["soft", "dense", "laplace", "top1", "uniform", "concat"] = setting(
        "soft", "how tokens reach modality experts; concat: no experts, one MLP of all tokens", "paper (soft); others ablations"
    )
    emotion_router: Literal["differential", "softmax", "linear", "single"] = setting(
        "differential", "how steps reach emotion experts; single: one layer as wide as all", "paper; others ablations"
    )
    absent: Literal["masked", "zeros"] = setting(
        "masked", "what an absent token is: left out everywhere, or a token of zeros like any other", "ours; zeros an ablation"
    )
    hierarchy: Literal["two", "flat"] = setting(
        "two", "two banks, or one of as many experts and parameters on the modality tokens", "paper (two); flat an ablation"
    )
    dropout: float = setting(0.1, "dropout inside blocks", "ours", ge=0, lt=1)
    read_weight: float = setting(
        5.0, "factor of what a modality says of the targets among the dimensions in which lags are scored", "ours", ge=0
    )
    affect_weight: float = setting(
        1.0, "weight of the error of what each modality alone says of the targets, read from the semantic space", "ours", ge=0
    )
    nce_weight: float = setting(0.1, "weight of InfoNCE (semantic alignment)", "ours", ge=0)
    lag_weight: float = setting(0.1, "weight of the self-supervised lag loss", "ours", ge=0)
    balance_weight: float = setting(1e-2, "weight of the experts' importance loss", "ours; Shazeer et al. 2017", ge=0)
    z_weight: float = setting(1e-3, "weight of the router z-loss", "ours; Zoph et al. 2022", ge=0)
    diversity_weight: float = setting(1e-2, "weight of prototype diversity", "ours", ge=0)
    anchor_weight: float = setting(0.1, "weight of the prototypes' anchor loss", "ours", ge=0)


class HiMoE(nn.Module):
    """See the module's docstring; ``forward`` is the order of the idea."""

    def __init__(self, ctx: BuildContext, config: Config):
        super().__init__()
        c, d = config, config.width
        n_features = tuple(len(names) for names in ctx.layout.features)
        n_modalities = len(n_features)
        flat = c.hierarchy == "flat"
        n_experts = n_modalities + c.extra_experts + (c.n_prototypes if flat else 0)
        self.config, self.token_rate = c, ctx.layout.token_rate
        self.temporal = c.alignment in ("both", "temporal") and not c.causal
        self.related = c.alignment in ("both", "semantic")
        self.encoder = ModalityEncoder(n_features, d, c.n_encoder_blocks, dropout=c.dropout, causal=c.causal)
        self.semantic = Linear(d, c.semantic_width)
        self.affect = Linear(c.semantic_width, ctx.n_outputs)
        if self.temporal:
            self.lags = LagBank(min(round(c.max_lag * self.token_rate), ctx.n_times - 1), n_modalities, c.lag_rest)
            self.neighbourhood = LocalCrossAttention(d, c.n_heads, c.attention_radius, self.token_rate)
        self.null = nn.Parameter(0.02 * torch.randn(d))
        hidden = c.block_hidden * d
        self.backbone = nn.ModuleList(TransformerBlock(d, c.n_heads, hidden, c.dropout, c.causal) for _ in range(c.n_blocks))
        self.emotion_bank = _emotion_bank(c, ctx.n_outputs)
        self.modality_bank = _modality_bank(c, n_experts, count(self.emotion_bank) if flat else 0)
        self.fusion = MaskedFusion(d)
        if c.router == "concat":
            self.fusion, self.modality_bank = ConcatFusion(d, n_modalities + 1, count(self.modality_bank, self.fusion)), None
        else:
            self.presence_bias = Linear(2 * n_modalities, n_experts)
            self.agreement_bias = nn.Parameter(torch.zeros(n_experts))
        if flat:
            self.emotion_bank = None
        self.heads = Heads(d, ctx.n_outputs)

    def forward(self, batch: Batch) -> Output:
        """Predict every step; losses are empty outside training."""
        if self.config.absent == "zeros":
            x = absent_to_zero(batch.x, batch.mask, self.encoder.owner)
            batch = batch._replace(x=x, mask=batch.valid.unsqueeze(-1).expand_as(batch.mask))
        h = self.encoder(batch.x, batch.mask)  # (B, T, M, d)
        h, mask, moved, lag_loss = self.align(h, batch)
        p = self.semantic(h)  # (B, T, M, s): what each says by itself, before it hears its neighbours
        if self.temporal:
            h = self.neighbourhood(h, mask, batch.time)
        agree = agreement(p, mask) if self.related else torch.zeros_like(p[..., 0])  # (B, T, M)
        tokens, token_mask, routed = self.route_modalities(h, mask, agree)
        z, shares = self.fusion(tokens, token_mask)  # (B*T, d), (B*T, S)
        z, shares = z.unflatten(0, batch.valid.shape), shares.unflatten(0, batch.valid.shape)
        z = z + time_encoding(batch.time, self.config.width)
        for block in self.backbone:
            z = block(z, batch.valid)
        felt = self.emotion_bank(z) if self.emotion_bank else None
        prediction = self.heads(felt.out if felt else z)
        routing = {"modality_share": shares, "agreement": agree} | moved
        if routed:
            routing["modality_combine"] = routed.combine.unflatten(0, batch.valid.shape)
        if felt:
            routing |= {"prototype_weight": felt.weights, "lambda": felt.lam}
        if not self.training:
            return Output(prediction, {}, routing)
        losses = {"lag": self.config.lag_weight * lag_loss} if self.temporal else {}
        if self.temporal or self.related:
            losses["affect"] = self.config.affect_weight * affect_loss(self.affect(p), mask, batch.y)
        if self.related:
            losses["nce"] = self.config.nce_weight * self.semantic_loss(p, mask, batch.trial)
        return Output(prediction, losses | self.bank_losses(routed, felt, token_mask, batch), routing)

    def bank_losses(self, routed: Routed | None, felt: Felt | None, token_mask: Tensor, batch: Batch) -> dict[str, Tensor]:
        """What keeps the experts of either bank in use and apart."""
        c, losses = self.config, {}
        if routed:
            counted = (token_mask & batch.valid.flatten()[:, None]).flatten()
            losses["balance"] = c.balance_weight * balance_loss(routed.combine.flatten(0, 1), counted)
            losses["z"] = c.z_weight * router_z_loss(routed.logits.flatten(0, 1), counted)
        if isinstance(self.emotion_bank, DifferentialPrototypes):
            losses["diversity"] = c.diversity_weight * diversity_loss(self.emotion_bank.prototypes)
            losses["anchor"] = c.anchor_weight * self.emotion_bank.anchor_loss(felt.first, batch.y, batch.valid)
        return losses

    def align(self, h: Tensor, batch: Batch) -> tuple[Tensor, Tensor, dict[str, Tensor], Tensor]:
        """Undo each modality's lag against the others.

        Returns tokens (B, T, M, d), presence (B, T, M), the estimated lag and what tokens were moved by in s (B, M),
        self-supervised lag loss ().
        """
        mask = batch.mask
        if not self.temporal:
            none = h.new_zeros(len(h), h.shape[2])
            return h, mask, {"lag": none, "moved": none}, h.new_zeros(())
        max_lag, radius = self.lags.max_lag, max(1, round(self.config.lag_radius * self.token_rate))
        p = self.semantic(h) * mask.unsqueeze(-1)
        p = torch.cat([p, self.config.read_weight * self.affect(p) * mask.unsqueeze(-1)], dim=-1)
        still = dynamics(p, mask, radius)
        pairs = pair_scores(still, mask, still.detach(), mask, max_lag)
        least_first = power(still.detach(), mask).argsort(dim=1, stable=True)  # who says most keeps the clock
        others = self.lags.settle(pairs, least_first, self.config.lag_passes)
        scores = lag_scores(pairs, others)
        _, lag = self.lags.evidence(scores)
        weights, moved = self.lags.posterior(scores)
        loss = h.new_zeros(())
        if self.training and self.config.lag_weight:
            loss = self.lag_loss(still, mask, others, lag)
        h, mask = self.lags.shift(h, mask, weights, lag_design(h.shape[1], max_lag, h.device))
        mask = mask & batch.valid.unsqueeze(-1)  # a shift may move a token into the padding
        told = {"lag": lag / self.token_rate, "moved": moved / self.token_rate}
        return h * mask.unsqueeze(-1), mask, told, loss

    def lag_loss(self, p: Tensor, mask: Tensor, others: Tensor, lag: Tensor) -> Tensor:
        """Move modalities by a known number of tokens against the others: the estimate must move by that number. Ours."""
        max_lag = self.lags.max_lag
        shift = integers(draw(), -(max_lag // 2), max_lag // 2, *lag.shape)
        moved, moved_mask = shift_tokens(p, mask, shift)
        pairs = pair_scores(moved, moved_mask, p.detach(), mask, max_lag)
        _, estimate = self.lags.evidence(lag_scores(pairs, others))
        seen = mask.any(1) & (mask.any(1).sum(1, keepdim=True) > 1)
        miss = nn.functional.smooth_l1_loss(estimate - lag.detach(), shift.to(lag.dtype), reduction="none")
        return torch.where(seen, miss, 0.0).sum() / seen.sum().clamp(min=1) / max(max_lag // 2, 1)

    def route_modalities(self, h: Tensor, mask: Tensor, agree: Tensor) -> tuple[Tensor, Tensor, Routed | None]:
        """Routing of present tokens and the null token through the experts, step by step."""
        n_steps = h.shape[0] * h.shape[1]
        null = self.null.expand(n_steps, 1, -1)
        tokens = torch.cat([h.flatten(0, 1), null], dim=1)  # (N, S, d)
        token_mask = torch.cat([mask.flatten(0, 1), mask.new_ones(n_steps, 1)], dim=1)
        if self.modality_bank is None:
            return tokens, token_mask, None
        bits = torch.cat([mask.to(h.dtype), agree], dim=-1).flatten(0, 1)  # (N, 2M)
        own = torch.cat([agree.flatten(0, 1), agree.new_zeros(n_steps, 1)], dim=1)  # (N, S)
        bias = self.presence_bias(bits).unsqueeze(1) + own.unsqueeze(-1) * self.agreement_bias
        routed = self.modality_bank(tokens, token_mask, bias)
        return tokens + routed.out, token_mask, routed

    def semantic_loss(self, p: Tensor, mask: Tensor, trial: Tensor) -> Tensor:
        """InfoNCE of each modality's window mean against the mean of the others, averaged over modalities."""
        means = masked_mean(p, mask, dim=1)  # (B, M, s)
        here = mask.any(1)
        others, there = mean_of_others(means.unsqueeze(1), here.unsqueeze(1))
        valid = (here & there.squeeze(1)).T
        return info_nce(means.transpose(0, 1), others[:, 0].transpose(0, 1), trial, valid, self.config.temperature).mean()


def count(*modules: nn.Module) -> int:
    """Parameters of modules."""
    return sum(p.numel() for m in modules for p in m.parameters())


def _modality_bank(c: Config, n_experts: int, extra: int) -> nn.Module:
    """The first bank, with room for ``extra`` parameters in its experts."""
    hidden = c.expert_hidden * c.width
    if extra:  # as many parameters as the bank of n_experts - n_prototypes experts and the second bank together
        own = (n_experts - c.n_prototypes) * hidden * (2 * c.width + 1)
        hidden = max(1, round((own + extra) / (n_experts * (2 * c.width + 1))))
    if c.router in ("soft", "concat"):
        return MaskedSoftMoE(c.width, n_experts, hidden)
    return GatedMoE(c.width, n_experts, hidden, c.router)


def _emotion_bank(c: Config, n_outputs: int) -> nn.Module:
    """The second bank, or one of as many parameters in its place."""
    d, k = c.width, c.n_prototypes
    differential = c.emotion_router in ("differential", "linear", "single")
    bank = DifferentialPrototypes(d, k, c.n_heads, d, n_outputs, c.lambda_init, differential)
    if c.emotion_router == "linear":
        lost = count(bank) - count(LinearlyGatedPrototypes(d, k, c.n_heads, d))
        return LinearlyGatedPrototypes(d, k, c.n_heads, d + round(lost / (k * (2 * d + 1))))
    if c.emotion_router == "single":
        return SingleExpert(d, round(count(bank) / (2 * d + 1)))
    return bank


def build(ctx: BuildContext, config: Config) -> HiMoE:
    """A Hi-MoE for this layout."""
    return HiMoE(ctx, config)
