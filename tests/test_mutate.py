"""What ``mutate.py`` changes in a source, and that its lists name what there is."""

import collections
import importlib.util
import tomllib
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "sklrnn"


def load_script():
    spec = importlib.util.spec_from_file_location("mutate", TESTS / "mutate.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


mutate = load_script()
mutators = mutate.mutators


def mutants_of(source):
    text = source.encode()
    return {mutant.apply(text).decode() for mutant in mutators.find_mutants(text)}


@pytest.mark.parametrize(
    ("source", "mutants"),
    [
        ("x = a + b", ["x = (a - b)"]),
        ("x = a < b", ["x = (a <= b)", "x = (a >= b)"]),
        ("x = 0 <= a < b", ["x = (0 <= a)", "x = (a < b)", "x = 1 <= a < b", "x = -1 <= a < b"]),
        ("x = a and b", ["x = (a or b)"]),
        ("x = not a", ["x = a"]),
        ("x = a if b else c", ["x = (c if b else a)"]),
        ("x = 3", ["x = 4", "x = 2"]),
        ("x = -1", ["x = 0", "x = 1"]),
        ("x = True", ["x = False"]),
        ("x = f(a, b)", ["x = f(b, a)"]),
        ("def f(a=0.5): ...", ["def f(a=1.0): ..."]),
        ("def f():\n    return a", ["def f():\n    return None"]),
        ("def f():\n    x = a", ["def f():\n    pass"]),
        ("if a:\n    x = b", ["if True:\n    x = b", "if False:\n    x = b"]),
        ("def f():\n    raise E(1 + 1)", ["def f():\n    pass"]),
        ("for a in b:\n    continue", []),
        ("def f():\n  for a in b:\n    continue", ["def f():\n  for a in b:\n    break"]),
        ("x: A | None = a", []),
        ("x = max(a, b)", []),
        ("x = zip(a, strict=True)", []),
        ("x = f'{a + 1}'", []),
        ("def f():\n    '''Text.'''", []),
    ],
)
def test_mutants_of_a_statement(source, mutants):
    found = mutants_of(source)
    assert found >= set(mutants)
    assert bool(found) == bool(mutants)


def test_a_mutant_knows_the_lines_by_which_its_tests_are_found():
    source = b"n = 1\ndef f():\n    x = (a +\n         b)\n"
    lines = {mutant.apply(source): mutant.lines for mutant in mutators.find_mutants(source)}
    assert lines[source.replace(b"1", b"2")] is None
    assert lines[source.replace(b"a +\n         b", b"a - b")] == (3, 4)


def test_marks_tell_the_lines_that_a_function_runs():
    source = b"""def f(a):
    if a:
        return [g for g in a]
    def inner():
        return 1
    return inner()
x = 1
"""
    marked, seen = {}, []
    exec(compile(mutators.with_marks(source), "f", "exec"), marked)
    marked["__mark__"] = seen.append
    assert marked["f"]([5]) == [5]
    assert seen == [2, 3]
    assert marked["f"]([]) == 1
    assert seen[2:] == [2, 4, 6, 5]


def test_every_source_and_test_of_a_topic_exists():
    for topic in mutate.TOPICS.values():
        assert all((PACKAGE / source).is_file() for source in topic.sources)
        assert all((TESTS.parent / test).exists() for test in topic.tests)


def test_what_is_listed_as_without_effect_is_one_mutant_of_a_topic_and_has_a_reason():
    listed = tomllib.loads((TESTS / "mutants_without_effect.toml").read_text(encoding="utf-8")).get("mutants", [])
    sources = {source: (PACKAGE / source).read_bytes() for topic in mutate.TOPICS.values() for source in topic.sources}
    known = collections.Counter(
        mutate.key(source, mutant, text)
        for source, text in sources.items()
        for mutant in mutators.find_mutants(text)
        if source in {entry["file"] for entry in listed}
    )
    for entry in listed:
        assert known[entry["file"], entry["line"], entry["mutant"]] == 1, entry
        assert len(entry["reason"]) > 20
