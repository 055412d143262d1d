"""`make up`, cut off at any moment and in any way, is made good by the next one."""

from __future__ import annotations

import os
import random
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import processes
from local.emulator import process as emulator_process
from local.environment import LOCAL_ACCOUNT_ID
from local.fork_server import process as fork_server
from local.paths import Paths
from local.stack import unfinished
from tests.engine.deployment import Deployment
from tests.engine.existing import existing
from tests.local.clone import Clone
from tests.waiting import eventually
from tests.walk.watcher import client

pytestmark = pytest.mark.engine

TOPICS = 12


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Clone]:
    made = Clone.make(tmp_path / "clone")
    local_file = made.root / "Pulumi.local.yaml"
    local_file.write_text(local_file.read_text().replace('"3"', f'"{TOPICS}"'))
    yield made
    made.down()


def topics(clone: Clone) -> int:
    """How many topics there are."""
    running = emulator_process.find(Paths.of(clone.environment, clone.root).emulator)
    assert running is not None
    return len(client("sns", running.url, LOCAL_ACCOUNT_ID).list_topics()["Topics"])


def interrupt(clone: Clone, way: str, after_seconds: float) -> str:
    """Start `make up`, cut it off, and wait until the terminal would be free again."""
    make = clone.start_command(["make", "up"])
    time.sleep(after_seconds)
    if make.poll() is None:
        if way == "kill make":
            os.kill(make.pid, signal.SIGKILL)
        else:
            # A terminal's Ctrl-C and a CI runner's kill reach make and its child, not what that child leads.
            os.killpg(make.pid, getattr(signal, way))
    if way in ("SIGKILL", "kill make"):
        make.wait()
        return ""
    output, _ = make.communicate(timeout=60)
    return output


def assert_converged(clone: Clone) -> None:
    """Exactly what the program asks for exists, once, and nothing of the interrupted runs is left."""
    up = clone.command("make", "up", "ARGUMENTS=--skip-preview")
    assert up.returncode == 0, up.stdout
    paths = Paths.of(clone.environment, clone.root)
    assert topics(clone) == TOPICS
    assert unfinished(paths.backend) is None
    assert processes.marked(processes.RUN_MARK, str(paths.local)) == []
    assert not list((paths.backend / ".pulumi").glob("locks/**/*.json"))
    running = emulator_process.find(paths.emulator)
    assert running is not None
    servers = [pid for pid, command in _commands().items() if f"{paths.emulator}/".encode() in command]
    assert servers == [running.pid]
    forked_from = processes.marked(fork_server.MARK, str(paths.local))
    assert len(forked_from) == 1, "forks of the interrupted runs are left"
    again = clone.run("preview")
    assert f"{TOPICS + 1} unchanged" in again.stdout, again.stdout


def _commands() -> dict[int, bytes]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = (entry / "cmdline").read_bytes()
            except OSError:
                continue
    return found


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="counts processes by /proc")
def test_make_up_converges_after_ten_interruptions_at_random_moments(clone: Clone) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(10):
        way = chance.choice(["SIGINT", "SIGTERM", "SIGKILL", "SIGKILL", "kill make"])
        after_seconds = chance.uniform(0.05, 4.0)
        print(f"{way} after {after_seconds:.2f} s")
        print(interrupt(clone, way, after_seconds))
        if chance.random() < 0.4:
            clone.down()
        assert_converged(clone)
        # So that the next round has work to be interrupted in.
        clone.shell("pulumi destroy --yes --skip-preview" if chance.random() < 0.6 else "make down")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds the CLI by /proc")
def test_a_killed_pulumi_leaves_no_lock_to_clear_by_hand(clone: Clone) -> None:
    assert clone.command("make", "up", "ARGUMENTS=--skip-preview").returncode == 0
    paths = Paths.of(clone.environment, clone.root)
    (clone.root / "__main__.py").write_text("import time\ntime.sleep(60)\n")
    make = clone.start_command(["make", "up"])
    eventually(lambda: list((paths.backend / ".pulumi").glob("locks/**/*.json")))
    for pid in processes.marked(processes.RUN_MARK, str(paths.local)):
        if Path(f"/proc/{pid}/comm").read_text().strip() == "pulumi":
            os.kill(pid, signal.SIGKILL)
    output, _ = make.communicate(timeout=60)
    assert make.returncode != 0, output
    assert processes.marked(processes.RUN_MARK, str(paths.local)) == []
    (clone.root / "__main__.py").write_text("import pulumi\npulumi.export('mended', True)\n")
    again = clone.command("make", "up", "ARGUMENTS=--skip-preview")
    assert again.returncode == 0, again.stdout


