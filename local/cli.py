"""The commands behind the Makefile.

Owns: the command line, the order of the steps of each command, exit codes, and that a failure is told once,
in words that say what to do. Works with the standard library alone until the virtual environments exist.
Deliberately doesn't own how a step is done.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local import plugin_home, ports, processes, progress, stack, virtual_environments
from local.cache import writing_to
from local.containers import local_containers, sample
from local.emulator import process as emulator_process
from local.engine.acquire import ensure_engine
from local.environment import LOCAL_STACK, users_environment, write_commands, write_env_file
from local.errors import LocalError
from local.fork_server import client as fork_client
from local.fork_server import process as fork_server
from local.locks import exclusive
from local.paths import Paths
from local.stack import Workbench

PASSED_ON = {"up": "pulumi up", "preview": "pulumi preview", "test": "pytest"}
"""Commands that give further arguments to another."""

SPREAD = ("-n", "auto", "--dist", "loadgroup", "--no-loadscope-reorder")
WORKERS_PER_CORE = 2
"""For all tests: those of the local stack wait for what they started half of their time."""
FAST_TESTS = ("tests/unit", "tests/operate")
PROGRAM = ("__main__.py", "composition.py", "encryption.py", "leases.py")
TYPED = (*PROGRAM, "settings", "components", "local", "operate", "pulumi_package", "tests", "tools")
TYPED_PACK = ("policies/__main__.py", "policies/fileflow_policies")


@dataclass(frozen=True)
class Call:
    """One invocation of a command."""

    options: argparse.Namespace
    paths: Paths
    environment: Mapping[str, str]


def main(argv: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    options = _parse(argv)
    return carry_out(lambda call: int(options.run(call)), options, again="make up")


def carry_out(command: Callable[[Call], int], options: argparse.Namespace, again: str) -> int:
    """Run a command and return its exit code; tell a failure, or how to go on after an interruption."""
    processes.interrupt_on_signals()
    if os.environ.get("MAKELEVEL"):
        # A make that is killed can't pass the signal on.
        processes.end_with_parent(signal.SIGTERM)
    try:
        paths = Paths.of(os.environ)
        return command(Call(options, paths, users_environment(paths, os.environ)))
    except LocalError as error:
        progress.say(f"error: {error.problem}\nFix: {error.fix}")
        return 1
    except processes.Interrupted as interruption:
        progress.say(f"Stopped by {interruption}. The next `{again}` goes on from here.")
        return 128 + interruption.number


def up(call: Call) -> int:
    """Deploy FileFlow on the emulated AWS, with the policy pack enforced."""
    with _workbench(call) as bench:
        # Before the run: what has failed is looked into with the same commands as what has not.
        _hand_over(call, bench)
        code = stack.run_update(bench, ["up", "--yes", *call.options.arguments])
        print(_what_failed(bench) if code else _what_runs(bench))
    return code


def preview(call: Call) -> int:
    """Show what `up` would do, with the policy pack enforced."""
    with _workbench(call) as bench:
        try:
            return stack.run_update(bench, ["preview", *call.options.arguments])
        finally:
            if not bench.was_running:
                stack.stop_emulator(call.paths, call.environment)


def start(call: Call) -> int:
    """Start the emulated AWS and write `.local/env` without deploying anything."""
    with _workbench(call) as bench:
        _hand_over(call, bench)
    return 0


def _hand_over(call: Call, bench: Workbench) -> None:
    """Point plain `pulumi` and `aws` at the stack, for whoever sources `.local/env`."""
    stack.select_stack(bench)
    write_commands(call.paths, bench.engine, call.environment)
    write_env_file(call.paths, bench.engine, bench.values())


def down(call: Call) -> int:
    """Stop the emulated AWS with all that was deployed in it, and forget the state; the log stays."""
    if not call.paths.local.exists():
        progress.say("Nothing runs.")
        return 0
    with exclusive(call.paths.lock, "another command"):
        stack.stop_strays(call.paths)
        stack.stop_emulator(call.paths, call.environment)
        folder = local_containers.folder_of(call.paths, call.environment)
        local_containers.stop(folder)
        # The command `pulumi` stays: in a shell that has sourced the environment it says what is to be done.
        for entry in (call.paths.env, call.paths.home, call.paths.project, call.paths.backend):
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink(missing_ok=True)
    progress.say("Nothing runs any more.")
    return 0


def status(call: Call) -> int:
    """Say what runs; the exit code is 1 when no emulated AWS does."""
    folder = local_containers.folder_of(call.paths, call.environment)
    if containers := local_containers.find(folder, call.environment):
        print(f"Docker engine: {containers.docker_host}, registry: {containers.registry}")
    running = stack.running_emulator(call.paths)
    if not running:
        ended = emulator_process.find(call.paths.emulator)
        nothing = "No emulated AWS runs." if containers else "Nothing runs."
        print("The emulated AWS doesn't answer." if ended else nothing)
        return 1
    print(f"Emulated AWS: {running.url}, process {running.pid}, log {running.log_path}")
    stacks = sorted(file.stem for file in (call.paths.backend / ".pulumi" / "stacks").glob("*/*.json"))
    print(f"Stacks: {', '.join(stacks) or 'none'}")
    return 0


def setup(call: Call) -> int:
    """Get the Pulumi CLI and make the virtual environments, without starting anything."""
    _begin_engine(call)
    virtual_environments.ensure_project(call.paths, call.environment)
    virtual_environments.ensure(call.paths, virtual_environments.EMULATOR, call.environment)
    engine = ensure_engine(call.paths, call.environment)
    progress.say(f"Pulumi {engine.version} ({engine.source}): {engine.pulumi}")
    return 0


def get_engine(call: Call) -> int:
    """Get the Pulumi CLI alone."""
    ensure_engine(call.paths, call.environment)
    return 0


def test(call: Call) -> int:
    """Run every test but those marked nightly, beside any local stack that runs."""
    setup(call)
    workers = str(WORKERS_PER_CORE * (os.cpu_count() or 1))
    arguments = [*SPREAD, "-n", workers, "-m", "not nightly", *call.options.arguments]
    return _run([str(call.paths.python), "-m", "pytest", *arguments], call.paths, call.environment)


def check(call: Call) -> int:
    """Check format, lint and types, and run the tests that need no engine."""
    virtual_environments.ensure_project(call.paths, call.environment)
    python = [str(call.paths.python), "-m"]
    typed = [name for name in TYPED if (call.paths.root / name).exists()]
    tests = [name for name in FAST_TESTS if (call.paths.root / name).exists()]
    failed = []
    for what, command in (
        ("Format", [*python, "ruff", "format", "--check", "."]),
        ("Lint", [*python, "ruff", "check", "."]),
        ("Types", [*python, "mypy", "--strict", *typed]),
        # By itself: its __main__.py has the program's name.
        ("Types of the pack", [*python, "mypy", "--strict", *TYPED_PACK]),
        ("Fast tests", [*python, "pytest", "-q", *SPREAD, "-m", "not engine and not nightly", *tests]),
    ):
        progress.say(f"{what}: {' '.join(command[2:])}")
        if _run(command, call.paths, call.environment):
            failed.append(what.lower())
    if failed:
        raise LocalError(
            f"not in order: {', '.join(failed)}.", "see above; `ruff format .` mends the format."
        )
    return 0


COMMANDS: dict[str, Callable[[Call], int]] = {
    "up": up,
    "preview": preview,
    "down": down,
    "start": start,
    "status": status,
    "setup": setup,
    "engine": get_engine,
    "test": test,
    "check": check,
}


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m local", description="FileFlow's local stack.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run in COMMANDS.items():
        command = commands.add_parser(name, help=(run.__doc__ or "").partition("\n")[0])
        command.set_defaults(run=run)
        if name in ("up", "preview", "start"):
            command.add_argument("--stack", default=os.environ.get("STACK") or LOCAL_STACK)
        if tool := PASSED_ON.get(name):
            command.add_argument("arguments", nargs="*", help=f"for {tool}, after --")
    return parser.parse_args(argv)


@contextlib.contextmanager
def _workbench(call: Call) -> Iterator[Workbench]:
    """Get everything ready for a run on a stack, the cheapest checks first, and hold this clone's lock."""
    paths, environment, name = call.paths, call.environment, call.options.stack
    stack.check_folder(paths)
    stack.check_stack(paths.root, name)
    ports.wanted(environment)
    _begin_engine(call)
    virtual_environments.ensure_project(paths, environment)
    stack.check_yaml(paths, name)
    emulator_python = virtual_environments.ensure(paths, virtual_environments.EMULATOR, environment)
    engine = ensure_engine(paths, environment)
    folder = local_containers.folder_of(paths, environment)
    with (
        writing_to(paths.local, "folder", "FILEFLOW_LOCAL_DIR"),
        exclusive(paths.lock, "another command of this clone"),
    ):
        stack.stop_strays(paths)
        stack.clear_dead_locks(paths, name)
        containers = local_containers.use(folder, environment)
        has_containers = not isinstance(containers, str)
        plugins = plugin_home.ensure_plugins(paths, engine, environment, has_containers=has_containers)
        config_file = stack.copy_configuration(paths, name)
        if has_containers:
            for program in (sample.SAMPLE, sample.GUARD):
                sample.ensure(paths, environment, program)
        was_running = stack.running_emulator(paths) is not None
        emulator = stack.settle_emulator(paths, emulator_python, containers, environment)
        fork_server.ensure(paths, environment)
        bench = Workbench(
            paths, engine, environment, plugins, containers, emulator, name, config_file, was_running
        )
        stack.prepare_stack(bench)
        yield bench


