"""Pages that are typed name what the code has, and the pictures are of the code as it is."""

from __future__ import annotations

import importlib.util
import re

import yaml

from himoe.config.load import load_config
from himoe.config.run import Config
from himoe.evaluate import score
from himoe.evaluate.predict import COLUMNS, PREDICTION_COLUMNS, REPRESENTATION, ROUTING_COLUMNS
from tests.conftest import ROOT
from tests.contract.networks import build
from tests.models.three_modalities import LAYOUT, batch_of, mask_of

REFERENCE = ROOT / "docs/reference"


def rows(text: str) -> set[str]:
    """Names in the first cells of its tables."""
    cells = re.findall(r"^\|([^|]+)\|", text, re.M)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_column_is_explained():
    parts = re.split(r"^## ", (REFERENCE / "columns.md").read_text(), flags=re.M)
    shared, predictions, routing, scores = (rows(part) for part in parts[1:])
    assert shared | predictions == {*COLUMNS, *PREDICTION_COLUMNS}
    assert {*ROUTING_COLUMNS} <= shared | {"quantity", "part", "value"}
    assert {*score.COLUMNS} <= shared | {"metric", "value", "n"}
    assert {*score.UNDER} <= scores
    seen = build("himoe", LAYOUT).eval()(batch_of(mask_of(True, True, False))).routing
    assert {*seen, REPRESENTATION, "injected"} <= routing


def test_every_setting_says_what_it_makes_due():
    named = {name.partition(".")[0] for name in rows((REFERENCE / "reruns.md").read_text())}
    assert set(Config.model_fields) <= named


def test_the_config_of_the_first_page_is_one():
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/start.md").read_text(), re.S)
    config = load_config(yaml.safe_load(text))
    assert config.models == ["train_mean", "ridge", "himoe"]
    assert "main" in config.tables


def test_the_pictures_are_of_the_code(tmp_path):
    spec = importlib.util.spec_from_file_location("draw", ROOT / "docs/draw.py")
    draw = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(draw)
    draw.main(tmp_path)
    for name in ("model.svg", "workflow.svg"):
        drawn, kept = (re.findall(r"<text[^>]*>([^<]*)", (at / name).read_text()) for at in (tmp_path, ROOT / "docs/pictures"))
        assert drawn == kept, "make picture"
        assert len(drawn) > 20
