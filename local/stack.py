"""One stack of this clone, on this clone's emulated AWS: its files, its state, the CLI's runs.

Owns: that the state and the emulator's memory belong together, that an interrupted run is made good by the
next one, that nothing is written into the checkout. Deliberately doesn't own the program, the pack or the
emulator's process (`local.emulator.process`).

The emulator remembers nothing beyond its process, so the state in the file backend is worth exactly as much
as the process that it was deployed into: a file beside the state names that process's generation. Where the
two don't belong together, or a run was cut off in the middle of creating something, both start anew: the
local AWS is throwaway, and a few seconds later all is there again.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local import ports, processes, progress
from local.cache import write_atomically
from local.containers import local_containers
from local.containers.local_containers import LocalContainers
from local.emulator import process as emulator_process
from local.emulator.process import RunningEmulator
from local.engine.acquire import Engine
from local.environment import child_environment, debug_variables, variables
from local.errors import LocalError
from local.fork_server import process as fork_server
from local.paths import Paths

ENCRYPTION_SALT = "v1:1G94e/hwrnM=:v1:1KRZFCgpJjrubLdc:CMIoE6uSJPuEW+gbkhsUyvKF86ynbg=="
"""Verifies the passphrase `local`; the same for every stack on the local AWS, like the passphrase."""

PREFERRED_PORT = 4566
"""Where AWS emulators usually listen."""

BEGUN = "begun"
"""The file beside the state that names the state which a run of `make up` began with, until it has ended."""

STRAY_GRACE_SECONDS = 10.0
INTERRUPT_GRACE_SECONDS = 20.0
_STACK_NAME = re.compile(r"^[A-Za-z0-9_.-]{1,100}$")


@dataclass(frozen=True)
class Workbench:
    """Everything that a run on a stack needs, ready."""

    paths: Paths
    engine: Engine
    environment: Mapping[str, str]
    plugins: Mapping[str, str]
    containers: LocalContainers | str
    """The Docker engine and the registry that tasks run on, or why there is none."""
    emulator: RunningEmulator
    stack: str
    config_file: Path
    was_running: bool
    """Whether the emulator ran before this command."""

    @property
    def state(self) -> Path:
        """The file that holds the stack's state."""
        folder = self.paths.backend / ".pulumi" / "stacks" / project_name(self.paths.root)
        return folder / f"{self.stack}.json"

    def values(self) -> dict[str, str]:
        """The variables that point `pulumi` and `aws` at the stack."""
        real = "real" in self.plugins.values()
        own = variables(self.paths, self.stack, self.emulator.port, real)
        return {**own, **container_variables(self.containers)}

    def child_environment(self) -> dict[str, str]:
        """The environment of a process that ends with this command."""
        own = child_environment(self.paths, self.engine, self.values(), self.environment)
        return {**own, processes.RUN_MARK: str(self.paths.local)}


def container_variables(containers: LocalContainers | str) -> dict[str, str]:
    """Return the variables that point at a Docker engine and a registry; none where there is none."""
    return {} if isinstance(containers, str) else containers.variables()


def stack_files(root: Path) -> list[str]:
    """Return the names of the stacks that have a file in the checkout."""
    return sorted(
        file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in root.glob("Pulumi.?*.yaml")
    )


def check_stack(root: Path, stack: str) -> None:
    """Refuse a stack that has no file.

    Raises LocalError naming the stacks that have one.
    """
    if _STACK_NAME.match(stack) and (root / f"Pulumi.{stack}.yaml").is_file():
        return
    raise LocalError(
        f"STACK is {stack!r}, but there is no Pulumi.{stack}.yaml in {root}.",
        f"choose one of {', '.join(stack_files(root))}, or write that file.",
    )


def check_folder(paths: Paths) -> None:
    """Refuse a checkout or a folder for its state whose commands could never be on PATH.

    Raises LocalError naming the character.
    """
    for folder in (paths.root, paths.local):
        for character, name in ((":", "a colon"), ("\n", "a line break")):
            if character in str(folder):
                raise LocalError(
                    f"{str(folder)!r} has {name} in its name, and PATH can hold no such folder.",
                    "move the clone, or rename the folder.",
                )


