"""Hi-MoE as a module of one's own: built from the sizes of the modalities, trained by whatever loop one has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from himoe.library.settings import section
from himoe.models import himoe as plugin
from himoe.nn import noise
from himoe.train.step import objective
from himoe.train.versions import check_torch
from himoe.types import Batch, BuildContext, HimoeError, Layout, Output

CCC_WEIGHT = 0.5  # as training.ccc_weight


class HiMoE(plugin.HiMoE):
    """Hierarchical mixture of experts for modalities that may be missing or out of step (Zhu et al., arXiv 2508.02133).

    Reconstructed from the paper's abstract. Weights have the names of those that the workflow stores, so that a fit's
    ``state`` can be loaded. In training mode noise comes from torch's own generator (``torch.manual_seed``).

    Parameters
    ----------
    modalities
        Name -> number of features of a token, in the order of the input's columns.
    n_outputs
        Number of targets.
    token_rate
        Tokens per second, Hz: the clock on which lags and the reach of attention, stated in s, are counted.
    n_times
        Tokens of the longest window that lags are estimated from; longer windows are read, with no larger lag.
    **settings
        Any setting of the model: ``width``, ``max_lag`` (s), ``n_prototypes``, ``router``, ... (config/README.md lists them).

    Raises
    ------
    HimoeError
        If torch is too old, there is no modality, a size is no positive whole number, or a setting is unknown or not valid.

    Examples
    --------
    >>> import torch, himoe
    >>> generator = torch.manual_seed(0)
    >>> model = himoe.HiMoE({"eeg": 160, "gsr": 6}, n_outputs=2, width=16)
    >>> x = {"eeg": torch.randn(8, 40, 160), "gsr": torch.randn(8, 40, 6)}  # windows, tokens, features
    >>> y = torch.randn(8, 40, 2)
    >>> adam = torch.optim.AdamW(model.parameters(), lr=1e-3)
    >>> losses = []
    >>> for _ in range(10):
    ...     loss = model.loss(model(x, y=y), y)
    ...     adam.zero_grad()
    ...     loss.backward()
    ...     adam.step()
    ...     losses.append(loss.item())
    >>> losses[-1] < losses[0]
    True
    >>> x["gsr"][:, 20:] = torch.nan  # the sensor fell off
    >>> output = model.eval()(x)
    >>> output.prediction.shape
    torch.Size([8, 40, 2])
    >>> output.routing["modality_share"][0, 30].tolist()[1]  # of eeg, gsr and the null token
    0.0
    """

    def __init__(
        self, modalities: Mapping[str, int], n_outputs: int = 2, *, token_rate: float = 2.0, n_times: int = 60, **settings: Any
    ):
        check_torch(torch.__version__)
        wrong = [name for name, n in modalities.items() if not (isinstance(n, int) and n > 0)]
        if wrong or not modalities:
            raise HimoeError(
                f"HiMoE: modalities: {wrong[0] if wrong else 'none'}: expected name -> number of features, 1 or more"
            )
        if n_outputs < 1 or n_times < 2 or not token_rate > 0:
            raise HimoeError(f"HiMoE: n_outputs {n_outputs}, n_times {n_times}, token_rate {token_rate}: too small")
        features = tuple(tuple(map(str, range(n))) for n in modalities.values())
        layout = Layout(tuple(modalities), features, tuple(map(str, range(n_outputs))), token_rate, True)
        super().__init__(BuildContext(layout, n_times), section(plugin.Config, settings, "HiMoE"))
        self.modalities = dict(modalities)

    def forward(  # the trainer's call, with a Batch alone, is one of the forms
        self, x: Tensor | Mapping[str, Tensor] | Batch, mask: Tensor | None = None, time: Tensor | None = None,
        trial: Tensor | None = None, y: Tensor | None = None, valid: Tensor | None = None,
    ) -> Output:  # fmt: skip
        """Predict every token of every window.

        Parameters
        ----------
        x
            (B, T, n_features) float, the modalities side by side, or name -> (B, T, n) of each; standardised features. A
            modality that ``x`` does not name is absent throughout. A whole :class:`himoe.types.Batch` is taken as it is.
        mask
            (B, T, M) bool: whether a modality is present. Without it, where all of its features are finite.
        time
            (B, T) s from the beginning of the window. Without it, one token after another at ``token_rate``.
        trial
            (B,) int, equal for windows of one trial, which are no negatives of one another; without it all differ.
        y
            (B, T, n_outputs) standardised targets, NaN where unknown: read in training mode alone, by the model's own losses.
        valid
            (B, T) bool: which tokens are no padding; without it all. :meth:`loss` is told the same.

        Returns
        -------
        Output
            ``prediction`` (B, T, n_outputs); ``losses``, the model's own, already weighted (empty in evaluation mode);
            ``routing``: ``modality_share`` (B, T, M + 1, the last of the null token), ``lag`` and ``moved`` (B, M) in s, ...

        Raises
        ------
        HimoeError
            If ``x`` names an unknown modality or does not have the sizes that the model was built with.
        """
        batch = x if isinstance(x, Batch) else self.batch(x, mask, time, trial, y, valid)
        if not self.training:
            return super().forward(batch)
        with noise.keyed(torch.randint(2**62, (), device=batch.x.device)):
            return super().forward(batch)

    def batch(
        self, x: Tensor | Mapping[str, Tensor], mask: Tensor | None = None, time: Tensor | None = None,
        trial: Tensor | None = None, y: Tensor | None = None, valid: Tensor | None = None,
    ) -> Batch:  # fmt: skip
        """The arguments of :meth:`forward` with what was left out filled in."""
        x = x if isinstance(x, Tensor) else self._side_by_side(x)
        if x.dim() != 3 or x.shape[-1] != (n_features := sum(self.modalities.values())):
            raise HimoeError(f"HiMoE: x has shape {tuple(x.shape)}, expected (windows, tokens, {n_features})")
        n_windows, n_times, _ = x.shape
        if mask is None:
            parts = x.isfinite().split(list(self.modalities.values()), -1)
            mask = torch.stack([part.all(-1) for part in parts], -1)
        if time is None:
            time = (torch.arange(n_times, device=x.device) / self.token_rate).expand(n_windows, -1)
        if trial is None:
            trial = torch.arange(n_windows, device=x.device)
        valid = mask.new_ones(n_windows, n_times) if valid is None else valid
        if y is None:
            y = x.new_full((n_windows, n_times, len(self.heads.bias)), torch.nan)
        return Batch(x, mask & valid.unsqueeze(-1), time, valid, trial, _known(y, valid))

    def loss(self, output: Output, y: Tensor, valid: Tensor | None = None, *, ccc_weight: float = CCC_WEIGHT) -> Tensor:
        """The objective that the workflow trains by.

        Mean squared error + ``ccc_weight`` (1 - CCC over the batch) + the model's own losses.

        Parameters
        ----------
        output
            Of :meth:`forward`, in training mode.
        y
            (B, T, n_outputs) standardised targets, NaN where unknown.
        valid
            (B, T) bool: which tokens are no padding, as :meth:`forward` was given it; the others do not count. Without it all.
        ccc_weight
            Weight of the concordance (Lin 1989).

        Returns
        -------
        Tensor
            A scalar.
        """
        batch = Batch(None, None, None, None, None, _known(y, valid))
        return objective(per_token=True, ccc_weight=ccc_weight)(output, batch)

    def export(self, x: Tensor) -> torch.export.ExportedProgram:
        """A program of the prediction that needs no code of this package (``torch.export``).

        Parameters
        ----------
        x
            (B, T, n_features): the program takes windows of this number and length, NaN where absent.

        Returns
        -------
        torch.export.ExportedProgram
            Of x to (B, T, n_outputs), in evaluation mode; ``torch.export.save`` writes it. TorchScript does not take the model;
            ONNX takes it without temporal alignment (docs/reference/api.md).
        """
        was = self.training
        program = torch.export.export(_Prediction(self).eval(), (x,))
        self.train(was)
        return program

    def _side_by_side(self, x: Mapping[str, Tensor]) -> Tensor:
        """(B, T, n_features) of the modalities that are named, NaN for the others."""
        if unknown := [name for name in x if name not in self.modalities]:
            raise HimoeError(f"HiMoE: there is no modality '{unknown[0]}'; it was built with {', '.join(self.modalities)}")
        if not x:
            raise HimoeError(f"HiMoE: x names no modality; it was built with {', '.join(self.modalities)}")
        wrong = [name for name, part in x.items() if part.dim() != 3 or part.shape[-1] != self.modalities[name]]
        if wrong:
            found, n = tuple(x[wrong[0]].shape), self.modalities[wrong[0]]
            raise HimoeError(f"HiMoE: {wrong[0]} has shape {found}, expected (windows, tokens, {n})")
        first = next(iter(x.values()))
        absent = {
            name: first.new_full((*first.shape[:2], n), torch.nan) for name, n in self.modalities.items() if name not in x
        }
        return torch.cat([x[name] if name in x else absent[name] for name in self.modalities], -1)


def _known(y: Tensor, valid: Tensor | None) -> Tensor:
    """(B, T, n_outputs) NaN where padding, or where a label is no finite number: there is nothing to learn from."""
    known = y.isfinite() if valid is None else y.isfinite() & valid.unsqueeze(-1)
    return y.masked_fill(~known, torch.nan)


class _Prediction(nn.Module):
    """The prediction alone: a program in a file has no records of this package."""

    def __init__(self, model: HiMoE):
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        """x (B, T, n_features) -> (B, T, n_outputs)."""
        return self.model(x).prediction
