"""Work that is done many times on tensors that stay where they are: called as it is, or on a GPU recorded once and replayed.

A step of a network is thousands of small kernels, and a CPU needs longer to launch one than a GPU to run it. A CUDA graph
launches all of them at once (https://pytorch.org/docs/stable/notes/cuda.html#cuda-graphs). What is recorded must not read a
number back, nor have shapes that depend on values, nor make tensors that somebody keeps: tests/train/test_repeated.py checks
that without a GPU.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

WARM_UPS = 3  # calls before the recording: libraries choose their kernels and workspaces in the first ones
log = logging.getLogger("himoe")


class Repeated:
    """Work that reads and writes tensors that stay where they are; ``written`` are those that hold more than one call's result.
    With ``captured`` it is recorded at the first call, and replayed at each.

    A recording holds the addresses of all that it reads: whoever puts another tensor in a place makes a new one. The work is
    given with each call, not kept: an object that keeps its own method is freed too late, and a recording's memory with it.
    """

    def __init__(self, written: list[Tensor], captured: bool):
        self.written, self.captured = written, captured
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, work: Callable[[], None]) -> None:
        """Do it once."""
        if self.captured and self._graph is None:
            self._graph = self._record(work)
            self.captured = self._graph is not None
        if self._graph is None:
            work()
        else:
            self._graph.replay()

    def _record(self, work: Callable[[], None]) -> torch.cuda.CUDAGraph | None:
        """The recording, None where torch refuses it, or where its first replay does not leave the bits that the work leaves;
        what is ``written`` is as before."""
        before = [t.clone() for t in self.written]
        try:
            expected = self._warm_up(work, before)
            graph = recorded(work)
            graph.replay()
            wait()
            if all(_same_bits(a, b) for a, b in zip(expected, self.written, strict=True)):
                return graph
            log.warning("a step that was captured as a CUDA graph does not give the bits of the step; it goes on without")
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            if isinstance(error.__context__, torch.OutOfMemoryError):  # the end of a recording that had no memory fails too
                raise error.__context__ from None
            log.warning("a step cannot be captured as a CUDA graph, it goes on without: %s", str(error).split("\n")[0])
        finally:
            wait()
            self._restore(before)
        return None

    def _warm_up(self, work: Callable[[], None], before: list[Tensor]) -> list[Tensor]:
        """What the work leaves. It is done on a stream of its own, as a recording asks for; the memory it took is given back,
        for the recording has its own."""
        with aside():
            for _ in range(WARM_UPS):
                self._restore(before)  # a second call would be of the next step, and there may be none
                work()
            expected = [t.clone() for t in self.written]
            self._restore(before)
        wait()
        torch.cuda.empty_cache()
        return expected

    def _restore(self, before: list[Tensor]) -> None:
        for tensor, value in zip(self.written, before, strict=True):
            tensor.copy_(value)


def recorded(work: Callable[[], None]) -> torch.cuda.CUDAGraph:
    """A graph of the work. The stream in use is put back, which torch leaves out where the end of a recording fails."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.stream(torch.cuda.current_stream()), torch.cuda.graph(graph):
        work()
    return graph


@contextmanager
def aside() -> Iterator[None]:
    """On another stream, after what was asked for on this one."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        yield


def wait() -> None:
    """Until the GPU has done all that it was asked for."""
    torch.cuda.synchronize()


def _same_bits(a: Tensor, b: Tensor) -> bool:
    """NaN included."""
    return torch.equal(a.view(torch.uint8), b.view(torch.uint8))
