"""What a file states about itself is compared with what is assumed of it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.io import loadmat, savemat
from scipy.sparse import eye_array

from himoe.data import intake
from himoe.data.matfile import walk
from himoe.data.twins import synthesize
from himoe.datasets import _deap_raw, deap, dreamer
from himoe.types import HimoeError, Size

SIZE = Size(("s01",), 2, 8.0)
NAMES = deap.INFO.modalities[0].channels


@pytest.fixture(scope="module")
def bdf(tmp_path_factory):
    root = tmp_path_factory.mktemp("bdf")
    synthesize("deap", root, SIZE, "raw", 1.0, 0)
    return root, (root / "s01.bdf").read_bytes()


def field(content, offset, width, signal):
    """Where a field of a signal stands in a BDF header: all signals' one after the other, ``offset`` bytes of them before."""
    n_signals = int(content[252:256])
    first = 256 + n_signals * offset + width * (signal % n_signals)
    return slice(first, first + width)


def read_bdf(bdf, tmp_path, changes, subject="s01"):
    root, content = bdf
    changed = bytearray(content)
    for offset, width, signal, text in changes:
        where = slice(244, 252) if offset < 0 else field(content, offset, width, signal)
        changed[where] = text.ljust(width).encode()
    (tmp_path / f"{subject}.bdf").write_bytes(changed)
    ratings = (root / "participant_ratings.csv").read_text().replace("\n1,", f"\n{int(subject[1:])},")
    (tmp_path / "participant_ratings.csv").write_text(ratings)
    return _deap_raw.read(tmp_path / f"{subject}.bdf", tmp_path / "participant_ratings.csv", 2, 3.0, 8.0, NAMES, 128.0)


UNIT, LOW, HIGH = 96, 104, 112  # bytes of a signal's header before its unit, its physical minimum and maximum


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([(-1, 8, 0, "2")], "recorded at 256 Hz, expected 512"),  # a record lasts 2 s
        ([(UNIT, 8, 0, "V")], "channel Fp1 is in V, expected uV"),
        ([(UNIT, 8, 32, "mV")], "channel EXG1 is in mV, expected uV"),
        ([(UNIT, 8, 40, "Ohm")], "GSR1 is in Ohm, expected nS of this recording site"),
        ([(LOW, 8, 0, "9999"), (HIGH, 8, 0, "-9999")], "signal 1 has its physical or digital limits the wrong way round"),
    ],
    ids=["rate", "volts", "millivolts", "the other site's unit", "limits"],
)
def test_a_header_that_says_otherwise_is_refused(bdf, tmp_path, changes, message):
    with pytest.raises(HimoeError, match=rf"s01\.bdf: {message}"):
        read_bdf(bdf, tmp_path, changes)


@pytest.mark.parametrize(
    "changes",
    [
        [(UNIT, 8, -1, "uV"), (LOW, 8, -1, "-262144"), (HIGH, 8, -1, "262143")],  # calibrated as if it were EEG
        [(UNIT, 8, -1, "uV"), (LOW, 8, -1, "0"), (HIGH, 8, -1, "262143")],
        [(LOW, 8, -1, "5"), (HIGH, 8, -1, "5")],
    ],
    ids=["as EEG", "from 0", "no range"],
)
def test_triggers_are_bytes_whatever_gain_the_header_states(bdf, tmp_path, changes):
    plain, other = (read_bdf(bdf, tmp_path, c) for c in ([], changes))
    for name in plain:
        np.testing.assert_array_equal(other[name], plain[name])


def test_ratings_of_a_participant_and_a_half_are_nobodys(bdf, tmp_path):
    root, _ = bdf
    text = (root / "participant_ratings.csv").read_text().replace("\n1,1,", "\n1,1.4,")
    (tmp_path / "r.csv").write_text(text)
    with pytest.raises(HimoeError, match=r"r\.csv: participant 1: trials or Experiment_ids are not 1\.\.2, each once"):
        _deap_raw._ratings(tmp_path / "r.csv", 1, 2)


def dreamer_with(tmp_path, **facts):
    """A twin of one subject whose stated facts were changed before it was saved."""
    size = Size(dreamer.INFO.subjects[:1], 2, 8.0)
    synthesize("dreamer", tmp_path / "d", size, "matlab", 1.0, 0)
    content = loadmat(tmp_path / "d/DREAMER.mat")["DREAMER"]
    for name, value in facts.items():
        content[0, 0][name] = value
    savemat(tmp_path / "d/DREAMER.mat", {"DREAMER": content})
    recordings = intake.find("dreamer_twin", tmp_path / "d")
    return intake.take_in("dreamer_twin", recordings, size, tmp_path / "unpacked")


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"EEG_SamplingRate": np.array([[256.0]])}, r"EEG_SamplingRate is \[256\.0\], expected 128"),
        ({"ECG_SamplingRate": np.array([[128.0]])}, r"ECG_SamplingRate is \[128\.0\], expected 256"),
        ({"EEG_Electrodes": np.array([dreamer.EEG_NAMES[::-1]], object)}, r"EEG_Electrodes are AF4, F8, .*, expected AF3, F7,"),
    ],
    ids=["EEG rate", "ECG rate", "electrodes"],
)
def test_dreamers_own_facts_are_read(tmp_path, facts, message):
    with pytest.raises(HimoeError, match=rf"DREAMER\.mat: {message}"):
        dreamer_with(tmp_path, **facts)


def test_variables_that_nobody_asks_for_may_be_anything(tmp_path):
    """A user's own beside the recordings: sparse, complex, of any class."""
    data = np.arange(6.0).reshape(2, 3)
    extra = {"S": eye_array(4, format="csc"), "z": np.array([1 + 2j])}
    savemat(tmp_path / "s.mat", extra | {"data": data} | {"e": np.zeros((0, 0))})
    ((path, value),) = walk(tmp_path / "s.mat", lambda at: at == ("data",))
    assert path == ("data",)
    np.testing.assert_array_equal(value, data)
    with pytest.raises(HimoeError, match=r"refused or truncated \(S is an array of class 5, which no recording needs\)"):
        list(walk(tmp_path / "s.mat"))


def test_two_variables_of_one_name_are_refused(tmp_path):
    for name, value in (("a", 1.0), ("b", 2.0)):
        savemat(tmp_path / f"{name}.mat", {"data": np.full((2, 2), value)})
    (tmp_path / "s.mat").write_bytes((tmp_path / "a.mat").read_bytes() + (tmp_path / "b.mat").read_bytes()[128:])
    with pytest.raises(HimoeError, match="two variables called data"):
        list(walk(tmp_path / "s.mat"))