def _begin_engine(call: Call) -> None:
    """On a new machine, get the CLI beside the virtual environments: each takes minutes.

    `ensure_engine` waits for it, and tells of a failure when it tries by itself.
    """
    if not virtual_environments.are_made(call.paths):
        processes.start_beside([sys.executable, "-m", "local", "engine"], call.paths.root)


def _what_failed(bench: Workbench) -> str:
    return f"""
Stack {bench.stack} isn't deployed as asked; the emulated AWS at {bench.emulator.url} has what there is.

What to type next:
  source {_shown(bench.paths.env)}
  python -m operate status
  aws logs describe-log-groups
  make up{"" if bench.stack == LOCAL_STACK else f" STACK={bench.stack}"}
"""


def _what_runs(bench: Workbench) -> str:
    report = subprocess.run(
        [bench.paths.python, "-I", "-S", fork_client.__file__, "-m", "local.report"],
        cwd=bench.paths.root,
        env=bench.child_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if report.returncode:
        services = f"  (ECS doesn't tell: {processes.short(report.stderr)})"
    else:
        services = report.stdout.rstrip() or "  (no ECS service)"
    plugins = ", ".join(f"{name} {kind}" for name, kind in bench.plugins.items())
    tasks = (
        f"simulated, no containers: {bench.containers}"
        if isinstance(bench.containers, str)
        else f"containers of the Docker engine at {bench.containers.docker_host}"
    )
    return f"""
Stack {bench.stack} runs on the emulated AWS at {bench.emulator.url}:
{services}
  Plugins: {plugins}. Tasks: {tasks}.

What to type next:
  source {_shown(bench.paths.env)}
  pulumi stack output
  pulumi preview --policy-pack policies
  aws ecs list-clusters
  make down
"""


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _run(command: Sequence[str], paths: Paths, environment: Mapping[str, str]) -> int:
    """Run a tool of the project in the terminal, and pass an interruption on to it."""
    process = subprocess.Popen(command, cwd=paths.root, env=dict(environment))
    try:
        return process.wait()
    except processes.Interrupted:
        process.terminate()
        process.wait()
        raise
