"""CEAP-360VR as recorded: genuine annotations against numbers read by hand, the twin in both editions, damaged files."""

from __future__ import annotations

import json
import shutil
import zipfile

import numpy as np
import pytest

from himoe.data.twins import synthesize
from himoe.datasets import ceap
from himoe.datasets._ceap_json import LABELS, Clips, shown, to_ratings, to_stick
from himoe.types import HimoeError, Record, Size
from tests.data.reading import reread, tokens_of, trials_of

SIZE = Size(("P1", "P2"), 3, 16.0)
ANNOTATION = "3_AnnotationData/Frame/P1_Annotation_FrameData.json"


@pytest.fixture(scope="module", params=["frame", "raw"])
def watched(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("ceap") / "source"
    return request.param, root, trials_of(ceap, "ceap", root, SIZE, request.param)


def content_of(path):
    return json.loads(path.read_text())


def test_the_joystick_becomes_ratings_by_hand():
    # (0.6, 0.8): radius 1, larger 0.8 -> 1.25 times (0.6, 0.8) = (0.75, 1) -> 5 + 4 times that. Beyond the rim: at the rim.
    stick = np.array([[0.6, 0.0, -1.2, -0.254], [0.8, 0.0, 0.0, -0.264]])
    # (-0.254, -0.264): radius 0.36635, larger 0.264 -> 1.38769 times -> (-0.35247, -0.36635)
    np.testing.assert_allclose(to_ratings(stick), [[8, 5, 1, 3.59011], [9, 5, 5, 3.53460]], atol=1e-5)
    inside = np.array([[8.0, 5.0, 2.5, 1.0], [9.0, 5.0, 6.0, 9.0]])
    np.testing.assert_allclose(to_ratings(to_stick(inside)), inside, atol=1e-12)


@pytest.mark.parametrize("edition", ["frame", "raw"])
def test_the_repositorys_zip_is_read_as_its_host_packs_it(tmp_path, edition):
    """Its folders: REPOSITORY-COMMIT/CEAP-360VR/..., scripts and pictures beside the data."""
    synthesize("ceap", tmp_path / "d", SIZE, edition, 1.0, 3)
    plain = reread(ceap, "ceap", tmp_path / "d", SIZE, edition)
    (tmp_path / "z").mkdir()
    with zipfile.ZipFile(tmp_path / "z/CEAP-360VR-Dataset.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in (tmp_path / "d").rglob("*.json"):
            packed.write(path, f"CEAP-360VR-Dataset-d41a821/CEAP-360VR/{path.relative_to(tmp_path / 'd')}")
        packed.writestr("CEAP-360VR-Dataset-d41a821/CEAP-360VR/6_Scripts/2_Data Processed/a.py", "")
    for a, b in zip(plain, reread(ceap, "ceap", tmp_path / "z", SIZE, edition), strict=True):
        assert a.trial == b.trial
        np.testing.assert_array_equal(a.targets, b.targets)
        np.testing.assert_array_equal(a.signals["bvp"].data, b.signals["bvp"].data)
    names = {d.edition: (d.url.startswith("https://github.com/"), d.hosts) for d in ceap.INFO.downloads}
    assert names == dict.fromkeys(("frame", "raw"), (True, ("codeload.github.com",)))


def test_clips_come_in_the_order_in_which_they_were_shown(watched):
    _, root, trials = watched
    order = content_of(root / "2_QuestionnaireData/P1_Questionnaire_Data.json")["QuestionnaireData"][0]["VideoOrder"]
    assert [t.trial for t in trials] == [t.stimulus for t in trials] == [f"V{n}" for n in order.split()]
    assert sorted(order.split()) == ["1", "2", "3"]


def test_signals_are_in_si_units_and_without_jumps(watched):
    _, _, trials = watched
    for trial in trials:
        s = {name: signal.data for name, signal in trial.signals.items()}
        assert {name: data.shape for name, data in s.items()} == {
            "gsr": (1, 64), "temperature": (1, 64), "bvp": (1, 1024), "cardiac": (2, 64), "pupil": (2, 1920),
            "gaze": (4, 1920), "head": (4, 1920), "motion": (4, 512),
        }  # fmt: skip
        assert 1e-8 < s["gsr"].min() <= s["gsr"].max() < 1e-5
        assert 1e-3 < s["pupil"].min() <= s["pupil"].max() < 8e-3  # blinks, 0 in the file, are bridged
        assert 40 < np.nanmin(s["cardiac"][0]) <= np.nanmax(s["cardiac"][0]) < 150
        np.testing.assert_allclose(np.nanmedian(60 / s["cardiac"][1]), np.nanmedian(s["cardiac"][0]), rtol=0.05)
        np.testing.assert_allclose(np.linalg.norm(s["head"][:3], axis=0), 1, atol=1e-3)
        np.testing.assert_allclose(np.median(s["motion"][:3], axis=1), np.array([-52, 23, 30]) * 9.80665 / 64, atol=0.2)


def test_both_editions_are_one_recording(tmp_path):
    a, b = (trials_of(ceap, "ceap", tmp_path / e, Size(("P1",), 2, 16.0), e) for e in ("frame", "raw"))
    for one, other in zip(a, b, strict=True):
        for name in ("gaze", "head"):  # angles, Euler angles and a direction: the same, but for the samples' times
            x, y = one.signals[name].data[:3], other.signals[name].data[:3]
            assert x.shape == y.shape
            np.testing.assert_allclose(np.linalg.norm(y, axis=0), 1, atol=1e-3)
        frame, raw = (np.interp(np.arange(3, 14), t.target_times, t.targets[:, 0]) for t in (one, other))
        assert np.abs(frame - raw).mean() < 0.5  # the hand's noise is drawn anew


def test_labels_stand_where_they_were_given(watched):
    """The label of the token at time t is the file's rating at t, on the file's own clock, irregular or not."""
    edition, root, trials = watched
    tokens = tokens_of(ceap, "ceap", trials)
    assert tokens.time[: tokens.offsets[1]].tolist() == list(range(1, 16))  # 2 s windows, one a second
    names = LABELS[edition]
    kind = "Frame" if edition == "frame" else "Raw"
    clips = content_of(root / f"3_AnnotationData/{kind}/P1_Annotation_{kind}Data.json")[names[0]][0][names[1]]
    for trial, first, last in zip(tokens.trials, tokens.offsets[:-1], tokens.offsets[1:], strict=True):
        samples = next(c for c in clips if c["VideoID"] == trial.trial)[names[2]]
        times = np.array([s["TimeStamp"] for s in samples])
        if edition == "frame":
            ratings = np.array([[s["Valence"], s["Arousal"]] for s in samples]).T
        else:
            ratings = to_ratings(np.array([[s["X_Value"], s["Y_Value"]] for s in samples]).T)
            assert len(set(np.diff(times).round(3))) > 10
        expected = [np.interp(tokens.time[first:last], times, row) for row in ratings]
        np.testing.assert_allclose(tokens.y[first:last].T, expected, atol=1e-5)


def test_intervals_are_known_near_a_beat_alone(tmp_path):
    trials_of(ceap, "ceap", tmp_path / "d", SIZE)
    path = tmp_path / "d/5_PhysioData/Raw/P1_Physio_RawData.json"
    content = content_of(path)
    clip = content["Physio_RawData"][0]["Video_Physio_RawData"][0]
    times = [0.9, 1.8, 2.6, 8.0, 8.8]
    clip["IBI_RawData"] = [{"TimeStamp": t, "IBI": str(i)} for t, i in zip(times, (0.9, 0.9, 0.8, 9.0, 0.8), strict=True)]
    clip["HR_RawData"] = []
    path.write_text(json.dumps(content))
    trial = next(t for t in reread(ceap, "ceap", tmp_path / "d", SIZE) if t.trial == "V1")
    rate, interval = trial.signals["cardiac"].data
    assert np.isnan(rate).all()
    known = np.flatnonzero(np.isfinite(interval)) / 4
    # 9 s is no interval of a heart: between the beats at 2.6 and 8.8 s nothing is known; after the last, for 1.5 s
    np.testing.assert_array_equal(known, [*np.arange(0, 2.75, 0.25), *np.arange(9, 10.5, 0.25)])
    assert interval[4] == pytest.approx(0.9)


def _annotation(change):
    def apply(root):
        content = content_of(root / ANNOTATION)
        change(content["ContinuousAnnotation_FrameData"][0])
        (root / ANNOTATION).write_text(json.dumps(content))

    return apply


def _first(person, key, value):
    person["Video_Annotation_FrameData"][0]["TimeStamp_Valence_Arousal"][3][key] = value


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_annotation(lambda p: _first(p, "Valence", 9.4)), r"V1: no ratings, or one outside 1\.\.9"),
        (_annotation(lambda p: _first(p, "Valence", None)), r"V1: no ratings, or one outside 1\.\.9"),
        (
            _annotation(lambda p: _first(p, "Arousal", "x")),
            "V1: TimeStamp_Valence_Arousal: expected a list of TimeStamp, Valence",
        ),
        (
            _annotation(lambda p: _first(p, "Arousal", True)),
            "V1: TimeStamp_Valence_Arousal: expected .*true or false among them",
        ),
        (_annotation(lambda p: _first(p, "TimeStamp", 7.0)), "times are not in increasing order"),
        (_annotation(lambda p: p.pop("Video_Annotation_FrameData")), r"expected ContinuousAnnotation_FrameData\[0\]"),
        (_annotation(lambda p: p.update(ParticipantID="P2")), "it is of participant P2, not P1"),
        (_annotation(lambda p: p["Video_Annotation_FrameData"].pop()), "V3: TimeStamp_Valence_Arousal: expected a list"),
        (lambda root: (root / ANNOTATION).write_text("{"), "not readable as JSON"),
    ],
    ids=["range", "null", "text", "truth", "order", "key", "person", "clip", "cut"],
)
def test_what_is_wrong_in_an_annotation_is_named(tmp_path, damage, message):
    synthesize("ceap", tmp_path / "d", SIZE, "frame", 1.0, 3)
    damage(tmp_path / "d")
    with pytest.raises(HimoeError, match=rf"P1_Annotation_FrameData\.json: .*{message}"):
        reread(ceap, "ceap", tmp_path / "d", SIZE)


