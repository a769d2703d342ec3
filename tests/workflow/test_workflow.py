"""The whole workflow as its user runs it, small: once through, nothing twice, no request made."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pandas as pd
import pytest
import yaml

from himoe import registry
from tests.workflow.browser import Page, find_chromium
from tests.workflow.runs import SMALL, checkout, snakemake, write_config


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = checkout(tmp_path_factory.mktemp("run"))
    done = snakemake(folder, "--configfile", write_config(folder, {"data_root": "home/of/somebody"}))
    assert done.returncode == 0, done.stderr[-4000:]
    return folder, done


def test_what_leaves_does_not_say_where_data_stand(finished):
    made = [*(finished[0] / "results").glob("*.*"), *(finished[0] / "results/tables").iterdir()]
    assert len(made) > 10
    assert not [path.name for path in made if b"home/of/somebody" in path.read_bytes()]


def test_everything_named_is_there(finished):
    folder, done = finished
    for name in ("report.html", "results.json", "scores.csv"):
        assert (folder / "results" / name).stat().st_size > 1000
    assert int(re.search(r"total\s+(\d+)", done.stdout + done.stderr)[1]) <= 120


def test_scores_are_tidy(finished):
    scores = pd.read_csv(finished[0] / "results/scores.csv")
    expected = ["dataset", "protocol", "model", "seed", "subject", "condition", "severity", "target", "metric", "value", "n"]
    assert list(scores.columns) == expected
    assert not scores.isna().any().any()
    assert set(scores["dataset"]) == set(SMALL["datasets"])
    own = scores[(scores["metric"] == "ccc") & (scores["subject"] != "(pooled)")]
    # 2 data sets, 5 models, 6 subjects, 2 targets, clean + 2 + 2
    assert len(own) == 2 * 5 * 6 * 2 * 5
    constant = scores[(scores["metric"] == "constant") & (scores["model"] == "train_mean") & (scores["subject"] != "(pooled)")]
    assert (constant["value"] == 1).all()


def test_predictions_hold_every_trial_of_every_condition(finished):
    files = sorted((finished[0] / "results").glob("*_twin/subject_kfold/*/seed-0/shard-0/predictions.parquet"))
    assert len(files) == 10
    for file in files:
        predictions = pd.read_parquet(file)
        counts = predictions.groupby(["condition", "severity", "target"]).size()
        assert (counts == 36).all()
        assert len(counts) == 10
        assert predictions["y_pred"].notna().all()


def test_synthetic_results_are_stamped_everywhere(finished):
    folder, _ = finished
    page = (folder / "results/report.html").read_text()
    stamp = "SYNTHETIC - not comparable with the paper"
    results = json.loads((folder / "results/results.json").read_text())
    made = [i for i in results["items"] if "missing" not in i]
    # Not asked for in this run; of the paper's numbers, which say nothing of a twin, there is no table either.
    assert [i["name"] for i in results["items"] if i not in made] == ["ablations", "reported"]
    stamped = [i for i in made if i["synthetic"]]
    assert len(stamped) == len(made) - 1  # all but the decision register
    assert page.count(stamp) >= len(stamped)
    for figure in (folder / "results/figures").glob("*.svg"):
        assert stamp in figure.read_text(), figure.name


def test_every_item_has_words_numbers_and_provenance(finished):
    folder, _ = finished
    items = json.loads((folder / "results/results.json").read_text())["items"]
    for item in (i for i in items if "missing" not in i):
        assert item["caption"]
        assert item["alt"]
        assert item["provenance"]["code"]
        assert all(len(h) == 64 for h in item["provenance"]["inputs"].values())
        assert (folder / "results" / item["csv"]).is_file()
        assert len(item.get("columns", [])) <= 8


def test_a_second_call_does_nothing(finished):
    folder, _ = finished
    again = snakemake(folder, "--configfile", "run.yaml")
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout + again.stderr


def test_a_new_severity_does_not_refit(finished):
    folder, _ = finished
    (folder / "more.yaml").write_text(yaml.safe_dump(SMALL | {"conditions": {"missing_rate": [0, 0.3, 0.5], "shift": [0, 2]}}))
    plan = snakemake(folder, "-n", "--configfile", "more.yaml")
    told = plan.stdout + plan.stderr
    assert re.search(r"^predict +10", told, re.M)
    assert not re.search(r"^fit_model", told, re.M)
    assert not re.search(r"^prepare_subject", told, re.M)


def test_a_new_seed_reuses_the_data(finished):
    folder, _ = finished
    (folder / "seed.yaml").write_text(yaml.safe_dump(SMALL | {"seeds": [0, 1]}))
    told = snakemake(folder, "-n", "--configfile", "seed.yaml")
    told = told.stdout + told.stderr
    assert re.search(r"^fit_model +10", told, re.M)
    assert not re.search(r"^prepare_subject", told, re.M)


def test_same_inputs_same_page_but_for_one_line(finished):
    folder, _ = finished
    first = (folder / "results/report.html").read_text().splitlines()
    done = snakemake(folder, "--configfile", "run.yaml", "--forcerun", "render_report", "draw_figure", "write_table")
    assert done.returncode == 0, done.stderr[-2000:]
    second = (folder / "results/report.html").read_text().splitlines()
    different = [a for a, b in zip(first, second, strict=True) if a != b]
    assert all("generated" in line for line in different)


def test_the_page_asks_for_nothing(finished):
    page = (finished[0] / "results/report.html").read_text()
    assert "default-src 'none'" in page
    links = re.findall(r"(?:src|href)=\"([^\"#][^\"]{0,60})", page)
    assert links
    assert all(link.startswith(("data:", "figures/", "tables/")) for link in links), links


@pytest.fixture(scope="module")
def appendix(finished):
    """Snakemake's own report of the run, as a page and as an archive; made with no way to the network."""
    folder, _ = finished
    with pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            patch.setenv(name, "http://127.0.0.1:9")
        for name in ("appendix.html", "appendix.zip"):
            done = snakemake(folder, "--configfile", "run.yaml", "--report", name)
            assert done.returncode == 0, done.stderr[-2000:]
            assert "ERROR" not in done.stderr + done.stdout  # of a caption that is no reStructuredText
    return folder


