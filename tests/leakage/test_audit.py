"""Each leak is planted and the audit refuses; an honest set of fits passes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from himoe import io, registry
from himoe.config.spec import View
from himoe.data.tokens import write_tokens
from himoe.data.views import narrow, prepare, with_control
from himoe.evaluate import audit, probes
from himoe.splits import make
from himoe.splits.files import read_splits
from himoe.train import results
from himoe.train.scaling import Scaler
from himoe.types import HimoeError, Tokens
from tests.conftest import make_tokens
from tests.leakage.folds import SHORT
from tests.train.fits import fit, predict

PROTOCOL = "subject_kfold"


class Case:
    """Fits of ridge and of its control on every fold, as the audit finds them; ``tokens`` is what it reads."""

    def __init__(
        self, tokens: Tokens, tmp_path, protocol: str = PROTOCOL, window: float = 0.0, control_view: View | None = None
    ):
        self.protocol, self.whole, self.shown = protocol, tokens, prepare(View(window=window), tokens)
        make.make_splits(protocol, list(self.shown.trials), SHORT).to_csv(tmp_path / "splits.csv", index=False)
        self.splits = read_splits(str(tmp_path / "splits.csv"))
        self.fits = [self.fitted("ridge", View(window=window), tmp_path)]
        view = control_view or View(window=window, control="noise_physiology")
        self.fits.append(control := self.fitted("ridge-noise_physiology", view, tmp_path))
        made = [
            predict("ridge", self.shown, self.splits, fit.stored, protocol=protocol, view=fit.view)[0].assign(
                model=fit.record["model"]
            )
            for fit in (self.fits[0], control)
        ]
        self.predictions = pd.concat(made, ignore_index=True)

    def fitted(self, model, view, tmp_path):
        folds = [fit("ridge", self.shown, s, protocol=self.protocol, view=view) for s in self.splits]
        results.write_shard(
            tmp_path / "w.safetensors", tmp_path / "r.json", folds, {"model": model, "seed": 0, "training": {"refit": False}}
        )
        return audit.Fit(
            io.read_json(tmp_path / "r.json"), results.read_shard(tmp_path / "w.safetensors", tmp_path / "r.json"), view
        )

    def tokens(self, view, seed):
        shown = self.whole if self.protocol == "window_random" and not view.window else self.shown
        return narrow(view, with_control(view, shown, seed))

    def verdicts(self):
        findings = audit.audit(self.protocol, self.tokens, self.splits, self.fits, self.predictions)
        self.evidence = {f.check: f.evidence for f in findings}
        return {f.check: f.verdict for f in findings}


@pytest.fixture
def case(tmp_path):
    return Case(make_tokens(6, 6), tmp_path)


def test_an_honest_run_passes(case):
    verdicts = case.verdicts()
    assert {c: v for c, v in verdicts.items() if v not in ("passed", "reported")} == {}
    assert set(verdicts) == {
        "parts", "content", "shared", "copies", "read", "judged", "scaler", "answers", "controls", "session", "identity",
        "clip", "order", "length", "absence",
    }  # fmt: skip


def test_a_shared_subject_is_refused(case):
    split = case.splits[0]
    case.splits[0] = replace(split, train=split.train | dict([next(iter(split.test.items()))]))
    assert case.verdicts()["parts"] == audit.REFUSED
    assert "leakage between train and test: subject" in case.evidence["parts"]


def test_one_subject_under_two_ids_is_refused_by_content(tmp_path):
    tokens = make_tokens(6, 6)
    same = tokens.select([0, 1, 2, 3, 4, 5])
    same = replace(same, trials=tuple(replace(t, subject="s9") for t in same.trials))
    both = Tokens.concatenate([tokens, same])
    frame = make.make_splits(PROTOCOL, list(both.trials), SHORT)
    frame.to_csv(tmp_path / "splits.csv", index=False)
    finding = audit.apart(PROTOCOL, read_splits(str(tmp_path / "splits.csv")))
    assert finding.verdict == audit.REFUSED
    assert "has the content of" in finding.evidence


def test_one_subject_saved_anew_under_another_id_is_refused_by_likeness(tmp_path):
    """Rescaled and with a little noise: other bytes, other hash, the same person."""
    tokens, rng = make_tokens(6, 6), np.random.default_rng(0)
    copy = tokens.select([0, 1, 2, 3, 4, 5])
    x = (copy.x + 0.05 * rng.standard_normal(copy.x.shape)).astype(np.float32)
    trials = tuple(replace(t, subject="s9", digest=io.digest(x[i : i + 1])) for i, t in enumerate(copy.trials))
    case = Case(Tokens.concatenate([tokens, replace(copy, x=x, trials=trials)]), tmp_path)
    verdicts = case.verdicts()
    assert verdicts["parts"] == audit.PASSED
    assert verdicts["copies"] == audit.REFUSED
    assert "is a copy of" in case.evidence["copies"]


def test_recordings_other_than_those_split_are_refused(case):
    trials = (replace(case.shown.trials[0], digest="0" * 64), *case.shown.trials[1:])
    finding = audit.same_content(replace(case.shown, trials=trials), case.splits)
    assert finding.verdict == audit.REFUSED
    assert "changed since the split was made" in finding.evidence


def test_a_fit_that_read_a_test_row_is_refused(case):
    split, stored = case.splits[1], case.fits[0].stored
    stored[1] = stored[1]._replace(read=[*stored[1].read, next(iter(split.test.values()))])
    assert case.verdicts()["read"] == audit.REFUSED
    assert case.evidence["read"].startswith("ridge, seed 0, fold 1 has read test trial s")


def test_an_epoch_chosen_on_test_rows_is_refused(case):
    case.fits[0].record["folds"]["2"]["judged"] = list(case.splits[2].test.values())
    assert case.verdicts()["judged"] == audit.REFUSED


def test_a_fit_that_chose_and_does_not_say_by_which_rows_is_refused(case):
    """A scale and an offset are a choice, too."""
    assert case.fits[0].record["folds"]["2"]["calibration"]
    case.fits[0].record["folds"]["2"]["judged"] = []
    assert case.verdicts()["judged"] == audit.REFUSED


def test_what_is_normalised_by_session_is_named(case):
    finding = audit.giveaways(case.shown, ("eeg", "gsr"))[0]
    assert finding.evidence.startswith("eeg, gsr: by each person's whole session")
    assert audit.giveaways(case.shown, ())[0].evidence.startswith("no modality")


@pytest.mark.parametrize("part", ["mean", "scale", "y_mean", "y_scale"])
def test_a_scaler_fitted_on_all_rows_is_refused(case, part):
    stored = case.fits[0].stored
    whole = Scaler.fit(case.shown)
    stored[0] = stored[0]._replace(scaler=replace(stored[0].scaler, **{part: getattr(whole, part)}))
    assert case.verdicts()["scaler"] == audit.REFUSED
    assert "ridge, seed 0, fold 0: the stored scaler is not that of its training rows" in case.evidence["scaler"]


def test_a_control_with_skill_is_refused(tmp_path):
    """What is called a control was fitted on real physiology: its skill is far above 0."""
    case = Case(make_tokens(6, 8), tmp_path, control_view=View())
    assert case.verdicts()["controls"] == audit.REFUSED
    assert "ridge-noise_physiology: skill 0." in case.evidence["controls"]


@pytest.mark.parametrize("said", [lambda y: y, lambda y: 3 + np.tanh(y / 100)], ids=["as they are", "in another scale"])
def test_a_model_that_knows_the_answers_is_refused(case, said):
    """However it came by them, and in whatever scale it gives them back."""
    frame = case.predictions
    honest, _ = probes.agreement(frame)
    assert 0.3 < honest < 0.999
    mine = frame["model"] == "ridge"
    frame.loc[mine, "y_raw"] = said(frame.loc[mine, "y_true"])
    assert case.verdicts()["answers"] == audit.REFUSED
    assert case.evidence["answers"].startswith("the nearest: ridge, ")
    assert audit.answers("window_random", frame).verdict == audit.EXPECTED
    frame["y_raw"] = np.nan  # every fold failed
    assert audit.answers(PROTOCOL, frame) == audit.Finding(
        "answers", "Does a model know the test labels (correlation above 0.9999)?", audit.PASSED, "too few predictions to say"
    )


def test_windows_of_one_trial_on_both_sides_are_told_as_expected(tmp_path):
    case = Case(make_tokens(6, 6), tmp_path, "window_random", 3.0)
    assert case.verdicts()["shared"] == audit.EXPECTED
    assert audit.no_shared_trials("trial_kfold", case.splits).verdict == audit.REFUSED
    assert Case(make_tokens(6, 6), tmp_path).verdicts()["shared"] == audit.PASSED


def test_a_copy_that_begins_a_token_late_is_refused(tmp_path):
    tokens = make_tokens(6, 6)
    tokens = replace(tokens, mask=np.ones_like(tokens.mask))
    late = tokens.select([0, 1, 2, 3, 4, 5])
    x = np.roll(late.x.reshape(6, 24, 5), 1, axis=1).reshape(-1, 5)
    late = replace(late, x=x, trials=tuple(replace(t, subject="s9", digest=f"{i:064d}") for i, t in enumerate(late.trials)))
    case = Case(Tokens.concatenate([tokens, late]), tmp_path)
    assert case.verdicts()["copies"] == audit.REFUSED


def skills(*values, model="ridge-shuffled_labels", seeds=(0,)):
    """Predictions with these skills before calibration, one subject a shard: label 1, reference 0, prediction 1 - sqrt(1 -
    skill)."""
    return pd.concat([
        pd.DataFrame({
            "dataset": "d", "protocol": PROTOCOL, "model": model, "seed": seed, "subject": f"s{i}", "condition": "clean",
            "severity": 0.0, "target": "valence", "y_true": [1.0, -1.0], "y_reference": 0.0,
            "y_pred": 9.0, "y_raw": (1 - np.sqrt(1 - v)) * np.array([1.0, -1.0]),
        })
        for i, v in enumerate(values) for seed in seeds
    ])  # fmt: skip


def test_shards_and_seeds_of_a_control_are_one_test():
    """32 subjects, one a shard, all with skill: each file alone has no interval, together they are refused."""
    [finding] = audit.control_skill(PROTOCOL, skills(*np.linspace(0.2, 0.4, 32), seeds=(0, 1)), False)
    assert finding.verdict == audit.REFUSED
    assert "skill 0.300" in finding.evidence
    assert "(32 subjects" in finding.evidence
    [finding] = audit.control_skill(PROTOCOL, skills(*np.linspace(-0.2, 0.1, 32)), False)
    assert finding.verdict == audit.PASSED


def test_a_control_with_skill_is_told_where_that_is_asked_for_and_expected_of_an_invalid_protocol():
    eight = skills(*np.linspace(0.2, 0.4, 8))
    assert audit.control_skill(PROTOCOL, eight, True)[0].verdict == audit.HAS_SKILL
    assert audit.control_skill("window_random", eight, False)[0].verdict == audit.EXPECTED


@pytest.mark.parametrize(("values", "why"), [((0.5, 0.6), "2 subjects are too few"), ((0.5, np.nan, 0.6), "diverged")])
def test_what_cannot_be_tested_has_not_passed(values, why):
    [finding] = audit.control_skill(PROTOCOL, skills(*values), False)
    assert finding.verdict == audit.NOT_RUN
    assert why in finding.evidence


def test_who_read_the_test_rows_is_found_by_the_shuffled_labels(tmp_path):
    """The nearest neighbour, given the test rows to remember: with labels shuffled before anything is parted it still knows all
    of them, and the audit refuses; without the test rows it knows nothing."""
    from himoe.data.rows import to_rows

    view = View(control="shuffled_labels")
    shown, nearest, out = with_control(view, make_tokens(6, 8), 0), registry.load("models", "nearest"), {}
    rows = to_rows(shown)
    for name, known in (("cheat", rows), ("honest", to_rows(shown.select(list(range(24)))))):
        asked = to_rows(shown.select(list(range(24, 48))))
        said = nearest.predict(nearest.fit(known, nearest.Config(), 0), asked)
        frame = pd.DataFrame({
            "dataset": "d", "protocol": PROTOCOL, "model": "nearest-shuffled_labels", "seed": 0, "subject": asked.subject,
            "condition": "clean", "severity": 0.0, "target": "valence", "y_true": asked.y[:, 0], "y_pred": said[:, 0],
            "y_raw": said[:, 0], "y_reference": 0.0,
        })  # fmt: skip
        out[name] = audit.control_skill(PROTOCOL, frame, False)[0].verdict
    assert out == {"cheat": audit.REFUSED, "honest": audit.PASSED}


def test_a_fold_that_diverged_is_no_wrong_scaler(case):
    stored = case.fits[0].stored
    stored[0] = stored[0]._replace(scaler=Scaler.fit(case.shown), failed="diverged in epoch 1, step 1")
    assert case.verdicts()["scaler"] == audit.PASSED


def test_a_refusal_is_one_line_and_nothing_is_returned(case, tmp_path, monkeypatch):
    monkeypatch.setattr(audit, "audit", lambda *args: [audit.Finding("read", "?", audit.REFUSED, "fold 1 has read s0 t0")])
    write_tokens(tmp_path / "s0.npz", case.shown.select([0]))
    case.predictions.to_parquet(tmp_path / "p.parquet")
    with pytest.raises(HimoeError, match=r"audit of subject_kfold: refused, nothing is scored: read: fold 1 has read s0 t0$"):
        audit.audit_files(PROTOCOL, [tmp_path / "s0.npz"], str(tmp_path / "splits.csv"), [], [], [tmp_path / "p.parquet"], 100)


def test_likeness_by_hand():
    """Two columns, z-scored; trial 1 is 3 times trial 0, trial 2 its negative, trial 3 nothing. (3 steps: no delay.)"""
    tokens = make_tokens(1, 4, 3)
    base = np.array([[1.0, -1], [1, 2], [-2, -1]])
    x = np.zeros((12, 5), np.float32)
    for i, factor in enumerate((1.0, 3.0, -1.0)):
        x[3 * i : 3 * i + 3, :2] = factor * base
    mask = np.ones_like(tokens.mask)
    mask[9:] = False
    like = probes.likeness(replace(tokens, x=x, mask=mask))
    assert like[0, 1] == pytest.approx(1, abs=1e-5)
    assert like[0, 2] == pytest.approx(-1, abs=1e-5)
    assert (like[3] == -1).all()
    assert (np.diag(like) == -1).all()


def test_identity_is_told_where_people_differ_and_chance_where_not():
    """Of the 59 other trials 9 are of the same person. Normalisation takes a person's mean away, their spread tells on them."""
    tokens = make_tokens(6, 10, signal=0.0)
    right, chance = probes.identity(tokens)
    assert chance == pytest.approx(9 / 59)
    assert right < 0.4
    spread = 2.0 ** np.repeat(np.arange(6), 10 * 24)[:, None]
    right, _ = probes.identity(replace(tokens, x=(tokens.x * spread).astype(np.float32)))
    assert right > 0.7


