"""The report of the default run: stamped, complete, the same from the same inputs, and it asks the network for nothing."""

from __future__ import annotations

import json
import re
import zipfile
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml

from himoe.config.contents import SECTIONS
from tests.conftest import ROOT
from tests.workflow.runs import copied, snakemake

pytestmark = pytest.mark.slow(60)
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())


@pytest.fixture(scope="module")
def finished(default_run):
    """A copy of the default run, beside it: the report names some files by their way from the run's folder."""
    return copied(default_run, default_run.parent / "finished_report")


def test_synthetic_results_are_stamped_everywhere(finished):
    page = (finished / "results/report.html").read_text()
    stamp = "SYNTHETIC - not comparable with the paper"
    results = json.loads((finished / "results/results.json").read_text())
    made = [i for i in results["items"] if "missing" not in i]
    # Not asked for in this run; of the paper's numbers, which say nothing of a twin, there is no table either.
    assert [i["name"] for i in results["items"] if i not in made] == [
        "ablations",
        "regimes",
        "reported",
        "specification",
        "learning_curve",
        "few_shot",
    ]
    stamped = [i for i in made if i["synthetic"]]
    assert len(stamped) == len(made) - 1  # all but the decision register
    assert page.count(stamp) == 1  # on top; every section has the badge
    assert page.count('<span class="badge">SYNTHETIC</span>') == page.count("<h2 id=") == len(SECTIONS)
    for figure in (finished / "results/figures").glob("*.svg"):
        assert stamp in figure.read_text(), figure.name


def test_every_item_has_words_numbers_and_provenance(finished):
    results = json.loads((finished / "results/results.json").read_text())
    jsonschema.validate(results, json.loads((ROOT / "report/results.schema.json").read_text()))
    items = results["items"]
    for item in (i for i in items if "missing" not in i):
        assert item["caption"]
        assert item["alt"]
        assert item["provenance"]["code"]
        assert all(len(h) == 64 for h in item["provenance"]["inputs"].values())
        assert (finished / "results" / item["csv"]).is_file()
        assert len(item.get("columns", [])) <= 8


def test_a_figure_that_was_deleted_is_made_again(finished):
    (finished / "results/figures/subjects.svg").unlink()
    done = snakemake(finished)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (finished / "results/figures/subjects.svg").is_file()
    assert "rule fit_model" not in done.stdout + done.stderr


def test_same_inputs_same_page_but_for_one_line(finished):
    first = (finished / "results/report.html").read_text().splitlines()
    done = snakemake(finished, "--forcerun", "render_report", "draw_figure", "write_table")
    assert done.returncode == 0, done.stderr[-2000:]
    second = (finished / "results/report.html").read_text().splitlines()
    different = [a for a, b in zip(first, second, strict=True) if a != b]
    assert all("generated" in line for line in different)


def test_the_page_asks_for_nothing(finished):
    page = (finished / "results/report.html").read_text()
    assert "default-src 'none'" in page
    links = re.findall(r"(?:src|href)=\"([^\"#][^\"]{0,60})", page)
    assert links
    elsewhere = {link for link in links if not link.startswith(("data:", "figures/", "tables/"))}
    assert elsewhere == {"https://arxiv.org/abs/2508.02133"}  # the paper, for who follows the link
    assert not re.search(r"src=\"(?!data:)", page)


