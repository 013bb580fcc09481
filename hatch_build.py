"""Compile the kernels when the package is built; see ``sklrnn/kernels/ahead_of_time.py``.

An editable install compiles for this processor only, a wheel for all processors of its platform. Where this is not
possible the package is built without them: they are compiled at their first use, if numba is installed.
"""

import os
import subprocess
import sys
import sysconfig
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class KernelBuildHook(BuildHookInterface):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        is_wheel = version != "editable"
        command = [sys.executable, "-m", "sklrnn.kernels.ahead_of_time", *(["--all"] if is_wheel else [])]
        path = os.pathsep.join(filter(None, (self.root, os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PYTHONPATH": path}
        done = subprocess.run(
            command, cwd=self.root, capture_output=True, text=True, check=False, env=environment, encoding="utf-8"
        )
        if done.returncode:
            self.app.display_warning(f"Kernels were not compiled: {done.stderr.strip()}")
        elif is_wheel:
            build_data["artifacts"].append("/sklrnn/kernels/libraries/*")
            build_data["pure_python"] = False
            # They depend on the platform, not on the version of Python.
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