def check_yaml(paths: Paths, stack: str) -> None:
    """Refuse files that aren't well-formed YAML.

    Raises LocalError with file, line and column.
    """
    files = [paths.root / "Pulumi.yaml", paths.root / f"Pulumi.{stack}.yaml"]
    answer = subprocess.run(
        [paths.python, "-m", "local.yaml_check", *files],
        cwd=paths.root,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        fault = answer.stdout.strip() or answer.stderr.strip()
        raise LocalError(f"{fault}.", "correct the file at that line; nothing has been created.")


def project_name(root: Path) -> str:
    """Return the project's name from Pulumi.yaml."""
    match = re.search(r"^name:\s*[\"']?([A-Za-z0-9_.-]+)", (root / "Pulumi.yaml").read_text(), re.MULTILINE)
    if not match:
        raise LocalError(f"{root / 'Pulumi.yaml'} has no name.", "add a line `name: fileflow`.")
    return match.group(1)


def copy_configuration(paths: Paths, stack: str) -> Path:
    """Copy the project and the stack's file to `.local/project`, with the salt of the local passphrase.

    The CLI writes its salt into the stack's file; prod's must not carry the local stack's.
    """
    project = (paths.root / "Pulumi.yaml").read_text()
    write_atomically(paths.project / "Pulumi.yaml", project)
    lines = (paths.root / f"Pulumi.{stack}.yaml").read_text().splitlines()
    # Values encrypted for another passphrase or key can't be read here, and don't have to be.
    kept = [line for line in lines if not re.match(r"(encryptionsalt|secretsprovider|encryptedkey):", line)]
    copy = paths.project / f"Pulumi.{stack}.yaml"
    write_atomically(copy, "\n".join([*kept, f"encryptionsalt: {ENCRYPTION_SALT}"]) + "\n")
    return copy


def unfinished(backend: Path) -> str | None:
    """Say why a state in the backend can't be continued; None when every state can.

    A pending operation means that a run was cut off while AWS worked: what it made is not in the state. So
    does a run of `make up` that didn't come to writing the state, which it does once, at its end.
    """
    begun = backend / BEGUN
    for file in sorted((backend / ".pulumi" / "stacks").glob("*/*.json")):
        stack = file.stem
        if begun.exists() and begun.read_text() == _version(file):
            return f"a run on stack {stack} was cut off"
        try:
            latest = json.loads(file.read_text())["checkpoint"].get("latest") or {}
        except (ValueError, KeyError, TypeError, AttributeError):
            return f"the state of stack {stack} can't be read"
        if latest.get("pending_operations"):
            return f"a run on stack {stack} was cut off"
    return None


def _version(state: Path) -> str:
    """Which stack's state a file holds, and of when."""
    return f"{state.stem} {state.stat().st_mtime_ns}"


def stop_strays(paths: Paths) -> None:
    """End what an interrupted command left behind."""
    strays = processes.marked(processes.RUN_MARK, str(paths.local))
    if not strays:
        return
    with progress.step(f"Stopping {len(strays)} processes of an interrupted command"):
        processes.stop_marked(processes.RUN_MARK, str(paths.local), STRAY_GRACE_SECONDS)


def clear_dead_locks(paths: Paths, stack: str) -> None:
    """Remove the backend's locks on a stack whose holders have ended.

    Raises LocalError when a live `pulumi` holds one, for example one typed in another terminal.
    """
    folder = paths.backend / ".pulumi" / "locks" / "organization" / project_name(paths.root) / stack
    for lock in sorted(folder.glob("*.json")):
        try:
            pid = int(json.loads(lock.read_text())["pid"])
        except (ValueError, KeyError, TypeError):
            pid = 0
        if pid and _is_pulumi(pid):
            raise LocalError(
                f"pulumi (process {pid}) is working on stack {stack} of this clone.",
                "wait until it has ended, or end it.",
            )
        lock.with_name(lock.name + ".attrs").unlink(missing_ok=True)
        lock.unlink(missing_ok=True)


def running_emulator(paths: Paths) -> RunningEmulator | None:
    """Return this clone's emulator when it answers."""
    found = emulator_process.find(paths.emulator)
    return found if found and emulator_process.is_healthy(found) else None


def settle_emulator(
    paths: Paths, emulator_python: Path, containers: LocalContainers | str, environment: Mapping[str, str]
) -> RunningEmulator:
    """Return a running emulator that the state in the backend belongs to, started anew where it doesn't.

    Raises LocalError when it can't start.
    """
    port = ports.wanted(environment)
    running = running_emulator(paths)
    pointers = container_variables(containers)
    pointers_file = paths.emulator / "containers.json"
    generation_file = paths.backend / "generation"
    generation = generation_file.read_text().strip() if generation_file.exists() else ""
    reason = unfinished(paths.backend)
    if running and not reason and _read_json(pointers_file) != pointers:
        reason = "its tasks would run on another container engine"
    if running and running.generation == generation and not reason:
        if port not in (None, running.port):
            raise LocalError(
                f"{ports.VARIABLE} is {port},"
                f" but the emulated AWS of this clone runs on port {running.port}.",
                f"stop it first (make down), or leave {ports.VARIABLE} out.",
            )
        return running
    if not reason and (paths.backend / ".pulumi" / "stacks").is_dir():
        reason = "the emulated AWS that it was deployed into has ended"
    if reason:
        progress.say(f"Starting from an empty local AWS, because {reason}.")
    emulator_process.stop(paths.emulator)
    _remove_tasks(paths, containers)
    _forget(paths)
    write_atomically(pointers_file, json.dumps(pointers))
    with progress.step("Starting the emulated AWS") as step:
        try:
            started = _start_emulator(paths, emulator_python, port, {**environment, **pointers})
        except LocalError as error:
            if port is None:
                raise
            raise LocalError(f"{ports.VARIABLE} is {port}: {error.problem}", error.fix) from error
        step.note(f"at {started.url},")
    write_atomically(generation_file, started.generation + "\n")
    return started


def stop_emulator(paths: Paths, environment: Mapping[str, str]) -> None:
    """Stop the emulator, if there is one, and forget the state that belonged to it.

    Containers of tasks go too, whoever started the Docker engine.
    """
    found = emulator_process.find(paths.emulator)
    with progress.step("Stopping the emulated AWS") if found else contextlib.nullcontext():
        # One that is only just starting has no record yet.
        emulator_process.stop(paths.emulator)
    fork_server.stop(paths)
    _forget(paths)
    containers = local_containers.find(local_containers.folder_of(paths, environment), environment)
    if containers:
        _remove_tasks(paths, containers)


def prepare_stack(bench: Workbench) -> None:
    """Create the stack in the backend where it is missing.

    Raises LocalError when the CLI refuses.
    """
    if not bench.state.exists():
        # In the copy's folder: the CLI writes the stack's file of the folder that it runs in.
        _quietly(bench, ["stack", "init", bench.stack, "--no-select"], bench.paths.project)


def select_stack(bench: Workbench) -> None:
    """Make the stack the one that plain `pulumi` means in the checkout.

    The CLI is left alone where nobody has selected another one since: it takes a twentieth of a preview.
    """
    selected = bench.paths.local / "selected"
    if selected.exists() and selected.read_text() == _selection(bench):
        return
    _quietly(bench, ["stack", "select", bench.stack], bench.paths.root)
    write_atomically(selected, _selection(bench))


def _selection(bench: Workbench) -> str:
    """The stack, and the files in which the CLI keeps which one is selected."""
    files = sorted((bench.paths.home / "workspaces").glob("*.json"))
    return "\n".join([bench.stack, *(f"{file.name} {file.read_text()}" for file in files)])


def run_update(bench: Workbench, command: Sequence[str]) -> int:
    """Run `pulumi up` or `pulumi preview` with the pack, its output as it comes; return its exit code.

    The engine writes the state at the end alone: after each step it took half of the time of a first `up`,
    and where a run is cut off, the local AWS starts anew in any case.
    """
    arguments = [
        *command,
        *("--stack", bench.stack),
        *("--config-file", str(bench.config_file)),
        *("--policy-pack", "policies"),
        "--non-interactive",
    ]
    begun = bench.paths.backend / BEGUN
    if command[0] == "up":
        begun.write_text(_version(bench.state))
    environment = {
        **bench.child_environment(),
        **debug_variables(command),
        "PULUMI_SKIP_CHECKPOINTS": "true",
    }
    if "real" not in bench.plugins.values():
        # Collecting garbage more seldom saves a tenth of the engine's work, for 25 MiB; a real plugin would
        # take hundreds.
        environment.setdefault("GOGC", "400")
    code = run_interruptibly([str(bench.engine.pulumi), *arguments], environment, bench.paths)
    if code >= 0:
        begun.unlink(missing_ok=True)
    if code and not running_emulator(bench.paths):
        raise LocalError(
            f"the emulated AWS ended during the run; its log is {bench.emulator.log_path}.",
            "run the command again; it starts from an empty local AWS.",
        )
    return code


def run_interruptibly(command: Sequence[str], environment: Mapping[str, str], paths: Paths) -> int:
    """Run a command that may take long and leaves no process behind; return its exit code.

    Interrupted once, it is asked to stop and may finish what AWS is doing; interrupted again, or after 20
    seconds, it is killed. The kernel asks it to stop when this process is killed.
    """
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        env=dict(environment),
        cwd=paths.root,
        # Away from the terminal's signals: a Ctrl-C that arrives by itself and from here counts as two.
        process_group=0,
        preexec_fn=processes.ending_with_parent(signal.SIGINT),  # noqa: PLW1509 this process has no threads
    )
    try:
        return process.wait()
    except processes.Interrupted as interruption:
        progress.say(f"Stopping ({interruption}); once more to force it.")
        try:
            process.send_signal(signal.SIGINT)
            process.wait(INTERRUPT_GRACE_SECONDS)
        except (processes.Interrupted, subprocess.TimeoutExpired):
            process.kill()
            process.wait()
        raise
    finally:
        processes.stop_marked(processes.RUN_MARK, str(paths.local), 2.0)


