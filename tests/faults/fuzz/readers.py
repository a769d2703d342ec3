"""Every reader of files that others wrote, or that somebody may have changed since: name -> reader."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from himoe.data.recordings import read_trials
from himoe.data.tokens import read_tokens
from tests.faults.fuzz import formats as f
from tests.faults.fuzz import kept as k
from tests.faults.fuzz import mutations as m
from tests.faults.fuzz.owners import packed, source
from tests.faults.fuzz.reader import Reader

CEAP = (
    ("frame", "3_AnnotationData/Frame/P1_Annotation_FrameData.json"),
    ("raw", "3_AnnotationData/Raw/P1_Annotation_RawData.json"),
    ("frame", "4_BehaviorData/Transformed/P1_Behavior_TransData.json"),
    ("raw", "5_PhysioData/Raw/P1_Physio_RawData.json"),
    ("frame", "2_QuestionnaireData/P1_Questionnaire_Data.json"),
)


def _readers() -> Iterable[tuple[str, Reader]]:
    text, table = (*m.BYTES, m.odd_word), (*m.BYTES, m.odd_word, *[f.csv_cells] * 6)
    archive, document = (*m.BYTES, *[f.zip_members] * 6), (*m.BYTES, m.odd_word, *[f.json_value] * 8)
    dat = source("deap", "python", "s01.dat", (*m.BYTES, *[f.pickled] * 6), 1, 1.0)
    yield "DEAP .dat", dat
    yield "DEAP archive", packed(dat, "data_preprocessed_python.zip", archive)
    yield "DEAP .mat", source("deap", "matlab", "s01.mat", (*m.BYTES, *[f.matlab] * 6), 1, 1.0)
    yield "DEAP .bdf", source("deap", "raw", "s01.bdf", (*m.BYTES, *[f.bdf_field] * 8), 1, 1.0)
    yield "DEAP ratings", source("deap", "raw", "participant_ratings.csv", table, 2, 2.0)
    yield "DREAMER.mat", source("dreamer", "matlab", "DREAMER.mat", (*m.BYTES, *[f.matlab] * 8), 2, 3.0, 2)
    yield "CASE physiology", source("case", "interpolated", "data/interpolated/physiological/sub_1.csv", table, 1, 2.0)
    yield "CASE annotations", source("case", "interpolated", "data/interpolated/annotations/sub_1.csv", table, 2, 3.0)
    for edition, file in CEAP:
        yield f"CEAP {Path(file).stem[3:]}", source("ceap", edition, file, document, 2, 2.0)
    yield "CEAP digitised", source("ceap_digitised", "npz", "ceap_4hz.npz", (*archive, *[f.npz_arrays] * 8), 2, 4.0, 2)
    for name in ("eeg_metrics", "gsr"):
        yield f"eSports {name}", source("esports", "csv", f"matches/match_1/player_1/{name}.csv", table, 1, 30.0)
    yield "eSports match", source("esports", "csv", "matches/match_1/meta_info.json", document, 1, 30.0)
    arrays = (*archive, *[f.npz_arrays] * 8)
    tensors, columns = (*m.BYTES, *[f.safetensors_header] * 8), (*m.BYTES, *[f.parquet_columns] * 6)
    kept = {
        "tokens": Reader("s.npz", k.write_tokens, lambda root: read_tokens(root / "s.npz"), arrays, k.wrong_tokens),
        "split file": Reader("splits.csv", k.write_splits, k.read_split_file, table, k.wrong_splits),
        "run record": Reader("run.json", k.write_fit, k.read_fit, document, k.wrong_fit),
        "predictions": k.table("p.parquet", columns),
        "scores": k.table("s.csv", table),
    }
    for name, reader in kept.items():
        yield from ((name, reader), (f"{name}, sealed", k.sealed(reader)))
    yield "weights", Reader("w.safetensors", k.write_fit, k.read_fit, tensors, k.wrong_fit, True)
    read = lambda root: read_trials(root / "s.safetensors")  # noqa: E731
    yield "recordings", Reader("s.safetensors", k.write_recordings, read, tensors, k.wrong_recordings, True)
    yield "state to resume", Reader(".resume", k.write_resume, k.read_resume, (*m.BYTES, m.odd_word), sealed=True)
    yield "config", Reader("c.yaml", k.write_config, k.read_config, (*text, *[f.yaml_lines] * 8, *[m.odd_word] * 4))


READERS = dict(_readers())
