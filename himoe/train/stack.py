"""Models of one architecture trained as one: their parameters as the rows of one tensor.

Axes: K models, P parameters of one, B windows. A stack of one is the plain model; a larger one is mapped over its rows
(torch.func), so that the number of operations does not grow with K and no model needs code of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from himoe.nn import noise
from himoe.nn.linear import Linear
from himoe.types import Batch, HimoeError, Output

Objective = Callable[[Output, Batch], Tensor]
BETAS, EPSILON = (0.9, 0.999), 1e-8


class Stack:
    """Models with equal architecture and parameters of their own, on one device.

    ``flat`` (K, P) float32 holds them; the first model is kept as the template through which all are called. ``n_begun``: how
    many the stack began with, if rows have left it since: what is computed for a row, to the bit, must not depend on who left.
    """

    def __init__(
        self, models: list[nn.Module], device: torch.device, autocast: torch.dtype | None = None, n_begun: int | None = None
    ):  # fmt: skip
        self.template, self.n_begun = models[0], n_begun or len(models)
        if kept := [name for name in self.template.state_dict() if name not in dict(self.template.named_parameters())]:
            raise HimoeError(f"{type(self.template).__name__}: buffer {kept[0]} changes while training; folds keep parameters")
        for (name, first), *others in zip(*(m.named_buffers() for m in models), strict=True):
            if not all(torch.equal(first, other) for _, other in others):
                raise HimoeError(f"{type(self.template).__name__}: buffer {name} differs between folds; only parameters may")
        self.names = [name for name, _ in self.template.named_parameters()]
        self.shapes = [p.shape for p in self.template.parameters()]
        self.flat = torch.stack([nn.utils.parameters_to_vector(m.parameters()).detach() for m in models]).to(device)
        self.template.to(device).requires_grad_(False)
        for module in self.template.modules():
            if isinstance(module, Linear):
                module.apart = self.n_begun > 1
        self.device, self.autocast = device, autocast
        self.sizes: list[int] = []  # words of noise of each draw of a step, once one is seen
        self.ahead: noise.Ahead | None = None

    def __len__(self) -> int:
        return len(self.flat)

    def named(self, flat: Tensor) -> dict[str, Tensor]:
        """Views (..., *shape) of rows (..., P) by parameter name."""
        parts = flat.split([s.numel() for s in self.shapes], dim=-1)
        return {n: p.unflatten(-1, s) if s else p.squeeze(-1) for n, p, s in zip(self.names, parts, self.shapes, strict=True)}

    def _precision(self) -> AbstractContextManager:
        return torch.autocast(self.device.type, self.autocast) if self.autocast else nullcontext()

    def gradients(self, batch: Batch, keys: Tensor, objective: Objective) -> tuple[Tensor, Tensor]:
        """Losses (K,) and their gradients (K, P): model k on batch[k] (K, B, ...), with noise of key k (K,)."""
        flat = self.flat.detach().requires_grad_()
        self.template.train()
        with self._precision():
            losses = self._losses(objective)(flat, batch, keys)
        if self.sizes and self.ahead is None:
            self.ahead = noise.Ahead.of(self.sizes, self.device)
        (gradient,) = torch.autograd.grad(losses.sum(), flat)
        return losses.detach(), gradient

    def _output(self, weights: Tensor, batch: Batch) -> Output:
        """Of one model with these weights (P,)."""
        output = functional_call(self.template, self.named(weights), (batch,))
        if not isinstance(output, Output):
            raise HimoeError(
                f"{type(self.template).__name__}: forward gave a {type(output).__name__}, expected himoe.types.Output"
            )
        found, steps = tuple(output.prediction.shape), tuple(batch.valid.shape)
        if found[:-1] != steps or (batch.y is not None and found != tuple(batch.y.shape)):
            expected = "(windows, tokens, targets)" if batch.y is None else str(tuple(batch.y.shape))
            raise HimoeError(f"{type(self.template).__name__}: a prediction of shape {found}, expected {expected}")
        return output

    def _losses(self, objective: Objective) -> Callable[[Tensor, Batch, Tensor], Tensor]:
        """Losses (K,) of rows, batch and keys."""

        def loss(weights: Tensor, batch: Batch, key: Tensor) -> Tensor:  # of one model
            with noise.keyed(key, self.ahead) as source:
                value = objective(self._output(weights, batch), batch)
            self.sizes = source.sizes
            return value

        def alone(rows: Tensor, batch: Batch, keys: Tensor) -> Tensor:
            return loss(rows[0], Batch(*(part[0] for part in batch)), keys[0]).unsqueeze(0)

        return alone if self.n_begun == 1 else self._mapped(loss)

    def _mapped(self, function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        """The function over the rows of the stack; HimoeError where the network holds what cannot be mapped."""
        over_rows = vmap(function, **options)

        def call(*arguments: Any) -> Any:
            try:
                return over_rows(*arguments)
            except RuntimeError as error:
                if not any(word in str(error) for word in ("atching rule", "vmap")):
                    raise
                what = str(error).split(". ")[0]
                raise HimoeError(
                    f"{type(self.template).__name__}: cannot be trained side by side ({what}); write its forward with tensor "
                    "operations that torch.vmap knows, or set execution.stack to 1"
                ) from error

        return call

    @torch.no_grad()
    def predict(self, batch: Batch) -> Output:
        """Every model on its own batch (K, B, ...), out of training; fields of the output gain the axis K."""
        self.template.eval()

        with self._precision():
            if self.n_begun == 1:
                one = self._output(self.flat[0], Batch(*(None if part is None else part[0] for part in batch)))
                out = Output(one.prediction[None], one.losses, {n: v[None] for n, v in one.routing.items()})
            else:
                dims = (0, Batch(*(None if part is None else 0 for part in batch)))
                out = self._mapped(self._output, in_dims=dims)(self.flat, batch)
        return out._replace(prediction=out.prediction.float(), routing={n: v.float() for n, v in out.routing.items()})


@dataclass
class Adam:
    """AdamW (Loshchilov & Hutter 2019, algorithm 2) over the rows of a stack, each with a clock of its own.

    torch's has one clock and one learning rate for all rows; folds differ in both, and a fold that waits, or whose step is
    not finite, must not move at all.
    """

    weight_decay: float
    clip_norm: float
    first: Tensor  # (K, P)
    second: Tensor  # (K, P)
    steps: Tensor  # (K,) int64: steps taken

    @staticmethod
    def of(stack: Stack, weight_decay: float, clip_norm: float) -> Adam:
        """An optimizer that has not begun."""
        zeros = torch.zeros_like(stack.flat)
        return Adam(weight_decay, clip_norm, zeros, zeros.clone(), zeros.new_zeros(len(zeros), dtype=torch.int64))

    def tensors(self) -> list[Tensor]:
        """Moments and clocks."""
        return [self.first, self.second, self.steps]

    @torch.no_grad()
    def step(self, stack: Stack, gradient: Tensor, rate: Tensor, active: Tensor) -> Tensor:
        """One step at learning rates (K,) for rows that are ``active`` (K,) bool, in place. Returns which rows were updated,
        (K,) bool: those whose gradient and new weights are finite; the others stay as they were."""
        norm = torch.linalg.vector_norm(gradient, dim=1)
        gradient = gradient * (self.clip_norm / (norm + 1e-6)).clamp(max=1.0).unsqueeze(1)
        first = torch.lerp(self.first, gradient, 1 - BETAS[0])
        second = torch.addcmul(BETAS[1] * self.second, gradient, gradient, value=1 - BETAS[1])
        n = (self.steps + 1).double()  # of an update; float32 would round 0.999^n at small n
        unbiased = torch.stack([rate / (BETAS[0] ** n - 1), (1 - BETAS[1] ** n).rsqrt(), 1 - rate * self.weight_decay])
        scale, spread, kept = unbiased.float().unsqueeze(2)  # each (K, 1)
        flat = torch.addcdiv(stack.flat * kept, first * scale, second.sqrt() * spread + EPSILON)
        updated = active & (norm < torch.inf) & (flat.abs().amax(1) < torch.inf)  # NaN is not
        row = updated.unsqueeze(1)
        for place, value in ((stack.flat, flat), (self.first, first), (self.second, second)):
            torch.where(row, value, place, out=place)
        self.steps.add_(updated)
        return updated

    def keep(self, rows: Tensor) -> None:
        """Forget the other rows."""
        self.first, self.second, self.steps = self.first[rows], self.second[rows], self.steps[rows]
