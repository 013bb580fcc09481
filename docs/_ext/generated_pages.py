"""Pages that follow from other files: the changes for users, from their fragments, and ``llms.txt``."""

import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1]
KINDS = {
    "feature": "New",
    "change": "Changed",
    "fix": "Fixed",
    "removal": "Removed",
}


def write_changes(app: Any) -> None:
    """Gather the fragments of ``docs/changes``, the newest first, in ``generated/changes.md``."""
    text = (
        "# Changes\n\nWhat is new for users since the first version, "
        "the newest first.\n"
    )
    for kind, title in KINDS.items():
        fragments = sorted(
            (DOCS / "changes").glob(f"[0-9]*.{kind}*.md"),
            key=lambda path: [-int(path.name.split(".")[0]), path.name],
        )
        items = [
            re.sub(
                r"\n(?=.)", "\n  ", path.read_text(encoding="utf-8").strip()
            )
            for path in fragments
        ]
        if items:
            text += f"\n## {title}\n\n" + "".join(
                f"* {item}\n" for item in items
            )
    page = DOCS / "generated" / "changes.md"
    page.parent.mkdir(exist_ok=True)
    # An unchanged page is not read again.
    if not page.exists() or page.read_text(encoding="utf-8") != text:
        page.write_text(text, encoding="utf-8")


def write_llms_txt(app: Any, error: Exception | None) -> None:
    """List the pages with their sources, which are plain text, for programs that read (llmstxt.org)."""
    if error or app.builder.name != "html":
        return
    env = app.env
    sections: dict[str, list[str]] = {}
    for docname in sorted(env.found_docs):
        title = env.titles[docname].astext()
        folder = docname.partition("/")[0] if "/" in docname else "pages"
        source = env.doc2path(docname, base=False)
        suffix = "" if str(source).endswith(".txt") else ".txt"
        sections.setdefault(folder, []).append(
            f"- [{title}](_sources/{source}{suffix})"
        )
    names = {
        "pages": "Pages",
        "guide": "User guide",
        "generated": "API",
        "examples": "Examples",
        "benchmarks": "Benchmarks",
        "changes": "Changes",
    }
    text = f"# {app.config.project}\n\n> {app.config.html_short_title}\n"
    for folder, name in names.items():
        if folder in sections:
            text += f"\n## {name}\n\n" + "\n".join(sections[folder]) + "\n"
    (Path(app.outdir) / "llms.txt").write_text(text, encoding="utf-8")


def setup(app: Any) -> dict[str, Any]:
    app.connect("builder-inited", write_changes, priority=100)
    app.connect("build-finished", write_llms_txt)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
