"""What users' type checkers say about sklrnn: the errors that tests/typing/mistakes.py names, and none in right.py.

Both run as a user has them: with their own defaults, and without complaints about packages that ship no types.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = [ROOT / "tests" / "typing" / name for name in ("mistakes.py", "right.py")]

# The file, the line and what the mistake is called there.
Finding = tuple[str, int, str]


def expected(checker: str) -> Iterator[Finding]:
    """Read the comments: ``# mypy: call-arg, pyright: reportCallIssue``."""
    for path in FILES:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if found := re.search(rf"#.*\b{checker}: ([\w-]+)", line):
                yield path.name, number, found[1]


def ask_mypy() -> Iterator[Finding]:
    command = [
        "mypy",
        "--config-file=",
        "--ignore-missing-imports",
        "--output=json",
        "--cache-dir=.mypy_cache/users",
        *map(str, FILES),
    ]
    for line in _output(command).splitlines():
        error = json.loads(line)
        if error["severity"] == "error":
            yield Path(error["file"]).name, error["line"], error["code"]


def ask_pyright() -> Iterator[Finding]:
    command = ["pyright", "--outputjson", "--pythonpath", sys.executable, *map(str, FILES)]
    for error in json.loads(_output(command))["generalDiagnostics"]:
        if error["severity"] == "error":
            yield Path(error["file"]).name, error["range"]["start"]["line"] + 1, error["rule"]


def _output(command: list[str]) -> str:
    """Run a checker, which exits with 1 where it finds a mistake and with more where it fails itself."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=os.environ | {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode > 1:
        raise SystemExit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    differences = []
    for checker, findings in (("mypy", ask_mypy()), ("pyright", ask_pyright())):
        wanted, found = set(expected(checker)), set(findings)
        differences += [f"{checker} does not find {code} in {name}:{line}" for name, line, code in wanted - found]
        differences += [f"{checker} finds {code} in {name}:{line}" for name, line, code in found - wanted]
        print(f"{checker}: {len(wanted & found)} mistakes found as expected")
    if differences:
        raise SystemExit("\n".join(sorted(differences)))


if __name__ == "__main__":
    main()
