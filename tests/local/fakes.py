"""Small programs that take the place of `go`, `pulumi` and others on a test's PATH."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SYSTEM_PATH = "/usr/bin:/bin"


def script(file: Path, text: str) -> Path:
    """Write an executable shell script."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def pulumi(file: Path, version: str) -> Path:
    """Write a `pulumi` that only tells its version."""
    return script(file, f"echo v{version}")


def go(folder: Path, version: str = "3.250.0", *, does: str = "") -> Path:
    """Write a `go` that counts its builds in `builds` beside itself and builds a `pulumi` of a version.

    `does` runs first in a build.
    """
    return script(
        folder / "go",
        f"""
case "$1" in
version) echo "go version go1.26.0 linux/amd64"; exit ;;
env) echo "{folder}/modules"; exit ;;
mod) mkdir -p "{folder}/modules/$3"; echo "other v1 h1:x" > "{folder}/modules/$3/go.sum"; exit ;;
esac
echo build >> "{folder}/builds"
{does}
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho v{version}\\n' > "$2"
chmod +x "$2"
""",
    )


def python(code: str, folder: Path) -> subprocess.Popen[str]:
    """Start a Python program with its output in a pipe."""
    return subprocess.Popen([sys.executable, "-c", code], cwd=folder, stdout=subprocess.PIPE, text=True)
