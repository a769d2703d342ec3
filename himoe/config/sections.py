"""Sections of a config and what they are made of. Apart from :mod:`himoe.config`, so that a new figure or data set in the
defaults there is no change of the code that trains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from himoe.config.fields import SEEDS, Count, Fraction, Name, Positive, Seed, Some, Strict, setting
from himoe.names import STUDIED, with_people

FIGURES = [
    "condition_curve", "specification", "learning_curve", "few_shot", "routing", "prototypes", "predicted", "subjects",
    "training",
]  # fmt: skip
TABLES = [
    "answer", "claims", "main", "ceilings", "comparison", "ablations", "regimes", "transfer", "robustness", "subsets",
    "experts", "reported", "data_card", "audit", "tuning", "compute_card", "checklist", "register",
]  # fmt: skip


def merged(settings: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    """Settings with some changed, section by section."""
    inner = {k: merged(settings[k], v) for k, v in changed.items() if isinstance(v, dict) and isinstance(settings.get(k), dict)}
    return settings | changed | inner


class Twin(Strict):
    """Size and strength of the simulated twins (``<data set>_twin``)."""

    subjects: int = setting(10, "subjects simulated (at most the original's)", "ours", ge=6)
    trials: int = setting(14, "trials per subject (at most the original's)", "ours", ge=2)
    seconds: Positive = setting(32.0, "length of a trial, s", "ours", ge=8, le=7200)
    snr: float = setting(
        0.3, "variance of the planted log-envelope over that of the spontaneous one; 0 plants nothing", "ours", ge=0
    )
    rating_bias: float = setting(
        1.0, "SD of how much a person rates above others whatever they feel, on a scale from 1 to 9", "ours", ge=0, le=4
    )
    electrode_drift: float = setting(
        0.1,
        "SD of ln of an electrode's gain over the trials of a session; 0: none",
        "ours; measured on eSports Sensors (himoe/signal/simulate.py)",
        ge=0,
        le=2,
    )
    seed: Seed = setting(2508, "seed of the simulation", "ours", lt=SEEDS)


class Planted(Strict):
    """One planted data set (``planted-NAME``): what is known of it because it was put there."""

    subjects: int = setting(12, "subjects simulated", "ours", ge=3, le=40)
    trials: int = setting(12, "trials per subject", "ours", ge=2)
    seconds: Positive = setting(60.0, "length of a trial, s", "ours", ge=8, le=7200)
    snr: float = setting(1.0, "driven over spontaneous variance of every feature; 0 plants nothing", "ours", ge=0)
    informative: dict[Name, Annotated[float, Field(ge=0)]] = setting({}, "modality -> factor of its SNR", "ours")
    timescale: Positive = setting(4.0, "autocorrelation time of the latent, s", "cited:Uhlenbeck & Ornstein 1930")
    subject_effect: float = setting(1.0, "strength of what differs between people", "ours", ge=0)
    lag: float = setting(0.0, "largest displacement of a modality in a trial, s (uniform, either way)", "ours", ge=0, le=8)
    drift: float = setting(0.0, "largest clock error of a modality at the end of a trial, s", "ours", ge=0, le=8)
    gaps: float = setting(0.0, "share of time that outages of 5 s on average take from each modality", "ours", ge=0, le=0.9)
    shared_stimuli: bool = setting(
        True, "whether all people meet the same stimuli, so that other people's labels reveal the time course", "ours"
    )
    conflict: Fraction = setting(0.0, "chance that a modality of a trial carries an unrelated latent", "ours")
    clusters: int = setting(0, "emotional clusters that stimuli come from; 0: a continuum", "ours", ge=0, le=8)
    state_dependent: bool = setting(False, "whether the mixing differs between quadrants of the latent", "ours")
    rating_bias: float = setting(
        1.0,
        "SD of how much a person rates above others whatever they feel, on a scale from 1 to 9; of planted_rated-NAME alone",
        "ours",
        ge=0,
        le=4,
    )
    models: list[Name] = setting([], "models fitted on it; none named: all of the run", "ours")
    conditions: list[Name] | None = setting(None, "conditions evaluated on it; null: all of the run", "ours")
    seed: Seed = setting(2508, "seed of the simulation; a replicate adds its number", "ours", lt=SEEDS)


class Eeg(Strict):
    """Features of the EEG."""

    filter: Literal["whole_trial", "window_local"] = setting(
        "whole_trial",
        "differential entropy after a zero-phase filter of the whole trial, or of each window alone (as torcheeg)",
        "cited:differential entropy (Shi, Jiao & Lu 2013); filter ours",
    )


class Gsr(Strict):
    """Features of skin conductance."""

    scr_amplitude: float = setting(
        0.01, "smallest skin conductance response that counts, uS", "cited:Boucsein et al. 2012 (0.01 to 0.05 uS)", ge=0
    )


class Quality(Strict):
    """The quality gate and what every recipe shares."""

    min_measured: Fraction = setting(
        0.5, "share of a modality's features that must be measured for its token to be present", "ours"
    )
    clipped_share: Fraction = setting(0.05, "a window with more of its samples at the recording's rails is refused", "ours")


class Features(Strict):
    """Features per token; a data set is prepared again only when a section that its recipes use changes."""

    eeg: Eeg = setting(Eeg(), "EEG", "ours")
    gsr: Gsr = setting(Gsr(), "skin conductance", "ours")
    quality: Quality = setting(Quality(), "the quality gate", "ours")
    baseline: Literal[0, 1, "estimated"] = setting(
        "estimated",
        "with which coefficient the pre-trial baseline's mean is subtracted from levels and powers; estimated: the slope of a "
        "trial's mean on its baseline among a fold's training rows, feature by feature, within 0 to 1",
        "ours; measured on deap_twin",
    )
    normalisation: Literal["session", "calibration", "none"] = setting(
        "session",
        "z-score of each feature, without labels: over a person's whole session, over its first calibration_trials alone, or "
        "none; modalities that a data set declares comparable between people have none",
        "ours",
    )
    calibration_trials: int = setting(
        0,
        "first trials of each session that are left out of training and scoring, whatever the normalisation, so that arms are "
        "judged on the same trials",
        "ours",
        ge=0,
    )


class Variant(Strict):
    """How a variant's recordings are prepared, where other than those of the data set that it is of."""

    modalities: list[Name] = setting([], "the modalities it has; all where none is named", "ours")
    common_with: Name | None = setting(None, "only the features that this data set has too, by modality and name", "ours")
    features: dict[str, Any] = setting({}, "keys of ``features`` that differ", "ours")
    annotator_lag: Annotated[float, Field(ge=0, le=20)] | None = setting(None, "reaction time of its annotators, s", "ours")

    @property
    def is_other_choice(self) -> bool:
        """Whether what it holds of the recordings is prepared otherwise: a choice under which conclusions may change, not a
        question of its own, as which modalities tell something is."""
        return bool(self.features) or self.annotator_lag is not None


