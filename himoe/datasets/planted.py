"""Planted truth: simulated tokens in which it is known which modality carries the label, how strongly and when.

A label at every moment; as ``planted_rated`` one per trial, as DEAP and DREAMER have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from himoe.datasets._planted import tokens_of
from himoe.types import DatasetInfo, Layout, Modality, Tokens

if TYPE_CHECKING:
    from himoe.config.sections import Planted

INFO = DatasetInfo(
    title="Planted",
    citation="this replication",
    licence="as the code",
    access="simulated by the workflow",
    editions=(),
    subjects=(
        "p01", "p02", "p03", "p04", "p05", "p06", "p07", "p08", "p09", "p10", "p11", "p12", "p13", "p14",
        "p15", "p16", "p17", "p18", "p19", "p20", "p21", "p22", "p23", "p24", "p25", "p26", "p27", "p28",
        "p29", "p30", "p31", "p32", "p33", "p34", "p35", "p36", "p37", "p38", "p39", "p40",
    ),
    n_trials=None,
    seconds=None,
    modalities=(
        Modality(
            "eeg",
            (
                "Fp1 theta", "Fp1 alpha", "Fp2 theta", "Fp2 alpha", "F3 theta", "F3 alpha", "F4 theta", "F4 alpha",
                "C3 theta", "C3 alpha", "C4 theta", "C4 alpha", "P3 theta", "P3 alpha", "P4 theta", "P4 alpha",
            ),
            2.0, "SD", "planted",
        ),
        Modality("gsr", ("level", "slope", "phasic mean", "phasic peak", "responses", "rise time"), 2.0, "SD", "planted"),
        Modality("ecg", ("rate", "RMSSD", "SDNN", "low power", "high power", "T amplitude"), 2.0, "SD", "planted"),
        Modality("emg", ("zygomatic", "corrugator", "frontalis", "masseter", "orbicularis", "trapezius"), 2.0, "SD", "planted"),
        Modality("resp", ("rate", "depth", "inhalation share", "irregularity", "chest", "belly"), 2.0, "SD", "planted"),
        Modality("pupil", ("diameter", "slope", "blinks", "saccades", "fixations", "opening"), 2.0, "SD", "planted"),
    ),
    targets=("valence", "arousal"),
    default_targets=("valence", "arousal"),
    target_range=(1.0, 9.0),
    per_token=True,
    token_rate=2.0,
    token_window=2.0,
    caveats=("simulated on the token clock: no signal processing takes part",),
)  # fmt: skip


def tokens(
    subjects: tuple[str, ...], settings: Planted, per_token: bool, threads: int = 1
) -> tuple[dict[str, Tokens], dict[str, Any]]:  # fmt: skip
    """Tokens of every subject, and the truth; simulated in so many processes, which change no bit."""
    features = tuple(m.channels for m in INFO.modalities)
    layout = Layout(tuple(m.name for m in INFO.modalities), features, INFO.default_targets, INFO.token_rate, per_token)
    return tokens_of(subjects, settings, layout, threads)
