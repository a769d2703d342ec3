"""Cross-modal alignment: lag bank, local cross-attention, semantic agreement.

Axes: B windows, T tokens, M modalities, K lags, s semantic width. Lag > 0: the modality is late against the others.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from himoe.nn.attention import attend, blocks
from himoe.nn.linear import Linear

MIN_PAIRS = 8.0
HABIT_UNIT = 10.0
FAR = 0.1  # nats that each token of lag begins with against it


def mean_of_others(h: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Mean over the *other* present modalities: h (B, T, M, d), mask (B, T, M) -> (same shape, whether there is any)."""
    weight = mask.unsqueeze(-1).to(h.dtype)
    total, count = (h * weight).sum(2, keepdim=True), weight.sum(2, keepdim=True)
    others = count - weight
    return (total - h * weight) / others.clamp(min=1), others.squeeze(-1) > 0


def lag_design(n_times: int, max_lag: int, device: torch.device | None = None) -> Tensor:
    """(T*T, K) indicator: column k is 1 at the pairs (t, t + lag_k), lag_k = k - max_lag."""
    t = torch.arange(n_times, device=device)
    lag = (t[None] - t[:, None]).flatten()
    return (lag[:, None] == torch.arange(-max_lag, max_lag + 1, device=device)[None]).float()


def dynamics(p: Tensor, mask: Tensor, radius: int) -> Tensor:
    """p (B, T, M, s) without its mean over the present tokens within ``radius``; 0 where absent. A match is to be one of
    movement: in what is slower every lag looks alike, and noise is strongest (whitening, Knapp & Carter 1976)."""
    t = torch.arange(p.shape[1], device=p.device)
    near = ((t[:, None] - t[None]).abs() <= radius).to(p.dtype)
    present = mask.to(p.dtype).unsqueeze(-1)
    total, count = (torch.einsum("tu,bums->btms", near, x) for x in (p * present, present))
    return (p - total / count.clamp(min=1)) * present


def pair_scores(p: Tensor, mask: Tensor, other: Tensor, other_mask: Tensor, max_lag: int) -> Tensor:
    """How well every modality of p, late by every lag, matches every one of the others, (B, M, N, K); 0 with itself.

    p, other (B, T, M, s), 0 where absent (B, T, M). The mean of p_m(t + lag) other_n(t) over pairs where both are present,
    shrunk by n / (n + 8) so that a lag seen in few pairs cannot win, in units of |p_m| (sum_n |other_n|^2)^1/2. Summed over n
    it is the correlation with the sum of the others if these are unlike one another, and more the more of them agree.
    """
    apart = 1 - torch.eye(p.shape[2], device=p.device)
    unit = (power(p, mask) * (power(other, other_mask) @ apart) + 1e-6).sqrt()  # (B, M)
    pairs = _correlate(mask.unsqueeze(-1), other_mask.unsqueeze(-1), max_lag).round()
    return _correlate(p, other, max_lag) / (pairs + MIN_PAIRS) * apart.unsqueeze(-1) / unit[..., None, None]


def _correlate(a: Tensor, b: Tensor, max_lag: int) -> Tensor:
    """sum over t and s of a_m(t + lag) b_n(t), (B, M, N, K), by FFT: a fifth of the time of the sums."""
    size = a.shape[1] + max_lag  # nothing wraps around
    a, b = (torch.fft.rfft(x.float(), size, dim=1) for x in (a, b))
    products = torch.fft.irfft(torch.einsum("bfms,bfns->bmnf", a, b.conj()), size)
    return torch.cat([products[..., size - max_lag :], products[..., : max_lag + 1]], dim=-1)


def power(x: Tensor, mask: Tensor) -> Tensor:
    """Mean over present tokens of the squared length of x (B, T, M, s), (B, M)."""
    return (x.float() ** 2).sum((1, 3)) / mask.sum(1).clamp(min=1)


def lag_scores(pairs: Tensor, w: Tensor) -> Tensor:
    """Score of every lag of every modality where the others are late by lags of chance w (B, M, K), (B, M, K):
    sum_n sum_j w_n(j) pairs_mn(k - j)."""
    max_lag = w.shape[-1] // 2
    others = F.pad(w, (max_lag, max_lag)).unfold(-1, w.shape[-1], 1).flip(-1)  # (B, N, K, L), entry l is w(k - l)
    return torch.einsum("bmnl,bnkl->bmk", pairs, others)


