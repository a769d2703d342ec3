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
