"""One training step: what it asks for and what it takes, on a CPU and, marked gpu, on a GPU.

A step is the trainer's own, from noise to AdamW: an epoch of many steps less an epoch of few, over their difference. On a CPU
operations are counted, about as many as a GPU would be asked to start kernels; on a GPU the kernels themselves, for how long it
is busy with them, and which take longest. ``make bench``; on a machine with a GPU ``make bench-gpu``.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable

import pytest
import torch

from himoe.config.sections import Execution, Training
from himoe.provenance import environment
from himoe.train.cost import count_macs
from tests.benchmarks.bench_training import FEW, deap_layout, fits_of, leave_one_out, made
from tests.train.operations import Steps, operations_of

TITLES = {"himoe": "Hi-MoE", "late_fusion": "late fusion"}
SMALL = {"himoe": {"width": 16}, "late_fusion": {"width": 16, "match_parameters": False}}
BATCH = 32  # crops
GROWTH = 1.5  # G5: operations of 32 folds against those of one
SHOWN = 14  # kernels
LAUNCHED = "float32, not captured"
WAYS = {"float32": {}, LAUNCHED: {}, "TF32": {"tf32": True}, "bfloat16": {"precision": "bfloat16"}}
ON_A_GPU = [
    ("himoe", 1, "float32"), ("himoe", 1, LAUNCHED), ("himoe", 8, "float32"), ("himoe", 32, "float32"), ("himoe", 32, LAUNCHED),
    ("himoe", 32, "TF32"), ("himoe", 32, "bfloat16"), ("late_fusion", 1, "float32"), ("late_fusion", 32, "float32"),
]  # fmt: skip


def steps_of(model, tokens, n_folds, options, execution, **settings) -> Steps:
    """Steps of so many folds side by side."""
    fits = fits_of(tokens, model, Training(batch_size=BATCH, **settings), execution, **options)
    return Steps(fits, leave_one_out(tokens)[:n_folds])


def milliseconds(steps: Steps, few: int, many: int, clock: Callable[[], float], repeats: int = 3) -> float:
    """Of one step: the median of some epochs, each pair one after the other."""

    def seconds(n: int) -> float:
        started = clock()
        steps(n)
        return clock() - started

    steps(few)  # warm
    return 1e3 * statistics.median((seconds(many) - seconds(few)) / (many - few) for _ in range(repeats))


@pytest.mark.parametrize("size", ["small", "full size"])
@pytest.mark.parametrize("model", TITLES)
def test_a_step_on_a_cpu(model, size):
    """Small: four modalities of eight features, crops of 8 tokens; full size: DEAP's 60 tokens. One thread."""
    layout, n_times, options = (FEW, 16, SMALL[model]) if size == "small" else (deap_layout(), 120, {})
    tokens, totals = made(layout, 32, 8, n_times), []
    print(f"\n{environment()}\n| step of, {size} | folds | ms | ms of a fold | operations | most of them |\n|{6 * '---|'}")
    for n_folds in (1, 8, 32):
        crop = n_times / 2 / layout.token_rate
        steps = steps_of(model, tokens, n_folds, options, Execution(device="cpu"), crop_seconds=crop, shift_seconds=1)
        counts = operations_of(steps)
        many, repeats = (3, 1) if size == "full size" and n_folds > 1 else (5, 3)
        spent = milliseconds(steps, 1, many, time.process_time, repeats)
        most = ", ".join(f"{name} {n}" for name, n in counts.most_common(6))
        totals.append(counts.total())
        print(f"| {TITLES[model]} | {n_folds} | {spent:.1f} | {spent / n_folds:.2f} | {totals[-1]:,} | {most} |", flush=True)
    assert totals[1] == totals[2] <= GROWTH * totals[0]


@pytest.fixture(scope="module")
def deap():
    """As many tokens as DEAP has."""
    return made(deap_layout(), 32, 40, 120)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize(("model", "n_folds", "way"), ON_A_GPU)
def test_a_step_on_a_gpu(model, n_folds, way, deap):
    """A row of the table in docs/howto/gpu.md."""
    torch.cuda.reset_peak_memory_stats()
    execution = Execution(device="cuda", capture="off" if way == LAUNCHED else "auto")
    steps = steps_of(model, deap, n_folds, {}, execution, **WAYS[way])
    spent = milliseconds(steps, 2, 12, now_on_the_gpu)
    few, many = kernels(steps, 1), kernels(steps, 3)
    n_kernels, busy = ((many[0] - few[0]).total() / 2, (many[1] - few[1]).total() / 2e3)
    teraflops = 6 * count_macs(steps.trainer, steps.runs[0]) * BATCH * n_folds / spent / 1e9  # forward, and twice that backward
    peak = torch.cuda.max_memory_allocated() / 2**30
    print(f"\n{torch.cuda.get_device_name()}, torch {torch.__version__}, {teraflops:.2f} TFLOP/s")
    print("| step of | folds | ms | ms of a fold | kernels | GPU busy | peak |\n|" + 7 * "---|")
    print(f"| {TITLES[model]}, {way} | {n_folds} | {spent:.1f} | {spent / n_folds:.2f} | {n_kernels:,.0f} | ", end="")
    print(f"{busy:.1f} ms ({busy / spent:.0%}) | {peak:.1f} GiB |", flush=True)
    if n_folds == 32 and way != LAUNCHED:
        for name, microseconds in (many[1] - few[1]).most_common(SHOWN):
            print(f"   {microseconds / 2e3:7.2f} ms  {name[:100]}")
    assert busy > 0


def now_on_the_gpu() -> float:
    """Seconds, once all that was asked for is done."""
    torch.cuda.synchronize()
    return time.perf_counter()


def kernels(steps: Steps, n: int) -> tuple[Counter[str], Counter[str]]:
    """How often each kernel ran in an epoch of n steps, and for how many microseconds."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU]) as seen:
        steps(n)
        torch.cuda.synchronize()
    times, microseconds = Counter(), Counter()
    for event in seen.events():
        if event.device_type == torch.autograd.DeviceType.CUDA:
            times[event.name] += 1
            microseconds[event.name] += event.device_time
    return times, microseconds
