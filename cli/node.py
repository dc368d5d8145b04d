"""Node, which runs the CDK CLI and the CDK library."""

import re
import shutil
import subprocess

OLDEST_NODE = 20
#: What is required, in words.
NODE_REQUIREMENT = f"Node {OLDEST_NODE} or later, with npm"
NODE_REMEDY = "nodejs.org/download, or your package manager (required by the CDK CLI and synth)"


def node_version() -> tuple[str, bool]:
    """Node's version, or that it or npm is not on PATH, and whether it is recent enough."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return "not on PATH", False
    version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip()
    major = re.match(r"v(\d+)", version)
    return version, major is not None and int(major[1]) >= OLDEST_NODE
