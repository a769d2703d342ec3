"""Hi-MoE (Zhu, Han, Jiang, Zhou & Wang, arXiv 2508.02133), reconstructed from its abstract alone.

Top to bottom: encode each modality, align them in time and meaning, route modality tokens softly through the modality experts,
fuse them, model them over time, route steps by differential attention through the emotion experts, predict every step.

Axes: B windows, T tokens, N = B*T steps, M modalities, S = M + 1 tokens of a step (modalities and the null token), E modality
experts, K prototypes, s semantic width, d width.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from himoe.config.fields import setting
from himoe.config.networks import NetworkSettings
from himoe.nn.alignment import (
    LagBank,
    LocalCrossAttention,
    Spectra,
    agreement,
    lag_indicator,
    lag_scores,
    mean_of_others,
    pair_scores,
    remove_local_mean,
    shift_tokens,
)
from himoe.nn.encoder import Heads, ModalityEncoder, TemporalBackbone, absent_to_zero
from himoe.nn.linear import Linear
from himoe.nn.losses import affect_loss, balance_loss, diversity_loss, info_nce, masked_mean, router_z_loss
from himoe.nn.noise import draw, integers
from himoe.nn.prototypes import DifferentialPrototypes, PrototypeOutput
from himoe.nn.routers import ConcatFusion, GatedMoE, LinearlyGatedPrototypes, SingleExpert
from himoe.nn.soft_moe import MaskedFusion, MaskedSoftMoE, MoEOutput
from himoe.types import Batch, BuildContext, Output

TITLE = "Hi-MoE"
COLOUR = ("#c2410c", "#fb923c")
PLACE = 1000
SPACE = {"affect_weight": (0.3, 1.0), "nce_weight": (0.03, 0.1, 0.3)}


class Config(NetworkSettings):
    """Every choice that the abstract leaves open."""

    n_encoder_blocks: int = setting(2, "convolution blocks of a modality's encoder", "ours", ge=0)
    max_lag: float = setting(8.0, "largest lag that is considered, s", "ours; temporal alignment: paper", ge=0)
    lag_passes: int = setting(
        6, "passes of the joint lag estimation over all modalities", "ours; annealed as in Rose 1998", ge=1
    )
    lag_radius: float = setting(8.0, "half-width of the moving mean removed before lags are scored, s", "ours", gt=0)
    lag_rest: float = setting(3.0, "log-odds in favour of no lag before the lag priors are learnt", "ours", ge=0)
    attention_radius: float = setting(2.0, "reach of the local cross-attention, s", "ours", ge=0)
    semantic_width: int = setting(32, "width s of the shared semantic space", "ours", ge=2)
    temperature: float = setting(0.1, "temperature of InfoNCE", "cited:CLIP-style contrast (van den Oord et al. 2018)", gt=0)
    extra_experts: int = setting(2, "modality experts beyond one per modality", "ours", ge=0)
    expert_hidden: int = setting(2, "hidden width of an expert, in d", "ours", ge=1)
    n_prototypes: int = setting(8, "emotional prototypes, one expert each", "ours; prototypes: paper", ge=2)
    lambda_init: float = setting(0.5, "initial lambda of differential attention", "ours; form: Ye et al. 2024", ge=0, le=0.9)
    alignment: Literal["both", "temporal", "semantic", "none"] = setting(
        "both", "temporal alignment (lags, local attention), semantic (InfoNCE, agreement), or both", "paper; its parts ours"
    )
    causal: bool = setting(
        False, "no step sees a later one; excludes temporal alignment, since a lag is estimated from the whole window", "ours"
    )
    router: Literal["soft", "dense", "laplace", "top1", "uniform", "concat"] = setting(
        "soft", "router of the modality experts; concat: no experts, one MLP of all tokens", "paper (soft); others ablations"
    )
    emotion_router: Literal["differential", "softmax", "linear", "single"] = setting(
        "differential", "router of the emotion experts; single: one layer as wide as all of them", "paper; others ablations"
    )
    absent: Literal["masked", "zeros"] = setting(
        "masked", "absent tokens are masked everywhere, or are zeros like any other input", "ours; zeros an ablation"
    )
    hierarchy: Literal["two", "flat"] = setting(
        "two", "two expert banks, or one as large as both on the modality tokens", "paper (two); flat an ablation"
    )
    read_weight: float = setting(
        5.0, "factor of each modality's own prediction, beside its semantic vector, when lags are scored", "ours", ge=0
    )
    affect_weight: float = setting(
        1.0, "weight of the error of each modality's own prediction, a linear map of its semantic vector", "ours", ge=0
    )
    nce_weight: float = setting(0.1, "weight of InfoNCE (semantic alignment)", "ours", ge=0)
    lag_weight: float = setting(0.1, "weight of the self-supervised lag loss", "ours", ge=0)
    balance_weight: float = setting(1e-2, "weight of the experts' importance loss", "ours; Shazeer et al. 2017", ge=0)
    z_weight: float = setting(1e-3, "weight of the router z-loss", "ours; Zoph et al. 2022", ge=0)
    diversity_weight: float = setting(1e-2, "weight of the prototypes' diversity loss", "ours", ge=0)
    anchor_weight: float = setting(0.1, "weight of the prototypes' anchor loss", "ours", ge=0)


class HiMoE(nn.Module):
    """See the module's docstring; ``forward`` is in the order of the idea."""

    def __init__(self, ctx: BuildContext, config: Config):
        super().__init__()
        c, d = config, config.width
        n_features = tuple(len(names) for names in ctx.layout.features)
        n_modalities = len(n_features)
        flat = c.hierarchy == "flat"
        n_experts = n_modalities + c.extra_experts + (c.n_prototypes if flat else 0)
        self.config, self.token_rate = c, ctx.layout.token_rate
        self.temporal = c.alignment in ("both", "temporal") and not c.causal
        self.semantic = c.alignment in ("both", "semantic")
        self.encoder = ModalityEncoder(n_features, d, c.n_encoder_blocks, dropout=c.dropout, causal=c.causal)
        self.to_semantic = Linear(d, c.semantic_width)
        self.affect = Linear(c.semantic_width, ctx.n_outputs)
        if self.temporal:
            self.lags = LagBank(min(round(c.max_lag * self.token_rate), ctx.n_times - 1), n_modalities, c.lag_rest)
            self.cross_attention = LocalCrossAttention(d, c.n_heads, c.attention_radius, self.token_rate)
        self.null = nn.Parameter(0.02 * torch.randn(d))
        self.backbone = TemporalBackbone(c.n_blocks, d, c.n_heads, c.block_hidden * d, c.dropout, c.causal)
        # built in every variant, if only to be counted: the same seed gives the layers around them the same weights
        emotion_bank = _emotion_bank(c, ctx.n_outputs)
        modality_bank = _modality_bank(c, n_experts, count(emotion_bank) if flat else 0)
        fusion = MaskedFusion(d)
        self.emotion_bank = None if flat else emotion_bank
        self.modality_bank = None if c.router == "concat" else modality_bank
        self.fusion: MaskedFusion | ConcatFusion = fusion
        if self.modality_bank is None:
            self.fusion = ConcatFusion(d, n_modalities + 1, count(modality_bank, fusion))
        else:
            self.presence_bias = Linear(2 * n_modalities, n_experts)
            self.agreement_bias = nn.Parameter(torch.zeros(n_experts))
        self.heads = Heads(d, ctx.n_outputs)

    def forward(self, batch: Batch) -> Output:
        """Predict every step; losses are empty outside training."""
        if self.config.absent == "zeros":
            batch = self.all_present(batch)
        h = self.encoder(batch.x, batch.mask)  # (B, T, M, d)
        h, mask, lags, lag_loss = self.align(h, batch)
        p = self.to_semantic(h)  # (B, T, M, s), before the cross-attention mixes modalities
        if self.temporal:
            h = self.cross_attention(h, mask, batch.time)
        agree = agreement(p, mask) if self.semantic else torch.zeros_like(p[..., 0])  # (B, T, M)
        tokens, token_mask, routed = self.route_modalities(h, mask, agree)  # (N, S, d), (N, S)
        z, shares = self.fusion(tokens, token_mask)  # (N, d), (N, S)
        z, shares = z.unflatten(0, batch.valid.shape), shares.unflatten(0, batch.valid.shape)  # (B, T, d), (B, T, S)
        z = self.backbone(z, batch.time, batch.valid)
        emotion = self.emotion_bank(z) if self.emotion_bank is not None else None
        prediction = self.heads(emotion.out if emotion else z)  # (B, T, n_outputs)
        routing = {"modality_share": shares, "agreement": agree} | lags
        if routed:
            routing["modality_combine"] = routed.combine.unflatten(0, batch.valid.shape)  # (B, T, S, E)
        if emotion:
            routing |= {"prototype_weight": emotion.weights, "lambda": emotion.lam}
        if not self.training:
            return Output(prediction, {}, routing)
        losses = self.alignment_losses(p, mask, lag_loss, batch) | self.bank_losses(routed, emotion, token_mask, batch)
        return Output(prediction, losses, routing)

    def all_present(self, batch: Batch) -> Batch:
        """Ablation: absent tokens are zeros that count as present, up to the padding."""
        x = absent_to_zero(batch.x, batch.mask, self.encoder.owner)
        return batch._replace(x=x, mask=batch.valid.unsqueeze(-1).expand_as(batch.mask))

    def align(self, h: Tensor, batch: Batch) -> tuple[Tensor, Tensor, dict[str, Tensor], Tensor]:
        """Estimate each modality's lag relative to the others and shift its tokens back.

        h (B, T, M, d) -> tokens (B, T, M, d), presence (B, T, M), lags in s (B, M) and the self-supervised lag loss ().
        ``lag`` is estimated from the evidence alone, ``moved`` is what tokens are shifted by, with the prior.
        """
        mask = batch.mask
        if not self.temporal:
            no_lag = h.new_zeros(len(h), h.shape[2])
            return h, mask, {"lag": no_lag, "moved": no_lag}, h.new_zeros(())
        max_lag, radius = self.lags.max_lag, max(1, round(self.config.lag_radius * self.token_rate))
        p = self.to_semantic(h) * mask.unsqueeze(-1)  # (B, T, M, s)
        if self.config.affect_weight:  # else the modalities' own predictions are not learnt
            p = torch.cat([p, self.config.read_weight * self.affect(p) * mask.unsqueeze(-1)], dim=-1)  # (.., s + n_outputs)
        fast = remove_local_mean(p, mask, radius)  # (B, T, M, s + n_outputs)
        spectra = Spectra.of(fast, mask, max_lag)
        pairs = pair_scores(spectra, spectra.detach())  # (B, M, M, K)
        weakest_first = spectra.power.detach().argsort(dim=1, stable=True)  # the strongest sets the time of the rest
        q = self.lags.estimate_jointly(pairs, weakest_first, self.config.lag_passes)  # (B, M, K)
        scores = lag_scores(pairs, q)  # (B, M, K)
        _, lag = self.lags.evidence(scores)  # (B, M), tokens
        posterior, moved = self.lags.posterior(scores)  # (B, M, K), (B, M)
        loss = h.new_zeros(())
        if self.training and self.config.lag_weight:
            loss = self.lag_loss(fast, mask, spectra.detach(), q, lag)
        h, mask = self.lags.shift(h, mask, posterior, lag_indicator(h.shape[1], max_lag, h.device))
        mask = mask & batch.valid.unsqueeze(-1)  # a shift may move a token into the padding
        lags = {"lag": lag / self.token_rate, "moved": moved / self.token_rate}
        return h * mask.unsqueeze(-1), mask, lags, loss

    def lag_loss(self, p: Tensor, mask: Tensor, unmoved: Spectra, q: Tensor, lag: Tensor) -> Tensor:
        """Self-supervised: modalities are shifted by known numbers of tokens, the estimated lags must change by as many. Ours.

        Mean over modalities that have another beside them of smooth_l1(estimate after the shift - lag, shift), over the largest
        shift. p (B, T, M, s), mask (B, T, M), spectra and q (B, M, K) of the modalities as they were, their lags (B, M) -> ().
        """
        max_lag = self.lags.max_lag
        shift = integers(draw(), -(max_lag // 2), max_lag // 2, *lag.shape)  # (B, M)
        moved, moved_mask = shift_tokens(p, mask, shift)
        pairs = pair_scores(Spectra.of(moved, moved_mask, max_lag), unmoved)  # (B, M, M, K)
        _, estimate = self.lags.evidence(lag_scores(pairs, q))  # (B, M)
        present = mask.any(1)
        counted = present & (present.sum(1, keepdim=True) > 1)  # (B, M)
        error = F.smooth_l1_loss(estimate - lag.detach(), shift.to(lag.dtype), reduction="none")
        return torch.where(counted, error, 0.0).sum() / counted.sum().clamp(min=1) / max(max_lag // 2, 1)

    def route_modalities(self, h: Tensor, mask: Tensor, agree: Tensor) -> tuple[Tensor, Tensor, MoEOutput | None]:
        """Present modality tokens and the null token of each step through the modality experts.

        h (B, T, M, d), mask and agree (B, T, M) -> tokens (N, S, d), presence (N, S), the bank's output.
        """
        n_steps = h.shape[0] * h.shape[1]
        null = self.null.expand(n_steps, 1, -1)  # (N, 1, d), always present: no step is empty
        tokens = torch.cat([h.flatten(0, 1), null], dim=1)  # (N, S, d)
        token_mask = F.pad(mask.flatten(0, 1), (0, 1), value=True)  # (N, S)
        if self.modality_bank is None:
            return tokens, token_mask, None
        step = torch.cat([mask.to(h.dtype), agree], dim=-1).flatten(0, 1)  # (N, 2M): presence and agreement of all
        token_agreement = F.pad(agree.flatten(0, 1), (0, 1))  # (N, S)
        bias = self.presence_bias(step).unsqueeze(1) + token_agreement.unsqueeze(-1) * self.agreement_bias  # (N, S, E)
        routed = self.modality_bank(tokens, token_mask, bias)
        return tokens + routed.out, token_mask, routed

    def alignment_losses(self, p: Tensor, mask: Tensor, lag_loss: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Losses of the parts of the alignment in use, and of each modality's own prediction; p (B, T, M, s), mask (B, T,
        M)."""
        c = self.config
        losses = {"lag": c.lag_weight * lag_loss} if self.temporal else {}
        if c.affect_weight:  # no part of the alignment: it stays in every ablation but its own
            losses["affect"] = c.affect_weight * affect_loss(self.affect(p), mask, batch.y)
        if self.semantic:
            losses["nce"] = c.nce_weight * self.semantic_loss(p, mask, batch.trial)
        return losses

    def semantic_loss(self, p: Tensor, mask: Tensor, trial: Tensor) -> Tensor:
        """InfoNCE of each modality's window mean with the mean of the others, mean over modalities (); p (B, T, M, s)."""
        means = masked_mean(p, mask, dim=1)  # (B, M, s)
        present = mask.any(1)  # (B, M)
        others, any_other = mean_of_others(means.unsqueeze(1), present.unsqueeze(1))  # (B, 1, M, s), (B, 1, M)
        valid = (present & any_other.squeeze(1)).T  # (M, B)
        return info_nce(means.transpose(0, 1), others[:, 0].transpose(0, 1), trial, valid, self.config.temperature).mean()

    def bank_losses(
        self, routed: MoEOutput | None, emotion: PrototypeOutput | None, token_mask: Tensor, batch: Batch
    ) -> dict[str, Tensor]:
        """Losses that keep experts in use (balance), logits small (z), prototypes apart (diversity) and at their anchors."""
        c, losses = self.config, {}
        if routed:
            counted = (token_mask & batch.valid.flatten()[:, None]).flatten()  # (N*S,)
            losses["balance"] = c.balance_weight * balance_loss(routed.combine.flatten(0, 1), counted)
            losses["z"] = c.z_weight * router_z_loss(routed.logits.flatten(0, 1), counted)
        if emotion and isinstance(self.emotion_bank, DifferentialPrototypes):
            losses["diversity"] = c.diversity_weight * diversity_loss(self.emotion_bank.prototypes)
            losses["anchor"] = c.anchor_weight * self.emotion_bank.anchor_loss(emotion.first_map, batch.y, batch.valid)
        return losses


def count(*modules: nn.Module) -> int:
    """Number of parameters of modules."""
    return sum(p.numel() for m in modules for p in m.parameters())


def _modality_bank(c: Config, n_experts: int, n_extra: int) -> MaskedSoftMoE | GatedMoE:
    """The modality experts, wide enough to hold ``n_extra`` parameters more (flat hierarchy: those of the emotion bank)."""
    hidden = c.expert_hidden * c.width
    if n_extra:
        per_unit = 2 * c.width + 1  # parameters of a hidden unit of an expert
        total = (n_experts - c.n_prototypes) * hidden * per_unit + n_extra
        hidden = max(1, round(total / (n_experts * per_unit)))
    match c.router:
        case "soft" | "concat":  # concat: built to be counted
            return MaskedSoftMoE(c.width, n_experts, hidden)
        case gate:
            return GatedMoE(c.width, n_experts, hidden, gate)


def _emotion_bank(c: Config, n_outputs: int) -> DifferentialPrototypes | LinearlyGatedPrototypes | SingleExpert:
    """The emotion experts, or an ablation with as many parameters."""
    d, k = c.width, c.n_prototypes
    differential = c.emotion_router in ("differential", "linear", "single")
    bank = DifferentialPrototypes(d, k, c.n_heads, d, n_outputs, c.lambda_init, differential)
    if c.emotion_router == "linear":
        missing = count(bank) - count(LinearlyGatedPrototypes(d, k, c.n_heads, d))
        return LinearlyGatedPrototypes(d, k, c.n_heads, d + round(missing / (k * (2 * d + 1))))
    if c.emotion_router == "single":
        return SingleExpert(d, round(count(bank) / (2 * d + 1)))
    return bank


def build(ctx: BuildContext, config: Config) -> HiMoE:
    """A Hi-MoE for this layout."""
    return HiMoE(ctx, config)
