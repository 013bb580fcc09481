"""The code of docs/guide/hosts.md, section by section, for tests with the packages that it is about.

These packages are in no extra: ``.ci/run-hosts`` installs them in an environment of its own and runs the tests here.
"""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "hosts.md"
BLOCK = re.compile(r"^```py(?:thon)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def code_of(tmp_path, monkeypatch):
    """Run the set-up of the page, then the code under a heading, and give the names that they defined."""
    monkeypatch.chdir(tmp_path)
    # Nothing is reported to the makers of these packages.
    for name in ("DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "true")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")

    def run(heading):
        text = PAGE.read_text(encoding="utf-8")
        names = {"__name__": "hosts"}
        for section in re.split(r"^(?=## )", text, flags=re.MULTILINE):
            start = text.index(section)
            if start and not section.startswith(f"## {heading}\n"):
                continue
            for block in BLOCK.finditer(section):
                # The empty lines make an error name the line of the page.
                line = text.count("\n", 0, start + block.start(1))
                exec(compile("\n" * line + block[1], str(PAGE), "exec"), names)
        return names

    return run
