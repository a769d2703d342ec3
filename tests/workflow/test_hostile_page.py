"""A page whose every word is markup, in a real browser: nothing runs, nothing complains, and the words are shown."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from himoe import io
from himoe.report.items import FigureItem, draw_figure
from himoe.report.style import panels
from tests.report.test_page import ANSWER, CLAIMS, HOSTILE, RECORD, WIDE, render

FORMS = {"svg": "svg", "dark": "dark.svg", "phone": "phone.svg", "phone_dark": "phone.dark.svg", "png": "png", "pdf": "pdf",
         "csv": "csv", "item": "json"}  # fmt: skip
MARKUP = (
    HOSTILE,
    "</text></svg><script>alert(2)</script>",
    "]]><img src=x onerror=alert(3)>",
    "&lt;b>$_{x}",
    "a\"onload='alert(4)'",
)
WORDS = dict.fromkeys(("alt", "title", "caption", "note", "facts"), HOSTILE) | {
    "columns": [HOSTILE] * 3,
    "rows": [[HOSTILE] * 3],
}


def draw(evidence, theme):
    """Each word as title, label, tick, note and name of a line."""
    figure, axes = panels(1, 1)
    (ax,) = axes[0]
    for place, words in enumerate(MARKUP):
        ax.plot([place, place + 1], [0, 1], label=words, gid=words)
        ax.text(place, place, words, url="javascript:alert(5)")
    ax.set_title(HOSTILE)
    ax.set_xlabel(HOSTILE)
    ax.set_xticks(range(len(MARKUP)), [words[:12] for words in MARKUP])
    return FigureItem(figure, pd.DataFrame({HOSTILE: MARKUP}), HOSTILE)


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """The page, and the figure's files by form."""
    monkeypatch.setitem(sys.modules, "himoe.figures.subjects", SimpleNamespace(draw=draw))
    shown = {"name": "subjects", "section": "comparison", "title": HOSTILE, "caption": HOSTILE}
    entry = SimpleNamespace(plugin="subjects", kind="figures", condition="", facts={}, **shown)
    evidence = SimpleNamespace(synthetic=True, files={}, facts=lambda: HOSTILE, config=SimpleNamespace(seeds=(0,)))
    results = tmp_path / "results"
    figure = {form: str(results / f"figures/subjects.{suffix}") for form, suffix in FORMS.items()}
    draw_figure(entry, evidence, HOSTILE, figure)
    more = [results / "figures/subjects.json"]
    for name, section, of in (("answer", "answer", ANSWER), ("claims", "claims", CLAIMS)):
        more.append(results / f"tables/{name}.json")
        io.write_json(more[-1], RECORD | WORDS | {"name": name, "section": section, "page": of}, sealed=True)
    record = RECORD | WORDS | {"page": WIDE}
    drawn = [Path(path) for form, path in figure.items() if form != "item"]
    render(tmp_path, record, more=more, files=drawn, title=HOSTILE, tables=["answer", "claims", "main"], figures=["subjects"])
    return results / "report.html", figure


def ran(page):
    """Whether a word of the page has run: each of them would open a dialog."""
    return [event for event in page.events if event.get("method") == "Page.javascriptDialogOpening"]


def test_the_page_shows_markup_as_text(hostile, page):
    address = hostile[0].as_uri()
    page.open(address)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("[...document.images].every(i => i.naturalWidth > 0)")
    assert not ran(page)
    assert page.complaints() == []
    assert [url for url in page.requests() if not url.startswith("data:")] == [address]
    assert page.evaluate("document.body.innerText").count(HOSTILE) > 20
    assert page.evaluate("document.scripts.length") == 1  # the page's own
    assert page.evaluate(
        "[...document.querySelectorAll('*')].every(e => !e.getAttribute('onerror') && !e.getAttribute('onload'))"
    )


@pytest.mark.parametrize("form", ["svg", "phone_dark"])
def test_a_figure_opened_by_itself_shows_markup_as_text(hostile, page, tmp_path, form):
    """As somebody opens the file, where scripts of an SVG may run; in the page, as an image, they may not."""
    picture = tmp_path / "figure.svg"
    picture.write_bytes(Path(hostile[1][form]).read_bytes())
    page.open(picture.as_uri())
    assert page.evaluate("document.documentElement.localName") == "svg"  # whole, no error of the parser
    assert not ran(page)
    assert page.complaints() == []
    words = page.evaluate("document.documentElement.textContent")
    assert HOSTILE in words
    assert all(part in words for part in ("</text></svg><script>alert(2)", "]]><img src=x onerror=alert(3)>"))
    assert page.evaluate("document.querySelectorAll('script, foreignObject, img').length") == 0


def test_a_script_that_runs_would_be_seen(page, tmp_path):
    (tmp_path / "bad.html").write_text("<script>setTimeout(() => alert(1))</script>")
    page.call("Page.navigate", url=(tmp_path / "bad.html").as_uri())
    page.receive_until(lambda: ran(page))
    page.call("Page.handleJavaScriptDialog", accept=True)
