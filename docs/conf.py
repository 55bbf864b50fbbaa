"""How the documentation site is built: `make docs`."""

from __future__ import annotations

import consolidation

project = "consolidation"
author = "the consolidation contributors"
copyright = f"2026, {author}"
version = release = consolidation.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates"]
html_theme = "pydata_sphinx_theme"
html_title = "consolidation"
html_theme_options = {
    "navigation_with_keys": True,
    "show_toc_level": 2,
    "header_links_before_dropdown": 4,
    "navbar_align": "left",
}
html_show_sourcelink = False

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
# pages name files of the repository; the site has no address of its own yet
suppress_warnings = ["myst.xref_missing"]

autosummary_generate = True
autodoc_typehints = "none"  # numpydoc shows the types that docstrings give
numpydoc_show_class_members = False