class Splits(Strict):
    """Who is trained on and who is judged."""

    n_folds: int = setting(8, "folds of every protocol but loso (of subject_kfold: as many as subjects at most)", "ours", ge=2)
    n_stimulus_folds: int = setting(3, "folds of stimuli of subject_stimulus, each with all folds of subjects", "ours", ge=2)
    window_seconds: Positive = setting(4.0, "windows that window_random deals out as if they were trials, s", "ours")
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] = setting(
        0.25, "share of the training subjects held out to choose the epoch and to tune (at least one)", "ours"
    )
    seed: Seed = setting(0, "seed of the assignment of subjects to folds", "ours", lt=SEEDS)


class Training(Strict):
    """The one trainer, equal for every torch model; ``refit`` and ``calibration`` are of every model."""

    epochs: Count = setting(60, "passes over the training data at most", "ours")
    patience: Count = setting(12, "epochs without a better inner-validation CCC before stopping", "ours")
    batch_size: Count = setting(32, "crops per step", "ours")
    learning_rate: Positive = setting(5e-4, "peak of AdamW's cosine schedule", "ours")
    weight_decay: float = setting(1e-2, "AdamW's decoupled weight decay", "cited:AdamW (Loshchilov & Hutter 2019)", ge=0)
    clip_norm: Positive = setting(1.0, "largest gradient norm", "ours")
    crop_seconds: Positive = setting(30.0, "length of a training crop and of a prediction segment, s", "ours", le=3600)
    ccc_weight: float = setting(0.5, "weight of 1 - CCC over the batch beside the squared error", "ours", ge=0)
    modality_dropout: Fraction = setting(0.3, "chance that a modality is absent from a training crop", "ours")
    gap_chance: Fraction = setting(0.3, "chance of an outage of a modality within a training crop", "ours")
    gap_seconds: Positive = setting(5.0, "mean length of such an outage, s (exponential)", "ours")
    token_dropout: Fraction = setting(0.5, "highest rate of tokens dropped at random, drawn per training crop", "ours")
    shift_chance: Fraction = setting(0.5, "chance that a modality of a training crop is shifted in time", "ours")
    shift_seconds: float = setting(4.0, "largest such shift, s (uniform, either way)", "ours", ge=0)
    readout: Literal["none", "ridge"] = setting(
        "none",
        "linear read-out beside every network of features; ridge: mixed with the network as inner-validation people ask",
        "ours",
    )
    readout_penalty: Positive = setting(100.0, "ridge penalty of the read-out", "ours")
    refit: bool = setting(
        False, "train again on training and validation subjects together, for the epochs that validation chose", "ours"
    )
    calibration: Literal["none", "ccc"] = setting(
        "ccc",
        "scale and offset of every model's predictions, from inner-validation people; ccc: those best for a person's CCC",
        "ours; CCC: Lin 1989",
    )
    precision: Literal["float32", "bfloat16"] = setting(
        "float32", "type of matrix products; bfloat16 (mixed precision) is for GPUs", "ours"
    )
    tf32: bool = setting(False, "let a GPU round float32 matrix products to TensorFloat-32", "ours")


