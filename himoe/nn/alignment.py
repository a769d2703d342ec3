"""Cross-modal alignment: lag estimation by cross-correlation, local cross-attention, semantic agreement.

Axes: B windows, T tokens, M modalities, N = M the modalities they are compared with, K = 2 max_lag + 1 lags, s semantic width,
d width. Sign: lag > 0 where a modality is late relative to the others.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from himoe.nn.attention import attend, blocks, hidden
from himoe.nn.linear import Linear

PSEUDO_PAIRS = 8.0  # a lag seen in n pairs of tokens has its correlation shrunk by n / (n + 8)
PRIOR_UNIT = 10.0  # nats per unit of the log prior's parameter: with 1 the optimizer's steps would be too small for it
LAG_PENALTY = 0.1  # nats against each token of lag in the initial prior


def mean_of_others(h: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Mean over the *other* present modalities.

    h (B, T, M, d), mask (B, T, M) -> the mean (B, T, M, d), 0 where no other is present, and whether one is (B, T, M).
    """
    weight = mask.unsqueeze(-1).to(h.dtype)  # (B, T, M, 1)
    h, count = h * weight, weight.sum(2, keepdim=True)  # (B, T, M, d), (B, T, 1, 1)
    n_others = count - weight  # (B, T, M, 1)
    return (h.sum(2, keepdim=True) - h) / n_others.clamp(min=1), n_others.squeeze(-1) > 0


def remove_local_mean(p: Tensor, mask: Tensor, radius: int) -> Tensor:
    """High-pass filter: p (B, T, M, s), 0 where absent by mask (B, T, M), minus its mean over the present tokens within
    ``radius``; 0 where absent.

    Lags are to be found from fast changes: slow drifts correlate at every lag alike and carry most of the noise (compare the
    pre-whitening of generalised cross-correlation, Knapp & Carter 1976).
    """
    t = torch.arange(p.shape[1], device=p.device)
    near = ((t[:, None] - t[None]).abs() <= radius).to(p.dtype)  # (T, T)
    present = mask.to(p.dtype).unsqueeze(-1)  # (B, T, M, 1)
    total, count = (torch.einsum("tu,bums->btms", near, x) for x in (p, present))
    return (p - total / count.clamp(min=1)) * present


