"""What a GPU records as a graph, proved as far as that goes without one: nothing in a step depends on a value, and recording,
replaying and recording anew where folds leave the stack change no bit."""

from __future__ import annotations

import pytest
import torch

from himoe.train import devices, repeated
from himoe.train.repeated import Repeated
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
    machine.step.take()
    machine.judge.add_chunk()
    assert {t.device for t in [*machine.step.take.written, *machine.judge.written]} == {META}


def test_the_stand_in_for_a_gpu_refuses_what_a_recording_would():
    ones = torch.ones(3, device=META)
    for reads in (lambda: ones.sum().item(), lambda: ones[ones > 0], lambda: ones.cpu(), lambda: ones + torch.ones(3)):
        with pytest.raises((NotImplementedError, RuntimeError)):
            reads()


class Graph:
    """Replays by doing it again."""

    def __init__(self, work):
        self.replay = work


@pytest.fixture
def recorded(monkeypatch):
    """Recordings that were made, on a CPU."""
    made = []

    def record(self):
        made.append(self.work)
        self.work()  # a recording on a GPU runs nothing; here it must be undone too
        return Graph(self.work)

    def warm_up(self, before):
        for _ in range(repeated.WARM_UPS):
            self.work()
            self._restore(before)

    monkeypatch.setattr(Repeated, "_recorded", record)
    monkeypatch.setattr(Repeated, "_warm_up", warm_up)
    monkeypatch.setattr(devices, "captured", lambda execution, device: execution.capture == "auto")
    return made


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


def test_where_a_recording_is_refused_the_fit_goes_on(recorded, monkeypatch, tmp_path, caplog):
    def refuse(self):
        self.work()
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    tokens = uneven()
    splits = folds(tokens, n_folds=4, tmp=tmp_path)[:1]
    [plain] = fitted("late_fusion", tokens, splits, 1, capture="off", epochs=3)
    monkeypatch.setattr(Repeated, "_recorded", refuse)
    [other] = fitted("late_fusion", tokens, splits, 1, epochs=3)
    assert all((plain.state[name] == other.state[name]).all() for name in plain.state)
    told = [line for line in caplog.messages if "captured" in line]
    assert told
    assert all("goes on without: operation not permitted when stream is capturing" in line for line in told)
    assert not any("\n" in line for line in told)


def test_a_lack_of_memory_while_recording_is_a_lack_of_memory(monkeypatch):
    """The end of the recording fails too, and must not hide it: the stack is halved for it."""

    def out_of_memory(self):
        try:
            raise torch.OutOfMemoryError("no more")
        finally:
            raise RuntimeError("capture was invalidated")

    monkeypatch.setattr(Repeated, "_recorded", out_of_memory)
    monkeypatch.setattr(Repeated, "_warm_up", lambda self, before: None)
    with pytest.raises(torch.OutOfMemoryError, match="no more"):
        Repeated(lambda: None, [], captured=True)()


def test_what_is_not_recorded_is_called():
    count = torch.zeros(1)
    repeat = Repeated(lambda: count.add_(1), [count], captured=False)
    for _ in range(3):
        repeat()
    assert count.item() == 3
