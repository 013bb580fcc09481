"""How Sphinx builds the documentation: ``python -m sphinx docs docs/_build``."""

import os
import re
from importlib.metadata import version as version_of
from typing import Any

os.environ.setdefault("MPLBACKEND", "Agg")

project = "sklrnn"
author = "The sklrnn developers"
copyright = "2026, The sklrnn developers"
release = version = version_of("sklrnn")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
# Fragments are collected in the changelog at a release; they are not pages.
exclude_patterns = ["_build", "changes/[0-9]*.md"]
templates_path = ["_templates"]
# The links of the HTML representation search the pages for the text of the docstrings, quotes included.
smartquotes = False
html_theme = "alabaster"
html_theme_options = {
    "description": "Recurrent neural networks as scikit-learn estimators",
    "fixed_sidebar": True,
}

autosummary_generate = True
autodoc_member_order = "bysource"
# The Parameters section has types and defaults, so the signature need not repeat them.
autodoc_typehints = "none"
numpydoc_show_class_members = False

myst_heading_anchors = 3

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "examples",
    "filename_pattern": r"\.py$",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
}


def drop_references_of_other_projects(
    app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Keep only the text of scikit-learn's cross-references, whose targets are in its own documentation."""
    lines[:] = re.sub(
        r":(?:ref|term):`([^`<]*?)\s*(<[^`]*>)?`", r"\1", "\n".join(lines)
    ).split("\n")


def keep_the_summary_of_sktime(
    app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Cut docstrings that are inherited from sktime down to their summary: their markup is not numpydoc's."""
    if (getattr(obj, "__module__", None) or "").split(".")[0] in (
        "sktime",
        "skbase",
    ):
        lines[:] = [*lines[: lines.index("") if "" in lines else None], ""]


def setup(app: Any) -> None:
    # After numpydoc, which rewrites the docstrings first.
    app.connect(
        "autodoc-process-docstring",
        keep_the_summary_of_sktime,
        priority=800,
    )
    app.connect(
        "autodoc-process-docstring",
        drop_references_of_other_projects,
        priority=900,
    )
