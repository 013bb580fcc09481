"""The code of docs/guide/hosts.md, section by section, for tests with the packages that it is about.

These packages are in no extra: ``.ci/run-hosts`` installs them in an environment of its own and runs the tests here.
Test files import them inside of tests, so that they can be collected anywhere.
"""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "hosts.md"
HEADING_OR_CODE = re.compile(r"^## ([^\n]+)$|^```py(?:thon)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def code_of(tmp_path, monkeypatch):
    """Run the set-up of the page, then the code under a heading, and give the names that they defined."""
    monkeypatch.chdir(tmp_path)
    # Nothing is reported to the makers of these packages.
    for name, value in {
        "DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "RAY_USAGE_STATS_ENABLED": "0",
    }.items():
        monkeypatch.setenv(name, value)

    def run(heading):
        text = PAGE.read_text(encoding="utf-8")
        names = {"__name__": "hosts"}
        section = "set-up"
        for part in HEADING_OR_CODE.finditer(text):
            if part[1]:
                section = part[1]
            elif section in ("set-up", heading):
                # The empty lines make an error name the line of the page.
                line = text.count("\n", 0, part.start(2))
                exec(compile("\n" * line + part[2], str(PAGE), "exec"), names)
        return names

    return run
