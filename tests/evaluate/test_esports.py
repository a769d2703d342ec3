"""On real recordings: ridge meets the reference that was computed outside of this code (pooled CCC 0.353)."""

from __future__ import annotations

import pandas as pd
import pytest

from himoe import io, registry
from himoe.config.run import Config
from himoe.config.sections import Training
from himoe.data import intake, prepare
from himoe.evaluate import score
from himoe.types import Tokens
from tests.train.fits import fit, folds, predict, stored


@pytest.mark.recordings
def test_ridge_on_esports_leave_one_player_out(recordings, tmp_path):
    plugin = registry.load("datasets", "esports")
    size = Config(datasets=["esports"]).size("esports")
    (tmp_path / "esports").mkdir()
    (tmp_path / "esports/matches").symlink_to(recordings / "matches")  # the drop zone remembers hashes: not in the original
    io.write_json(
        tmp_path / "manifest.json",
        intake.take_in("esports", intake.find("esports", tmp_path / "esports"), size, tmp_path / "unpacked"),
    )
    options = Config(datasets=["esports"]).feature_options("esports")
    parts, missing = [], {}
    for subject in size.subjects:
        trials = plugin.read(*intake.read_manifest(tmp_path / "manifest.json", subject), size)
        tokens, quality = prepare.prepare_subject(plugin.INFO, trials, ("Engagement",), options)
        parts.append(tokens)
        missing[subject] = quality["eye_tracker"]["present"] / quality["eye_tracker"]["tokens"]
    tokens = Tokens.concatenate(parts)
    assert len(tokens.trials) == 34
    assert 45_000 < len(tokens.time) < 55_000
    assert missing["amateurs-1"] < 0.6  # sessions without an eye tracker arrive as masks
    out = []
    for split in folds(tokens, "loso", tmp=tmp_path):
        fitted = fit("ridge", tokens, split, settings=Training(refit=True), protocol="loso")
        out.append(predict("ridge", tokens, [split], stored(fitted), protocol="loso")[0])
    predictions = pd.concat(out)
    pooled = score.score_pooled(predictions).set_index("metric")["value"]
    by_player = score.per_subject(score.score(predictions).rename(columns={"dataset": "setting"}), "ccc")["value"]
    assert pooled["pooled_ccc"] >= 0.33
    assert by_player.mean() >= 0.2