class Execution(Strict):
    """How fits are executed. None of it says what a fit is, and changing it refits nothing. The exception is ``folds_per_job``:
    it says which folds come in one file, so that other shards are fitted anew.

    A GPU's results differ from a CPU's in rounding, and so do those of stacked folds and other numbers of threads: the run
    record says how and where a fit was made, and one that was interrupted goes on only where these are equal.
    """

    folds_per_job: Some | Literal["all"] = setting(
        "all", "folds fitted in one job (a shard); other shards are fitted anew", "ours"
    )
    threads: Count = setting(1, "threads of one fit; two 1-thread fits beat one 2-thread fit on two cores", "ours")
    device: Literal["auto", "cpu", "cuda"] = setting("auto", "where networks run; auto: on a GPU if there is one", "ours")
    stack: Some | Literal["auto"] = setting(
        "auto", "folds trained side by side as one model; auto: all that fit into a GPU's memory, one on a CPU", "ours"
    )
    capture: Literal["auto", "off"] = setting(
        "auto", "record a training step as a CUDA graph and replay it: the same bits, without the launches", "ours"
    )
    checkpoint_seconds: int = setting(30, "seconds between two writes of a fit's resume state", "ours", ge=0, le=86400)
    tensorboard: bool = setting(False, "also write curves for TensorBoard, beside the weights", "ours")


class LearningCurve(Strict):
    """Models that are fitted again on fewer people (``MODEL-people_N``), with the same people to test on."""

    people: list[Annotated[int, Field(ge=2)]] = setting(
        [], "numbers of people that a fit learns from, those of inner validation among them; none: no curve", "ours"
    )
    models: list[Name] = setting([STUDIED], "models that learn from as many, each beside itself", "ours", min_length=1)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.people)

    @property
    def arms(self) -> list[str]:
        """Their names."""
        return [with_people(model, n) for model in self.models for n in self.people]


class Tuning(Strict):
    """The same budget for every model that can be tuned."""

    configurations: Count = setting(
        1, "configurations tried per fold: the model's own, and random ones of its space; inner validation chooses", "ours"
    )
    seed: Seed = setting(0, "seed of the random configurations", "ours", lt=SEEDS)


class Statistics(Strict):
    """How the comparison is judged, fixed before a run."""

    control_skill: Literal["refuse", "tell"] = setting(
        "refuse", "what the audit does where a control has skill: stop the run, or tell and go on", "ours"
    )
    simulations: Count = setting(1000, "simulated runs behind the power and the false support of a verdict", "ours")
    seed: Seed = setting(0, "seed of these simulations", "ours", lt=SEEDS)
    people_sd: Positive = setting(0.06, "SD over people of a lead in CCC, assumed by `plan` before there is a run", "ours")
    seeds_sd: float = setting(0.005, "SD over seeds of the same lead", "ours", ge=0)
    rest_sd: float = setting(0.02, "SD of what is left of it", "ours", ge=0)


def walk(section: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any, str, str]]:
    """(dotted key, value, description, source) of every setting of a section."""
    for name, spec in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from walk(value, f"{prefix}{name}.")
        else:
            extra = spec.json_schema_extra
            source = extra.get("source") if isinstance(extra, dict) else None
            yield f"{prefix}{name}", value, spec.description or "", str(source or "ours")
