"""Runs a Pulumi program or a policy pack in the Python interpreter that the project names.

Owns: what happens inside that interpreter before the first line of the program and after the last one.
Does not own: which interpreter that is, or when it is stopped (`language_runtime`).

It is run by path, by whatever interpreter the program uses, so it imports the standard library and the Pulumi
SDK only. Two modes, by the first argument: `program` and `policy`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import runpy
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ENGINE_HAS_ENDED = ("resource monitor shut down", "the client connection is closing")
"""What registrations answer once the engine has given up on a run."""

DEBUG_VARIABLE = "FILEFLOW_DEBUG_MESSAGES"
"""Set where the CLI shows debug messages (`local.environment`)."""

EXIT_AFTER_MESSAGE = 32
"""The user has already read the error: the engine stops without adding one of its own."""


def main(argv: Sequence[str]) -> int:
    """Dispatch on the mode and return the exit code."""
    # The folder of this file is sys.path[0]; its modules are no business of the program.
    sys.path[:] = [entry for entry in sys.path if entry != str(Path(__file__).parent)]
    # A short life that makes a hundred thousand objects which stay: looking for cycles among them costs
    # a fifth of a preview.
    gc.set_threshold(200_000, 50, 50)
    mode, arguments = argv[0], argv[1:]
    _exit_with_parent()
    if mode == "policy":
        return _run_policy_pack(arguments)
    return _run_program(arguments)


def _exit_with_parent() -> None:
    """Leave when the language host is gone, however it ended: nobody else would stop this process."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _run_policy_pack(arguments: Sequence[str]) -> int:
    checkout = str(Path(__file__).parents[2])
    sys.path.append(checkout)
    from local.engine.policy_server import serve_pack

    sys.path.remove(checkout)
    serve_pack(arguments)
    return 0


def _run_program(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="runner.py program")
    for option in ("monitor", "engine", "project", "stack", "organization", "root-directory", "pwd"):
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("--parallel", type=int, required=True)
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("program")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)

    try:
        import pulumi
        import pulumi.runtime
    except ImportError as error:
        print(
            f"{sys.executable} cannot import the Pulumi SDK ({error}). Install the program's requirements.txt"
            " there, or name the right virtual environment in Pulumi.yaml at runtime.options.virtualenv.",
            file=sys.stderr,
        )
        return EXIT_AFTER_MESSAGE

    if DEBUG_VARIABLE not in os.environ:
        pulumi.log.debug = _unheard
    pulumi.runtime.set_all_config(
        pulumi.runtime.get_config_env(), list(pulumi.runtime.get_config_secret_keys_env())
    )
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            monitor=options.monitor,
            engine=options.engine,
            project=options.project,
            stack=options.stack,
            organization=options.organization,
            root_directory=options.root_directory,
            parallel=options.parallel,
            dry_run=options.dry_run,
        )
    )
    sys.argv = [options.program, *options.arguments]
    os.chdir(options.pwd)
    # A program that fails leaves futures that nobody awaits; asyncio's complaints would bury the error.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)

    def program() -> None:
        runpy.run_path(options.program, run_name="__main__")

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # Every registration occupies a thread while the engine works on it.
    executor = ThreadPoolExecutor(max_workers=4 * max(options.parallel, 1))
    loop.set_default_executor(executor)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(program))
    except pulumi.RunError as error:
        # A message meant for the reader as it stands; where it was raised is of no use to them.
        pulumi.log.error(str(error))
        return EXIT_AFTER_MESSAGE
    except Exception as error:  # noqa: BLE001 whatever the program raises is the program's failure, told here
        if _ended_by_engine(error):
            # A resource failed, the engine said so and stopped listening: nothing is left to tell.
            return EXIT_AFTER_MESSAGE
        pulumi.log.error(
            f"Program failed with an unhandled exception:\n{_program_traceback(options.program)}"
        )
        return EXIT_AFTER_MESSAGE
    finally:
        executor.shutdown(wait=True)
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _unheard(*_message: object, **_options: object) -> None:
    """Take the place of `pulumi.log.debug` where the CLI doesn't show debug messages.

    The SDK sends the engine a dozen of them for each resource, a tenth of a preview. It can go when the SDK
    knows that nobody listens.
    """


def _ended_by_engine(error: BaseException | None) -> bool:
    """Whether the program failed only because the engine had ended the run before."""
    chain: list[BaseException] = []
    # The SDK raises errors from each other: the chain may be a ring.
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return any(words in str(each) for each in chain for words in ENGINE_HAS_ENDED)


def _program_traceback(program: str) -> str:
    """Format the current exception from the program's own first frame on."""
    entry = Path(program).resolve()
    entries = {entry, entry / "__main__.py"}
    frames = traceback.extract_tb(sys.exc_info()[2])
    for index, frame in enumerate(frames):
        if Path(frame.filename).resolve() in entries:
            return traceback.format_exc(limit=index - len(frames))
    return traceback.format_exc()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
