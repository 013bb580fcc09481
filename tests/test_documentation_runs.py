"""What the documentation says is run: its code, its commands and its examples' shape."""

import ast
import doctest
import importlib.util
import re
from pathlib import Path

import pytest

import sklrnn
from sklrnn import datasets, export, forecasting, sktime_adapters

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    *sorted(path for path in DOCS.rglob("*.md") if not {"_build", "generated", "examples"} & {*path.parts}),
]
ESSAYS = sorted((ROOT / "examples").glob("*.py"))
# Pages whose code needs a package that is optional.
OPTIONAL = {"export.md": "skl2onnx"}
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
BLOCK = re.compile(r"^```(?:python|\{doctest\})\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page):
    """The code of a page, as ``(line, code)``."""
    text = page.read_text(encoding="utf-8")
    return [(text.count("\n", 0, found.start(1)), found[1]) for found in BLOCK.finditer(text)]


def run(page, line, code, names):
    if ">>>" not in code:
        # The empty lines make an error name the line of the page.
        exec(compile("\n" * line + code, str(page), "exec"), names)
        return
    test = doctest.DocTestParser().get_doctest(code, names, page.name, str(page), line)
    report = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    runner.run(test, out=report.append, clear_globs=False)
    names.update(test.globs)
    assert not runner.summarize(verbose=False).failed, "".join(report)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page)], ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_code_of_a_page_runs_from_top_to_bottom(page, tmp_path, monkeypatch):
    if page.name in OPTIONAL:
        pytest.importorskip(OPTIONAL[page.name])
    monkeypatch.chdir(tmp_path)
    names = {"__name__": page.stem}
    for line, code in blocks(page):
        run(page, line, code, names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_within_the_repository_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_api_page_names_everything_public():
    listed = set(re.findall(r"^   (?:\w+\.)?(\w+)$", (DOCS / "api.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert {
        *sklrnn.__all__,
        *datasets.__all__,
        *export.__all__,
        *forecasting.__all__,
        *sktime_adapters.__all__,
    } <= listed


def test_readme_names_every_estimator():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in sklrnn.__all__ if name.endswith(("Regressor", "Classifier")) and name not in readme] == []


def test_checks_run_the_two_commands_of_readme():
    place = ROOT / ".ci" / "readme_commands.py"
    spec = importlib.util.spec_from_file_location("readme_commands", place)
    extractor = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(extractor)
    example, tests = extractor.set_up_commands(extractor.README.read_text(encoding="utf-8"))
    assert example.startswith("python -m pip install ")
    assert (ROOT / example.rpartition("&& python ")[2]).is_file()
    assert "&& python -m pytest" in tests
    assert "python .ci/readme_commands.py" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("essay", ESSAYS, ids=lambda path: path.stem)
def test_example_is_an_essay(essay):
    text = essay.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    title, rule, *promise = ast.get_docstring(ast.parse(text)).splitlines()
    assert set(rule) == {"="}
    assert len(rule) == len(title)
    assert " ".join(promise).strip().endswith(".")

    _, *cells = text.split("\n# %%\n")
    assert len(cells) >= 3
    for cell in cells:
        assert re.match(r"# [A-Z]", cell), f"a cell opens with a sentence, not with {cell[:40]!r}"
    finding = cells[-1].splitlines()
    assert all(line.startswith("#") for line in finding), "the last cell is the finding, in words"


def test_there_are_examples():
    assert ESSAYS
