"""The emulated AWS as a process: ministack, with what it lacks, on one local port.

Run with the Python of the environment that holds ministack, from the checkout's root:

    GATEWAY_PORT=4566 python -m local.emulator.server

Owns the process: arguments, ministack's version, the listening socket, logging, a clean end. Deliberately
doesn't own what is answered: `local.emulator.gateway` and the modules under `local.emulator.completions`
do, nor how it is put into the background (`local.emulator.process`).

Only the standard library and what ministack itself depends on may be imported here.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

MINISTACK_VERSION = "1.5.33"
"""The one version that the completions are written and tested against."""

FIXED_ENVIRONMENT = {
    # Services that open ports of their own, on every interface, for what this project doesn't use.
    "SFTP_ENABLED": "0",
    "IOT_MTLS_ENABLED": "0",
    # The memory ends with the process: what is half restored would be harder to explain than nothing.
    "PERSIST_STATE": "0",
    "S3_PERSIST": "0",
    "USE_SSL": "0",
    "AUTH": "false",
    "MINISTACK_REGION": "ap-northeast-2",
}


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local.emulator.server", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--listen-fd", type=int, help="an inherited listening socket; else GATEWAY_PORT is opened"
    )
    parser.add_argument("--lock-fd", type=int, help="an inherited, locked file to keep open while this runs")
    parser.add_argument("--record", type=Path, help="where to record pid, port and generation")
    parser.add_argument("--log-path", default="", help="where the output goes, for the record")
    return parser.parse_args()


def _check_ministack() -> str | None:
    try:
        installed = version("ministack")
    except PackageNotFoundError:
        return (
            f"ministack isn't installed for {sys.executable}: install ministack=={MINISTACK_VERSION} "
            "in an environment of its own and run this with its Python"
        )
    if installed != MINISTACK_VERSION:
        return (
            f"ministack {installed} is installed for {sys.executable}, but the emulated AWS completes "
            f"exactly {MINISTACK_VERSION}: install that version, or adapt local/emulator/completions"
        )
    return None


def main() -> int:
    """Serves until SIGTERM or SIGINT; returns the exit code."""
    arguments = _parse_arguments()
    complaint = _check_ministack()
    if complaint:
        print(complaint, file=sys.stderr)
        return 2
    if arguments.lock_fd is not None:
        # A container or helper started by the emulator must not keep the lock after the emulator has ended.
        os.set_inheritable(arguments.lock_fd, False)
    os.environ.update(FIXED_ENVIRONMENT)
    os.environ.setdefault("BIND_HOST", "127.0.0.1")
    port = os.environ.setdefault("GATEWAY_PORT", "4566")
    if not port.isdigit() or not 0 < int(port) < 65536:
        print(f"GATEWAY_PORT is {port!r}; it must be a port number from 1 to 65535", file=sys.stderr)
        return 2

    logging.basicConfig(
        level=os.environ.get("LOG_LEVEL", "INFO").upper(),
        format="%(asctime)s %(levelname)s [%(name)s] %(message)s",
        stream=sys.stderr,
    )
    # After the environment is settled, because ministack reads it while it is imported.
    from local.emulator.gateway import GENERATION, build_application
    from local.emulator.process import write_record

    application = build_application()
    if arguments.record is not None:
        write_record(arguments.record, port=int(port), generation=GENERATION, log_path=arguments.log_path)
    bind = f"{os.environ['BIND_HOST']}:{port}"
    if arguments.listen_fd is not None:
        os.set_inheritable(arguments.listen_fd, False)
        bind = f"fd://{arguments.listen_fd}"
    try:
        asyncio.run(_serve(application, bind))
    except OSError as error:
        print(
            f"the emulated AWS can't listen on {bind}: {error.strerror}; choose another GATEWAY_PORT",
            file=sys.stderr,
        )
        return 1
    return 0


async def _serve(application: object, bind: str) -> None:
    # hypercorn comes with ministack, in the emulator's environment only.
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    from local.emulator import one_write

    one_write.install()
    config = Config()
    config.bind = [bind]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 2
    config.accesslog = None
    config.errorlog = "-"
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)

    async def until_ended() -> None:
        await ended.wait()

    await serve(application, config, shutdown_trigger=until_ended)


if __name__ == "__main__":
    sys.exit(main())