def test_a_clock_that_is_not_of_the_clip_is_named(tmp_path):
    """A wristband that counts from 1970 would leave the modality out without a word."""
    synthesize("ceap", tmp_path / "d", SIZE, "frame", 1.0, 3)
    path = tmp_path / "d/5_PhysioData/Raw/P1_Physio_RawData.json"
    content = content_of(path)
    for sample in content["Physio_RawData"][0]["Video_Physio_RawData"][0]["EDA_RawData"]:
        sample["TimeStamp"] += 1.6e9
    path.write_text(json.dumps(content))
    with pytest.raises(HimoeError, match=r"P1_Physio_RawData\.json: V1: EDA_RawData: times from .* s are none of a clip"):
        reread(ceap, "ceap", tmp_path / "d", SIZE)


def test_an_order_that_is_none_is_named(tmp_path):
    synthesize("ceap", tmp_path / "d", SIZE, "frame", 1.0, 3)
    path = tmp_path / "d/2_QuestionnaireData/P1_Questionnaire_Data.json"
    path.write_text(path.read_text().replace('"VideoOrder": "', '"VideoOrder": "1 '))
    with pytest.raises(HimoeError, match="is not V1 to V3, each once"):
        reread(ceap, "ceap", tmp_path / "d", SIZE)


@pytest.mark.recordings
def test_genuine_annotations_by_hand(ceap_files):
    """P1, third clip, read in the JSON by hand: raw at 7.365 and 7.482 s, frame 221 at 7.371 s between the two."""
    raw = Clips(ceap_files / "3_AnnotationData/Raw/P1_Annotation_RawData.json", *LABELS["raw"][:2], "P1")
    frame = Clips(ceap_files / ANNOTATION, *LABELS["frame"][:2], "P1")
    times, ratings = ceap.read_ratings(raw, "V3", "raw")
    at = times.tolist().index(7.365)
    assert times[at + 1] == 7.482
    np.testing.assert_allclose(ratings[at], [3.59011, 3.53460], atol=1e-5)
    times, ratings = ceap.read_ratings(frame, "V3", "frame")
    assert times[221] == 7.371
    assert ratings[221].tolist() == [3.58, 3.525]
    assert len(times) == 1800
    assert len(ceap.read_ratings(frame, "V1", "frame")[0]) == 1500  # 25 Hz
    assert shown(ceap_files / "2_QuestionnaireData/P3_Questionnaire_Data.json", 8) == [
        "V1", "V4", "V2", "V3", "V6", "V5", "V8", "V7",
    ]  # fmt: skip


