"""Documents point to what exists, and the figures in them that can be counted are counted."""

from __future__ import annotations

import re

import pytest
import yaml

from himoe import registry
from himoe.__main__ import main
from himoe.config import protocols
from himoe.config.load import load_config
from tests.conftest import ROOT

PAGES = [*ROOT.glob("*.md"), ROOT / "config/README.md", *(p for p in (ROOT / "docs").rglob("*.md") if "_build" not in p.parts)]
NUMBERS = {15: "fifteen", 16: "sixteen", 17: "seventeen", 18: "eighteen"}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", there.read_text(), re.M)
            assert anchor in [re.sub(r"[^a-z0-9 -]", "", t.lower()).replace(" ", "-") for t in titles], target


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_that_are_named_exist(page):
    text = re.sub(r"```python.*?```", "", page.read_text(), flags=re.S)  # recipes name files that are to be written
    for name in re.findall(r"`((?:himoe|config|tests|envs|workflow|report|docs)/[\w./]+\.(?:py|yaml|md|lock|smk))`", text):
        assert "NAME" in name or "MODEL" in name or name == "config/mine.yaml" or (ROOT / name).exists(), name


def test_fits_and_models_are_counted_as_the_code_does():
    run = load_config(yaml.safe_load((ROOT / "config/paper.yaml").read_text()))
    fits = 0
    for d in run.datasets:
        for p in run.protocols:
            n_folds = protocols.n_folds(p, len(run.size(d).subjects), run.splits)
            fits += len(run.models_of(d, p)) * len(run.seeds) * -(-n_folds // run.execution.folds_per_job)
    assert f"{fits} fits of up to sixteen folds" in (ROOT / "docs/explanation/measurements.md").read_text()
    assert run.execution.folds_per_job == 16
    assert f"compared with {NUMBERS[len(registry.available('models')) - 1]} models" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", ["doctor", "plan", "verify-data"])
def test_options_that_are_shown_are_understood(name, capsys):
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    assert left.value.code == 0
    known = capsys.readouterr().out
    for page in PAGES:
        for line in re.findall(rf"python -m himoe {name}([^\n`]*)", page.read_text()):
            assert all(option in known for option in re.findall(r"--[\w-]+", line)), (page, line)


def test_every_page_of_the_site_is_in_a_table_of_contents():
    for page in (ROOT / "docs").rglob("*.*"):
        if page.suffix in (".md", ".ipynb") and not {"_build", "ceap_twin"} & {*page.parts} and page.name != "index.md":
            listed = [*(ROOT / "docs").glob("index.md"), *(ROOT / "docs").glob("*/index.md"), ROOT / "docs/reference/api.md"]
            assert any(re.search(rf"^(\w+/|\.\./results/)?{page.stem}$", toc.read_text(), re.M) for toc in listed), page


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 90