def test_snakemakes_own_report_has_every_item_by_section(appendix):
    text = (appendix / "appendix.html").read_text()
    results = json.loads((appendix / "results/results.json").read_text())
    made = [item for item in results["items"] if "missing" not in item]
    with zipfile.ZipFile(appendix / "appendix.zip") as packed:
        files = {Path(name).name for name in packed.namelist()}
    assert files == {"report.html"} | {Path(i["svg" if i["kind"] == "figure" else "csv"]).name for i in made}
    for item in made:
        assert json.dumps({"result": item["title"], "kind": item["kind"], "data": "SYNTHETIC"}) in text
        assert registry.SECTIONS[item["section"]] in text
    assert "0 The report" in text
    assert "Which claims of Hi-MoE hold" in text  # caption of the page
    assert "only the abstract was at hand" not in text  # caption of a table that was not made


@pytest.fixture
def page(tmp_path):
    if not find_chromium():
        pytest.skip("no Chromium on this machine")
    with Page(tmp_path / "profile") as tab:
        yield tab


def test_the_page_runs_in_a_browser_without_requests_or_errors(finished, page):
    address = (finished[0] / "results/report.html").as_uri()
    page.open(address)
    asked = [url for url in page.requests() if not url.startswith("data:")]
    assert asked == [address]
    assert page.complaints() == []
    assert page.evaluate("[...document.images].every(i => i.naturalWidth > 0)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_snakemakes_own_report_asks_for_nothing(appendix, page):
    address = (appendix / "appendix.html").as_uri()
    page.open(address)
    assert page.requests() == [address]
    assert "6 Compute and decisions" in page.evaluate("document.body.innerText")


def test_headers_sort_and_the_theme_changes(finished, page):
    page.open((finished[0] / "results/report.html").as_uri())
    column = "[...document.querySelectorAll('#main tbody tr')].map(r => parseFloat(r.cells[5].textContent))"
    click = "document.querySelectorAll('#main thead button')[5].click()"
    page.evaluate(click)
    assert page.evaluate(column) == sorted(page.evaluate(column))
    assert page.evaluate("document.querySelectorAll('#main thead th')[5].getAttribute('aria-sort')") == "ascending"
    page.evaluate(click)
    assert page.evaluate(column) == sorted(page.evaluate(column), reverse=True)
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.evaluate("document.getElementById('theme').click()")
    assert page.evaluate(ground) != light
    assert page.evaluate("getComputedStyle(document.querySelector('.on-light')).display") == "none"


def test_a_request_would_be_seen(finished, page, tmp_path):
    """The check above can fail: the same page with a foreign image is refused by its policy, and says so."""
    text = (finished[0] / "results/report.html").read_text().replace("<main>", "<main><img src='http://127.0.0.1:9/x.png'>")
    (tmp_path / "foreign.html").write_text(text)
    page.open((tmp_path / "foreign.html").as_uri())
    assert any("127.0.0.1:9" in told for told in page.complaints())
