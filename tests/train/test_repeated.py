"""What a GPU records as a graph, proved as far as that goes without one: nothing in a step depends on a value, and recording,
replaying and recording anew where folds leave the stack change no bit."""

from __future__ import annotations

import gc
import weakref
from contextlib import nullcontext

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from himoe.train import devices, repeated
from himoe.train.repeated import Repeated
from himoe.train.runs import LoopState
from himoe.train.together import StackFit
from tests.contract.networks import TORCH
from tests.train.fits import SHORT, fits_of, fitted, folds, uneven

META = torch.device("meta")  # its tensors have shapes and no values: what reads one, or needs one for a shape, fails


@pytest.mark.parametrize("model", TORCH)
@pytest.mark.parametrize("n_folds", [1, 3])
def test_no_step_and_no_prediction_depends_on_a_value(model, n_folds, tmp_path):
    tokens = uneven(model=model)
    fits = fits_of(model, tokens, {"width": 16}, settings=SHORT)
    fits.device = META
    together = StackFit(fits, folds(tokens, n_folds=4, tmp=tmp_path)[:n_folds])
    [trainer], runs = together.trainers, [together.fold_run(split) for split in together.splits]
    state, stack, adam = trainer._start(runs, "choose 0")
    machine = trainer._machine(runs, stack, adam, state)
    machine.step.begin(trainer._schedule(runs, 1), 0)
    machine.step.take()
    machine.judge.add_chunk()
    assert {t.device for t in [*machine.step.repeat.written, *machine.judge.written]} == {META}


def test_the_stand_in_for_a_gpu_refuses_what_a_recording_would():
    ones = torch.ones(3, device=META)
    for reads in (lambda: ones.sum().item(), lambda: ones[ones > 0], lambda: ones.cpu(), lambda: ones + torch.ones(3)):
        with pytest.raises(RuntimeError):
            reads()


