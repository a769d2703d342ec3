"""The documentation site is built without a warning, asks nobody for anything, and every link in it leads somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from types import ModuleType
from urllib.parse import unquote, urlsplit

import pytest

import himoe
from himoe import registry
from tests.conftest import ROOT

pytest.importorskip("myst_nb", reason="the site's tools are not installed (the extra `docs`)")
pytest.importorskip("pydata_sphinx_theme", reason="the site's tools are not installed (the extra `docs`)")
pytest.importorskip("numpydoc", reason="the site's tools are not installed (the extra `docs`)")
pytestmark = pytest.mark.slow(20)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The pages, notebooks without their output: another test executes them."""
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-d",
        folder / "trees",
        ROOT / "docs",
        folder / "html",
    ]
    environment = os.environ | {"HIMOE_DOCS_EXECUTE": "off", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "html"


class Page(HTMLParser):
    """What a page links to, what it asks for as it is shown, and its anchors."""

    def __init__(self, text: str):
        super().__init__()
        self.links, self.asked, self.ids = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids.add(found.get("id"))
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        elif tag == "link":
            self.asked.append(found["href"])
        elif found.get("src"):
            self.asked.append(found["src"])


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path.read_text()) for path in site.rglob("*.html") if "_static" not in path.parts}


def test_every_link_within_the_site_leads_somewhere(site, pages):
    lost = []
    for path, page in pages.items():
        for target in [*page.links, *page.asked]:
            parts = urlsplit(target)
            if parts.scheme or target == "#":
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not there.is_file() or (parts.fragment and there in pages and unquote(parts.fragment) not in pages[there].ids):
                lost.append(f"{path.relative_to(site)}: {target}")
    assert not lost
    assert len(pages) > 40


def test_no_page_asks_anyone_for_anything(site, pages):
    outside = re.compile(r"^(https?:)?//")
    assert not {(path.name, asked) for path, page in pages.items() for asked in page.asked if outside.match(asked)}
    for style in site.rglob("*.css"):
        assert not re.search(r"(url\(\s*['\"]?|@import\s+['\"])(https?:)?//", style.read_text()), style


@pytest.mark.parametrize(
    ("kind", "page"), [("conditions", "conditions"), ("models", "models"), ("figures", "report"), ("tables", "report")]
)
def test_every_plugin_has_its_place(site, kind, page):
    text = (site / f"reference/{page}.html").read_text()
    for name in registry.available(kind):
        assert f">{name}</span>" in text, name


def test_every_public_name_is_on_the_page_of_python(pages, site):
    found = pages[site / "reference/api.html"].ids
    names = {name: getattr(himoe, name) for name in getattr(himoe, "__all__", []) if name != "__version__"}
    for name, what in names.items():
        assert (f"module-{what.__name__}" if isinstance(what, ModuleType) else f"himoe.{name}") in found, name


def test_pages_of_the_repository_are_pages_of_the_site(site):
    for name, words in (
        ("reference/config", "Every key"),
        ("howto/contributing", "A data set"),
        ("reference/changelog", "[Unreleased]"),
    ):
        assert f'{words}<a class="headerlink"' in (site / f"{name}.html").read_text()
    assert "<!-- made:" not in "".join(path.read_text() for path in (site / "reference").glob("*.html"))
