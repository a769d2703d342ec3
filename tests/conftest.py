"""What tests share: a small set of tokens made by hand, the repository, the openly licensed recordings where they are."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from himoe import io, registry
from himoe.types import Layout, Tokens, TrialInfo

ROOT = Path(__file__).parent.parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where workers share the tests, the slowest files come first, so that none is left over at the end."""
    if hasattr(config, "workerinput"):
        seconds = {item.path: 0.0 for item in items}
        for item in items:
            for mark in item.iter_markers("slow"):
                seconds[item.path] = max(seconds[item.path], mark.args[0])
        items.sort(key=lambda item: -seconds[item.path])


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Folder of the eSports recordings; skips with the reason where they are absent."""
    data = os.environ.get("HIMOE_TEST_DATA")
    if not data or not Path(data, "esports_sensors/matches").is_dir():
        pytest.skip("no eSports recordings: set HIMOE_TEST_DATA to the folder that holds esports_sensors/")
    return Path(data).resolve() / "esports_sensors"


@pytest.fixture(scope="session")
def ceap_files(tmp_path_factory) -> Path:
    """Genuine files of CEAP-360VR (questionnaires, annotations, parts of behaviour) and, beside them, the digitised edition;
    skips with the reason where they are absent."""
    data = Path(os.environ.get("HIMOE_TEST_DATA", ""), "ceap360vr").resolve()
    if not os.environ.get("HIMOE_TEST_DATA") or not (data / "ceap_exact_json.tar.xz").is_file():
        pytest.skip("no recordings of CEAP-360VR: set HIMOE_TEST_DATA to the folder that holds ceap360vr/")
    root = tmp_path_factory.mktemp("ceap360vr")
    with tarfile.open(data / "ceap_exact_json.tar.xz") as packed:
        packed.extractall(root, filter="data")
    (root / "ceap_4hz.npz").symlink_to(data / "ceap_4hz.npz")
    return root


def stand_in(name: str) -> Path | None:
    """A script that puts something in the place of conda or SLURM; None unless HIMOE_TOOLS names a folder that holds it."""
    script = Path(os.environ.get("HIMOE_TOOLS", ""), name).resolve()
    return script if os.environ.get("HIMOE_TOOLS") and script.is_file() else None


TWO = {"a": ("a0", "a1", "a2"), "b": ("b0", "b1")}
GRID = {"eeg": tuple(f"{channel}/{band}" for channel in ("Fp1", "Fp2", "Cz", "Pz") for band in ("theta", "alpha"))}
SAMPLES = {"eeg": tuple(f"{channel} {k}" for channel in ("Fp1", "Fp2") for k in range(8))}


def tokens_for(model: str, *args, **options) -> Tokens:
    """Tokens that a model can read: two modalities; the EEG's features or its samples for one that reads that alone."""
    facts = registry.peek("models", model.partition("+")[0])
    features = (SAMPLES if facts.get("RAW") else GRID) if "MODALITY" in facts else TWO
    return make_tokens(*args, features=features, **options)


def make_tokens(
    n_subjects: int = 6, n_trials: int = 4, n_times: int = 24, per_token: bool = False, seed: int = 0, signal: float = 1.0,
    features: dict[str, tuple[str, ...]] = TWO,
) -> Tokens:  # fmt: skip
    """Tokens of two modalities (3 and 2 features), two targets; the first and the fourth feature carry them."""
    rng = np.random.default_rng(seed)
    layout = Layout(tuple(features), tuple(features.values()), ("valence", "arousal"), 2.0, per_token)
    widths = [len(names) for names in layout.features]
    x, mask, y, trials = [], [], [], []
    for s in range(n_subjects):
        for t in range(n_trials):
            label = rng.standard_normal((n_times, 2)) if per_token else np.tile(rng.standard_normal(2), (n_times, 1))
            block = rng.standard_normal((n_times, layout.n_features))
            block[:, 0] += signal * 2 * label[:, 0]
            block[:, 3] += signal * 2 * label[:, 1]
            present = rng.random((n_times, len(widths))) < 0.9
            columns = np.repeat(present, widths, axis=1)
            x.append(np.where(columns, block, 0.0).astype(np.float32))
            mask.append(present)
            y.append(label.astype(np.float32))
            trials.append(TrialInfo(f"s{s}", "1", f"t{t}", f"t{t}", io.digest(x[-1], present)))
    offsets = np.arange(0, (len(x) + 1) * n_times, n_times)
    time = np.tile(1 + np.arange(n_times) / 2, len(x)).astype(np.float32)
    return Tokens(np.concatenate(x), np.concatenate(mask), time, np.concatenate(y), offsets, tuple(trials), layout)


@pytest.fixture
def tokens() -> Tokens:
    """Six subjects, four trials each, one label per trial."""
    return make_tokens()