class Operands(TorchDispatchMode):
    """Each operation within it, with the addresses of tensors that it was given and that were there before: what a recording
    reads again at each replay, whatever has been put in their place."""

    def __init__(self):
        super().__init__()
        self.made, self.seen, self.kept = set(), [], []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        given = [t.untyped_storage().data_ptr() for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
        outside = tuple(address for address in given if address not in self.made)
        out = func(*args, **(kwargs or {}))
        results = [t for t in tree_leaves(out) if isinstance(t, torch.Tensor)]
        self.made |= {t.untyped_storage().data_ptr() for t in results} - set(outside)
        self.kept += results  # so that no address is given twice
        self.seen.append((str(func), outside))
        return out


class Graph:
    """A recording on a CPU: it replays by doing the work again, and notices where that is not what was done at first."""

    def __init__(self, work):
        self.work, self.first, self.n_replays, self.n_different = work, None, 0, 0

    def replay(self):
        with Operands() as operands:
            self.work()
        self.first = self.first or operands.seen
        self.n_replays, self.n_different = self.n_replays + 1, self.n_different + (operands.seen != self.first)


def record_on_a_cpu(monkeypatch):
    """Recordings that are made from now on."""
    made = []

    def record(work):
        made.append(Graph(work))
        return made[-1]

    monkeypatch.setattr(repeated, "recorded", record)
    monkeypatch.setattr(repeated, "aside", nullcontext)
    monkeypatch.setattr(repeated, "wait", lambda: None)
    monkeypatch.setattr(devices, "captured", lambda execution, device: execution.capture == "auto")
    return made


@pytest.fixture
def recorded(monkeypatch):
    return record_on_a_cpu(monkeypatch)


@pytest.mark.parametrize("stack", [1, 4])
def test_recorded_steps_are_the_steps(stack, recorded, tmp_path):
    """Folds that end at different epochs leave the stack, which is then recorded anew; to the bit what is not recorded."""
    tokens = uneven()
    splits = folds(tokens, n_folds=4, tmp=tmp_path)
    a, b = (
        fitted("himoe", tokens, splits, stack, capture=capture, epochs=8, patience=1, learning_rate=3e-3)
        for capture in ("off", "auto")
    )
    for plain, replayed in zip(a, b, strict=True):
        assert plain.history == replayed.history
        assert all((plain.state[name] == replayed.state[name]).all() for name in plain.state)
    ends = {len(fold.history) for fold in a}
    assert len(ends) > 1 or stack == 1
    assert len(recorded) >= (2 * 2 if stack > 1 else 2 * 4)  # step and prediction, of each stack that there was
    assert sum(graph.n_replays for graph in recorded) > 40
    assert sum(graph.n_different for graph in recorded) == 0  # nothing was put in another place than it was recorded at
    assert not [
        name for graph in recorded for name, _ in graph.first if "lift_fresh" in name
    ]  # nothing made of Python's numbers


def test_what_is_put_in_another_place_is_noticed(recorded, monkeypatch, tmp_path):
    """The guard of the test above: a state that is replaced between two epochs."""
    real = LoopState.next_epoch

    def replaced(self, going):
        real(self, going)
        self.total = self.total.clone()

    monkeypatch.setattr(LoopState, "next_epoch", replaced)
    tokens = uneven()
    fitted("late_fusion", tokens, folds(tokens, n_folds=4, tmp=tmp_path)[:1], 1, epochs=3)
    assert sum(graph.n_different for graph in recorded) > 0


def test_a_replay_with_other_bits_is_not_used(monkeypatch, caplog):
    record_on_a_cpu(monkeypatch)
    count = torch.zeros(1)
    monkeypatch.setattr(repeated, "recorded", lambda work: Graph(lambda: count.add_(2)))
    repeat = Repeated([count], captured=True)
    for _ in range(3):
        repeat(lambda: count.add_(1))
    assert count.item() == 3
    assert [line for line in caplog.messages if "does not give the bits" in line]


def test_nothing_is_held_once_it_is_done_with(tmp_path):
    """Without the collector of circles: on a GPU it is the memory of recordings and of the bank."""
    tokens = uneven()
    together = StackFit(
        fits_of("late_fusion", tokens, {"width": 16}, settings=SHORT), folds(tokens, n_folds=4, tmp=tmp_path)[:2]
    )
    [trainer], runs = together.trainers, [together.fold_run(split) for split in together.splits]
    state, stack, adam = trainer._start(runs, "choose 0")
    gc.collect()
    gc.disable()
    try:
        machine = trainer._machine(runs, stack, adam, state)
        machine.step.begin(trainer._schedule(runs, 1), 0)
        machine.step.take()
        machine.judge.run()
        held = [weakref.ref(part) for part in (machine.step, machine.judge, machine.step.repeat)]
        del machine
        assert [part() for part in held] == [None] * 3
    finally:
        gc.enable()


def test_where_a_recording_is_refused_the_fit_goes_on(recorded, monkeypatch, tmp_path, caplog):
    def refuse(work):
        work()
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    tokens = uneven()
    splits = folds(tokens, n_folds=4, tmp=tmp_path)[:1]
    [plain] = fitted("late_fusion", tokens, splits, 1, capture="off", epochs=3)
    monkeypatch.setattr(repeated, "recorded", refuse)
    [other] = fitted("late_fusion", tokens, splits, 1, epochs=3)
    assert all((plain.state[name] == other.state[name]).all() for name in plain.state)
    told = [line for line in caplog.messages if "captured" in line]
    assert told
    assert all("goes on without: operation not permitted when stream is capturing" in line for line in told)
    assert not any("\n" in line for line in told)


def test_a_lack_of_memory_while_recording_is_a_lack_of_memory(monkeypatch):
    """The end of the recording fails too, and must not hide it: the stack is halved for it."""

    def out_of_memory(work):
        try:
            raise torch.OutOfMemoryError("no more")
        finally:
            raise RuntimeError("capture was invalidated")

    record_on_a_cpu(monkeypatch)
    monkeypatch.setattr(repeated, "recorded", out_of_memory)
    with pytest.raises(torch.OutOfMemoryError, match="no more"):
        Repeated([], captured=True)(lambda: None)


def test_what_is_not_recorded_is_called():
    count = torch.zeros(1)
    repeat = Repeated([count], captured=False)
    for _ in range(3):
        repeat(lambda: count.add_(1))
    assert count.item() == 3
