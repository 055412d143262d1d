"""Base images made of this machine's own files, where no registry of images can be reached.

Owns collecting programs with the libraries that they load, and a JDK by jlink. What is in the images is real:
a shell, coreutils and a JVM; only their distribution is this machine's.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

# Of the Dockerfile, then of the stand-in for Gradle's wrapper.
BUILD_TOOLS = (
    *("sh", "find", "mkdir", "rm", "cp", "cat", "wc"),
    *("sort", "touch", "basename", "mktemp", "grep", "tr"),
)
MODULES = "java.se,jdk.httpserver,jdk.compiler,jdk.jartool,jdk.zipfs,jdk.unsupported,jdk.crypto.ec"
"""What Spring Boot and the stand-in for it load, and the compiler."""


def require_java() -> None:
    """Skip the test where no JDK can be put into an image."""
    missing = [name for name in ("java", "javac", "jlink") if shutil.which(name) is None]
    if missing:
        pytest.skip(
            f"no JDK on this machine for the base images of these tests: {', '.join(missing)} missing"
        )


def jdk(folder: Path) -> Path:
    """A small JDK of this machine's."""
    subprocess.run(
        [
            *("jlink", "--add-modules", MODULES, "--output", str(folder)),
            *("--strip-debug", "--no-man-pages", "--no-header-files"),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return folder


def import_image(client: Any, name: str, java: Path, tools: Iterable[str]) -> None:
    """Make an image of a JDK at /opt/java, of programs, and of what both load."""
    files: dict[str, Path] = {}
    for tool in tools:
        found = shutil.which(tool)
        assert found, f"{tool} is missing on this machine"
        files[f"bin/{tool}"] = Path(found).resolve()
    binaries = [*files.values(), *(java / "bin").iterdir(), *(java / "lib").rglob("*.so")]
    for library in _libraries(binaries, java):
        files[str(library).lstrip("/")] = library.resolve()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder, mode in (("tmp", 0o1777), ("etc", 0o755), ("bin", 0o755)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        for path, file in sorted(files.items()):
            tar.add(file, arcname=path)
        tar.add(java, arcname="opt/java")
    client.api.import_image_from_data(
        buffer.getvalue(),
        repository=name.partition(":")[0],
        tag=name.partition(":")[2],
        changes=["ENV PATH=/opt/java/bin:/bin", "ENV JAVA_HOME=/opt/java"],
    )


def _libraries(binaries: Iterable[Path], java: Path) -> set[Path]:
    """The files that binaries load, by where the loader looks for them, without the JDK's own."""
    found: set[Path] = set()
    for binary in binaries:
        listed = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False).stdout
        found |= {Path(path) for path in re.findall(r"(/\S+) \(0x", listed)}
    return {library for library in found if not library.is_relative_to(java)}