def _forget(paths: Paths) -> None:
    """Remove what was worth something only as long as the emulator ran."""
    shutil.rmtree(paths.backend, ignore_errors=True)
    shutil.rmtree(paths.local / "paper-images", ignore_errors=True)


def _remove_tasks(paths: Paths, containers: LocalContainers | str) -> None:
    """Remove the containers that an emulator left behind when it was killed."""
    record = _read_json(paths.emulator / "emulator.json")
    if not isinstance(containers, str) and isinstance(record, dict) and isinstance(record.get("port"), int):
        local_containers.remove_tasks(containers, record["port"])


def _read_json(file: Path) -> object:
    try:
        return json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return None


def _start_emulator(
    paths: Paths, python: Path, port: int | None, environment: Mapping[str, str]
) -> RunningEmulator:
    log = paths.emulator / "log"
    if port is None and not (paths.emulator / "emulator.json").exists() and ports.is_free(PREFERRED_PORT):
        # Another clone may take it in the very moment: then any free port will do.
        with contextlib.suppress(LocalError):
            return emulator_process.start(
                python, PREFERRED_PORT, log, paths.emulator, environment=environment
            )
    return emulator_process.start(python, port, log, paths.emulator, environment=environment)


def _is_pulumi(pid: int) -> bool:
    """Say whether a process runs and is a Pulumi CLI: a dead one's number may have been given to another."""
    return processes.alive(pid) and processes.program_of(pid) in ("pulumi", None)


def _quietly(bench: Workbench, arguments: Iterable[str], folder: Path) -> None:
    """Run a short command of the CLI and show its output only when it fails."""
    answer = subprocess.run(
        [bench.engine.pulumi, *arguments, "--non-interactive", "--color", "never"],
        cwd=folder,
        env=bench.child_environment(),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if answer.returncode:
        said = (answer.stderr or answer.stdout).strip().removeprefix("error: ")
        raise LocalError(
            f"`pulumi {' '.join(arguments)}` failed: {said}",
            f"`make down` and try again; if it stays, look at {bench.paths.local}.",
        )
