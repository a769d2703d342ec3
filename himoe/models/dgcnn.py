"""DGCNN, the dynamical graph convolutional network of Song, Zheng, Song & Cui (IEEE Trans. Affective Computing 2018, "EEG
Emotion Recognition Using Dynamical Graph Convolutional Neural Networks"). It reads the EEG alone. Kept: channels are nodes,
their features the differential entropies of bands; one learnt adjacency for all, relu, normalised Laplacian; a Chebyshev
polynomial of it filters the features, a 1 x 1 product mixes them, relu, a fully connected layer of all nodes. Changed: every
token is a sample and gets a prediction of real numbers, by the heads that all models here share (no token hears of another);
that 1 x 1 product and the polynomial's coefficients, linear both, are one matrix per term; the adjacency is the mean of both
directions, so that the Laplacian's largest eigenvalue is at most 2, and 2 is taken for it; gradient steps of the trainer for
the adjacency like for all else; no batch normalisation, inputs are standardised; an absent token is a learnt constant.
75,746 parameters at width 64 on DEAP's layout.

Axes: B windows, T tokens, N channels (nodes), F bands, K terms of the polynomial, c width of a node, d width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from himoe.config.sections import Strict, setting
from himoe.nn.encoder import Heads
from himoe.nn.linear import Linear
from himoe.nn.noise import dropout
from himoe.types import Batch, BuildContext, HimoeError, Output

TITLE = "DGCNN"
MODALITY = "eeg"


class Config(Strict):
    """Shared with Hi-MoE where a field has the same name."""

    width: int = setting(64, "width d of the fully connected layer and the heads", "ours", ge=8, multiple_of=8)
    node_width: int = setting(32, "features of a channel after the graph convolution", "ours", ge=1)
    order: int = setting(3, "terms K of the Chebyshev polynomial, with the constant", "ours; form: Song et al. 2018", ge=2)
    dropout: float = setting(0.1, "dropout before and after the fully connected layer", "ours", ge=0, lt=1)


def grid(names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Channels and bands of names "CHANNEL/BAND" or "CHANNEL BAND", every channel with all bands in one order.

    Raises
    ------
    HimoeError
        Naming the first feature that is not where such a grid has it.
    """
    split = [name.rsplit("/" if "/" in name else " ", 1) for name in names]
    channels, bands = (tuple(dict.fromkeys(part)) for part in ([s[0] for s in split], [s[-1] for s in split]))
    due = [[c, b] for c in channels for b in bands]
    for name, found, expected in zip(names, split, due, strict=False):
        if found != expected:
            raise HimoeError(f"dgcnn: '{name}' of the EEG's features stands where '{' '.join(expected)}' of a grid is due")
    if len(due) != len(names):
        raise HimoeError(f"dgcnn: {len(names)} EEG features are no grid of {len(channels)} channels by {len(bands)} bands")
    return channels, bands


def chebyshev(laplacian: Tensor, n: int) -> Tensor:
    """T_0 .. T_(n-1) of a matrix (N, N) as (n, N, N): T_0 = I, T_1 = L, T_k = 2 L T_(k-1) - T_(k-2)."""
    terms = [torch.eye(len(laplacian), dtype=laplacian.dtype, device=laplacian.device), laplacian]
    while len(terms) < n:
        terms.append(2 * laplacian @ terms[-1] - terms[-2])
    return torch.stack(terms)


class DGCNN(nn.Module):
    """Filter the channels' band powers over the learnt graph, read all channels, predict."""

    def __init__(self, ctx: BuildContext, config: Config):
        super().__init__()
        self.config = config
        self.shape = tuple(len(part) for part in grid(ctx.layout.features[0]))
        n, f = self.shape
        self.edges = nn.Parameter(torch.rand(n, n) / (4 * n))  # the graph is blind to their scale, the optimizer's step is not
        self.theta = nn.Parameter(torch.randn(config.order, f, config.node_width) / (config.order * f) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(config.node_width))
        self.absent = nn.Parameter(0.02 * torch.randn(n, f))
        self.connect = Linear(n * config.node_width, config.width)
        self.heads = Heads(config.width, ctx.n_outputs)

    def laplacian(self) -> Tensor:
        """The rescaled normalised Laplacian (N, N), -D^-1/2 A D^-1/2 of the adjacency A: eigenvalues within [-1, 1]."""
        adjacency = torch.relu(self.edges)
        adjacency = 0.5 * (adjacency + adjacency.T)
        scale = adjacency.sum(1).clamp(min=1e-6).rsqrt()
        return -scale[:, None] * adjacency * scale

    def convolve(self, x: Tensor) -> Tensor:
        """Graph convolution of nodes x (B, T, N, F) -> (B, T, N, c)."""
        heard = torch.einsum("knm,btmf->btnkf", chebyshev(self.laplacian(), self.config.order), x)
        return torch.relu(torch.einsum("btnkf,kfc->btnc", heard, self.theta) + self.bias)

    def forward(self, batch: Batch) -> Output:
        """Predict every step from that step alone."""
        x = torch.where(batch.mask.unsqueeze(-1), batch.x.unflatten(-1, self.shape), self.absent)
        p, training = self.config.dropout, self.training
        z = self.connect(dropout(self.convolve(x).flatten(2), p, training))
        return Output(self.heads(dropout(torch.relu(z), p, training)), {}, {})


def build(ctx: BuildContext, config: Config) -> DGCNN:
    """The model for a layout that holds the EEG alone.

    Raises
    ------
    HimoeError
        If the layout holds other modalities, one channel, or features that are no grid of channels by bands.
    """
    if len(ctx.layout.modalities) != 1:
        raise HimoeError(f"dgcnn: reads the EEG alone, the layout holds {', '.join(ctx.layout.modalities)}")
    if len(grid(ctx.layout.features[0])[0]) < 2:
        raise HimoeError("dgcnn: one EEG channel is no graph; leave dgcnn out of this run")
    return DGCNN(ctx, config)
