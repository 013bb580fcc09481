"""Draw the pictures of the pages before the pages are read: each by its script in ``docs/pictures``.

A script names what it draws in ``PICTURES``, relative to ``docs``. With ``SKLRNN_DOCS=quick`` a picture that is
there stays as it is.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1]


def scripts() -> dict[Path, list[str]]:
    """Give each script and the pictures that it draws."""
    found = {}
    for path in sorted((DOCS / "pictures").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assigned = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        if "PICTURES" not in assigned:
            raise ValueError(
                f"{path.name} must name what it draws: PICTURES = (...), "
                "each relative to docs"
            )
        found[path] = list(ast.literal_eval(assigned["PICTURES"]))
    return found


def draw(app: Any) -> None:
    quick = os.environ.get("SKLRNN_DOCS") == "quick"
    for script, pictures in scripts().items():
        if quick and all((DOCS / picture).exists() for picture in pictures):
            continue
        subprocess.run([sys.executable, str(script)], check=True)
        missing = [
            picture for picture in pictures if not (DOCS / picture).exists()
        ]
        if missing:
            raise RuntimeError(f"{script} did not draw {missing}")


def setup(app: Any) -> dict[str, Any]:
    # Before the gallery, whose examples take minutes.
    app.connect("builder-inited", draw, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
