"""What the documentation says is run: its code, its commands and its examples' shape."""

import ast
import doctest
import importlib.util
import re
import runpy
from pathlib import Path

import pytest
import torch
from matplotlib import pyplot

import sklrnn
from sklrnn import cells, datasets, distributed, export, forecasting, inspection, metrics, sktime_adapters

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    *sorted(path for path in DOCS.rglob("*.md") if not {"_build", "generated", "examples"} & {*path.parts}),
]
ESSAYS = sorted((ROOT / "examples").glob("*.py"))
# Pages whose code needs a package that is optional.
OPTIONAL = {"export.md": "skl2onnx", "serving.md": "fastapi"}
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
PICTURE = re.compile(r"!\[[^]]+\]\((?!https?:)([^)]+)\)")
BLOCK = re.compile(r"^```(?:python|\{doctest\})\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def module_at(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
    if page.name == "deployment.md" and torch.__version__.startswith("2.4."):
        pytest.skip("the page exports a network, and torch 2.4 exports no recurrent layers")
    if page.name in OPTIONAL:
        pytest.importorskip(OPTIONAL[page.name])
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(ROOT / "examples")
    names = {"__name__": page.stem}
    for line, code in blocks(page):
        run(page, line, code, names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_within_the_repository_lead_somewhere(page):
    # Pictures and the pages of the examples are made by the build.
    text = PICTURE.sub("", page.read_text(encoding="utf-8")).replace("](examples/index.rst)", "")
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_api_page_names_everything_public():
    listed = set(re.findall(r"^   (?:\w+\.)?(\w+)$", (DOCS / "api.md").read_text(encoding="utf-8"), re.MULTILINE))
    packages = (sklrnn, datasets, distributed, export, forecasting, inspection, metrics, sktime_adapters)
    assert {name for package in packages for name in package.__all__} <= listed
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    assert [name for name in cells.__all__ if f"sklrnn.cells.{name}" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_code_of_a_page_fits_beside_the_navigation(page):
    """ruff wraps it, but neither long strings nor what is printed."""
    fences = re.findall(r"^```(?:python|py)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    # Beside prompts stands what is printed, which can be scrolled.
    typed = [line for code in fences for line in code.splitlines() if ">>>" not in code or line[:4] in (">>> ", "... ")]
    assert [line for line in typed if len(line) > 76] == []


@pytest.mark.parametrize(
    "page", [page for page in PAGES if PICTURE.search(page.read_text("utf-8"))], ids=lambda page: page.stem
)
def test_a_picture_of_a_page_is_drawn_by_a_script(page):
    scripts = module_at(DOCS / "_ext" / "drawn_pictures.py").scripts()
    drawn = {(DOCS / picture).resolve() for pictures in scripts.values() for picture in pictures}
    for target in PICTURE.findall(page.read_text(encoding="utf-8")):
        picture = (page.parent / target).resolve()
        # What a benchmark measured is drawn by the benchmark, which takes too long for a build.
        measured = picture.with_suffix(".py")
        assert picture in drawn or (measured.is_file() and picture.name in measured.read_text(encoding="utf-8"))


def test_page_of_other_packages_has_the_versions_of_their_tests_and_a_test_for_each_section():
    text = (DOCS / "guide" / "hosts.md").read_text(encoding="utf-8")
    pins = (ROOT / ".ci" / "constraints-hosts.txt").read_text(encoding="utf-8").lower()
    rows = re.findall(r"^\| \[([^]]+)\]\(#\S+\) \| ([\d.]+) \|", text, re.MULTILINE)
    renamed = {"mlflow": "mlflow-skinny", "onnx runtime": "onnxruntime"}
    wanted = [f"{renamed.get(name.lower(), name.lower())}=={version}" for name, version in rows]
    assert [pin for pin in wanted if pin not in pins.splitlines()] == []

    sections = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert sections == [name for name, _ in rows]
    tests = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests" / "hosts").glob("test_*.py")))
    assert [name for name in sections if f'code_of("{name}")' not in tests] == []


def test_readme_names_every_estimator():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in sklrnn.__all__ if name.endswith(("Regressor", "Classifier")) and name not in readme] == []


def test_checks_run_the_two_commands_of_readme():
    extractor = module_at(ROOT / ".ci" / "readme_commands.py")
    example, tests = extractor.set_up_commands(extractor.README.read_text(encoding="utf-8"))
    assert example.startswith("python -m pip install ")
    assert (ROOT / example.rpartition("&& python ")[2]).is_file()
    assert "&& python -m pytest" in tests
    assert "python .ci/readme_commands.py" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("essay", ESSAYS, ids=lambda path: path.stem)
def test_example_is_an_essay(essay):
    text = essay.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 160
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


@pytest.mark.parametrize("essay", ESSAYS, ids=lambda path: path.stem)
def test_example_shows_what_it_finds(essay):
    text = essay.read_text(encoding="utf-8")
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    assert not [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Assert)]
    assert any(getattr(call.func, "id", "") == "print" for call in calls)
    assert "plt." in text, "an example has a picture, its thumbnail"
    verbose = [word.value.value for call in calls for word in call.keywords if word.arg == "verbose"]
    assert not any(verbose), "a progress bar is no result"


@pytest.mark.parametrize("essay", ESSAYS, ids=lambda path: path.stem)
def test_code_of_an_example_fits_into_the_column_of_the_site(essay):
    lines = essay.read_text(encoding="utf-8").splitlines()
    code = lines[lines.index('"""', 1) + 1 :]
    assert [line for line in code if len(line) > 76 and not line.startswith("#")] == []


@pytest.mark.slow
@pytest.mark.parametrize("essay", ESSAYS, ids=lambda path: path.stem)
def test_example_runs_without_a_warning(essay, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pyplot, "show", lambda: None)
    with pyplot.rc_context():
        runpy.run_path(str(essay), run_name="__main__")


def test_there_are_examples():
    assert ESSAYS