class Spectra(NamedTuple):
    """What correlations at lags up to ``max_lag`` are computed from: Fourier transforms over time of tokens (B, f, M, s) and of
    their presence (B, f, M, 1), zero-padded to ``size`` so that nothing wraps around; the tokens' mean power (B, M); 0 for a
    modality with itself, else 1 (M, M)."""

    tokens: Tensor
    presence: Tensor
    power: Tensor
    not_self: Tensor
    size: int
    max_lag: int

    @staticmethod
    def of(p: Tensor, mask: Tensor, max_lag: int) -> Spectra:
        """Of p (B, T, M, s), 0 where absent by mask (B, T, M)."""
        size = -(-(p.shape[1] + max_lag) // 16) * 16  # a multiple of 16, not a prime: half the time
        tokens, presence = (torch.fft.rfft(x.float(), size, dim=1) for x in (p, mask.unsqueeze(-1)))
        return Spectra(tokens, presence, mean_power(p, mask), 1 - torch.eye(p.shape[2], device=p.device), size, max_lag)

    def detach(self) -> Spectra:
        """The same, through which no gradient goes."""
        return self._replace(tokens=self.tokens.detach(), power=self.power.detach())


def pair_scores(p: Spectra, other: Spectra) -> Tensor:
    """Normalised cross-correlation of every modality of ``p`` with every one of ``other`` at every lag, (B, M, N, K).

    The score at lag k is the mean of ``p_m(t + k) . other_n(t)`` over the t at which both are present, shrunk by n / (n + 8)
    so that a lag seen in few pairs cannot win, divided by ``|p_m| (sum_n |other_n|^2)^1/2``. It is 0 for a modality with
    itself. Summed over n it is the correlation with the sum of the others if these are uncorrelated, and larger the more of
    them agree.
    """
    scale = (p.power * (other.power @ other.not_self) + 1e-6).sqrt()  # (B, M)
    n_pairs = _correlate(p.presence, other.presence, p).round()  # (B, M, N, K); rounded, as 7 comes back as 6.9999998
    sums = _correlate(p.tokens, other.tokens, p)  # (B, M, N, K)
    return sums * (other.not_self.unsqueeze(-1) / (n_pairs + PSEUDO_PAIRS)) / scale[..., None, None]


def _correlate(a: Tensor, b: Tensor, made: Spectra) -> Tensor:
    """sum over t and s of a_m(t + lag) . b_n(t), (B, M, N, K), of transforms (B, f, M, s): a fifth of the time of the direct
    sums."""
    products = torch.fft.irfft(torch.einsum("bfms,bfns->bmnf", a, b.conj()), made.size)  # (B, M, N, size)
    return torch.cat(
        [products[..., made.size - made.max_lag :], products[..., : made.max_lag + 1]], dim=-1
    )  # lags < 0 at the end


def mean_power(x: Tensor, mask: Tensor) -> Tensor:
    """Mean over present tokens of the squared norm: x (B, T, M, s), 0 where absent, mask (B, T, M) -> (B, M)."""
    return (x.float() ** 2).sum((1, 3)) / mask.sum(1).clamp(min=1)


def lag_scores(pairs: Tensor, q: Tensor) -> Tensor:
    """Expected score of every lag of every modality, the others' lags being distributed as q.

    pairs (B, M, N, K), q (B, N, K) -> (B, M, K): sum_n sum_j q_n(j) pairs_mn(k - j). Where m is late by k and n by j, the two
    match at their relative lag k - j.
    """
    max_lag = q.shape[-1] // 2
    padded = F.pad(q, (max_lag, max_lag))  # (B, N, K + 2 max_lag)
    shifted = padded.unfold(-1, q.shape[-1], 1).flip(-1)  # (B, N, K, L): entry (k, l) is q_n(k - l), l a relative lag
    return torch.einsum("bmnl,bnkl->bmk", pairs, shifted)


def _by_own_lag(pairs: Tensor) -> Tensor:
    """pairs (B, M, N, K) by relative lag -> (B, M, N*K, K), the matrix that turns q (B, N*K) into :func:`lag_scores`: at (n j,
    k) it has pairs_mn(k - j), 0 beyond the largest lag."""
    n_lags = pairs.shape[-1]
    padded = F.pad(pairs, (n_lags // 2, n_lags // 2))
    return padded.unfold(-1, n_lags, 1).flip(-2).flatten(2, 3)


def lag_indicator(n_times: int, max_lag: int, device: torch.device | None = None) -> Tensor:
    """(T*T, K): column k is 1 at the pairs (t, t + lag_k), lag_k = k - max_lag, else 0."""
    t = torch.arange(n_times, device=device)
    lag = (t[None] - t[:, None]).flatten()  # (T*T,)
    return (lag[:, None] == torch.arange(-max_lag, max_lag + 1, device=device)[None]).float()


class LagBank(nn.Module):
    """Distribution over all candidate lags of each modality, and a soft shift by it.

    Every lag is scored, since a single delay trained by gradient stays in a wrong peak. From the scores come two distributions:
    ``evidence`` is their softmax, ``posterior`` has a learnt prior of each modality in it (organs respond with different
    latencies, and most recordings are in time). The loss is of the evidence, tokens are shifted by the posterior. The prior
    begins with log-odds ``rest`` in favour of lag 0: without it, errors of the estimate cost more on recordings that are in
    time than alignment gains on others (measured: CHANGELOG). The sharpness (inverse temperature) begins where a pair of
    signals at SNR 1 is recovered (tested): gradients move it too slowly to rely on them.
    """

    lags: Tensor

    def __init__(self, max_lag: int, n_modalities: int, rest: float):
        super().__init__()
        self.max_lag = max_lag
        self.log_sharpness = nn.Parameter(torch.tensor(3.5))
        # not persistent: follows from the arguments, and stacked models keep parameters only
        self.register_buffer("lags", torch.arange(-max_lag, max_lag + 1).float(), persistent=False)  # (K,), tokens
        log_prior = rest * (self.lags == 0) - LAG_PENALTY * self.lags.abs()  # (K,), nats, up to a constant
        self.log_prior = nn.Parameter(log_prior.repeat(n_modalities, 1) / PRIOR_UNIT)  # (M, K)

    def evidence(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (B, M, K) -> their softmax over lags (B, M, K) and its mean, the expected lag in tokens (B, M)."""
        return self._expected(self.log_sharpness.exp() * scores)

    def posterior(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """The same with the log prior of each modality added to the logits."""
        return self._expected(self.log_sharpness.exp() * scores + PRIOR_UNIT * self.log_prior)

    def _expected(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        q = torch.softmax(logits, dim=-1)  # (B, M, K)
        return q, (q * self.lags).sum(-1)

    @torch.no_grad()
    def estimate_jointly(self, pairs: Tensor, order: Tensor, n_passes: int) -> Tensor:
        """Distributions over the lags of all modalities (B, M, K), each given those of the others, beginning at lag 0.

        Mean-field coordinate updates: one modality after another takes its posterior given the current q of the others. Two
        updated at once would each correct the whole of their relative lag. Scores are scaled up from pass to pass, so that an
        early mistake of one modality is not taken over by the others (deterministic annealing, Rose 1998). Pairs determine
        relative lags only; the priors determine which modality is in time.

        pairs (B, M, N, K); order (B, M), a permutation of the modalities that must not depend on how they are numbered.
        """
        # all in the order of the turns, which differs between windows, so that a turn is a place
        pairs = pairs.gather(1, order[..., None, None].expand_as(pairs)).gather(2, order[:, None, :, None].expand_as(pairs))
        prior = self.log_prior.expand(*pairs.shape[:2], -1)  # (B, M, K)
        prior = PRIOR_UNIT * prior.gather(1, order.unsqueeze(-1).expand_as(prior))
        scores_of = _by_own_lag(self.log_sharpness.exp() * pairs)  # (B, M, N*K, K)
        q = (self.lags == 0).to(pairs.dtype) + torch.zeros_like(prior)  # (B, M, K), of the size that it is written in
        for i in range(n_passes):
            for turn in range(order.shape[1]):
                scores = torch.bmm(q.flatten(1).unsqueeze(1), scores_of[:, turn]).squeeze(1)  # (B, K)
                q[:, turn] = torch.softmax(torch.add(prior[:, turn], scores, alpha=(i + 1) / n_passes), dim=-1)
        return q.gather(1, order.argsort(1).unsqueeze(-1).expand_as(q))

    def shift(self, h: Tensor, mask: Tensor, q: Tensor, indicator: Tensor) -> tuple[Tensor, Tensor]:
        """Soft shift h'(t) = sum_k q(k) h(t + lag_k) over present tokens, renormalised.

        h (B, T, M, d), mask (B, T, M), q (B, M, K), indicator (T*T, K) of :func:`lag_indicator` -> tokens (B, T, M, d) and
        presence (B, T, M): a token is present where the one at the most probable lag was.
        """
        n_times = h.shape[1]
        mix = (q @ indicator.T).unflatten(-1, (n_times, n_times))  # (B, M, T, T): row t has q(u - t) at column u
        present = mask.to(h.dtype)  # (B, T, M)
        weight = torch.einsum("bmtu,bum->btm", mix, present)
        moved = torch.einsum("bmtu,bumd->btmd", mix, h * present.unsqueeze(-1))
        most_probable = q.argmax(-1) - self.max_lag  # (B, M), tokens
        kept = shift_mask(mask, -most_probable)
        return torch.where(kept.unsqueeze(-1), moved / weight.clamp(min=1e-6).unsqueeze(-1), 0.0), kept


def shift_mask(mask: Tensor, shift: Tensor) -> Tensor:
    """Presence (B, T, M) delayed by whole tokens (B, M); what leaves the window is absent."""
    source, inside = _source_times(mask.shape[1], shift)
    return mask.gather(1, source) & inside


def shift_tokens(p: Tensor, mask: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    """Delay by whole tokens, p'(t) = p(t - shift): p (B, T, M, s), mask (B, T, M), shift (B, M) -> the same shapes, 0 where
    absent. What leaves the window is absent."""
    source, inside = _source_times(p.shape[1], shift)
    # a product with 0 and 1: the gradient of a gather adds up in any order on a GPU, or is sorted first
    read = (source.unsqueeze(-1) == torch.arange(p.shape[1], device=p.device)) & inside.unsqueeze(-1)  # (B, T, M, T)
    kind = p.device.type if torch.amp.is_autocast_available(p.device.type) else "cpu"
    with torch.autocast(kind, enabled=False):  # tokens are moved, not rounded
        moved = torch.einsum("btmu,bums->btms", read.to(p.dtype), p)
    return moved, mask.gather(1, source) & inside


def _source_times(n_times: int, shift: Tensor) -> tuple[Tensor, Tensor]:
    """Of a delay (B, M): the step t - shift that step t is read from, and whether it lies within the window, (B, T, M)."""
    source = torch.arange(n_times, device=shift.device)[None, :, None] - shift[:, None]
    return source.clamp(0, n_times - 1), (source >= 0) & (source < n_times)


class LocalCrossAttention(nn.Module):
    """Each modality attends to the mean of the others within ``radius`` s: for jitter and drift that no single lag corrects.

    At ``token_rate`` tokens per s no key is further away than ``reach`` tokens. Queries are therefore taken in blocks, each
    with the keys around it, which spares most of the T x T scores. A learnt null key is always visible, so that a token
    without neighbours, or one that nothing matches, need not take anything from them.
    """

    def __init__(self, d: int, n_heads: int, radius: float, token_rate: float):
        super().__init__()
        self.n_heads, self.radius, self.reach = n_heads, radius, math.ceil(radius * token_rate)
        self.norm = nn.LayerNorm(d)
        self.query, self.key_value, self.out = Linear(d, d), Linear(d, 2 * d), Linear(d, d)
        self.null = nn.Parameter(0.02 * torch.randn(2, d))  # key and value

    def forward(self, h: Tensor, mask: Tensor, time: Tensor) -> Tensor:
        """h (B, T, M, d), mask (B, T, M), time (B, T) s -> h plus the attention's output, where present (B, T, M, d).

        Further axes: n blocks of S queries, U = S + 2 reach keys of a block, H heads.
        """
        n_windows, n_times, n_modalities, _ = h.shape
        others, any_other = mean_of_others(h, mask)  # (B, T, M, d), (B, T, M)
        several = 5 * self.reach < n_times  # else one block, with no keys around it: several would spare nothing
        size, reach = (3 * self.reach, self.reach) if several and self.reach else (n_times, 0)  # S

        def to_blocks(x: Tensor, reach: int) -> Tensor:  # (B, T, M, w) -> (B*M, n, S + 2 reach, w)
            return blocks(x.transpose(1, 2).flatten(0, 1), size, reach)

        def to_heads(x: Tensor) -> Tensor:  # (..., U, d) -> (..., H, U, d/H)
            return x.unflatten(-1, (self.n_heads, -1)).transpose(-2, -3)

        q = to_heads(to_blocks(self.query(self.norm(h)), 0))  # (B*M, n, H, S, d/H)
        k, v = (to_heads(to_blocks(x, reach)) for x in self.key_value(self.norm(others)).chunk(2, -1))  # (B*M, n, H, U, d/H)
        null = to_heads(self.null.unsqueeze(1)).unsqueeze(1).expand(-1, q.shape[1], -1, -1, -1)  # (2, n, H, 1, d/H)
        null = null.unsqueeze(1).expand(-1, len(q), -1, -1, -1, -1)  # (2, B*M, n, H, 1, d/H)
        k, v = torch.cat([k, null[0]], -2), torch.cat([v, null[1]], -2)  # (B*M, n, H, U + 1, d/H)
        has_key = to_blocks(any_other.unsqueeze(-1).to(h.dtype), reach) > 0  # (B*M, n, U, 1)
        has_key = has_key.transpose(2, 3).unflatten(0, (n_windows, n_modalities))  # (B, M, n, 1, U)
        seen = (self.near(time, size, reach)[:, None] & has_key).flatten(0, 1)  # (B*M, n, S, U)
        seen = F.pad(seen, (0, 1), value=True).unsqueeze(2)  # (B*M, n, 1, S, U + 1), with the null key
        a = attend(q, k, v, hidden(seen))  # (B*M, n, H, S, d/H)
        a = a.transpose(2, 3).flatten(3).flatten(1, 2)[:, :n_times]  # (B*M, T, d), without the last block's padding
        a = a.unflatten(0, (n_windows, n_modalities)).transpose(1, 2)  # (B, T, M, d)
        return h + self.out(a) * mask.unsqueeze(-1)

    def near(self, time: Tensor, size: int, reach: int) -> Tensor:
        """time (B, T) s -> (B, n, S, U): whether a query and a key of its block are within ``radius`` of one another."""
        queries, keys = (blocks(time.unsqueeze(-1), size, r, torch.inf) for r in (0, reach))  # (B, n, S, 1), (B, n, U, 1)
        return (queries - keys.transpose(2, 3)).abs() <= self.radius  # padding at inf: inf - inf is NaN, never near


def agreement(p: Tensor, mask: Tensor) -> Tensor:
    """Cosine of each modality's projection p (B, T, M, s) with the mean of the others: (B, T, M), 0 if alone or absent."""
    others, any_other = mean_of_others(p, mask)
    cosine = F.cosine_similarity(p, others, dim=-1)
    return torch.where(any_other & mask, cosine, 0.0)
