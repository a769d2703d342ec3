"""Where a fit runs: device, precision, determinism, and how many folds fit side by side."""

from __future__ import annotations

import ctypes
import logging
import os
from typing import TYPE_CHECKING, Any

from himoe.train.versions import check_torch
from himoe.types import HimoeError

if TYPE_CHECKING:
    import torch

    from himoe.config.sections import Execution, Training

SPARE = 0.8  # share of the free GPU memory that is planned with
KEEP_OPTIONS = ((-4, 0), (-1, 2**31 - 1))  # mallopt: M_MMAP_MAX none, M_TRIM_THRESHOLD never
log = logging.getLogger("himoe")


def settle(training: Training, execution: Execution) -> torch.device:
    """The device to use, torch set up for it: threads, deterministic algorithms, matrix precision.

    Raises
    ------
    HimoeError
        If torch is too old, or sees no GPU where the config asks for one or a scheduler gave one to this job.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is deterministic only with it
    import torch

    check_torch(torch.__version__)
    torch.set_num_threads(execution.threads)
    torch.use_deterministic_algorithms(True)
    # nothing here reads memory that it has not written
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # absent from torch's stubs
    torch.set_float32_matmul_precision("high" if training.tf32 else "highest")
    torch.backends.cudnn.allow_tf32 = training.tf32
    keep_memory()
    there = torch.cuda.is_available()
    if execution.device == "cuda" and not there:
        raise HimoeError(
            f"execution.device: cuda, but torch {torch.__version__} sees no GPU here; use device: cpu or auto, or ask the "
            "scheduler for a GPU and install torch's CUDA build"
        )
    if execution.device == "auto" and not there and (given := given_gpus()):
        raise HimoeError(
            f"this job was given a GPU (CUDA_VISIBLE_DEVICES={given}), but torch {torch.__version__} sees none: install "
            "torch's CUDA build and the driver, or set execution.device: cpu"
        )
    return torch.device("cuda" if there and execution.device != "cpu" else "cpu")


def given_gpus() -> str:
    """GPUs that SLURM set aside for this job, as the numbers it gave them; empty where it gave none. A shell's own setting of
    the same variable is no promise."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES", "") if "SLURM_JOB_ID" in os.environ else ""
    return "" if given.startswith("-") or given == "NoDevFiles" else given


def describe(device: torch.device, training: Training, execution: Execution) -> dict[str, Any]:
    """For the run record: device, its name, precision, and GPU memory at its peak."""
    facts = {"device": device.type, "precision": training.precision, "tf32": training.tf32}
    facts |= {"capture": captured(execution, device)}
    if device.type != "cuda":
        return facts | {"device_name": "", "peak_gpu_mb": 0.0}
    import torch

    peak = torch.cuda.max_memory_allocated(device) / 2**20
    return facts | {"device_name": torch.cuda.get_device_name(device), "peak_gpu_mb": round(peak, 1)}


def autocast(training: Training) -> torch.dtype | None:
    """The type matrix products are done in, None for that of the weights."""
    import torch

    return torch.bfloat16 if training.precision == "bfloat16" else None


def captured(execution: Execution, device: torch.device) -> bool:
    """Whether steps are recorded as CUDA graphs."""
    return execution.capture == "auto" and device.type == "cuda"


def side_by_side(execution: Execution, device: torch.device, n_folds: int, bytes_of_one: int = 0) -> int:
    """Folds to train as one stack: what the config says, else all that fit on a GPU, one after the other on a CPU.

    ``bytes_of_one``: what one fold needs at its peak, as measured; 0 where that is not known.
    """
    if execution.stack != "auto":
        return min(execution.stack, n_folds)
    if device.type != "cuda":
        return 1  # at the sizes of real data a stack is no faster there (tests/benchmarks/bench_training.py)
    import torch

    return how_many(torch.cuda.mem_get_info(device)[0], bytes_of_one, n_folds)


def how_many(free: int, bytes_of_one: int, n_folds: int) -> int:
    """Folds that fit into the free bytes together, at least one."""
    return max(1, min(n_folds, int(SPARE * free / max(bytes_of_one, 1))))


def keep_memory() -> None:
    """Keep glibc from giving memory back: it returns blocks above 32 MB at once, and fresh pages for every large temporary took
    up to half of a step's time."""
    try:
        for option, value in KEEP_OPTIONS:
            ctypes.CDLL(None).mallopt(option, value)
    except (AttributeError, OSError):
        log.info("no mallopt here: training on a CPU may be slower")
