"""The audit of what was fitted under one protocol, before anything is scored: which trials were kept apart, what each fit
has read, whether a control has skill, what else could reveal the label. A model-info sheet (Kapoor & Narayanan 2023), and a
refusal where one of them says that test rows were known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from himoe import io, registry
from himoe.config.facts import dataset_info
from himoe.config.protocols import PROTOCOLS
from himoe.config.spec import View
from himoe.data.reader import Reader
from himoe.data.tokens import read_tokens
from himoe.data.views import narrow, with_control
from himoe.evaluate import probes
from himoe.evaluate.score import score
from himoe.names import trial_of
from himoe.splits.files import read_splits
from himoe.splits.guards import check_split, positions
from himoe.stats.intervals import interval
from himoe.stats.levels import CLEAN, levels
from himoe.train.results import StoredFold, read_shard
from himoe.train.scaling import Moments
from himoe.types import HimoeError, Split, Tokens

COPY = 0.98  # correlation of two trials from which on one is a copy of the other
CONTROL_ALPHA = 0.01
KNOWN = 0.9999  # correlation of predictions with test labels
PASSED, REFUSED, REPORTED, NOT_RUN = "passed", "refused", "reported", "not run"
EXPECTED, HAS_SKILL = "as expected of an invalid protocol", "has skill"


@dataclass(frozen=True)
class Finding:
    """One line of the sheet: ``check`` names it, ``verdict`` is one of those above, ``evidence`` gives figures."""

    check: str
    question: str
    verdict: str
    evidence: str


@dataclass(frozen=True)
class Fit:
    """One shard's fit: its record, what it stored by fold, the view its model had."""

    record: dict[str, Any]
    stored: dict[int, StoredFold]
    view: View

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.record['model']}, seed {self.record['seed']}"


def audit(
    protocol: str, tokens: Callable[[View, int], Tokens], splits: list[Split], fits: list[Fit], predictions: pd.DataFrame,
    tell: bool = False, by_session: tuple[str, ...] = (),
) -> list[Finding]:  # fmt: skip
    """Every check; ``tokens(view, seed)``: what a model with this view was shown, ``predictions``: of all fits on clean input,
    ``by_session``: modalities that are normalised within a person's session."""
    controls = predictions[predictions["model"].map(registry.control_of) != ""]
    whole = tokens(View(window=fits[0].view.window if fits else 0.0), 0)
    return [
        apart(protocol, splits), same_content(whole, splits), no_shared_trials(protocol, splits),
        no_copies(tokens(View(), 0), splits), rows_read(splits, fits), rows_judged(splits, fits),
        scalers(tokens, splits, fits), answers(protocol, predictions),
        *control_skill(protocol, controls, tell),
        *giveaways(whole, by_session),
    ]  # fmt: skip


def apart(protocol: str, splits: list[Split]) -> Finding:
    """Do the parts of a fold share what the protocol keeps apart, or content?"""
    what = ", ".join([*PROTOCOLS[protocol].apart, "content"])
    question = f"Are training, validation and test disjoint ({what})?"
    leak = _first_leak(protocol, splits)
    return Finding("parts", question, REFUSED if leak else PASSED, leak or f"{len(splits)} folds, by name and by content hash")


def _first_leak(protocol: str, splits: list[Split]) -> str:
    """What the first fold that leaks shares between its parts; empty where none does."""
    for split in splits:
        try:
            check_split(split, protocol)
        except HimoeError as error:
            return str(error)
    return ""


def same_content(tokens: Tokens, splits: list[Split]) -> Finding:
    """Are the recordings those that were split?"""
    question = "Are the recordings those that were split?"
    try:
        for split in splits:
            for part in (split.train, split.valid, split.test):
                positions(tokens, part)
    except HimoeError as error:
        return Finding("content", question, REFUSED, str(error))
    return Finding("content", question, PASSED, f"{len(tokens.trials)} trials have the hashes of the split")


def no_shared_trials(protocol: str, splits: list[Split]) -> Finding:
    """Is a part of a test trial among the rows read? Where windows are split that is so by construction."""
    question = "Are parts of a test trial among the rows read?"
    shared, n = 0, 0
    for split in splits:
        read = {(subject, trial_of(trial)) for part in (split.train, split.valid) for subject, trial in part}
        shared += sum((subject, trial_of(trial)) in read for subject, trial in split.test)
        n += len(split.test)
    verdict = (EXPECTED if PROTOCOLS[protocol].windows else REFUSED) if shared else PASSED
    return Finding("shared", question, verdict, f"{shared} of {n} test rows have others of their trial among the rows read")


