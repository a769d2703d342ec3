"""DGCNN: its graph filter worked by hand, and properties of every network on a layout that has the EEG alone."""

from __future__ import annotations

import warnings

import pytest
import torch

from himoe.models import dgcnn
from himoe.nn import noise
from himoe.train.stack import Stack
from himoe.train.step import objective
from himoe.types import Batch, BuildContext, HimoeError, Layout

NAMES = tuple(f"{c} {b}" for c in ("Fp1", "Fp2", "C3", "C4") for b in ("theta", "alpha"))


def made(names=NAMES, seed=0, **options):
    torch.manual_seed(seed)
    layout = Layout(("eeg",), (names,), ("valence", "arousal"), 2.0, False)
    return dgcnn.build(BuildContext(layout, 12), dgcnn.Config(width=16, **options))


def batch(seed=0, n_times=12):
    g = torch.Generator().manual_seed(seed)
    x, mask = torch.randn(3, n_times, 8, generator=g), torch.rand(3, n_times, 1, generator=g) < 0.7
    time, valid = torch.arange(n_times).expand(3, -1) / 2, torch.ones(3, n_times, dtype=torch.bool)
    return Batch(x, mask, time, valid, torch.arange(3), torch.randn(3, n_times, 2, generator=g))


def test_polynomials_of_two_nodes_by_hand():
    """L = -swap: T_0 = I, T_1 = L, T_2 = 2 swap swap - I = I, T_3 = 2 L I - L = L."""
    swap = torch.tensor([[0.0, 1], [1, 0]])
    torch.testing.assert_close(dgcnn.chebyshev(-swap, 4), torch.stack([torch.eye(2), -swap, torch.eye(2), -swap]))


def test_polynomials_of_another_matrix_by_hand():
    """L = (.5, .2; .2, -.3): L^2 = (.29, .04; .04, .13), T_2 = 2 L^2 - I = (-.42, .08; .08, -.74),
    T_3 = 2 L T_2 - L: L T_2 = (-.194, -.108; -.108, .238), so (-.888, -.416; -.416, .776)."""
    terms = dgcnn.chebyshev(torch.tensor([[0.5, 0.2], [0.2, -0.3]]), 4)
    torch.testing.assert_close(terms[2], torch.tensor([[-0.42, 0.08], [0.08, -0.74]]))
    torch.testing.assert_close(terms[3], torch.tensor([[-0.888, -0.416], [-0.416, 0.776]]))


def test_the_laplacian_by_hand():
    """A negative edge counts as none: relu gives (1, 2; 0, 3), the mean of both directions (1, 1; 1, 3), degrees 2 and 4."""
    model = made(("Fp1/theta", "Fp2/theta"))
    with torch.no_grad():
        model.edges.copy_(torch.tensor([[1.0, 2], [-5, 3]]))
    torch.testing.assert_close(model.laplacian(), -torch.tensor([[1 / 2, 1 / 8**0.5], [1 / 8**0.5, 3 / 4]]))
    assert torch.linalg.eigvalsh(made(seed=3).laplacian()).abs().max() < 1 + 1e-5


def test_a_convolution_by_hand():
    """Nodes 1 and 3 joined by one edge, coefficients 1, 10, 100: x - 10 swap x + 100 x = (1 - 30 + 100, 3 - 10 + 300)."""
    model = made(("Fp1/theta", "Fp2/theta"), node_width=1, order=3)
    with torch.no_grad():
        model.edges.copy_(torch.tensor([[0.0, 7], [7, 0]]))
        model.theta.copy_(torch.tensor([1.0, 10, 100])[:, None, None])
    out = model.convolve(torch.tensor([1.0, 3]).reshape(1, 1, 2, 1))
    torch.testing.assert_close(out.flatten(), torch.tensor([71.0, 293]))


def reach(model):
    """(4, 4) bool: whether channel j's features reach channel i's output."""
    x = torch.randn(1, 1, 4, 2, requires_grad=True)
    out = model.convolve(x)[0, 0]
    gradients = [torch.autograd.grad(out[i].sum(), x, retain_graph=True)[0][0, 0].abs().sum(-1) > 0 for i in range(4)]
    return torch.stack(gradients)


def test_channels_reach_one_another_along_edges_alone():
    """No edges: each itself. The path 0-1-2 beside 3, without loops: neighbours with K = 2, neighbours' neighbours with 3."""
    path = torch.zeros(4, 4)
    path[0, 1] = path[1, 2] = 1.0
    near = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1]], dtype=torch.bool)
    far = near | torch.tensor([[0, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]], dtype=torch.bool)
    for order, edges, expected in ((2, 0 * path, torch.eye(4).bool()), (2, path, near), (3, path, far)):
        model = made(order=order)
        with torch.no_grad():
            model.edges.copy_(edges)
            model.bias.fill_(100.0)  # past the kink of the relu
        assert (reach(model) == expected).all()


def test_names_are_a_grid():
    assert dgcnn.grid(NAMES) == (("Fp1", "Fp2", "C3", "C4"), ("theta", "alpha"))
    assert dgcnn.grid(("AF3/betaL", "AF3/betaH")) == (("AF3",), ("betaL", "betaH"))
    with pytest.raises(HimoeError, match=r"EEG feature 'Fp2 alpha' is where 'Fp2 theta' should be in a grid of channels"):
        dgcnn.grid((*NAMES[:2], NAMES[3], NAMES[2]))
    with pytest.raises(HimoeError, match="7 EEG features are not a grid of 4 channels by 2 bands"):
        dgcnn.grid(NAMES[:7])
    with pytest.raises(HimoeError, match="reads the EEG alone, the layout has a, b"):
        dgcnn.build(BuildContext(Layout(("a", "b"), (NAMES, NAMES), ("v",), 2.0, False), 12), dgcnn.Config())
    with pytest.raises(HimoeError, match="a graph needs two EEG channels, there is one"):
        made(NAMES[:2])


@pytest.mark.parametrize("garbage", [torch.nan, torch.inf, 1e30])
def test_absent_tokens_are_one_constant(garbage):
    model, clean = made().eval(), batch()
    a = model(clean).prediction
    assert torch.equal(a, model(clean._replace(x=torch.where(clean.mask, clean.x, garbage))).prediction)
    lost = a[~clean.mask[..., 0]]
    assert len(lost) > 1
    torch.testing.assert_close(lost, lost[:1].expand_as(lost))


def test_gradients_reach_every_parameter_alone_and_in_a_stack():
    models, loss = [made(seed=i) for i in range(3)], objective(False, 0.5)
    together = Batch(*map(torch.stack, zip(*(batch(i) for i in range(3)), strict=True)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, gradients = Stack([made(seed=i) for i in range(3)], torch.device("cpu")).gradients(together, torch.arange(3), loss)
    for k, model in enumerate(models):
        with noise.keyed(torch.tensor(k)):
            loss(model.train()(batch(k)), batch(k)).backward()
        assert all(p.grad.abs().sum() > 0 for p in model.parameters())
        alone = torch.cat([p.grad.flatten() for p in model.parameters()])
        assert (gradients[k] - alone).norm() / alone.norm() < 1e-5
