"""How Sphinx builds the documentation: ``python -m sphinx docs docs/_build``.

``SKLRNN_DOCS=quick`` leaves out what takes minutes: examples are shown, not run, and pictures that are there stay.
"""

import os
import sys
from importlib.metadata import metadata
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))
os.environ.setdefault("MPLBACKEND", "Agg")
# Progress bars of a page would be a line for each update.
os.environ["TQDM_DISABLE"] = "1"
QUICK = os.environ.get("SKLRNN_DOCS") == "quick"

project = "sklrnn"
author = "The sklrnn developers"
copyright = "2026, The sklrnn developers"
release = version = version_of("sklrnn")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinxext.opengraph",
    "sphinx_gallery.gen_gallery",
    # In docs/_ext:
    "drawn_pictures",
    "generated_pages",
    "docstrings",
    "mathjax_files",
]
# Fragments are collected in the changelog; they are not pages.
exclude_patterns = [
    "_build",
    "_ext",
    "changes/[0-9]*.md",
    # Left by earlier builds.
    "**/sg_execution_times.rst",
    "sg_execution_times.rst",
]
templates_path = ["_templates"]
# The links of the HTML representation search the pages for the text of the docstrings, quotes included.
smartquotes = False

# -- the look ----------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = "sklrnn"
html_short_title = "Recurrent neural networks as scikit-learn estimators"
html_logo = "_static/logo.svg"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = True
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "sklrnn", "alt_text": "sklrnn, to the start"},
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "show_prev_next": True,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
# Pages without neighbours need no list of neighbours.
html_sidebars = {
    page: []
    for page in ("index", "install", "start", "glossary", "examples/index")
}

# -- links to this site in other places --------------------------------------

project_urls = metadata("sklrnn").get_all("Project-URL") or []
ogp_site_url = next(
    (
        url.partition(", ")[2]
        for url in project_urls
        if url.startswith("Documentation, ")
    ),
    "",
)
ogp_site_name = "sklrnn"
ogp_image = "_static/preview.png"
ogp_description_length = 200
ogp_social_cards = {"enable": False}

# -- equations ---------------------------------------------------------------

mathjax3_config = {
    "chtml": {"displayAlign": "left", "displayIndent": "2em"}
}

# -- pages and docstrings ----------------------------------------------------

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

autosummary_generate = True
toc_object_entries_show_parents = "hide"
autodoc_member_order = "bysource"
# The Parameters section has types and defaults, so the signature need not repeat them.
autodoc_typehints = "none"
numpydoc_show_class_members = False

# Prompts and outputs are not copied.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# -- the gallery -------------------------------------------------------------

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "examples",
    "filename_pattern": r"\.py$",
    "within_subsection_order": "gallery_order.ReadingOrder",
    "plot_gallery": not QUICK,
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "thumbnail_size": (640, 420),
    "remove_config_comments": True,
    "parallel": False if QUICK else min(2, os.cpu_count() or 1),
    # For "Examples" on the pages of the classes.
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("sklrnn",),
}