def no_copies(tokens: Tokens, splits: list[Split]) -> Finding:
    """Is a test trial a near copy of another that was read, early or late? ``tokens``: whole trials; windows are by chance."""
    question = f"Has a test trial a near copy (correlation above {COPY:g}, up to 2 s apart) among other trials read?"
    like, nearest = probes.likeness(tokens), -1.0
    at = {(t.subject, t.trial): i for i, t in enumerate(tokens.trials)}
    for split in splits:
        keys = ([(s, trial_of(t)) for s, t in part] for part in (split.test, split.train | split.valid))
        test, read = (np.unique([at[key] for key in part if key in at]) for part in keys)
        pairs = np.where(test[:, None] == read, -1.0, like[np.ix_(test, read)])  # (n_test, n_read)
        nearest = max(nearest, float(pairs.max()))
        if nearest > COPY:
            i, j = np.unravel_index(pairs.argmax(), pairs.shape)
            a, b = (tokens.trials[k] for k in (test[i], read[j]))
            copy = f"fold {split.fold}: {a.subject} {a.trial} of the test part is a copy of {b.subject} {b.trial}"
            return Finding("copies", question, REFUSED, f"{copy} (correlation {pairs.max():.3f})")
    return Finding("copies", question, PASSED, f"the most similar pair correlates {nearest:.2f}")


def rows_read(splits: list[Split], fits: list[Fit]) -> Finding:
    """Has each fit read the rows of its training and validation parts and no other?"""
    question = "Has every fit read its training and validation rows and nothing else?"
    for fit, split in _folds(splits, fits):
        read = set(fit.stored[split.fold].read)
        where = f"{fit.name}, fold {split.fold}"
        if both := read & set(split.test.values()):
            key = next(k for k, digest in split.test.items() if digest in both)
            return Finding("read", question, REFUSED, f"{where} has read test trial {' '.join(key)}")
        if unexpected := read - set(split.read):
            return Finding("read", question, REFUSED, f"{where} has read {len(unexpected)} trials that are in no part of it")
    n = sum(len(fit.stored) for fit in fits)
    return Finding("read", question, PASSED, f"{n} fits of a fold, by the hashes of the rows each of them touched")


def rows_judged(splits: list[Split], fits: list[Fit]) -> Finding:
    """Were epoch, configuration, scale and offset chosen on validation rows alone?"""
    question = "Were epoch, configuration and calibration chosen on validation rows alone?"
    n = 0
    for fit, split in _folds(splits, fits):
        record, where = fit.record["folds"][str(split.fold)], f"{fit.name}, fold {split.fold}"
        judged = set(record["judged"])
        n += bool(judged)
        if (record["history"] or record["tried"] or record["calibration"]) and not judged:
            return Finding("judged", question, REFUSED, f"{where} chose and does not say by which rows")
        if judged - set(split.valid.values()):
            return Finding("judged", question, REFUSED, f"{where} was judged on rows that are not its validation part")
    return Finding("judged", question, PASSED, f"{n} fits of a fold chose something")


def scalers(tokens: Callable[[View, int], Tokens], splits: list[Split], fits: list[Fit]) -> Finding:
    """Computed again from the rows each fold may use: is it the scaler that was stored?"""
    question = "Was each model's scaler fitted on its training rows alone?"
    cases: dict[tuple[View, int], list[Fit]] = {}
    for fit in fits:
        if not fit.view.samples:
            cases.setdefault((fit.view, fit.record["seed"] if fit.view.control else 0), []).append(fit)
    n = 0
    for (view, seed), fits_of_view in cases.items():
        shown = tokens(view, seed)
        moments = Moments.of(shown)
        for fit, split in _folds(splits, fits_of_view):
            if fit.stored[split.fold].failed:  # it predicts nothing
                continue
            part = split.train | split.valid if fit.record["training"]["refit"] else split.train
            again, stored = moments.scaler(np.array(positions(shown, part))), fit.stored[split.fold].scaler
            n += 1
            if not all(np.allclose(getattr(again, k), getattr(stored, k), rtol=1e-4, atol=1e-5) for k in vars(again)):
                where = f"{fit.name}, fold {split.fold}"
                return Finding("scaler", question, REFUSED, f"{where}: the stored scaler is not that of its training rows")
    left_out = sorted({fit.record["model"] for fit in fits if fit.view.samples})
    note = f"; not computed again for samples ({', '.join(left_out)})" if left_out else ""
    return Finding("scaler", question, PASSED, f"{n} computed again and equal{note}")


def answers(protocol: str, predictions: pd.DataFrame) -> Finding:
    """Does a model predict what it cannot know? Nobody's ratings can be told to that from physiology."""
    r, whose = probes.agreement(predictions)
    verdict = PASSED if r <= KNOWN else EXPECTED if PROTOCOLS[protocol].invalid else REFUSED
    question = f"Does a model know the test labels (correlation above {KNOWN:g})?"
    return Finding("answers", question, verdict, f"the nearest: {whose}, {r:.4f}" if whose else "too few predictions to say")


