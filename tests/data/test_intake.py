"""Intake: what is recognised, what is refused, what is remembered."""

from __future__ import annotations

import json
import shutil
import zipfile

import numpy as np
import pytest

from himoe import io, registry
from himoe.data import intake, sources
from himoe.data.twins import synthesize
from himoe.data.untrusted import read_numpy_pickle
from himoe.datasets import deap, dreamer
from himoe.types import HimoeError, Size
from tests.faults.archives import write_zip

SIZE = Size(("s01", "s02"), 2, 8.0)


def drop(tmp_path, edition="python"):
    """A folder that holds a small twin of DEAP as if the owners' files stood there."""
    root = tmp_path / "deap"
    synthesize("deap", root, SIZE, edition, 1.0, 0)
    return root


def take(root, tmp_path, edition="", **options):
    return intake.take_in("deap", intake.find("deap", root, edition), SIZE, tmp_path / "unpacked", **options)


def pack(root, archive, prefix="data_preprocessed_python/"):
    """The folder's files as the owners' zip, away from the folder."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in sorted(p for p in root.rglob("*") if p.is_file() and p != archive):
            zipped.write(path, prefix + str(path.relative_to(root)))
    for path in list(root.iterdir()):
        if path != archive:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def record(manifest, tmp_path, subject="s01"):
    io.write_json(tmp_path / "manifest.json", manifest)
    return intake.read_manifest(tmp_path / "manifest.json", subject)


def trials(manifest, tmp_path):
    return list(deap.read(*record(manifest, tmp_path), SIZE))


@pytest.mark.parametrize("edition", ["python", "matlab", "raw"])
def test_each_edition_is_recognised(tmp_path, edition):
    manifest = take(drop(tmp_path, edition), tmp_path)
    assert manifest["edition"] == edition
    assert list(manifest["records"]) == ["s01", "s02"]
    if edition == "raw":
        assert "participant_ratings.csv" in manifest["source"]


def test_the_edition_asked_for_is_taken(tmp_path):
    root = drop(tmp_path)
    deap.write_matlab(root / "s01.mat", read_numpy_pickle(root / "s01.dat"))
    assert take(root, tmp_path)["edition"] == "python"
    with pytest.raises(HimoeError, match=r"edition 'matlab': 1 of 2 subjects absent \(s02\)"):
        take(root, tmp_path, edition="matlab")


def test_an_archive_is_the_same_as_its_content(tmp_path):
    root = drop(tmp_path)
    plain = trials(take(root, tmp_path), tmp_path)
    (root / "manifest.json").unlink()
    pack(root, root / "data_preprocessed_python.zip")
    manifest = take(root, tmp_path)
    assert list(manifest["source"]) == ["data_preprocessed_python.zip"]
    for a, b in zip(plain, trials(manifest, tmp_path), strict=True):
        np.testing.assert_array_equal(a.signals["eeg"].data, b.signals["eeg"].data)


def test_raw_deap_in_every_layout_its_owners_zips_give(tmp_path):
    """Recordings and ratings packed, loose, side by side or apart."""
    root = drop(tmp_path, "raw")
    plain = trials(take(root, tmp_path), tmp_path)
    ratings = (root / "participant_ratings.csv").read_bytes()

    def same():
        (root / "manifest.json").unlink(missing_ok=True)
        for a, b in zip(plain, trials(take(root, tmp_path), tmp_path), strict=True):
            np.testing.assert_array_equal(a.targets, b.targets)

    (root / "data_original").mkdir()
    (root / "metadata_csv").mkdir()
    for path in root.glob("*.bdf"):
        path.rename(root / "data_original" / path.name)
    (root / "participant_ratings.csv").rename(root / "metadata_csv/participant_ratings.csv")
    same()
    assert "metadata_csv/participant_ratings.csv" in json.loads((root / "manifest.json").read_text())
    shutil.rmtree(root / "metadata_csv")
    (root / "manifest.json").unlink()
    with pytest.raises(HimoeError, match=r"participant_ratings\.csv is absent, and edition 'raw' needs it"):
        take(root, tmp_path)
    with zipfile.ZipFile(root / "data_original.zip", "w") as zipped:
        for path in (root / "data_original").iterdir():
            zipped.write(path, f"data_original/{path.name}")
    shutil.rmtree(root / "data_original")
    (root / "participant_ratings.csv").write_bytes(ratings)
    same()
    assert "participant_ratings.csv" in json.loads((root / "manifest.json").read_text())
    assert root / "participant_ratings.csv" in sources.find(root, deap.INFO).files("s01")
    other = root.parent / "deap_old"
    other.mkdir()
    (other / "participant_ratings.csv").write_bytes(b"another data set's")
    same()
    (root / "copy").mkdir()
    (root / "copy/participant_ratings.csv").write_bytes(b"not the same")
    with pytest.raises(HimoeError, match="differ; leave the one that belongs"):
        take(root, tmp_path)
    shutil.rmtree(root / "copy")
    write_zip(root / "metadata_csv.zip", [("metadata_csv/participant_ratings.csv", ratings), ("metadata_csv/online.csv", b"x")])
    (root / "participant_ratings.csv").unlink()
    same()


def test_metadata_alone_is_no_edition(tmp_path):
    root = tmp_path / "deap"
    root.mkdir()
    write_zip(root / "metadata_csv.zip", [("participant_ratings.csv", b"x")])
    with pytest.raises(HimoeError, match="nothing of it"):
        take(root, tmp_path)


def test_the_most_complete_edition_is_taken(tmp_path):
    root = drop(tmp_path)
    pack(root, root / "data_preprocessed_python.zip")
    (root / "data_original").mkdir()
    (root / "data_original/s01.bdf").write_bytes(b"one stray file")
    (root / "notes.mat").write_bytes(b"x")
    (root / "._s01.mat").write_bytes(b"x")
    assert take(root, tmp_path)["edition"] == "python"


def test_a_broken_first_copy_is_not_trusted(tmp_path):
    root = drop(tmp_path)
    pack(root, root / "data_preprocessed_python.zip")
    whole = (root / "data_preprocessed_python.zip").read_bytes()
    (root / "data_preprocessed_python.zip").write_bytes(whole[:-100])
    with pytest.raises(HimoeError, match="refused or truncated"):
        take(root, tmp_path)
    assert not (root / "manifest.json").exists()
    (root / "data_preprocessed_python.zip").write_bytes(whole)
    assert take(root, tmp_path)["records"]


def test_a_mat_file_of_text_is_one_line(tmp_path):
    from scipy.io import savemat

    root = drop(tmp_path, "matlab")
    savemat(root / "s01.mat", {"data": "text", "labels": np.zeros((2, 4))})
    with pytest.raises(HimoeError, match=r"s01\.mat: 'data' is text, expected"):
        trials(take(root, tmp_path), tmp_path)


def test_one_folder_further_down_will_do(tmp_path):
    root = drop(tmp_path)
    (root / "data_preprocessed_python").mkdir()
    for path in root.glob("*.dat"):
        path.rename(root / "data_preprocessed_python" / path.name)
    manifest = take(root, tmp_path)
    assert manifest["root"].endswith("deap/data_preprocessed_python")
    assert len(trials(manifest, tmp_path)) == 2


def test_dreamer_is_converted_from_its_zip_too(tmp_path):
    root, size = tmp_path / "dreamer", Size(dreamer.INFO.subjects[:2], 2, 8.0)
    synthesize("dreamer", root, size, "matlab", 1.0, 0)
    pack(root, root / "DREAMER.zip", "")
    manifest = intake.take_in("dreamer", intake.find("dreamer", root), size, tmp_path / "unpacked")
    assert manifest["records"] == {"s01": ["s01.safetensors"], "s02": ["s02.safetensors"]}
    assert list(manifest["source"]) == ["DREAMER.zip"]


def test_files_that_are_not_read_are_listed_without_junk(tmp_path):
    root = drop(tmp_path)
    for name in (".DS_Store", "s33.dat", "notes.txt", "._s01.dat"):
        (root / name).write_bytes(b"x")
    assert take(root, tmp_path)["stray"] == ["notes.txt", "s33.dat"]


def test_a_missing_subject_stops_unless_allowed(tmp_path):
    root = drop(tmp_path)
    (root / "s02.dat").unlink()
    with pytest.raises(HimoeError, match=r"1 of 2 subjects absent \(s02\).*allow_missing_subjects"):
        take(root, tmp_path)
    manifest = take(root, tmp_path, allow_missing=True)
    assert manifest["absent"] == ["s02"]
    assert record(manifest, tmp_path, "s02")[1].files == ()


def test_hashes_are_trusted_on_first_use_and_compared_ever_after(tmp_path):
    root = drop(tmp_path)
    first = take(root, tmp_path)
    remembered = json.loads((root / "manifest.json").read_text())
    assert remembered == first["source"]
    assert take(root, tmp_path)["source"] == first["source"]
    whole = bytearray((root / "s02.dat").read_bytes())
    whole[5000] ^= 1
    (root / "s02.dat").write_bytes(whole)
    with pytest.raises(HimoeError, match=r"s02\.dat: differs from when it was first seen .*delete its entry"):
        take(root, tmp_path)
    del remembered["s02.dat"]
    (root / "manifest.json").write_text(json.dumps(remembered))
    assert take(root, tmp_path)["source"]["s02.dat"] != first["source"]["s02.dat"]
    (root / "manifest.json").write_text('{"s01.dat": {')
    with pytest.raises(
        HimoeError, match=r"manifest\.json: not readable as JSON .*; delete it, and the files are trusted as they"
    ):
        take(root, tmp_path)


def test_a_twin_is_not_remembered(tmp_path):
    root = drop(tmp_path)
    intake.take_in("deap_twin", intake.find("deap_twin", root), SIZE, tmp_path / "unpacked")
    assert not (root / "manifest.json").exists()


def test_a_published_hash_rules(tmp_path, monkeypatch):
    from dataclasses import replace

    from himoe.types import Download

    root = drop(tmp_path)
    download = Download("python", "https://example.org/s01.dat", "s01.dat", "0" * 64)
    monkeypatch.setattr(deap, "INFO", replace(deap.INFO, downloads=(download,)))
    with pytest.raises(HimoeError, match=r"s01\.dat: SHA-256 is not the published one"):
        take(root, tmp_path)


def test_a_twin_whose_files_are_gone_says_what_to_delete(tmp_path):
    (tmp_path / "source").mkdir()
    with pytest.raises(HimoeError, match=r"the twin's files are gone; delete .*twin\.json"):
        intake.find("deap_twin", tmp_path / "source")


def test_a_file_that_shrank_since_intake_is_refused(tmp_path):
    root = drop(tmp_path)
    manifest = take(root, tmp_path)
    (root / "s01.dat").write_bytes(b"short")
    with pytest.raises(HimoeError, match=r"s01\.dat: absent or of another size than at intake"):
        record(manifest, tmp_path)


def test_a_subjects_files_are_known_by_name(tmp_path):
    root = drop(tmp_path)
    recordings = sources.find(root, deap.INFO)
    assert recordings.files("s02") == [root / "s02.dat"]
    assert len(recordings.files()) == 2
    assert [recordings.lacks(subject) for subject in ("s01", "s02", "s03")] == [[], [], ["s03.dat"]]
    assert recordings.stamps("s02") == [[(root / "s02.dat").stat().st_size, int((root / "s02.dat").stat().st_mtime)]]


def test_nothing_there_names_every_edition_and_the_way(tmp_path):
    with pytest.raises(HimoeError) as caught:
        sources.find(tmp_path / "case", registry.peek("datasets", "case")["INFO"])
    for part in ("data set 'CASE'", "CASE*.zip", "doi:10.6084/m9.figshare.8869157", "or set download: true"):
        assert part in str(caught.value)


def test_a_download_needs_its_credentials(tmp_path, monkeypatch):
    monkeypatch.delenv("DEAP_USER", raising=False)
    monkeypatch.setenv("DEAP_PASSWORD", "x")
    with pytest.raises(HimoeError, match="set the environment variable DEAP_USER to download it"):
        sources.find(tmp_path, deap.INFO, download=True)
    monkeypatch.setenv("DEAP_USER", "me")
    recordings = sources.find(tmp_path, deap.INFO, download=True)
    assert recordings.is_packed
    assert recordings.files("s01") == [tmp_path / "data_preprocessed_python.zip"]