@pytest.mark.recordings
def test_raw_annotations_mapped_here_are_those_of_the_frame_level(ceap_files):
    """All 32 x 8, within the three decimals of either file; but for one clip, whose raw file its owners replaced."""
    differ, steps = [], []
    for subject in ceap.INFO.subjects:
        raw, frame = (
            Clips(
                ceap_files / f"3_AnnotationData/{k}/{subject}_Annotation_{k}Data.json",
                *LABELS[k.lower()][:2],
                subject,
            )
            for k in ("Raw", "Frame")
        )
        for clip in raw.entries:
            (times, ratings), (grid, labels) = ceap.read_ratings(raw, clip, "raw"), ceap.read_ratings(frame, clip, "frame")
            at = np.linspace(0, 60, len(grid))
            made = np.stack([np.interp(at, times, row) for row in ratings.T.round(3)], axis=1)
            steps.append(np.diff(times))
            if np.abs(made - labels).max() > 1.01e-3:
                differ.append((subject, clip))
    assert differ == [("P15", "V8")]
    genuine = np.concatenate(steps)
    shortest, longest, mean, spread = ceap.TWIN_STEPS
    assert np.quantile(genuine, 0.001) == pytest.approx(shortest, abs=1e-3)
    assert np.quantile(genuine, 0.999) == pytest.approx(longest, abs=1e-3)
    assert (genuine.mean(), genuine.std()) == pytest.approx((mean, spread), abs=5e-4)


