"""DGCNN, the dynamical graph convolutional network of Song, Zheng, Song & Cui (IEEE Trans. Affective Computing 2018, "EEG
Emotion Recognition Using Dynamical Graph Convolutional Neural Networks"). It reads the EEG features alone.

Kept: channels are nodes, the differential entropies of their bands are node features. One learnt adjacency matrix (ReLU,
normalised Laplacian) defines a Chebyshev graph filter, followed by a 1 x 1 convolution, ReLU and a fully connected layer over
all nodes.

Changed: every token is a sample and is regressed by the heads that all networks share; no token depends on another. The
filter's coefficients and the 1 x 1 convolution, both linear, are one matrix per term. The adjacency is symmetrised, so that
the largest eigenvalue of the Laplacian is at most 2, which is used for it, and is trained by the same optimizer as the rest.
There is no batch normalisation, as inputs are standardised; an absent token is a learnt constant. 75,746 parameters at width
64 on DEAP.

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
COLOUR = ("#008080", "#3e9fb2")
PLACE = 90
SPACE = {"order": (2, 3)}
MODALITY = "eeg"


class Config(Strict):
    """Sizes of the graph filter and of the layers behind it."""

    width: int = setting(64, "width d of the fully connected layer and the heads", "ours", ge=8, multiple_of=8)
    node_width: int = setting(32, "features of a channel after the graph convolution", "ours", ge=1)
    order: int = setting(3, "terms K of the Chebyshev polynomial, with the constant", "ours; form: Song et al. 2018", ge=2)
    dropout: float = setting(0.1, "dropout before and after the fully connected layer", "ours", ge=0, lt=1)


def grid(names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Channels and bands of features named "CHANNEL/BAND" or "CHANNEL BAND", each channel with all bands in the same order.

    Raises
    ------
    HimoeError
        If the features are not such a grid: names the first one out of place.
    """
    split = [name.rsplit("/" if "/" in name else " ", 1) for name in names]
    channels, bands = (tuple(dict.fromkeys(part)) for part in ([s[0] for s in split], [s[-1] for s in split]))
    grid_order = [[c, b] for c in channels for b in bands]
    for name, found, expected in zip(names, split, grid_order, strict=False):
        if found != expected:
            where = f"where '{' '.join(expected)}' should be in a grid of channels by bands"
            raise HimoeError(f"dgcnn: EEG feature '{name}' is {where}")
    if len(grid_order) != len(names):
        raise HimoeError(f"dgcnn: {len(names)} EEG features are not a grid of {len(channels)} channels by {len(bands)} bands")
    return channels, bands


def chebyshev(laplacian: Tensor, n: int) -> Tensor:
    """Chebyshev polynomials T_0 .. T_(n-1) of L (N, N), (n, N, N): T_0 = I, T_1 = L, T_k = 2 L T_(k-1) - T_(k-2)."""
    terms = [torch.eye(len(laplacian), dtype=laplacian.dtype, device=laplacian.device), laplacian]
    while len(terms) < n:
        terms.append(2 * laplacian @ terms[-1] - terms[-2])
    return torch.stack(terms)


class DGCNN(nn.Module):
    """Filter the channels' features over the learnt graph, connect all channels, predict."""

    def __init__(self, ctx: BuildContext, config: Config):
        super().__init__()
        self.config = config
        self.shape = tuple(len(part) for part in grid(ctx.layout.features[0]))
        n, f = self.shape
        self.edges = nn.Parameter(torch.rand(n, n) / (4 * n))  # the Laplacian ignores their scale, steps do not
        self.theta = nn.Parameter(torch.randn(config.order, f, config.node_width) / (config.order * f) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(config.node_width))
        self.absent = nn.Parameter(0.02 * torch.randn(n, f))
        self.connect = Linear(n * config.node_width, config.width)
        self.heads = Heads(config.width, ctx.n_outputs)

    def laplacian(self) -> Tensor:
        """Rescaled normalised Laplacian 2 L / lambda_max - I = -D^-1/2 A D^-1/2 with lambda_max = 2, (N, N): eigenvalues within
        [-1, 1]."""
        adjacency = torch.relu(self.edges)
        adjacency = 0.5 * (adjacency + adjacency.T)
        scale = adjacency.sum(1).clamp(min=1e-6).rsqrt()
        return -scale[:, None] * adjacency * scale

    def convolve(self, x: Tensor) -> Tensor:
        """Graph convolution of node features x (B, T, N, F) -> (B, T, N, c)."""
        terms = torch.einsum("knm,btmf->btnkf", chebyshev(self.laplacian(), self.config.order), x)  # (B, T, N, K, F)
        return torch.relu(torch.einsum("btnkf,kfc->btnc", terms, self.theta) + self.bias)

    def forward(self, batch: Batch) -> Output:
        """Predict every step from that step alone."""
        x = torch.where(batch.mask.unsqueeze(-1), batch.x.unflatten(-1, self.shape), self.absent)  # (B, T, N, F)
        p, training = self.config.dropout, self.training
        z = self.connect(dropout(self.convolve(x).flatten(2), p, training))  # (B, T, d)
        return Output(self.heads(dropout(torch.relu(z), p, training)), {}, {})


def build(ctx: BuildContext, config: Config) -> DGCNN:
    """The network for a layout that has the EEG alone.

    Raises
    ------
    HimoeError
        If the layout has other modalities, a single channel, or features that are not a grid of channels by bands.
    """
    if len(ctx.layout.modalities) != 1:
        raise HimoeError(f"dgcnn: reads the EEG alone, the layout has {', '.join(ctx.layout.modalities)}")
    if len(grid(ctx.layout.features[0])[0]) < 2:
        raise HimoeError("dgcnn: a graph needs two EEG channels, there is one; leave dgcnn out of this run")
    return DGCNN(ctx, config)
