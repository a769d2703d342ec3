"""Work that is done many times on tensors that stay where they are: called as it is, or on a GPU recorded once and replayed.

A step of a network is thousands of small kernels, and a CPU needs longer to launch one than a GPU to run it. A CUDA graph
launches all of them at once (https://pytorch.org/docs/stable/notes/cuda.html#cuda-graphs). What is recorded must not read a
number back, nor have shapes that depend on values, nor make tensors that somebody keeps: tests/train/test_repeated.py checks
that without a GPU.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch
from torch import Tensor

WARM_UPS = 3  # calls before the recording: libraries choose their kernels and workspaces in the first ones
log = logging.getLogger("himoe")


class Repeated:
    """``work()``, which reads and writes tensors that stay where they are; ``written`` are those that hold more than one call's
    result. With ``captured`` it is recorded at the first call, and replayed at each.

    A recording holds the addresses of all that it reads: whoever puts another tensor in a place makes a new one.
    """

    def __init__(self, work: Callable[[], None], written: list[Tensor], captured: bool):
        self.work, self.written, self.captured = work, written, captured
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self) -> None:
        """Do it once."""
        if self.captured and self._graph is None:
            self._graph = self._record()
            self.captured = self._graph is not None
        if self._graph is None:
            self.work()
        else:
            self._graph.replay()

    def _record(self) -> torch.cuda.CUDAGraph | None:
        """The recording, None where torch refuses it; what is ``written`` is as before."""
        before = [t.clone() for t in self.written]
        try:
            self._warm_up(before)
            return self._recorded()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            if isinstance(error.__context__, torch.OutOfMemoryError):  # the end of a recording that had no memory fails too
                raise error.__context__ from None
            log.warning("a step cannot be captured as a CUDA graph, it goes on without: %s", str(error).split("\n")[0])
            return None
        finally:
            self._restore(before)

    def _warm_up(self, before: list[Tensor]) -> None:
        """On a stream of its own, as a recording asks for; the memory it took is given back, for the recording has its own."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UPS):
                self.work()
                self._restore(before)  # a second call would be of the next step, and there may be none
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.empty_cache()

    def _recorded(self) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.work()
        return graph

    def _restore(self, before: list[Tensor]) -> None:
        for tensor, value in zip(self.written, before, strict=True):
            tensor.copy_(value)