def control_skill(protocol: str, controls: pd.DataFrame, tell: bool) -> list[Finding]:
    """Has a model skill though a control took it from the data? Its shards and seeds are one test; 1% over all controls.

    Of sums over people: one whose ratings hardly vary does not decide it. Judged as predicted, before calibration: that spreads
    predictions as widely as labels, which costs the skill of all that say little.
    """
    question = "Has a model skill without physiology, or with others' labels?"
    if controls.empty:
        return [Finding("controls", question, NOT_RUN, "no control in this run; name some under `controls`")]
    scores = score(controls)
    by_model = {m: levels(part, "raw_skill")[m] for m, part in scores.groupby("model", sort=True)}
    out, n_models = [], len(by_model)
    for model, values in by_model.items():
        if np.isnan(values).any() or len(values) < 3:
            why = "a fold of it diverged" if np.isnan(values).any() else f"{len(values)} subjects are too few for an interval"
            out.append(Finding("controls", question, NOT_RUN, f"{model}: {why}"))
            continue
        _, low, high = interval(values, CONTROL_ALPHA / n_models)
        evidence = f"{model}: skill {values.mean():.3f} [{low:.3f}, {high:.3f}] ({len(values)} subjects, 1% over all controls)"
        verdict = PASSED
        if low > 0:
            verdict = EXPECTED if PROTOCOLS[protocol].invalid else HAS_SKILL if tell else REFUSED
            evidence += "; if missing data, trial length or timing explains it, set statistics.control_skill: tell to go on"
        out.append(Finding("controls", question, verdict, evidence))
    return out


def giveaways(tokens: Tokens, by_session: tuple[str, ...]) -> list[Finding]:
    """How much do identity, clip, order, length and absence tell?"""
    facts, names = probes.trial_facts(tokens), tokens.layout.targets
    order = probes.explained_by(facts["features"], facts["number"], facts["subject"])
    equal = not np.ptp(facts["length"])
    length = (
        "all trials are equally long"
        if equal
        else f"correlation of what it predicts with {_correlations(facts, 'length', names)}"
    )
    session = f"{', '.join(by_session)}: by each person's whole session, its test trials included (no label)"
    session = session if by_session else "no modality is normalised by trials that are tested"
    return [
        Finding("session", "Does a feature's normalisation see test trials?", REPORTED, session),
        Finding("identity", "How well do features name the person?", REPORTED, _named(*probes.identity(tokens))),
        Finding("clip", "How well do features name the clip, across people?", REPORTED, _named(*probes.clip(tokens))),
        Finding("order", "Do features tell a trial's number?", REPORTED, f"correlation {order:.2f} across subjects"),
        Finding("length", "Does a trial's length tell its label?", REPORTED, length),
        Finding(
            "absence",
            "Does what is missing tell the label?",
            REPORTED,
            f"correlation with {_correlations(facts, 'presence', names)}",
        ),
    ]


def _named(right: float, chance: float) -> str:
    return f"{right:.0%} right, chance {chance:.0%}" if np.isfinite(right) else "no two people met the same"


def _correlations(facts: dict[str, np.ndarray], what: str, targets: tuple[str, ...]) -> str:
    pairs = ((name, probes.explained_by(facts[what], facts["y"][:, i], facts["subject"])) for i, name in enumerate(targets))
    return ", ".join(f"{name} {r:.2f}" for name, r in pairs)


def _folds(splits: list[Split], fits: list[Fit]) -> list[tuple[Fit, Split]]:
    return [(fit, split) for fit in fits for split in splits if split.fold in fit.stored]


def audit_files(
    protocol: str, tokens: list[Path], splits: str, records: list[Path], weights: list[Path], predictions: list[Path],
    tell: bool = False, normalisation: str = "session",
) -> list[dict[str, str]]:  # fmt: skip
    """The sheet of one data set and protocol; ``normalisation`` is what the run chose.

    Raises
    ------
    HimoeError
        One line that names everything refused.
    """
    files = zip(records, weights, strict=True)
    fits = [Fit(r, read_shard(w, path), View(**r["view"])) for path, w, r in ((p, w, io.read_json(p)) for p, w in files)]
    modalities = dataset_info(fits[0].record["dataset"]).modalities if fits else ()
    there = read_tokens(tokens[0]).layout.modalities  # of a variant some
    by_session = tuple(m.name for m in modalities if m.name in there and m.normalised(normalisation) == "session")
    shown = partial(_shown, tokens, {})
    clean = pd.concat([io.read_table(p, filters=[("condition", "==", CLEAN)]) for p in predictions], ignore_index=True)
    findings = audit(protocol, shown, read_splits(splits), fits, clean, tell, by_session)
    if refused := [f"{f.check}: {f.evidence}" for f in findings if f.verdict == REFUSED]:
        raise HimoeError(f"audit of {protocol}: refused, nothing is scored: {'; '.join(refused)}")
    return [asdict(finding) for finding in findings]


def _shown(files: list[Path], readers: dict[View, Reader], view: View, seed: int) -> Tokens:
    """All subjects as a view has them; each file is read once per window length."""
    plain = View(window=view.window, baseline=view.baseline)
    reader = readers.setdefault(plain, Reader(files, plain))
    return narrow(view, with_control(view, reader.load(set(reader.paths)), seed))