@pytest.fixture(scope="module")
def appendix(finished):
    """Snakemake's own report of the run, as a page and as an archive; made with no way to the network."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            patch.setenv(name, "http://127.0.0.1:9")
        for name in ("appendix.html", "appendix.zip"):
            done = snakemake(finished, "--report", name)
            assert done.returncode == 0, done.stderr[-2000:]
            assert "ERROR" not in done.stderr + done.stdout  # of a caption that is no reStructuredText
    return finished


def test_snakemakes_own_report_has_every_item_by_section(appendix):
    text = (appendix / "appendix.html").read_text()
    results = json.loads((appendix / "results/results.json").read_text())
    made = [item for item in results["items"] if "missing" not in item]
    with zipfile.ZipFile(appendix / "appendix.zip") as packed:
        files = {Path(name).name for name in packed.namelist()}
    assert files == {"report.html"} | {Path(i["svg" if i["kind"] == "figure" else "csv"]).name for i in made}
    for item in made:
        assert json.dumps({"result": item["title"], "kind": item["kind"], "data": "SYNTHETIC"}) in text
        assert SECTIONS[item["section"]] in text
    assert "00 The report" in text
    assert "Which claims of Hi-MoE hold" in text  # caption of the page
    assert "only the abstract was at hand" not in text  # caption of a table that was not made


def test_the_page_runs_in_a_browser_without_requests_or_errors(finished, page):
    address = (finished / "results/report.html").as_uri()
    page.open(address)
    asked = [url for url in page.requests() if not url.startswith("data:")]
    assert asked == [address]
    assert page.complaints() == []
    assert page.evaluate("[...document.images].every(i => i.naturalWidth > 0)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_snakemakes_own_report_asks_for_nothing(appendix, page):
    address = (appendix / "appendix.html").as_uri()
    page.open(address)
    assert [url for url in page.requests() if not url.startswith("data:")] == [address]
    assert "11 Appendix" in page.evaluate("document.body.innerText")


def test_headers_sort_and_the_theme_changes(finished, page):
    page.open((finished / "results/report.html").as_uri())
    column = "[...document.querySelector('#main tbody').rows].map(r => parseFloat(r.cells[1].innerText.replace('−', '-')))"
    click = "document.querySelector('#main th[data-column=\"1\"] button').click()"
    page.evaluate(click)
    first = page.evaluate(column)
    assert first == sorted(first, reverse=True)  # the best one first, within its group
    head = "document.querySelector('#main th[data-column=\"1\"]').getAttribute('aria-sort')"
    assert page.evaluate(head) == "descending"
    page.evaluate(click)
    assert page.evaluate(column) == sorted(first)
    page.evaluate("document.getElementById('metric-rmse').click()")  # the metric changes by style alone
    assert page.evaluate(column) != sorted(first)
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.evaluate("document.getElementById('theme').click()")
    assert page.evaluate(ground) != light
    assert page.evaluate("getComputedStyle(document.querySelector('.on-light')).display") == "none"


def test_the_answer_fits_one_screen_and_no_phone_scrolls_sideways(finished, page):
    page.open((finished / "results/report.html").as_uri())
    page.resize(1440, 900)
    assert page.evaluate("document.querySelector('.glance').getBoundingClientRect().bottom + scrollY") <= 900
    for width in (500, 390, 320):
        page.resize(width, 900)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        parts = "[...document.querySelectorAll('.glance *, .claim *, .stacked *')]"
        assert page.evaluate(f"{parts}.every(e => e.getBoundingClientRect().right <= innerWidth + 1)"), width
    sizes = "[...document.querySelectorAll('.forest text')].map(e => e.getBoundingClientRect().height)"
    assert min(page.evaluate(sizes)) >= 9  # px, at the narrowest


def test_it_prints_on_few_pages(finished, page):
    page.open((finished / "results/report.html").as_uri())
    assert page.printed() <= 16


def test_one_model_is_marked_everywhere_and_search_finds(finished, page):
    page.open((finished / "results/report.html").as_uri())
    page.evaluate("(e => { e.value = 'Hi-MoE'; e.dispatchEvent(new Event('change')) })(document.getElementById('highlight'))")
    assert page.evaluate("document.querySelectorAll('#main tr.lit').length") == 1
    assert page.evaluate("document.querySelectorAll('tr.lit').length") > 5
    page.evaluate("(e => { e.value = 'leakage'; e.dispatchEvent(new Event('input')) })(document.getElementById('search'))")
    assert "#audit" in page.evaluate("[...document.querySelectorAll('#found a')].map(a => a.getAttribute('href')).join()")
    page.evaluate("location.hash = '#register'")  # what is folded opens
    page.receive_until(lambda: page.evaluate("document.querySelector('#register details').open"))


def test_text_can_be_told_from_its_ground(finished, page):
    """WCAG 2 AA: 4.5, of every text on a plain ground, light and dark."""
    page.open((finished / "results/report.html").as_uri())
    for theme in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        assert page.contrasts(below=4.5) == [], theme


def test_axe_finds_nothing_broken(finished, page):
    """All rules of axe-core, in both themes, on a desk and on a phone; a picture without a text would be found."""
    axe = files("axe_core_python").joinpath("axe.min.js").read_text()
    page.open((finished / "results/report.html").as_uri())
    for width in (1440, 390):
        page.resize(width, 900)
        for theme in ("light", "dark"):
            page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
            assert page.accessibility(axe) == [], (width, theme)
    page.evaluate(
        "document.querySelectorAll('main img').forEach(i => i.removeAttribute('alt'))"
    )  # those of one theme are hidden
    (found,) = page.accessibility(axe)
    assert found.startswith("image-alt: ")


def test_a_request_would_be_seen(finished, page, tmp_path):
    """The check above can fail: the same page with a foreign image is refused by its policy, and says so."""
    text = (finished / "results/report.html").read_text().replace("<main>", "<main><img src='http://127.0.0.1:9/x.png'>")
    (tmp_path / "foreign.html").write_text(text)
    page.open((tmp_path / "foreign.html").as_uri())
    page.receive_until(lambda: any("127.0.0.1:9" in message for message in page.complaints()))
