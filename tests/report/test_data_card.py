"""The data card's table: what a card says, on a page of eight columns, the rest in the CSV."""

from __future__ import annotations

import json

import pytest

from himoe.config.run import Config
from himoe.report.evidence import Evidence
from himoe.tables import data_card

COUNTS = {"tokens": 200, "present": 150, "features_unmeasured": 3, "windows": 200} | dict.fromkeys(data_card.REASONS, 0)
LABEL = {"counts": [0, 1, 2, 3, 4, 3, 2, 1], "edges": [1, 2, 3, 4, 5, 6, 7, 8, 9], "mean": 5.25, "sd": 1.5}
CARD = {
    "dataset": "deap_twin", "edition": "python", "licence": "none", "caveats": [], "per_token": False, "token_rate": 2.0,
    "token_window": 2.0, "n_subjects": 4, "n_trials": 16, "n_stimuli": 5, "n_tokens": 200, "n_features": 2,
    "trial_seconds": {"min": 40.0, "median": 52.5, "max": 65.0},
    "people_per_stimulus": {"min": 1.0, "median": 3.0, "max": 4.0, "shared": 4}, "labels": {"valence": LABEL, "arousal": LABEL},
    "absent_subjects": [], "stray_files": [],
    "modalities": {
        "gsr": COUNTS | {"n_chans": 1, "sfreq": 128.0, "unit": "S", "max_gap": 0.0, "recipe": "gsr", "normalise": "session"}
        | {"dead": 10},
        "beats": COUNTS | {"n_chans": 1, "sfreq": 4.0, "unit": "ms", "max_gap": 3.0, "recipe": "values", "normalise": "none"},
    },
}  # fmt: skip


@pytest.fixture
def item(tmp_path):
    def made(**changes):
        (tmp_path / "card.json").write_text(json.dumps(CARD | changes))
        return data_card.make(Evidence({"cards": [str(tmp_path / "card.json")]}, Config(datasets=["deap_twin"])))

    return made


def test_the_page_has_eight_columns_and_says_rate_and_unit(item):
    shown = item().shown
    assert len(shown.columns) == 8
    assert shown["recorded"].tolist() == ["128 Hz, S", "events, on a grid of 4 Hz, ms"]
    assert shown["tokens present"].tolist() == ["75.0%", "75.0%"]  # 150 of 200
    assert shown["windows refused"].tolist() == ["5.0% dead", "none"]  # 10 of 200


def test_the_note_says_trials_stimuli_and_labels(item):
    note = item().note
    assert "16 trials of 40 to 65 s, median 52.5; 5 stimuli, " in note
    assert "seen by 1 to 4 people, median 3 (4 of them by more than one); " in note
    assert "valence: mean 5.25, SD 1.50, 8 bins from 1 to 9 hold 0 1 2 3 4 3 2 1" in note
    same = {"min": 60.0, "median": 60.0, "max": 60.0}
    assert "16 trials of 60 s; " in item(trial_seconds=same).note
    alone = {"min": 1.0, "median": 1.0, "max": 1.0, "shared": 0}
    assert "seen by one person each; " in item(people_per_stimulus=alone).note


def test_the_csv_has_the_rest(item):
    row = item().data.iloc[0]
    assert (row["trial_seconds_min"], row["trial_seconds_median"], row["trial_seconds_max"]) == (40, 52.5, 65)
    assert (row["people_per_stimulus_max"], row["people_per_stimulus_shared"], row["n_stimuli"]) == (4, 4, 5)
    assert (row["sfreq"], row["unit"], row["max_gap"]) == (128, "S", 0)
    assert row["label_histograms"] == "valence: 0 1 2 3 4 3 2 1; arousal: 0 1 2 3 4 3 2 1"