@pytest.mark.recordings
def test_genuine_files_are_read_with_the_rest_of_a_twin(ceap_files, tmp_path):
    """Whose behaviour and physiology are at hand in the same format but not genuine: labels and order are P1's own."""
    size = Size(("P1",), 8, 60.0)
    synthesize("ceap", tmp_path / "d", size, "frame", 1.0, 3)
    edition = ceap.INFO.editions[0]
    for name in ("2_QuestionnaireData", "3_AnnotationData"):
        shutil.copytree(ceap_files / name, tmp_path / "d" / name, dirs_exist_ok=True)
    [record] = ceap.records(tmp_path / "d", size, edition)
    trials = list(ceap.read(tmp_path / "d", Record("P1", record.files, "frame"), size))
    assert [t.stimulus for t in trials] == ["V1", "V3", "V4", "V2", "V6", "V5", "V7", "V8"]
    tokens = tokens_of(ceap, "ceap", trials)
    assert np.isfinite(tokens.y).all()
    # V1 at 30 s: between frames 749 (29.98) and 750 (30.02: 6.408), in the JSON 6.424 and 6.408
    third = tokens.y[tokens.offsets[0] : tokens.offsets[1]][list(tokens.time[: tokens.offsets[1]]).index(30.0)]
    assert third[1] == 9.0
    assert 6.40 < third[0] < 6.43
