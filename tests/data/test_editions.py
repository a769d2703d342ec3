"""DEAP in three editions, DREAMER's switch, CASE's late ratings."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from himoe.data import intake
from himoe.data.twins import synthesize
from himoe.datasets import _deap_raw, deap, dreamer
from himoe.signal import cleaning
from himoe.types import HimoeError, Size
from tests.data.reading import reread, tokens_of, trials_of

SIZE = Size(("s01",), 5, 16.0)


def test_matlab_is_python_bit_for_bit(tmp_path):
    python, matlab = (trials_of(deap, "deap", tmp_path / e, SIZE, e) for e in ("python", "matlab"))
    a, b = tokens_of(deap, "deap", python), tokens_of(deap, "deap", matlab)
    for name in ("x", "mask", "time", "y"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert a.trials == b.trials  # digests included


# Largest relative RMS difference and smallest correlation over trials and channels, cleaned raw recording against the twin's
# preprocessed one. EMG reaches up to the Nyquist frequency, which resampling cuts; EEG bears the filter and the regression.
TOLERANCE = {"eeg": (0.06, 0.99), "emg": (0.15, 0.985)}


@pytest.mark.parametrize("subject", ["s01", "s23", "s24", "s29"])
def test_raw_is_python_within_a_tolerance(tmp_path, subject):
    """One subject of each site and of each quirk of the status channel: order, names, units, triggers, video order."""
    size = Size((subject,), 5, 16.0)
    python, raw = (trials_of(deap, "deap", tmp_path / e, size, e) for e in ("python", "raw"))
    for a, b in zip(python, raw, strict=True):
        assert a.stimulus == b.stimulus
        np.testing.assert_allclose(a.targets, b.targets, rtol=1e-7)
        for name in a.signals:
            x, y = a.signals[name].data, b.signals[name].data
            most, least = TOLERANCE.get(name, (0.03, 0.999))
            assert np.sqrt(np.mean((x - y) ** 2)) <= most * x.std(), name
            assert min(np.corrcoef(p, q)[0, 1] for p, q in zip(x, y, strict=True)) >= least, name
    a, b = tokens_of(deap, "deap", python), tokens_of(deap, "deap", raw)
    eeg = a.layout.slices["eeg"]
    assert np.corrcoef(a.x[:, eeg].ravel(), b.x[:, eeg].ravel())[0, 1] > 0.97


@pytest.fixture(scope="module")
def raw_file(tmp_path_factory):
    root = tmp_path_factory.mktemp("raw") / "source"
    synthesize("deap", root, SIZE, "raw", 1.0, 3)
    return root


def read_raw(root, **kwargs):
    names = deap.INFO.modalities[0].channels
    return _deap_raw.read(
        root / "s01.bdf",
        root / "participant_ratings.csv",
        kwargs.get("n_trials", 5),
        3.0,
        kwargs.get("seconds", 16.0),
        names,
        128.0,
    )


def test_a_missing_trigger_is_counted(raw_file, tmp_path):
    shutil.copytree(raw_file, tmp_path / "source")
    ratings = tmp_path / "source/participant_ratings.csv"
    more = ratings.read_text() + "1,6,6,0,5,5,5,5,3\n"
    ratings.write_text(more)
    with pytest.raises(HimoeError, match=r"s01\.bdf: 5 video starts in the status channel, expected 6"):
        read_raw(tmp_path / "source", n_trials=6)


def test_a_recording_that_ends_within_a_trial_names_the_video(raw_file):
    with pytest.raises(HimoeError, match=r"s01\.bdf: the recording ends within the trial of video \d"):
        read_raw(raw_file, seconds=30.0)


def test_ratings_must_list_every_trial_once(raw_file, tmp_path):
    shutil.copytree(raw_file, tmp_path / "source")
    ratings = tmp_path / "source/participant_ratings.csv"
    lines = ratings.read_text().splitlines()
    ratings.write_text("\n".join([*lines[:-1], lines[1]]) + "\n")
    with pytest.raises(HimoeError, match=r"participant 1: trials or Experiment_ids are not 1\.\.5, each once"):
        read_raw(tmp_path / "source")
    ratings.write_text("a,b\n1,2\n")
    with pytest.raises(HimoeError, match="expected columns Participant_id, Trial"):
        read_raw(tmp_path / "source")


def test_a_truncated_recording_is_one_line(raw_file, tmp_path):
    shutil.copytree(raw_file, tmp_path / "source")
    whole = (raw_file / "s01.bdf").read_bytes()
    for n_bytes in (0, 300, len(whole) // 2, len(whole) - 1):
        (tmp_path / "source/s01.bdf").write_bytes(whole[:n_bytes])
        with pytest.raises(HimoeError, match=r"s01\.bdf"):
            read_raw(tmp_path / "source")


def test_eye_movements_are_regressed_out_by_hand():
    eog = np.array([[1.0, -1, 0, 0], [0, 0, 1, -1]])
    brain = np.array([[1.0, 1, -1, -1]])  # orthogonal to both
    weights = cleaning.eog_weights(brain + 0.5 * eog[:1] - 2 * eog[1:] + 7, eog)
    np.testing.assert_allclose(weights, [[0.5, -2.0]], atol=1e-12)


def test_regression_is_mnes():
    import mne

    rng = np.random.default_rng(0)
    eeg, eog = rng.standard_normal((4, 2000)), rng.standard_normal((2, 2000))
    eeg += rng.uniform(0.1, 0.5, (4, 2)) @ eog
    info = mne.create_info([*"abcd", "h", "v"], 128.0, ["eeg"] * 4 + ["eog"] * 2)
    raw = mne.io.RawArray(np.concatenate([eeg, eog]), info, verbose="error")
    raw.set_eeg_reference([], verbose="error")
    fitted = mne.preprocessing.EOGRegression(picks="eeg", picks_artifact="eog").fit(raw)
    np.testing.assert_allclose(cleaning.eog_weights(eeg, eog), fitted.coef_, atol=1e-9)


def test_average_reference_by_hand():
    np.testing.assert_allclose(cleaning.average_reference(np.array([[1.0, 2], [3, 6]])), [[-1, -2], [1, 2]])


def test_dominance_is_flipped_only_when_asked(tmp_path):
    size = Size(dreamer.INFO.subjects[:1], 3, 10.0)
    plain = trials_of(dreamer, "dreamer", tmp_path / "d", size)
    flipped = reread(dreamer, "dreamer", tmp_path / "d", size, flip_dominance=True)
    for a, b in zip(plain, flipped, strict=True):
        assert b.targets[2] == 6 - a.targets[2]
        np.testing.assert_array_equal(a.targets[:2], b.targets[:2])


def test_dreamers_ecg_keeps_its_rate_and_its_last_seconds(tmp_path):
    from scipy.io import loadmat

    size = Size(dreamer.INFO.subjects[:2], 2, 10.0)
    trials = trials_of(dreamer, "dreamer", tmp_path / "d", size)
    person = loadmat(tmp_path / "d/DREAMER.mat", simplify_cells=True)["DREAMER"]["Data"][0]
    for i, trial in enumerate(trials):
        assert trial.signals["ecg"].data.shape == (2, 2560)
        np.testing.assert_allclose(trial.signals["ecg"].data, person["ECG"]["stimuli"][i][-2560:].T * 1e-3, rtol=1e-6)
        np.testing.assert_allclose(trial.signals["eeg"].data, person["EEG"]["stimuli"][i][-1280:].T * 1e-6, rtol=1e-6)
        assert trial.targets.tolist() == [person[n][i] for n in dreamer.SCORES]


def _dreamer_with(tmp_path, damage):
    """A twin of one subject whose content was changed before it was saved."""
    from scipy.io import loadmat, savemat

    size = Size(dreamer.INFO.subjects[:1], 2, 8.0)
    synthesize("dreamer", tmp_path / "d", size, "matlab", 1.0, 0)
    content = loadmat(tmp_path / "d/DREAMER.mat")["DREAMER"]
    damage(content[0, 0]["Data"][0, 0])
    savemat(tmp_path / "d/DREAMER.mat", {"DREAMER": content})
    recordings = intake.find("dreamer_twin", tmp_path / "d")
    return lambda: intake.take_in("dreamer_twin", recordings, size, tmp_path / "unpacked")


def _set(person, field, value):
    person[0, 0][field][1, 0] = value


def _exchange(person, *fields):
    """Baselines (10 s) for stimuli (in this twin of 10.1 and 12.4 s)."""
    for field in fields:
        of = person[field][0, 0][0, 0]
        of["stimuli"], of["baseline"] = of["baseline"].copy(), of["stimuli"].copy()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: _set(p, "ScoreValence", 5.5), r"trial c02: scores \[5\.5, .* are not whole numbers within 1\.\.5"),
        (lambda p: _set(p, "ScoreArousal", np.nan), "trial c02: scores"),
        (lambda p: _set(p["EEG"][0, 0], "stimuli", np.zeros((2000, 13))), r"trial c02: eeg: shape \(2000, 13\), expected"),
        (lambda p: _set(p["ECG"][0, 0], "stimuli", np.zeros((100, 2))), "c02: ecg lasts 0.4 s, less than 8 s"),
        (
            lambda p: _exchange(p, "EEG", "ECG"),
            r"baselines last 10\.1 to 12\.4 s, expected one length; have baselines and stimuli",
        ),
        (lambda p: _exchange(p, "ECG"), r"trial c02: EEG\.baseline lasts 10\.0 s, ECG\.baseline 12\.4 s; have recordings"),
        (
            lambda p: _set(p["EEG"][0, 0], "stimuli", np.ones((2000, 14))),
            r"c02: EEG\.stimuli lasts 15\.6 s, ECG\.stimuli 12\.4 s",
        ),
    ],
    ids=["score", "nan score", "channels", "short", "baselines for stimuli", "of ECG alone", "another clip's EEG"],
)
def test_what_is_wrong_in_dreamer_is_named(tmp_path, damage, message):
    with pytest.raises(HimoeError, match=rf"DREAMER\.mat: subject s01.*{message}"):
        _dreamer_with(tmp_path, damage)()
