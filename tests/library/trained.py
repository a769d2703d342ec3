"""A run of the workflow on a twin, one person of which is what an EDF file can hold: 16 bits of each channel's range."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import edfio
import numpy as np
import pandas as pd

from himoe.data.recordings import read_trials, write_trials
from himoe.types import Signal, Trial
from tests.workflow.runs import copied, made_once, prepared, snakemake, write_config

PERSON = "s01"
REST = 3.0
DATA = Path("results/deap_twin")
FIT = DATA / "subject_kfold/himoe/seed-0"
RIDGE = DATA / "subject_kfold/ridge/seed-0"
UNITS = {"eeg": ("uV", 1e6), "eog": ("uV", 1e6), "emg": ("uV", 1e6), "gsr": ("uS", 1e6), "temperature": ("degC", 1.0)}
NAMES = {"gsr": ["GSR"], "resp": ["respiration"], "bvp": ["plethysmograph"], "temperature": ["temperature"]}


def channels_of(trials: Sequence[Trial], names: dict[str, Sequence[str]]) -> dict[str, np.ndarray]:
    """Name -> (n_times,) in the file's unit: all trials one after another, rest before each."""
    out = {}
    for modality, channels in names.items():
        factor = UNITS.get(modality, ("", 1.0))[1]
        for i, channel in enumerate(channels):
            out[channel] = factor * np.concatenate([np.asarray(t.signals[modality].data[i], float) for t in trials])
    return out


def write_edf(path: Path, trials: Sequence[Trial], names: dict[str, Sequence[str]]) -> None:
    """An EDF file of these channels, each trial annotated from the onset of its stimulus on."""
    recorded = channels_of(trials, names)
    units = {channel: UNITS.get(m, ("", 1.0))[0] for m, channels in names.items() for channel in channels}
    signals = [edfio.EdfSignal(x, 128, label=name, physical_dimension=units[name]) for name, x in recorded.items()]
    n = trials[0].signals["gsr"].data.shape[1] / 128
    onsets = [REST + i * n for i in range(len(trials))]
    marks = [edfio.EdfAnnotation(onset, t.seconds, f"trial {t.trial}") for onset, t in zip(onsets, trials, strict=True)]
    edfio.Edf(signals, annotations=marks).write(path)


def as_held(path: Path, trials: Sequence[Trial], names: dict[str, Sequence[str]]) -> list[Trial]:
    """The trials with the numbers that the EDF file holds, read by another reader than the one that is tested."""
    held = {signal.label: signal.data for signal in edfio.read_edf(path).signals}
    out = []
    for i, trial in enumerate(trials):
        n_times = trial.signals["gsr"].data.shape[1]
        at = slice(i * n_times, (i + 1) * n_times)
        signals = {}
        for modality, channels in names.items():
            data = np.stack([held[c][at] for c in channels]) / UNITS.get(modality, ("", 1.0))[1]
            signals[modality] = Signal(data, 128.0, -REST)
        out.append(
            Trial(*(getattr(trial, k) for k in ("subject", "session", "trial", "stimulus", "seconds")), signals, trial.targets)
        )
    return out


def electrodes() -> dict[str, Sequence[str]]:
    """Modality -> channels of DEAP."""
    from himoe.datasets.deap import INFO

    return {m.name: m.channels for m in INFO.modalities}


def trained(factory) -> Path:
    """A folder with the run's results, and ``recording.edf`` and ``mapping.yaml`` of the person."""

    def make(folder: Path) -> None:
        copied(prepared(factory), folder)
        kept = folder / DATA / "subjects" / f"{PERSON}.safetensors"
        trials = read_trials(kept)
        write_edf(folder / "recording.edf", trials, electrodes())
        write_trials(kept, as_held(folder / "recording.edf", trials, electrodes()))
        (folder / "mapping.yaml").write_text(f"baseline: {REST:g}\n")
        config = write_config(folder, {"datasets": ["deap_twin"], "models": ["himoe", "ridge"], "conditions": {}})
        wanted = [f"{fit}/shard-0/predictions.parquet" for fit in (FIT, RIDGE)]
        done = snakemake(folder, *wanted, str(DATA / "card.json"), "--configfile", config)
        assert done.returncode == 0, done.stderr[-4000:]

    return made_once(factory, "trained", make)


def clean_predictions(folder: Path, fit: Path = FIT, name: str = "predictions") -> pd.DataFrame:
    """What the workflow says of the person, clean input."""
    rows = pd.read_parquet(folder / fit / f"shard-0/{name}.parquet")
    return rows[(rows["subject"] == PERSON) & (rows["condition"] == "clean")]
