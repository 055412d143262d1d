"""State and emulator belong together, and the checkout is never written."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from local import processes, stack
from local.emulator.process import RunningEmulator
from local.engine.acquire import Engine
from local.engine.version import Version
from local.errors import LocalError
from local.paths import ROOT, Paths
from tests.local import fakes
from tests.waiting import eventually


@pytest.fixture
def paths(paths: Paths) -> Paths:
    root = paths.root
    (root / "Pulumi.yaml").write_text("name: small\nruntime: python\n")
    (root / "Pulumi.local.yaml").write_text("config: {}\n")
    (root / "Pulumi.prod.yaml").write_text(
        "secretsprovider: awskms://alias/prod\nencryptedkey: abc\nconfig:\n  small:a: 1 # why\n"
    )
    return paths


def write_state(paths: Paths, name: str, latest: object) -> None:
    file = paths.backend / ".pulumi" / "stacks" / "small" / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"version": 3, "checkpoint": {"stack": name, "latest": latest}}))


def write_lock(paths: Paths, name: str, holder: str) -> Path:
    lock = paths.backend / ".pulumi" / "locks" / "organization" / "small" / name / "1.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(holder)
    lock.with_name("1.json.attrs").write_text("{}")
    return lock


@pytest.mark.parametrize("latest", [None, {}, {"resources": []}, {"pending_operations": []}])
def test_no_state_and_a_whole_one_can_be_continued(paths: Paths, latest: object) -> None:
    assert stack.unfinished(paths.backend) is None
    write_state(paths, "local", latest)
    assert stack.unfinished(paths.backend) is None


def test_a_state_with_a_pending_operation_cant_be_continued(paths: Paths) -> None:
    write_state(paths, "local", {})
    write_state(paths, "prod", {"pending_operations": [{"type": "creating"}]})
    assert stack.unfinished(paths.backend) == "a run on stack prod was cut off"


def test_a_state_that_a_run_began_with_and_never_wrote_again_cant_be_continued(paths: Paths) -> None:
    write_state(paths, "local", {})
    state = paths.backend / ".pulumi/stacks/small/local.json"
    (paths.backend / stack.BEGUN).write_text(f"local {state.stat().st_mtime_ns}")
    assert stack.unfinished(paths.backend) == "a run on stack local was cut off"

    os.utime(state, ns=(0, 0))
    assert stack.unfinished(paths.backend) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"checkpoint": 3}'])
def test_a_state_that_cant_be_read_cant_be_continued(paths: Paths, text: str) -> None:
    write_state(paths, "local", {})
    (paths.backend / ".pulumi/stacks/small/local.json").write_text(text)
    assert stack.unfinished(paths.backend) == "the state of stack local can't be read"


def ended() -> str:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return json.dumps({"pid": process.pid})


@pytest.mark.parametrize(
    "holder", [ended, lambda: json.dumps({"pid": os.getpid()}), str], ids=["ended", "another", "unreadable"]
)
def test_a_lock_that_no_pulumi_holds_is_removed(paths: Paths, holder: Callable[[], str]) -> None:
    lock = write_lock(paths, "local", holder())
    stack.clear_dead_locks(paths, "local")
    assert list(lock.parent.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a process's command is read from /proc")
def test_the_lock_of_a_live_pulumi_is_respected(paths: Paths) -> None:
    live = subprocess.Popen(["pulumi", "600"], executable="/bin/sleep")
    # A program has no name for a moment of its start.
    eventually(lambda: processes.program_of(live.pid) == "pulumi")
    try:
        lock = write_lock(paths, "local", json.dumps({"pid": live.pid}))
        with pytest.raises(LocalError, match=rf"pulumi \(process {live.pid}\) is working on stack local"):
            stack.clear_dead_locks(paths, "local")
        assert lock.exists()
    finally:
        live.kill()
        live.wait()


def test_the_lock_of_another_stack_is_left_alone(paths: Paths) -> None:
    lock = write_lock(paths, "prod", "")
    stack.clear_dead_locks(paths, "local")
    assert lock.exists()


def test_the_copy_of_a_stacks_file_carries_the_local_salt_and_no_other_key(paths: Paths) -> None:
    before = (paths.root / "Pulumi.prod.yaml").read_bytes()
    copy = stack.copy_configuration(paths, "prod")
    assert copy.is_relative_to(paths.local)
    assert copy.read_text() == f"config:\n  small:a: 1 # why\nencryptionsalt: {stack.ENCRYPTION_SALT}\n"
    assert (copy.parent / "Pulumi.yaml").read_text() == (paths.root / "Pulumi.yaml").read_text()
    assert (paths.root / "Pulumi.prod.yaml").read_bytes() == before


def test_the_committed_local_stack_has_the_salt_so_that_pulumi_doesnt_write_it() -> None:
    lines = (ROOT / "Pulumi.local.yaml").read_text().splitlines()
    assert f"encryptionsalt: {stack.ENCRYPTION_SALT}" in lines


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_no_real_stack_carries_the_local_salt(name: str) -> None:
    assert stack.ENCRYPTION_SALT not in (ROOT / f"Pulumi.{name}.yaml").read_text()


@pytest.mark.parametrize("name", ["prd", "", "../local", "a b", "local/x"])
def test_a_stack_without_a_file_is_refused_with_those_that_have_one(paths: Paths, name: str) -> None:
    with pytest.raises(LocalError, match="STACK is ") as error:
        stack.check_stack(paths.root, name)
    assert f"Pulumi.{name}.yaml" in error.value.problem
    assert "local, prod" in error.value.fix
    stack.check_stack(paths.root, "prod")


@pytest.mark.parametrize("line", ["name: small", "name: 'small'", 'name: "small"'])
def test_the_projects_name_is_read(paths: Paths, line: str) -> None:
    (paths.root / "Pulumi.yaml").write_text(f"# name: not this\n{line}\nruntime: python\n")
    assert stack.project_name(paths.root) == "small"


def test_a_project_without_a_name_is_refused(paths: Paths) -> None:
    (paths.root / "Pulumi.yaml").write_text("runtime: python\n")
    with pytest.raises(LocalError, match="has no name"):
        stack.project_name(paths.root)


def test_a_command_that_is_interrupted_is_asked_to_stop_and_then_killed(paths: Paths, tmp_path: Path) -> None:
    code = (
        "import os, pathlib\n"
        "from local import processes, stack\n"
        "from local.paths import ROOT, Paths\n"
        "processes.interrupt_on_signals()\n"
        "stack.INTERRUPT_GRACE_SECONDS = 0.3\n"
        f"paths = Paths(pathlib.Path({str(paths.root)!r}), pathlib.Path({str(paths.local)!r}), None)\n"
        "environment = {**os.environ, processes.RUN_MARK: str(paths.local)}\n"
        f"script = \"trap 'echo asked' INT; touch '{tmp_path}/ready'; while :; do sleep 0.05; done\"\n"
        "try:\n"
        "    stack.run_interruptibly(['sh', '-c', script], environment, paths)\n"
        "except processes.Interrupted:\n"
        "    print(processes.marked(processes.RUN_MARK, str(paths.local)))\n"
    )
    runner = fakes.python(code, ROOT)
    eventually((tmp_path / "ready").exists)
    runner.terminate()
    output, _ = runner.communicate(timeout=30)
    assert output == "asked\n[]\n"


@pytest.mark.parametrize(("folder", "named"), [("a:b", "a colon"), ("a\nb", "a line break")])
def test_a_folder_that_path_cannot_hold_is_refused_by_its_character(
    paths: Paths, folder: str, named: str
) -> None:
    odd = Paths(root=paths.root / folder, local=paths.root / folder / ".local", cache=paths.cache)

    with pytest.raises(LocalError, match=named):
        stack.check_folder(odd)
    stack.check_folder(Paths(root=Path("/x/100% #1?"), local=Path("/x/'\""), cache=paths.cache))


def test_the_stack_is_selected_again_only_after_another_one_was(paths: Paths, tmp_path: Path) -> None:
    workspace = paths.home / "workspaces" / "small-1-workspace.json"
    workspace.parent.mkdir(parents=True)
    asked = tmp_path / "asked"
    pulumi = fakes.script(
        tmp_path / "pulumi", f'echo "$3" >> {asked}\necho "{{\\"stack\\": \\"$3\\"}}" > {workspace}'
    )
    bench = stack.Workbench(
        paths=paths,
        engine=Engine(pulumi, Version(3, 250, 0), "build"),
        environment={"PATH": fakes.SYSTEM_PATH},
        plugins={},
        containers="none",
        emulator=RunningEmulator(pid=1, started="1", port=1, generation="1", log_path=tmp_path / "log"),
        stack="local",
        config_file=paths.project / "Pulumi.local.yaml",
        was_running=True,
    )
    for _ in range(2):
        stack.select_stack(bench)
    workspace.write_text('{"stack": "prod"}')
    for _ in range(2):
        stack.select_stack(bench)
    stack.select_stack(replace(bench, stack="prod"))
    assert asked.read_text().split() == ["local", "local", "prod"]
