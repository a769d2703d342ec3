"""A recording of one's own, whatever file it comes in: channels with their units and rates, and marks of what was when.

``recording.edf`` and ``.bdf`` are read by edfio, ``.vhdr`` (BrainVision) and ``.fif`` through MNE; ``.csv``, ``.tsv``,
``.parquet`` as tables;
``*_physio.tsv.gz`` as BIDS has it, with its JSON beside it. A mapping file says what files do not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, ConfigDict, Field, ValidationError

from himoe import registry
from himoe.config.fields import Positive, Strict
from himoe.library import formats
from himoe.library.formats import Channel, Mark
from himoe.library.units import unit_of
from himoe.names import WINDOW
from himoe.types import HimoeError

TRIALS = "trial*"  # marks of this name are trials, unless a mapping says otherwise


class ChannelMapping(Strict):
    """What a channel of the file is to a model; ``channel`` is its name there, if another."""

    modality: str = ""
    channel: str = ""
    unit: str = ""
    rate: Positive | None = None


def _short(value: Any) -> Any:
    """``GSR: gsr`` for ``GSR: {modality: gsr}``."""
    return {"modality": value} if isinstance(value, str) else value


class Mapping(Strict):
    """What a file does not say of itself (YAML)."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    channels: dict[str, Annotated[ChannelMapping, BeforeValidator(_short)]] = Field(default={})
    rate: Positive | None = Field(default=None, description="Hz, of a table without a column of time")
    trials: str = Field(
        default=TRIALS, description="which marks are trials (a pattern); without marks the whole recording is one"
    )
    baseline: float = Field(default=0.0, ge=0, description="s of rest before each trial's onset")
    reference: dict[str, Literal["average"]] = Field(
        default={}, description="modality -> average: every channel minus the mean of all"
    )


AS_IS = Mapping()


@dataclass(frozen=True)
class Recording:
    """One person's recording in one session.

    Attributes
    ----------
    name : of its file · channels : in the order of the file · marks : by onset · mapping : what was said of it.
    """

    name: str
    channels: tuple[Channel, ...]
    marks: tuple[Mark, ...] = ()
    mapping: Mapping = AS_IS

    @property
    def unmatched(self) -> str:
        """The names of marks, where there are marks and none is a trial's; else empty."""
        if not self.marks or any(fnmatchcase(m.name.lower(), self.mapping.trials.lower()) for m in self.marks):
            return ""
        names = list(dict.fromkeys(m.name for m in self.marks))
        return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")

    @property
    def trials(self) -> list[Mark]:
        """The marks that are trials, each with a name of its own; the whole recording where there is none."""
        found = [m for m in self.marks if fnmatchcase(m.name.lower(), self.mapping.trials.lower())]
        if not found:
            start, end = min(c.start for c in self.channels), max(c.end for c in self.channels)
            return [Mark("whole", start, end - start)]
        found = [replace(m, name=m.name.replace(WINDOW, "_")) for m in found]  # names of windows hold the sign
        return [replace(m, name=name) for m, name in zip(found, formats.distinct([m.name for m in found]), strict=True)]


def read_mapping(path: str | Path) -> Mapping:
    """The mapping in a YAML file; HimoeError in one line if it is none, with the key."""
    try:
        return Mapping.model_validate(yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {})
    except ValidationError as error:
        found = error.errors()[0]
        key = ".".join(str(part) for part in found["loc"])
        raise HimoeError(f"{path}: {key}: {found['msg']}; keys: {', '.join(Mapping.model_fields)}") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise HimoeError(f"{path}: not a readable mapping file ({' '.join(str(error).split())})") from error


def read_recording(path: str | Path, mapping: str | Path | Mapping | None = None) -> Recording:
    """A recording of EDF, BDF, BrainVision, FIF, CSV, TSV, Parquet or BIDS physio.

    Parameters
    ----------
    path
        The file; what belongs to it (``.vmrk``, JSON of BIDS, ``*_events.tsv``) stands beside it.
    mapping
        A YAML file, or a :class:`Mapping`: what channels are, units, rates, which marks are trials, the baseline.

    Returns
    -------
    Recording
        ``channels``, each with its samples, rate (Hz), unit and start (s), and ``trials``, what the model is asked about.

    Raises
    ------
    HimoeError
        In one line if the file is absent, of another kind or damaged, or if the mapping names a channel that is not in it.

    Examples
    --------
    >>> import himoe, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "wristband.csv")
    >>> _ = path.write_text("time,EDA\\n0.00,1.2\\n0.25,1.3\\n0.50,1.3\\n0.75,1.4\\n")
    >>> [eda] = himoe.read_recording(path).channels
    >>> eda.name, eda.sfreq, eda.data.tolist()
    ('EDA', 4.0, [1.2, 1.3, 1.3, 1.4])
    """
    path, said = Path(path), mapping if isinstance(mapping, Mapping) else read_mapping(mapping) if mapping else AS_IS
    if not path.is_file():
        raise HimoeError(f"{path}: no such recording")
    channels, marks = formats.read(path, said.rate)
    if not channels or not all(len(c.data) for c in channels):
        raise HimoeError(f"{path}: nothing was recorded in it")
    names = [c.name for c in channels]
    if absent := [name for name in said.channels if name not in names]:
        near = registry.hint(absent[0], names)
        raise HimoeError(
            f"{path}: no channel '{absent[0]}', which the mapping names; {near or 'channels: ' + ', '.join(names[:40])}"
        )
    told = tuple(_as_told(c, said.channels.get(c.name, ChannelMapping()), path) for c in channels)
    recording = Recording(path.name.partition(".")[0], told, tuple(sorted(marks, key=lambda m: m.onset)), said)
    if "trials" in said.model_fields_set and (recording.unmatched or not marks):
        there = f"marks: {recording.unmatched}" if marks else "the file has no marks"
        raise HimoeError(f"{path}: no mark is '{said.trials}', which the mapping names; {there}")
    return recording


def _as_told(channel: Channel, said: ChannelMapping, path: Path) -> Channel:
    """A channel with the unit and the rate that a mapping says, else with those of the file."""
    unit = unit_of(said.unit or channel.unit, f"{path}: channel {channel.name}") if said.unit or channel.unit else ""
    return replace(channel, unit=unit, sfreq=said.rate or channel.sfreq)
