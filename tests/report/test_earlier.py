"""An earlier run beside this one: read if it is what the schema says, refused in one line otherwise."""

from __future__ import annotations

import json

import pytest

from himoe.config.results import read_results
from himoe.report.earlier import differences
from himoe.types import HimoeError
from tests.conftest import ROOT

SCHEMA = str(ROOT / "report/results.schema.json")


def items(ccc, word):
    cells = [{"ccc": [ccc, 0.0, 1.0, "best"]}]
    main = {
        "columns": [{"setting": "deap_twin", "target": "valence"}], "metrics": [],
        "blocks": [{"kind": "model", "rows": [{"model": "ridge", "title": "ridge", "cells": cells}]}],
    }  # fmt: skip
    cell = {"word": word, "lead": None, "low": None, "high": None}
    claims = {
        "settings": [],
        "settle": [],
        "claims": [{"id": "C1", "claim": "c", "overall": word, "cells": {"deap_twin": cell}}],
    }
    return [
        {"name": n, "kind": "table", "title": n, "section": "claims", "number": f"Table {i}", "page": page}
        for i, (n, page) in enumerate((("main", main), ("claims", claims)), 1)
    ]


def results(folder, **changes):
    identity = {"commit": "0123456789ab", "config": "0123456789ab"}
    config = {"datasets": ["deap_twin"], "models": ["ridge"], "protocols": ["loso"], "seeds": [0]}
    path = folder / "earlier.json"
    whole = {"title": "Before", "identity": identity, "config": config, "items": items(0.4, "inconclusive")} | changes
    path.write_text(json.dumps(whole))
    return str(path)


def test_scores_and_verdicts_of_both_runs_are_told(tmp_path):
    """CCC .400 then, .425 now."""
    told = differences(read_results(results(tmp_path), SCHEMA), items(0.425, "contradicted"))
    assert told["rows"] == [["DEAP twin", "valence", "ridge", "0.400", "0.425", "0.025"]]
    assert told["changed"] == [["C1", "DEAP twin", "inconclusive", "contradicted"]]
    assert told["finding"].startswith("1 scores are in both runs; the largest difference of CCC is 0.025.")


def test_the_largest_difference_is_first(tmp_path):
    then, now = items(0.4, "inconclusive"), items(0.41, "inconclusive")
    for made, ccc in ((then, 0.3), (now, 0.1)):
        row = {"model": "himoe", "title": "Hi-MoE", "cells": [{"ccc": [ccc, 0.0, 1.0, ""]}]}
        made[0]["page"]["blocks"][0]["rows"].append(row)
    told = differences(read_results(results(tmp_path, items=then), SCHEMA), now)
    assert [row[2:] for row in told["rows"]] == [["Hi-MoE", "0.300", "0.100", "−0.200"], ["ridge", "0.400", "0.410", "0.010"]]


def test_what_one_run_lacks_is_in_no_table(tmp_path):
    told = differences(read_results(results(tmp_path, items=[]), SCHEMA), items(0.4, "inconclusive"))
    assert (told["rows"], told["changed"]) == ([], [])


def test_no_file_is_one_line(tmp_path):
    with pytest.raises(HimoeError, match=r"none\.json: not readable as JSON") as error:
        read_results(tmp_path / "none.json", SCHEMA)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"title": 3}, r"title: 3 is not of type 'string'"),
        ({"items": [{"name": "main"}]}, r"items\.0: .* is a required property"),
        ({"items": [items(0.4, "x")[0] | {"page": {"columns": []}}]}, r"items\.0\.page: .* is a required property"),
    ],
)
def test_another_file_is_refused_in_one_line(tmp_path, changes, said):
    with pytest.raises(HimoeError, match=said) as error:
        read_results(results(tmp_path, **changes), SCHEMA)
    assert "\n" not in str(error.value)
    assert "compare= takes the results.json of a run of this version" in str(error.value)
