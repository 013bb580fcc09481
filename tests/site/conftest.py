"""The built documentation: ``SKLRNN_SITE`` names its folder, otherwise it is built, without running the examples."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    if given := os.environ.get("SKLRNN_SITE"):
        return Path(given)
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-d", str(folder / "doctrees"), str(DOCS), str(folder / "html")]
    subprocess.run(command, check=True, env={**os.environ, "SKLRNN_DOCS": "quick"})
    return folder / "html"


@pytest.fixture(scope="session")
def browser():
    """The module beside this file; tests are no package."""
    spec = importlib.util.spec_from_file_location("browser", HERE / "browser.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
