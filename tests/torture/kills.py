"""`kill -9` of whatever takes part in a run, at a random moment of it; the operator's next command converges.

Owns what is killed, when, and the next command that the README and docs/team.md tell people. What converged
is the stack's to say (`stack`).
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.emulator import process as emulator
from tests.torture.evidence import Evidence
from tests.torture.stack import PLAIN_UP, TorturedStack

CANCEL = "pulumi cancel --yes >/dev/null 2>&1; "
"""What docs/team.md says of a run that was killed."""


@dataclass(frozen=True)
class Scene:
    """A command during which something is killed, what has to be there first, and the next command."""

    name: str
    command: list[str]
    prepare: Callable[[TorturedStack], None]
    following: str = "make up"


def _anew(stack: TorturedStack) -> None:
    stack.down()


def _as_it_is(_stack: TorturedStack) -> None:
    """Nothing has to change first."""


def _released(stack: TorturedStack) -> None:
    stack.release += 1
    stack.write()


def _renamed(stack: TorturedStack) -> None:
    stack.archive = not stack.archive
    stack.write()


MAKE_UP = ["make", "up"]
SCENES = (
    Scene("make up, from nothing", MAKE_UP, _anew),
    Scene("make up, a new revision", MAKE_UP, _released),
    Scene("make up, a replacement", MAKE_UP, _renamed),
    Scene("pulumi up, a new revision", [PLAIN_UP], _released, CANCEL + PLAIN_UP),
    Scene("pulumi up, a replacement", [PLAIN_UP], _renamed, CANCEL + PLAIN_UP),
    Scene("operate restart", ["python -m operate restart download --yes"], _as_it_is),
    Scene("pulumi destroy", ["pulumi destroy --yes --skip-preview --non-interactive"], _as_it_is),
    Scene("make down", ["make", "down"], _as_it_is),
)
PLUGINS = ("aws", "docker")


def running(root: Path) -> dict[int, list[str]]:
    """The processes that belong to a copy or were started in it, each with its command line."""
    found = {}
    mark = str(root).encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes()
            if (
                mark in command
                or mark in (entry / "environ").read_bytes()
                or mark in bytes((entry / "cwd").readlink())
            ):
                found[int(entry.name)] = command.decode(errors="replace").strip("\0").split("\0")
    return found


def parent(pid: int) -> int:
    """The process that a process belongs to, 0 where it has ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _engine(found: Mapping[int, list[str]], _stack: TorturedStack) -> Iterator[int]:
    return (pid for pid, command in found.items() if command[0].endswith("/pulumi"))


def _command(found: Mapping[int, list[str]], _stack: TorturedStack) -> Iterator[int]:
    return (
        pid
        for pid, command in found.items()
        if command[0].endswith("make") or command[1:3] in (["-m", "local"], ["-m", "operate"])
    )


def _language_host(found: Mapping[int, list[str]], _stack: TorturedStack) -> Iterator[int]:
    return (
        pid for pid, command in found.items() if any(each.endswith("language_host.py") for each in command)
    )


def _plugin(found: Mapping[int, list[str]], _stack: TorturedStack) -> Iterator[int]:
    wanted = {f"local.plugins.{name}" for name in PLUGINS}
    return (pid for pid, command in found.items() if wanted & set(command))


def _servers(found: Mapping[int, list[str]]) -> list[int]:
    return [pid for pid, command in found.items() if any("fork_server/server.py" in each for each in command)]


def _forked(found: Mapping[int, list[str]], _stack: TorturedStack) -> Iterator[int]:
    servers = _servers(found)
    return (pid for pid in servers if parent(pid) in servers)


def _fork_server(found: Mapping[int, list[str]], _stack: TorturedStack) -> Iterator[int]:
    servers = _servers(found)
    return (pid for pid in servers if parent(pid) not in servers)


def _emulator(_found: Mapping[int, list[str]], stack: TorturedStack) -> Iterator[int]:
    there = emulator.find(stack.paths.emulator)
    return iter([there.pid] if there else [])