class LagBank(nn.Module):
    """Softmax over all candidate lags, expected lag, soft shift.

    A single delay trained by gradient gets stuck in a wrong peak; scoring every lag does not. What is heard (``evidence``) and
    what tokens are moved by (``posterior``) differ by a habit: how usual each lag of each modality is, learnt, for an organ has
    a delay of its own and most recordings are in time. It begins with ``rest`` nats in favour of lag 0: without it the noise of
    the estimate costs more on recordings that are in time than it gains on others (measured: CHANGELOG). Gradients move what
    starts in the wrong place too slowly; the sharpness starts where a correlated pair at SNR 1 is recovered (tested), and the
    habit is held in units of HABIT_UNIT nats.
    """

    def __init__(self, max_lag: int, n_modalities: int, rest: float):
        super().__init__()
        self.max_lag = max_lag
        self.sharpness = nn.Parameter(torch.tensor(3.5))
        lags = torch.arange(-max_lag, max_lag + 1).abs()
        self.habit = nn.Parameter((rest * (lags == 0) - FAR * lags).repeat(n_modalities, 1) / HABIT_UNIT)

    def evidence(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (B, M, K) -> softmax over lags (B, M, K) and expected lag in tokens (B, M), by what is heard alone."""
        return self._expected(self.sharpness.exp() * scores)

    def posterior(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """The same with the habit of each modality: what its tokens are moved by."""
        return self._expected(self.sharpness.exp() * scores + HABIT_UNIT * self.habit)

    def _expected(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        w = torch.softmax(logits, dim=-1)
        return w, (w * torch.arange(-self.max_lag, self.max_lag + 1, device=w.device, dtype=w.dtype)).sum(-1)

    def shift(self, h: Tensor, mask: Tensor, w: Tensor, design: Tensor) -> tuple[Tensor, Tensor]:
        """h'(t) = sum_k w_k h(t + lag_k) over present tokens; present where the token at the likeliest lag is."""
        n_times = h.shape[1]
        mix = (w @ design.T).unflatten(-1, (n_times, n_times))  # (B, M, T, T)
        present = mask.to(h.dtype)
        weight = torch.einsum("bmtu,bum->btm", mix, present)
        moved = torch.einsum("bmtu,bumd->btmd", mix, h * present.unsqueeze(-1))
        likeliest = w.argmax(-1) - self.max_lag
        kept = shift_mask(mask, -likeliest)
        return torch.where(kept.unsqueeze(-1), moved / weight.clamp(min=1e-6).unsqueeze(-1), 0.0), kept

    @torch.no_grad()
    def settle(self, pairs: Tensor, order: Tensor, n_passes: int) -> Tensor:
        """Chances of all lags of all modalities (B, M, K), each given those of the others, from modalities that are in time on.

        Coordinate updates in the style of mean field, one modality after another in an ``order`` (B, M) that must not depend on
        where they stand: were two to move at once, each would undo the whole of their lag. What is heard is sharpened from pass
        to pass, so that no early mistake of one is taken up by the others (as in annealing, Rose 1998); the habits say who kept
        the clock, for what is heard tells relative lags alone.
        """
        lags = torch.arange(-self.max_lag, self.max_lag + 1, device=pairs.device)
        w = (lags == 0).to(pairs.dtype).expand(*order.shape, -1)
        everyone = torch.arange(order.shape[1], device=order.device)
        for i in range(n_passes):
            for turn in range(order.shape[1]):
                now = (order[:, turn, None] == everyone).unsqueeze(-1)  # (B, M, 1)
                own = (pairs * now.unsqueeze(-1)).sum(1, keepdim=True)  # (B, 1, N, K)
                heard = lag_scores(own, w) * ((i + 1) / n_passes)  # (B, 1, K)
                w = torch.where(now, self.posterior(heard)[0], w)
        return w


def shift_mask(mask: Tensor, shift: Tensor) -> Tensor:
    """Presence (B, T, M) delayed by whole tokens (B, M); what leaves the window is absent."""
    at, inside = _delayed(mask.shape[1], shift)
    return mask.gather(1, at) & inside


def _delayed(n_times: int, shift: Tensor) -> tuple[Tensor, Tensor]:
    at = torch.arange(n_times, device=shift.device)[None, :, None] - shift[:, None]
    return at.clamp(0, n_times - 1), (at >= 0) & (at < n_times)


def shift_tokens(p: Tensor, mask: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    """Delay by whole tokens: p'(t) = p(t - shift); p (B, T, M, s), shift (B, M). What leaves the window is absent."""
    at, _ = _delayed(p.shape[1], shift)
    moved = shift_mask(mask, shift)
    return p.gather(1, at.unsqueeze(-1).expand_as(p)) * moved.unsqueeze(-1), moved


class LocalCrossAttention(nn.Module):
    """Each modality attends to the mean of the others within ``radius`` s: small jitter and drift that one lag cannot mend.

    Tokens come ``token_rate`` per s, so that no key further than ``reach`` tokens can be near: queries are taken block by block
    with the keys around each block, which spares most of the T x T scores.
    """

    def __init__(self, d: int, n_heads: int, radius: float, token_rate: float):
        super().__init__()
        self.n_heads, self.radius, self.reach = n_heads, radius, math.ceil(radius * token_rate)
        self.norm = nn.LayerNorm(d)
        self.query, self.key_value, self.out = Linear(d, d), Linear(d, 2 * d), Linear(d, d)
        self.null = nn.Parameter(0.02 * torch.randn(2, d))

    def forward(self, h: Tensor, mask: Tensor, time: Tensor) -> Tensor:
        """h (B, T, M, d), mask (B, T, M), time (B, T) s -> h plus what the neighbourhood adds, 0 where absent."""
        others, there = mean_of_others(h, mask)
        batch, n_times, n_modalities, _ = h.shape
        reach = min(self.reach, n_times - 1)
        size = n_times if 2 * reach + 1 >= n_times else 2 * reach + 1

        def cut(x: Tensor, reach: int) -> Tensor:  # (B, T, M, d) -> (B*M, n, U, d), U = size + 2 reach
            return blocks(x.transpose(1, 2).flatten(0, 1), size, reach)

        def heads(x: Tensor) -> Tensor:  # (..., U, d) -> (..., H, U, d/H)
            return x.unflatten(-1, (self.n_heads, -1)).transpose(-2, -3)

        q = heads(cut(self.query(self.norm(h)), 0))
        k, v = (heads(cut(x, reach)) for x in self.key_value(self.norm(others)).chunk(2, -1))
        null = heads(self.null.unsqueeze(1)).unsqueeze(1).expand(-1, q.shape[1], -1, -1, -1)  # (2, n, H, 1, d/H)
        null = null.unsqueeze(1).expand(-1, len(q), -1, -1, -1, -1)
        k, v = torch.cat([k, null[0]], -2), torch.cat([v, null[1]], -2)
        own, around = (blocks(time.unsqueeze(-1), size, reach, torch.inf) for reach in (0, reach))
        near = (own - around.transpose(2, 3)).abs() <= self.radius  # (B, n, size, U)
        seen = near[:, None] & (cut(there.unsqueeze(-1).to(h.dtype), reach) > 0).transpose(2, 3).unflatten(0, (batch, -1))
        seen = F.pad(seen.flatten(0, 1), (0, 1), value=True).unsqueeze(2)  # the null key is always there
        a = attend(q, k, v, seen).transpose(2, 3).flatten(3).flatten(1, 2)[:, :n_times]
        a = a.unflatten(0, (batch, n_modalities)).transpose(1, 2)
        return h + self.out(a) * mask.unsqueeze(-1)


def agreement(p: Tensor, mask: Tensor) -> Tensor:
    """Cosine of each modality's projection p (B, T, M, s) with the mean of the others: (B, T, M), 0 if alone."""
    others, there = mean_of_others(p, mask)
    cosine = F.cosine_similarity(p, others, dim=-1)
    return torch.where(there & mask, cosine, 0.0)
