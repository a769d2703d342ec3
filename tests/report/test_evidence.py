"""What items are made from is read as far as they need it."""

from __future__ import annotations

import pandas as pd

from himoe import io
from himoe.config.run import Config
from himoe.report.evidence import Evidence


def test_predictions_are_those_on_clean_input(tmp_path):
    """Those under conditions are many times as many: with all of CEAP-360VR's in memory a table took more than 8 GB."""
    keys = {"dataset": "case", "protocol": "loso", "model": "ridge", "seed": 0, "subject": "s1"}
    for i, conditions in enumerate((["clean", "shift", "clean"], ["shift"])):
        frame = pd.DataFrame([keys | {"condition": c, "y_pred": float(n)} for n, c in enumerate(conditions)])
        io.write_table(tmp_path / f"{i}.parquet", frame)
    files = [str(tmp_path / f"{i}.parquet") for i in (0, 1)]
    config = Config(datasets=["case"], protocols=["loso"], conditions={})
    found = Evidence({"predictions": files, "routing": files}, config)
    assert found.predictions["y_pred"].tolist() == [0.0, 2.0]
    assert len(found.routing) == 4  # lags are injected by conditions


def test_routing_is_read_as_far_as_it_is_asked_for(tmp_path):
    keys = {"dataset": "case", "protocol": "loso", "seed": 0, "subject": "s1", "value": 1.0}
    rows = [
        keys | {"model": m, "condition": c, "quantity": q}
        for m in ("himoe", "late_fusion") for c in ("clean", "shift") for q in ("lag", "lambda")
    ]  # fmt: skip
    io.write_table(tmp_path / "0.parquet", pd.DataFrame(rows))
    evidence = Evidence(
        {"routing": [str(tmp_path / "0.parquet")]}, Config(datasets=["case"], protocols=["loso"], conditions={})
    )
    found = evidence.routed(["shift"], ["lag"])
    assert found[["setting", "model", "condition", "quantity"]].to_numpy().tolist() == [["case", "himoe", "shift", "lag"]]
    assert evidence.routed(["drift"], ["lag"]).empty
    assert evidence.routed([], ["lag"]).empty  # nothing asked, nothing read


def test_leading_settings_are_whole_data_sets_once(tmp_path):
    planted = {"base": {"models": ["ridge"]}}
    config = Config(
        datasets=["planted-base.0", "planted-base.1"], planted=planted, protocols=["trial_kfold", "loso"], conditions={}
    )
    assert Evidence({}, config).leading == ["planted-base.0/loso"]
    config = Config(
        datasets=["case", "case-skin"], variants={"skin": {"case": {"modalities": ["gsr"]}}}, protocols=["loso"], conditions={}
    )
    assert Evidence({}, config).leading == ["case"]
