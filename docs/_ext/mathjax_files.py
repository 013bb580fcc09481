"""MathJax from files of the site, so that pages with equations need no other server.

The files are those of the package sphinx-mathjax-offline. Used as an extension it would copy 24 MB, most of which no
page asks for. Without the package pages ask the server that Sphinx names.
"""

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

FOUND = find_spec("sphinx-mathjax-offline")


def copy_files(app: Any, error: Exception | None) -> None:
    if error or app.builder.name != "html":
        return
    source = Path(FOUND.origin).parent / "static" / "mathjax"  # type: ignore[union-attr, arg-type]
    target = Path(app.outdir) / "_static" / "mathjax"
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(source / "tex-chtml.js", target)
    fonts = Path("output") / "chtml" / "fonts"
    shutil.copytree(source / fonts, target / fonts, dirs_exist_ok=True)


def setup(app: Any) -> dict[str, Any]:
    if FOUND:
        app.config.mathjax_path = "mathjax/tex-chtml.js"
        app.connect("build-finished", copy_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
