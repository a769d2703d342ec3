"""A model of a learning curve, from files: it reads the people that were drawn and nobody else, and the audit sees to it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from himoe import io
from himoe.config.sections import Execution, Splits
from himoe.data.tokens import write_tokens
from himoe.data.views import narrow, with_control
from himoe.evaluate import audit
from himoe.evaluate.conditions import Conditions
from himoe.evaluate.predict import predict_files
from himoe.splits.fewer import fewer_people
from himoe.splits.files import read_splits
from himoe.splits.guards import select
from himoe.splits.make import make_splits
from himoe.train.results import read_shard
from himoe.train.scaling import Scaler
from himoe.train.shard import fit_shard
from himoe.types import Tokens
from tests.conftest import make_tokens
from tests.train.fits import SETTINGS, spec_of

HERE = Execution(device="cpu")
N = 3  # of the six people that three folds of nine leave, two of them to validate on: two train, one validates
MODELS = [("ridge", {}), ("late_fusion", {"width": 16, "match_parameters": False})]


@pytest.fixture
def tokens() -> Tokens:
    return make_tokens(9, 4)


def fitted(folder, tokens, model, options, refit=False):
    """Fits of a model from files: (tokens' files, spec, weights, record)."""
    folder.mkdir(exist_ok=True)
    files = []
    for subject in sorted({t.subject for t in tokens.trials}):
        files.append(folder / f"{subject}.npz")
        write_tokens(files[-1], tokens.select([i for i, t in enumerate(tokens.trials) if t.subject == subject]))
    if not (folder / "splits.csv").exists():
        io.write_table(folder / "splits.csv", make_splits("subject_kfold", list(tokens.trials), Splits(n_folds=3)), sealed=True)
    settings = SETTINGS.model_copy(update={"epochs": 2, "refit": refit})
    spec = spec_of(model, options, settings=settings).model_copy(update={"folds": (0, 1, 2)})
    weights, record = folder / f"{model}.weights", folder / f"{model}.json"
    fit_shard(spec, HERE, files, folder / "splits.csv", weights, record)
    return files, spec, weights, record


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize(("model", "options"), MODELS)
def test_a_fit_reads_the_people_that_were_drawn_and_nobody_else(model, options, refit, tokens, tmp_path):
    _, spec, weights, record = fitted(tmp_path, tokens, f"{model}-people_{N}", options, refit)
    stored, files = read_shard(weights, record), io.read_json(record)["tokens"]
    read_by_any = set()
    for split in read_splits(tmp_path / "splits.csv"):
        fewer = fewer_people(split, spec.people)
        people = {subject for part in (fewer.train, fewer.valid) for subject, _ in part}
        assert len(people) == N
        assert stored[split.fold].read == fewer.read
        scaler = Scaler.fit(select(tokens, fewer.train | fewer.valid if refit else fewer.train))
        np.testing.assert_allclose(stored[split.fold].scaler.mean, scaler.mean, rtol=1e-4, atol=1e-5)
        read_by_any |= people
    assert set(files) == read_by_any


@pytest.mark.parametrize(("model", "options"), MODELS)
def test_people_who_were_not_drawn_cannot_move_a_fit(model, options, tokens, tmp_path):
    """Other recordings and other ratings of them, the same weights and calibration of the fold."""
    name = f"{model}-people_{N}"
    _, _, weights, record = fitted(tmp_path / "a", tokens, name, options)
    first = read_splits(tmp_path / "a/splits.csv")[0]
    fewer = fewer_people(first, N)
    drawn = {subject for part in (fewer.train, fewer.valid) for subject, _ in part}
    x, y = tokens.x.copy(), tokens.y.copy()
    for i, trial in enumerate(tokens.trials):
        if trial.subject not in drawn:
            rows = slice(tokens.offsets[i], tokens.offsets[i + 1])
            x[rows], y[rows] = x[rows] + 50, -y[rows]
    (tmp_path / "b").mkdir()
    (tmp_path / "b/splits.csv").write_bytes((tmp_path / "a/splits.csv").read_bytes())
    _, _, others, other_record = fitted(tmp_path / "b", replace(tokens, x=x, y=y), name, options)
    a, b = read_shard(weights, record)[0], read_shard(others, other_record)[0]
    for part in ("state", "calibration"):
        for key, value in getattr(a, part).items():
            np.testing.assert_array_equal(value, getattr(b, part)[key])


def test_it_is_tested_on_whom_the_model_itself_is_tested(tokens, tmp_path):
    tested = []
    for model in ("ridge", f"ridge-people_{N}"):
        files, spec, weights, record = fitted(tmp_path, tokens, model, {})
        said, _ = predict_files(spec, HERE, files, tmp_path / "splits.csv", weights, record, Conditions({}, 7))
        tested.append(said[["fold", "subject", "trial", "target", "y_true"]])
    assert tested[0].equals(tested[1])
    assert len(tested[0]) == 9 * 4 * 2


def verdicts(tmp_path, tokens, record, weights, model):
    """What the audit says of reading and of scalers of a fit that calls itself ``model``."""
    facts = io.read_json(record) | {"model": model}
    fits = [audit.Fit(facts, read_shard(weights, record), spec_of("ridge").view)]
    splits = read_splits(tmp_path / "splits.csv")

    def shown(view, seed):
        return narrow(view, with_control(view, tokens, seed))

    findings = audit.rows_read(splits, fits), audit.rows_judged(splits, fits), audit.scalers(shown, splits, fits)
    return [f.verdict for f in findings], findings


def test_the_audit_passes_it_and_refuses_a_fit_that_read_more_people_than_it_says(tokens, tmp_path):
    _, _, weights, record = fitted(tmp_path, tokens, f"ridge-people_{N}", {})
    assert verdicts(tmp_path, tokens, record, weights, f"ridge-people_{N}")[0] == [audit.PASSED] * 3
    _, _, weights, record = fitted(tmp_path, tokens, "ridge", {})
    assert verdicts(tmp_path, tokens, record, weights, "ridge")[0] == [audit.PASSED] * 3
    found, findings = verdicts(tmp_path, tokens, record, weights, f"ridge-people_{N}")
    assert found == [audit.REFUSED] * 3
    assert "fold 0 has read 12 trials that are in no part of it" in findings[0].evidence  # of 3 people, 4 each