COMMAND = "the command itself"
PATIENCE_SECONDS = 3.0
Victim = Callable[[Mapping[int, list[str]], TorturedStack], Iterator[int]]
VICTIMS: dict[str, Victim] = {
    "engine": _engine,
    "language host": _language_host,
    "plugin": _plugin,
    "program, pack or plugin in its fork": _forked,
    "fork server": _fork_server,
    "emulated AWS": _emulator,
    COMMAND: _command,
}


@dataclass
class Kills:
    """What came of it."""

    killed: Counter[str] = field(default_factory=Counter)
    scenes: Counter[str] = field(default_factory=Counter)
    too_late: int = 0
    """Scenes whose command had ended before there was anything to kill."""
    not_converged: list[str] = field(default_factory=list)
    two_at_once: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def play(
    stack: TorturedStack, scene: Scene, victim: str, delay_seconds: float, result: Kills, name: str
) -> None:
    """One scene: the command, the kill, the next command, and whether all is as it was asked for."""
    scene.prepare(stack)
    begun = time.monotonic()
    command = scene.command
    if len(command) == 1:
        command = ["bash", "-c", f". {stack.root}/.local/env\n{command[0]}"]
    process = stack.deployment.start(command, {})
    hit = _kill(stack, process, victim, delay_seconds)
    try:
        process.communicate(timeout=300)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    result.scenes[scene.name] += 1
    if hit:
        result.killed[hit] += 1
    else:
        result.too_late += 1
        result.seconds[scene.name] = time.monotonic() - begun
    following = scene.following if emulator.find(stack.paths.emulator) else "make up"
    if following == "make up":
        done = stack.up()
    else:
        with stack.watcher() as watcher:
            done = stack.deployment.sourced(following)
        result.two_at_once += [
            f"{name}: {count} tasks of {service} at once"
            for service, count in watcher.record.most_at_once.items()
            if count > 1
        ]
    wrong = f"`{following}` failed: {done.stdout[-2500:]}" if done.returncode else stack.wrong()
    if wrong:
        result.not_converged.append(f"{name}: {wrong}")
        # The next scene begins from a stack that is right.
        stack.down()
        up = stack.up()
        assert up.returncode == 0, up.stdout


def _kill(stack: TorturedStack, process: subprocess.Popen[str], victim: str, delay_seconds: float) -> str:
    """Kills one of the victims at that moment, or as soon as there is one, and says what it was.

    Where none comes within a few seconds, as a plugin in `make down`, the command itself. Nothing where
    that has ended.
    """
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(delay_seconds)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None:
        found = running(stack.root)
        for pid in VICTIMS[victim](found, stack):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                return victim
        if time.monotonic() > deadline:
            process.kill()
            return COMMAND
        time.sleep(0.02)
    return ""


def kills(seed: int, moments: int, folder: Path) -> Kills:
    """As many kills as told, in turn of what is killed and of the commands, at moments by chance."""
    dice = random.Random(seed)
    result = Kills()
    stack = TorturedStack.copy(folder)
    try:
        stack.begin()
        victims = list(VICTIMS)
        for number in range(moments):
            scene, victim = SCENES[number % len(SCENES)], victims[number % len(victims)]
            delay_seconds = dice.uniform(0.0, result.seconds.get(scene.name, 12.0))
            name = f"{number}: {victim} killed after {delay_seconds:.1f} s of {scene.name}"
            begun = time.monotonic()
            play(stack, scene, victim, delay_seconds, result, name)
            said = (
                "converged"
                if not any(each.startswith(name) for each in result.not_converged)
                else "NOT converged"
            )
            print(f"{name}: {said}, {time.monotonic() - begun:.0f} s", flush=True)
    finally:
        stack.down()
    return result


def evidence(seed: int, moments: int = 50) -> Evidence:
    """The kills as a row of the table."""
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        result = kills(seed, moments, Path(name))
    told = ", ".join(f"{victim} {count}" for victim, count in sorted(result.killed.items()))
    return Evidence(
        "kill -9 during up, down, replacement and restart",
        {
            "scenes": sum(result.scenes.values()),
            "kills": result.killed.total(),
            "runs that didn't converge": len(result.not_converged),
        },
        [*result.not_converged, *result.two_at_once],
        [f"killed: {told}; {result.too_late} scenes had ended before; seed {seed}"],
    )
