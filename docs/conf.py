"""The documentation site: `make docs` builds docs/_build/html. Nothing is asked of the network, here or by the pages."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import made  # noqa: E402

from himoe import __version__  # noqa: E402

project = "Hi-MoE replication"
copyright = "the authors, MIT licence"
version = release = __version__
extensions = ["sphinx.ext.autodoc", "numpydoc", "myst_nb"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["_build", "**.ipynb_checkpoints", "tutorials/ceap_twin"]

myst_enable_extensions = ["attrs_block", "attrs_inline", "deflist"]
myst_heading_anchors = 4
nb_execution_mode = os.getenv("HIMOE_DOCS_EXECUTE", "force")  # a test builds with "off": another one executes the notebooks
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True

highlight_language = "text"  # of blocks that name none: commands
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 90
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["himoe.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "show_nav_level": 1,
    "navigation_depth": 3,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "navbar_align": "left",
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def setup(app: object) -> None:
    """Pages of the repository become pages of the site, and what the code knows is written into those that name it."""
    app.connect("source-read", made.read_source)  # type: ignore[attr-defined]
