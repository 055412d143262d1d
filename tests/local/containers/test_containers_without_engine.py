"""What start, stop and find do and say where an engine is missing, refuses, or is the user's own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.containers import docker_engine, engine_api, local_containers, programs, registry
from local.errors import LocalError
from local.paths import ROOT, Paths
from tests.local import fakes
from tests.local.containers.conftest import UsersEngine

WITHOUT_ROOT = os.geteuid() != 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "containers"


def fake_programs(folder: Path, **scripts: str) -> dict[str, str]:
    """An environment in which programs are scripts."""
    for name, text in scripts.items():
        fakes.script(folder / name.replace("_", "-"), text)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def as_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(docker_engine, "RUNTIME_ROOT", tmp_path / "run")


@pytest.mark.parametrize(
    ("with_engine", "missing", "packages"),
    [(False, "dockerd", "docker.io docker-registry"), (True, "docker-registry", "docker-registry")],
)
def test_what_is_missing_is_named_with_the_command_that_installs_it(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    users_engine: UsersEngine,
    with_engine: bool,
    missing: str,
    packages: str,
) -> None:
    monkeypatch.setattr(programs, "_SYSTEM_FOLDERS", ())
    engine = {"DOCKER_HOST": users_engine.host} if with_engine else {}

    with pytest.raises(LocalError, match=f"{missing} isn't installed") as error:
        local_containers.start(folder, {"PATH": "/nonexistent", **engine})

    assert error.value.fix.endswith(f"apt-get install -y --no-install-recommends {packages}")


def test_an_ordinary_user_is_told_that_an_engine_needs_root(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(LocalError, match="needs root") as error:
        local_containers.start(folder, fake_programs(tmp_path / "bin", dockerd="exit 1"))

    assert "sudo make docker" in error.value.fix


@pytest.mark.parametrize(
    ("said", "cause", "fix"),
    [
        ("write /x/y: no space left on device", "the disk is full", "FILEFLOW_DOCKER_DIR"),
        ("Devices cgroup isn't mounted", "cgroups aren't mounted", "cgroupfs-mount"),
        ("mkdir /x: read-only file system", "the file system is read-only", "FILEFLOW_DOCKER_DIR"),
        ("chmod /x: operation not permitted", "the kernel forbids it", "privileged"),
        ("error initializing graphdriver: driver not supported", "no storage driver", "ext4"),
        ("something new", "something new", "read "),
    ],
)
def test_an_engine_that_does_not_come_up_says_why(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, cause: str, fix: str
) -> None:
    as_root(monkeypatch, tmp_path)
    environment = fake_programs(
        tmp_path / "bin", dockerd=f'echo "failed to start daemon: {said}" >&2; exit 1'
    )

    with pytest.raises(LocalError, match="ended with exit code 1 while it started") as error:
        local_containers.start(folder, environment)

    assert cause in error.value.problem
    assert fix in error.value.fix


def test_an_engine_on_a_full_disk_says_so_though_its_log_has_no_room_for_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_root(monkeypatch, tmp_path)
    monkeypatch.setattr(programs, "_FULL_BYTES", shutil.disk_usage(tmp_path).total)

    with pytest.raises(LocalError, match="the disk is full") as error:
        local_containers.start(folder, fake_programs(tmp_path / "bin", dockerd="exit 1"))

    assert f"make room in {folder}" in error.value.fix


def test_an_engine_that_never_answers_is_ended(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_root(monkeypatch, tmp_path)
    monkeypatch.setattr(docker_engine, "START_TIMEOUT_SECONDS", 0.3)

    with pytest.raises(LocalError, match="doesn't answer after"):
        local_containers.start(folder, fake_programs(tmp_path / "bin", dockerd="exec sleep 1000"))

    assert programs.stop_rest(folder) == 0


def test_the_engine_shares_nothing_with_the_machines_own(folder: Path) -> None:
    arguments = docker_engine.arguments(folder)
    values = {
        name: arguments[index + 1]
        for index, name in enumerate(arguments)
        if name.startswith("--") and "=" not in name
    }

    ours = (str(folder), str(docker_engine.runtime_folder(folder)))
    for name in ("--config-file", "--data-root", "--exec-root", "--pidfile"):
        assert values[name].startswith(ours), name
    assert values["--host"].startswith(f"unix://{docker_engine.runtime_folder(folder)}/")
    assert values["--containerd-namespace"] not in ("moby", "default")
    assert {"--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false"} <= set(arguments)


@pytest.mark.parametrize("depth", [0, 30])
def test_a_folder_has_sockets_of_its_own_that_stay_short_however_deep_it_lies(
    tmp_path: Path, depth: int
) -> None:
    deep = tmp_path.joinpath(*["a-long-folder-name"] * depth)

    # The longest that dockerd and containerd make below it is exec/containerd/containerd-debug.sock.
    longest = docker_engine.runtime_folder(deep) / "exec" / "containerd" / "containerd-debug.sock"
    assert len(str(longest)) < 108
    assert len(docker_engine.bridge_of(deep)) <= 15
    assert docker_engine.docker_host(deep) != docker_engine.docker_host(tmp_path / "another")
    assert docker_engine.bridge_of(deep) != docker_engine.bridge_of(tmp_path / "another")


@pytest.mark.parametrize(
    ("host", "problem"),
    [
        ("unix:///nonexistent/docker.sock", "there is no such socket"),
        ("ssh://build@example.com", "an engine on another machine"),
        ("tcp://192.0.2.1:2376", "an engine on another machine"),
        ("npipe:////./pipe/docker", "an engine on another machine"),
    ],
)
def test_an_engine_that_is_named_but_cannot_be_used_is_refused(folder: Path, host: str, problem: str) -> None:
    with pytest.raises(LocalError, match=problem) as error:
        local_containers.start(folder, {"DOCKER_HOST": host})

    assert host in error.value.problem
    assert "leave DOCKER_HOST out" in error.value.fix


def test_an_engine_without_permission_is_told_from_a_missing_one_and_names_the_group(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing(socket.socket):
        def connect(self, _address: object) -> None:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "socket", Refusing)

    with pytest.raises(LocalError, match=r"a Docker engine runs at .* this user may not use") as error:
        local_containers.start(folder, {})

    assert "usermod -aG docker" in error.value.fix


def test_a_file_that_is_no_engine_is_told_with_its_answer(tmp_path: Path) -> None:
    with UsersEngine(tmp_path / "other.sock", status=404) as server:
        try:
            assert engine_api.ping(server.host) == "it answers 404: OK"
        finally:
            server.shutdown()


@pytest.mark.skipif(WITHOUT_ROOT, reason="an ordinary user can't mount a small disk for the test")
def test_a_full_disk_is_told_with_the_variable_that_moves_the_folder(
    folder: Path, users_engine: UsersEngine
) -> None:
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "none", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a small disk can't be mounted here: {mounted.stderr}")
    try:
        with pytest.raises(OSError, match="No space left"):
            (folder / "filler").write_bytes(b"x" * 65536)
        environment = {**os.environ, "DOCKER_HOST": users_engine.host}
        with pytest.raises(LocalError, match="No space left on device") as error:
            local_containers.start(folder, environment)
    finally:
        subprocess.run(["umount", folder], check=True)

    assert "make room" in error.value.fix
    assert "FILEFLOW_DOCKER_DIR" in error.value.fix


@pytest.mark.skipif(shutil.which("docker-registry") is None, reason="docker-registry isn't installed")
def test_a_users_own_engine_is_used_with_a_registry_beside_it_and_left_alone(
    folder: Path, users_engine: UsersEngine
) -> None:
    environment = {"PATH": os.environ["PATH"], "DOCKER_HOST": users_engine.host}
    try:
        started = local_containers.start(folder, environment)

        assert started.docker_host == users_engine.host
        assert started.network == "bridge"
        assert registry.answers(int(started.registry.rpartition(":")[2]))
        assert programs.find(folder, docker_engine.PROGRAM) is None
        assert local_containers.find(folder, environment) == started
        assert local_containers.use(folder, environment) == started
    finally:
        local_containers.stop(folder)

    assert engine_api.ping(users_engine.host) is None
    assert set(users_engine.asked) == {"/_ping"}
    assert local_containers.find(folder, environment) is None


def test_a_registry_of_the_users_own_is_used_as_it_is(folder: Path, users_engine: UsersEngine) -> None:
    environment = {"DOCKER_HOST": users_engine.host, "FILEFLOW_REGISTRY": "127.0.0.1:5000"}

    started = local_containers.start(folder, environment)

    assert started.variables() == {
        "DOCKER_HOST": users_engine.host,
        "FILEFLOW_REGISTRY": "127.0.0.1:5000",
        "FILEFLOW_CONTAINER_NETWORK": "bridge",
    }
    assert programs.find(folder, registry.PROGRAM) is None


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "no Docker engine answers; `make docker` starts one"),
        (
            {"DOCKER_HOST": "unix:///none.sock"},
            "DOCKER_HOST is unix:///none.sock, but no Docker engine can be used",
        ),
    ],
)
def test_without_an_engine_use_says_so_and_neither_starts_one_nor_fails(
    folder: Path, environment: dict[str, str], told: str
) -> None:
    answer = local_containers.use(folder, environment)

    assert isinstance(answer, str)
    assert answer.startswith(told)
    assert not folder.exists()


def test_stopping_what_never_ran_does_nothing(folder: Path) -> None:
    local_containers.stop(folder)
    assert not folder.exists()


def test_what_sudo_makes_belongs_to_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, users_engine: UsersEngine
) -> None:
    owners: dict[Path, tuple[int, int]] = {}
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda path, user, group: owners.update({Path(path): (user, group)}))
    environment = {
        "SUDO_UID": "1000",
        "SUDO_GID": "1001",
        "DOCKER_HOST": users_engine.host,
        "FILEFLOW_REGISTRY": "127.0.0.1:5000",
    }

    local_containers.start(tmp_path / "state" / "containers", environment)

    assert owners == {tmp_path / "state": (1000, 1001), tmp_path / "state" / "containers": (1000, 1001)}


def test_the_folder_is_the_clones_unless_it_is_named(tmp_path: Path) -> None:
    paths = Paths(root=tmp_path, local=tmp_path / ".local", cache=tmp_path / "cache")

    assert local_containers.folder_of(paths, {}) == tmp_path / ".local" / "containers"
    assert local_containers.folder_of(paths, {"FILEFLOW_DOCKER_DIR": "engine"}) == tmp_path / "engine"
    assert local_containers.folder_of(paths, {"FILEFLOW_DOCKER_DIR": "/srv/engine"}) == Path("/srv/engine")


def test_programs_get_no_secret_and_no_setting_of_the_users(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    log = tmp_path / "log"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/home/user",
        "https_proxy": "http://proxy:3128",
        "AWS_SECRET_ACCESS_KEY": "never",
        "REGISTRY_HTTP_ADDR": ":5000",
    }
    process = programs.start(
        [sys.executable, "-c", "import os; print(*sorted(os.environ))"], folder, log, environment
    )

    assert process.wait(20) == 0
    assert log.read_text().split() == ["FILEFLOW_CONTAINERS", "HOME", "LC_CTYPE", "PATH", "https_proxy"]


def test_a_killed_program_leaves_none_of_its_children(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    child_pid = tmp_path / "child"
    # Like a container: a grandchild with another environment, in a session of its own.
    script = f"env -i setsid sh -c 'echo $$ > {child_pid}; exec sleep 1000' & wait"
    fake = fake_programs(tmp_path / "bin", engine_of_a_test=script)
    process = programs.start([tmp_path / "bin" / "engine-of-a-test"], folder, tmp_path / "log", fake)
    while not (child_pid.exists() and child_pid.read_text().strip()):
        assert process.poll() is None
    pid = int(child_pid.read_text())

    assert programs.stop_rest(folder) >= 2

    assert process.wait(20) != 0
    stat_file = Path("/proc", str(pid), "stat")
    assert not stat_file.exists() or stat_file.read_text().rpartition(")")[2].split()[0] in "ZX"


def test_the_log_of_the_run_before_is_kept(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    log = tmp_path / "log"
    for word in ("first", "second"):
        assert programs.start(["echo", word], folder, log, {"PATH": os.environ["PATH"]}).wait(20) == 0

    assert log.read_text() == "second\n"
    assert (tmp_path / "log.1").read_text() == "first\n"


def test_mounts_are_found_below_the_folders_only() -> None:
    mountinfo = "\n".join(
        f"{number} 1 0:{number} / {point} rw - tmpfs tmpfs rw"
        for number, point in enumerate(
            ["/", "/data", "/data/engine/a\\040b", "/data-of-another/x", "/run/f/n"]
        )
    )

    found = docker_engine.mounts_below([Path("/data"), Path("/run/f")], mountinfo)

    assert found == ["/data/engine/a b", "/run/f/n"]


def test_the_command_line_says_one_error_and_how_to_mend_it(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "local.containers", "start"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "FILEFLOW_LOCAL_DIR": str(tmp_path),
            "DOCKER_HOST": "ssh://elsewhere",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.splitlines() == [
        "error: DOCKER_HOST is ssh://elsewhere, an engine on another machine, which can't reach the registry"
        " here.",
        "Fix: leave DOCKER_HOST out, or name an engine on this machine by its unix:// socket.",
    ]