def test_a_killed_emulator_is_replaced_and_the_state_starts_anew(clone: Clone) -> None:
    # Not on the port that every clone would like to have: another one may take it meanwhile.
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert clone.run("up", FILEFLOW_PORT=str(port)).returncode == 0
    paths = Paths.of(clone.environment, clone.root)
    running = emulator_process.find(paths.emulator)
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    eventually(lambda: emulator_process.find(paths.emulator) is None)

    plain = clone.shell("pulumi preview")
    assert plain.returncode == 1
    assert "is not running" in plain.stdout
    assert "make up" in plain.stdout

    again = clone.run("up")
    assert again.returncode == 0, again.stdout
    assert "the emulated AWS that it was deployed into has ended" in again.stdout
    replaced = emulator_process.find(paths.emulator)
    assert replaced is not None
    assert replaced.port == running.port
    assert topics(clone) == TOPICS


def test_a_state_that_was_removed_doesnt_meet_an_old_emulator(clone: Clone) -> None:
    assert clone.run("up").returncode == 0
    assert clone.command("rm", "-rf", ".local/backend").returncode == 0
    again = clone.run("up")
    assert again.returncode == 0, again.stdout
    assert topics(clone) == TOPICS


def test_an_unreadable_state_is_replaced(clone: Clone) -> None:
    assert clone.run("up").returncode == 0
    (clone.root / ".local/backend/.pulumi/stacks/small/local.json").write_text("{")
    again = clone.run("up")
    assert again.returncode == 0, again.stdout
    assert "the state of stack local can't be read" in again.stdout
    assert topics(clone) == TOPICS


def test_two_commands_of_one_clone_run_one_after_the_other(clone: Clone) -> None:
    both = [clone.start("up"), clone.start("up")]
    outputs = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert any("Waiting for another command of this clone" in output for output in outputs)
    assert topics(clone) == TOPICS


def test_two_clones_run_side_by_side(clone: Clone, tmp_path: Path) -> None:
    other = Clone.make(tmp_path / "other")
    try:
        assert clone.run("up").returncode == 0
        assert other.run("up").returncode == 0
        assert topics(clone) == TOPICS
        assert topics(other) == 3
        other.down()
        assert clone.run("status").returncode == 0
    finally:
        other.down()


def test_down_leaves_no_process_and_no_port(clone: Clone) -> None:
    assert clone.run("up").returncode == 0
    paths = Paths.of(clone.environment, clone.root)
    running = emulator_process.find(paths.emulator)
    assert running is not None
    clone.down()
    assert emulator_process.find(paths.emulator) is None
    assert not emulator_process.is_healthy(running)
    root = str(clone.root).encode()
    assert not [command for command in _commands().values() if root in command]
    assert clone.run("status").returncode == 1
    after = clone.command("sh", "-c", ".local/bin/pulumi up --yes")
    assert after.returncode == 1
    assert "make up" in after.stdout


def test_a_preview_alone_leaves_nothing_running(clone: Clone) -> None:
    preview = clone.run("preview", "--stack", "prod")
    assert preview.returncode == 0, preview.stdout
    assert "5 to create" in preview.stdout
    assert clone.run("status").returncode == 1
    assert "encryptionsalt" not in (clone.root / "Pulumi.prod.yaml").read_text()


def test_a_violation_fails_the_command_and_creates_nothing(clone: Clone) -> None:
    program = "import pulumi_aws as aws\naws.sns.Topic('forbidden')\n"
    (clone.root / "__main__.py").write_text(program)
    up = clone.run("up")
    assert up.returncode != 0
    assert "no resource may be called forbidden" in up.stdout
    assert clone.run("start").returncode == 0
    assert topics(clone) == 0


def test_plain_pulumi_leaves_the_stacks_file_alone(clone: Clone) -> None:
    assert clone.run("up").returncode == 0
    before = (clone.root / "Pulumi.local.yaml").read_bytes()
    plain = clone.shell("pulumi up --yes")
    assert plain.returncode == 0, plain.stdout
    assert f"{TOPICS + 1} unchanged" in plain.stdout
    assert (clone.root / "Pulumi.local.yaml").read_bytes() == before


def counted(deployment: Deployment) -> dict[str, int]:
    """How many of each kind there are."""
    return {kind: len(names) for kind, names in existing(deployment).items()}


@pytest.mark.xdist_group("convergence")
@pytest.mark.parametrize("rounds", [2, pytest.param(10, marks=pytest.mark.nightly)])
def test_the_whole_program_is_there_once_after_being_killed_in_the_middle(
    tmp_path: Path, rounds: int
) -> None:
    deployment = Deployment.copy(tmp_path)
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    try:
        began = time.monotonic()
        assert deployment.make("up").returncode == 0
        whole_seconds = time.monotonic() - began
        expected = counted(deployment)
        assert (expected["services"], expected["tasks"], expected["load balancers"]) == (3, 3, 1)
        for _ in range(rounds):
            deployment.down()
            after_seconds = chance.uniform(0.1, 1.0) * whole_seconds
            print(f"killed after {after_seconds:.1f} s of {whole_seconds:.1f} s")
            deployment.killed(["make", "up"], after_seconds)
            again = deployment.up()
            assert again.returncode == 0, again.stdout
            assert counted(deployment) == expected
    finally:
        deployment.down()
