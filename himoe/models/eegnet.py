"""EEGNet, the compact network of Lawhern, Solon, Waytowich, Gordon, Hung & Lance (J. Neural Engineering 2018, "EEGNet: a
compact convolutional neural network for EEG-based brain-computer interfaces"). It reads EEG samples, not features.

Kept: F1 temporal filters of half a second, D spatial filters of each with norms of at most 1, ELU, mean pooling over 4
samples; a separable convolution (depthwise over 16 pooled samples, then F2 = F1 D pointwise filters), ELU, mean pooling, a
linear layer.

Changed: spatial filters come first, which is the same linear map (only a normalisation stands between the two in the original)
at a tenth of the cost. Batch normalisation is a learnt scale and offset, as inputs are standardised and stacked models keep
parameters only. The second pooling is over a token (the original pools 32 samples, a token of half a second has 64), every
token is predicted, a lost one is a learnt constant. Pooled maps are brought to unit scale before the linear layer (without
this nothing was learnt in 200 steps), whose norm is not bounded. It has no ridge read-out where other networks have one. 1,682
parameters at the published width 16 on DEAP's 32 channels.

Axes: B windows, T tokens, C channels, S samples of a token, F1 temporal filters, D spatial filters of each, F2 = F1 D maps.
"""

from __future__ import annotations

from typing import Self

import torch
from pydantic import model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from himoe.config.networks import check_divides
from himoe.config.sections import Strict, setting
from himoe.nn.linear import Linear
from himoe.nn.noise import dropout
from himoe.types import Batch, BuildContext, HimoeError, Output

TITLE = "EEGNet"
COLOUR = ("#00806a", "#00806a")
PLACE = 80
MODALITY = "eeg"
RAW = True
POOL = 4
GAIN, CENTRE = 20.0, 0.1  # initial: pooled activations begin at about 0.1, with a standard deviation of a few hundredths
SPACE = {"training.learning_rate": (5e-4, 2e-3, 5e-3, 1e-2)}


class Config(Strict):
    """The published sizes."""

    width: int = setting(16, "maps F2 = F1 D", "cited:Lawhern et al. 2018 (F1 8, D 2)", ge=8, multiple_of=8)
    n_spatial: int = setting(2, "spatial filters D of each temporal one; divides the width", "cited:Lawhern et al. 2018", ge=1)
    separable_kernel: int = setting(
        16, "pooled samples that the separable convolution spans", "cited:Lawhern et al. 2018", ge=1
    )
    dropout: float = setting(
        0.25, "dropout after each of the two parts", "cited:Lawhern et al. 2018, across subjects", ge=0, lt=1
    )

    @model_validator(mode="after")
    def _filters_share_the_width(self) -> Self:
        check_divides(self, "n_spatial", "width")
        return self


class EEGNet(nn.Module):
    """Spatial and temporal filters, pooling, separable convolution, pooling to tokens, linear layer."""

    def __init__(self, n_chans: int, n_samples: int, token_rate: float, n_outputs: int, config: Config):
        super().__init__()
        f2, d = config.width, config.n_spatial
        self.n_chans, self.config = n_chans, config
        self.kernel = max(1, round(n_samples * token_rate / 2))
        self.temporal = nn.Parameter(torch.randn(f2 // d, 1, self.kernel) / self.kernel**0.5)
        self.spatial = nn.Parameter(torch.randn(f2 // d, d, n_chans) / n_chans**0.5)
        self.depthwise = nn.Parameter(torch.randn(f2, 1, config.separable_kernel) / config.separable_kernel**0.5)
        self.pointwise = nn.Parameter(torch.randn(f2, f2) / f2**0.5)
        self.scale = nn.Parameter(torch.ones(2, f2, 1))
        self.offset = nn.Parameter(torch.zeros(2, f2, 1))
        self.absent = nn.Parameter(torch.zeros(f2))
        self.gain = nn.Parameter(torch.full((f2,), GAIN))
        self.centre = nn.Parameter(torch.full((f2,), CENTRE))
        self.out = Linear(f2, n_outputs)

    def filtered(self, x: Tensor) -> Tensor:
        """x (B, C, T*S) -> (B, F2, T*S): spatial filters, then the temporal filter that each belongs to."""
        spatial = self.spatial / self.spatial.norm(dim=-1, keepdim=True).clamp(min=1)
        maps = torch.einsum("bct,fdc->bfdt", x, spatial).flatten(1, 2)  # (B, F2, T*S)
        return same(maps, self.temporal.repeat_interleave(self.config.n_spatial, 0))

    def activated(self, maps: Tensor, part: int) -> Tensor:
        """Scale, offset, ELU of maps (B, F2, n)."""
        return F.elu(self.scale[part] * maps + self.offset[part])

    def forward(self, batch: Batch) -> Output:
        """Predict every token from its samples and those around them."""
        n_tokens, p, training = batch.mask.shape[1], self.config.dropout, self.training
        x = torch.where(batch.mask, batch.x, 0.0).unflatten(-1, (self.n_chans, -1))  # (B, T, C, S)
        maps = self.activated(self.filtered(x.transpose(1, 2).flatten(2)), 0)  # (B, F2, T*S)
        maps = maps.unflatten(2, (n_tokens, -1, POOL)).mean(-1)  # (B, F2, T, S / POOL)
        maps = torch.where(batch.valid[:, None, :, None], maps, 0.0).flatten(2)  # padding is 0 for the second convolution too
        maps = torch.einsum("bmt,nm->bnt", same(dropout(maps, p, training), self.depthwise), self.pointwise)
        z = self.activated(maps, 1).unflatten(2, (n_tokens, -1)).mean(-1).transpose(1, 2)  # (B, T, F2)
        z = self.gain * (torch.where(batch.mask, z, self.absent) - self.centre)
        return Output(self.out(dropout(z, p, training)), {}, {})


def same(maps: Tensor, kernel: Tensor) -> Tensor:
    """Depthwise convolution with "same" zero padding: maps (B, m, n), kernel (m, 1, k) -> (B, m, n).

    In the kernel's precision, as autocast does not reach convolutions under vmap.
    """
    left = (kernel.shape[-1] - 1) // 2
    return F.conv1d(F.pad(maps.to(kernel.dtype), (left, kernel.shape[-1] - 1 - left)), kernel, groups=maps.shape[1])


def build(ctx: BuildContext, config: Config) -> EEGNet:
    """The network for a layout whose only modality is given as samples, named ``CHANNEL k``.

    Raises
    ------
    HimoeError
        If the layout has other modalities, or the samples of a token are not a multiple of the pooling.
    """
    if len(ctx.layout.modalities) != 1:
        raise HimoeError(f"eegnet: reads the EEG alone, the layout has {', '.join(ctx.layout.modalities)}")
    names = ctx.layout.features[0]
    n_chans = len({name.rpartition(" ")[0] for name in names})
    if len(names) % (POOL * n_chans):
        raise HimoeError(f"eegnet: {len(names) // n_chans} samples per token are not a multiple of {POOL}")
    return EEGNet(n_chans, len(names) // n_chans, ctx.layout.token_rate, ctx.n_outputs, config)