def test_what_absence_tells():
    """Modality b is there only where valence is high: presence says it all; in honest data it says nothing."""
    tokens = make_tokens(6, 10)
    facts = probes.trial_facts(tokens)
    assert abs(probes.explained_by(facts["presence"], facts["y"][:, 0], facts["subject"])) < 0.5
    mask = tokens.mask.copy()
    mask[:, 1] = tokens.y[:, 0] > 0
    facts = probes.trial_facts(replace(tokens, mask=mask))
    assert probes.explained_by(facts["presence"], facts["y"][:, 0], facts["subject"]) > 0.7
    assert probes.explained_by(facts["length"], facts["y"][:, 0], facts["subject"]) == 0


def test_features_that_tell_the_clip_are_measured():
    """Labels of the clips are at random for every person, so only what the clip itself does to features is common to people."""
    tokens = make_tokens(n_subjects=8, n_trials=5, n_times=12, signal=0.0)
    right, chance = probes.clip(tokens)
    assert chance == pytest.approx(1 / 5)
    assert right < 0.5
    x = tokens.x.copy()
    for i, (first, last) in enumerate(zip(tokens.offsets[:-1], tokens.offsets[1:], strict=True)):
        x[first:last] += 3 * np.eye(5, x.shape[1])[i % 5] + 50 * (i // 5)  # the clip's pattern, and people far apart
    assert probes.clip(replace(tokens, x=x))[0] == 1
    alone = tuple(replace(t, stimulus=f"{t.subject} {t.trial}") for t in tokens.trials)
    assert np.isnan(probes.clip(replace(tokens, trials=alone))).all()
