"""What happens to docstrings on their way to the site: other projects' markup, equations, links to the source."""

import importlib
import inspect
import re
import sys
from typing import Any

EQUATIONS = re.compile(r"(^|\S)::\n\n((?: {4,}.*(?:\n|$))+)", re.MULTILINE)
# Words and signs of the equations, in this order, as LaTeX has them.
LATEX = [
    (r"\b(tanh|exp)\b", r"\\\1"),
    (r"\b(relu|activation)\b", r"\\operatorname{\1}"),
    ("\N{GREEK SMALL LETTER SIGMA}", r"\\sigma"),
    (r" \* ", r" \\odot "),
    (r"\.\.\.", r"\\dots"),
]


def latex(line: str) -> str:
    """Turn ``h_t = f_t * h_{t-1}    what it is`` into a line of LaTeX."""
    equation, _, words = line.strip().partition("  ")
    for sign, command in LATEX:
        equation = re.sub(sign, command, equation)
    left, _, right = equation.partition("=")
    return f"{left}&={right} && \\text{{{words.strip()}}}"


def typeset_equations(
    app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Show blocks of equations, which are plain text for ``help()``, by MathJax."""

    def block(found: re.Match[str]) -> str:
        rows = [row for row in found[2].split("\n") if row.strip()]
        if not all("=" in row for row in rows):
            return found[0]
        before = f"{found[1]}:\n\n" if found[1] else ""
        body = " \\\\\n   ".join(map(latex, rows))
        return (
            f"{before}.. math::\n   :nowrap:\n\n   \\begin{{align*}}\n"
            f"   {body}\n   \\end{{align*}}\n\n"
        )

    text = EQUATIONS.sub(block, "\n".join(lines))
    text = text.replace(
        "equations, ``*`` is", r"equations, :math:`\odot` is"
    )
    lines[:] = text.split("\n")


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


def find_module(app: Any, module: str, name: str) -> str | None:
    """Name the file that defines a public class or function: its ``__module__`` is its public package instead."""
    outer = name.partition(".")[0]
    thing = getattr(importlib.import_module(module), outer, None)
    definition = re.compile(rf"^(class|def) {outer}\b", re.MULTILINE)
    for path, candidate in sorted(sys.modules.items()):
        if path.startswith("sklrnn.") and (
            vars(candidate).get(outer) is thing is not None
            and definition.search(inspect.getsource(candidate))
        ):
            return path
    return None


def setup(app: Any) -> dict[str, Any]:
    # After numpydoc, which rewrites the docstrings first.
    event = "autodoc-process-docstring"
    app.connect(event, keep_the_summary_of_sktime, priority=800)
    app.connect(event, drop_references_of_other_projects, priority=900)
    app.connect(event, typeset_equations, priority=910)
    app.connect("viewcode-follow-imported", find_module)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
