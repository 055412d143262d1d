"""Starts, finds and stops the emulated AWS as a background process of this clone.

Owns one emulator per state directory: its lock, its record (pid, port, generation) and its log.
Deliberately doesn't own what the emulator answers (`local.emulator.server`), nor where its Python comes
from (the bootstrap).

Only the standard library, because the bootstrap calls this before any virtual environment exists.

How it stays right when the caller is killed at any moment:

* Whoever starts an emulator holds an exclusive lock on `emulator.lock` and hands the locked file on to the
  process that it starts. The lock lives exactly as long as the emulator, however the starter ended. So a
  second `start` never makes a second emulator, and a free lock means that no emulator is there, whatever
  the record says.
* The emulator writes the record itself, so there is no moment at which it runs unrecorded for good.
* The listening socket is opened here and handed on too: a taken port is known at once, and nobody can take
  the port between looking and binding.
* A pid is signalled only while it still has the start time that is in the record.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from local import processes
from local.cache import write_atomically
from local.errors import LocalError

HOST = "127.0.0.1"
HEALTH_PATH = "/_ministack/health"
START_TIMEOUT_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 15.0
LOG_LIMIT_BYTES = 20 * 1024 * 1024
"""A log beyond this size is set aside as `NAME.1` at the next start, so that it doesn't grow for ever."""

_POLL_SECONDS = 0.05
_CHECKOUT = Path(__file__).resolve().parents[2]
_DROPPED_ENVIRONMENT = ("AWS_", "PULUMI_", "MINISTACK_", "LOCALSTACK_")
"""The user's own AWS settings must not reach the emulator, nor should another emulator's."""


@dataclass(frozen=True)
class RunningEmulator:
    """An emulator process that was seen running.

    `generation` is drawn anew by each process: what an emulator of another generation knew is gone.
    `started` identifies the process beside its pid, which the system may give to another process later.
    """

    pid: int
    started: str
    port: int
    generation: str
    log_path: Path

    @property
    def url(self) -> str:
        """The endpoint for `AWS_ENDPOINT_URL`."""
        return f"http://{HOST}:{self.port}"


def start(
    python: Path,
    port: int | None,
    log_path: Path,
    state_dir: Path,
    *,
    timeout_seconds: float = START_TIMEOUT_SECONDS,
    environment: Mapping[str, str] | None = None,
) -> RunningEmulator:
    """Returns the state directory's emulator, healthy; starts it if there is none.

    `python` is the interpreter of the environment that holds ministack. With `port` None it listens on the
    port that it had last, so that a sourced environment stays right, or on any free one. An emulator that
    is already there is returned as it is, unless it listens on another port than the one asked for, which
    is an error. One that runs but doesn't answer is stopped and replaced; its memory is lost, which its new
    generation tells.

    Raises LocalError when the port is taken, or the emulator ends or isn't ready within `timeout_seconds`.
    """
    deadline = time.monotonic() + timeout_seconds
    _make_directory(state_dir)
    _make_directory(log_path.parent)
    while True:
        with _lock(state_dir) as lock:
            if lock is not None:
                base = os.environ if environment is None else environment
                return _launch(python, port, log_path, state_dir, lock, deadline, base)
        # Somebody holds the lock: a running emulator, or a start that is under way beside this one.
        running = _await_healthy(state_dir, deadline)
        if running is not None:
            if port is not None and running.port != port:
                raise LocalError(
                    f"the emulated AWS of this clone runs on port {running.port}, not on {port} as asked",
                    "stop it first (`make down`), or leave the port out",
                )
            return running
        if _is_locked(state_dir):
            stop(state_dir, timeout_seconds=3)
        deadline = time.monotonic() + timeout_seconds


def find(state_dir: Path) -> RunningEmulator | None:
    """Returns the emulator that runs for this state directory, healthy or not; None if there is none."""
    recorded = _read_record(state_dir)
    if recorded is None or process_start(recorded.pid) != recorded.started:
        return None
    return recorded


def is_healthy(emulator: RunningEmulator, *, timeout_seconds: float = 5.0) -> bool:
    """Tells whether this very emulator, not another on its port, answers within the time given."""
    return _health_generation(emulator.port, timeout_seconds) == emulator.generation


def stop(state_dir: Path, *, timeout_seconds: float = STOP_TIMEOUT_SECONDS) -> bool:
    """Stops the state directory's emulator, and tells whether there was one.

    Asks by SIGTERM first, ends it by SIGKILL after `timeout_seconds`. Returns when the process is gone.
    Raises LocalError if it stays nevertheless.
    """
    if not state_dir.is_dir() or not _is_locked(state_dir):
        return False
    deadline = time.monotonic() + timeout_seconds
    # An emulator that is only just starting has not written its record yet.
    while (running := find(state_dir)) is None:
        if not _is_locked(state_dir):
            return False
        if time.monotonic() > deadline:
            raise LocalError(
                f"a process holds {_lock_path(state_dir)} but no record says which",
                f"see who holds it (`fuser -v {_lock_path(state_dir)}`) and end that process",
            )
        time.sleep(_POLL_SECONDS)
    processes.stop([running.pid], timeout_seconds)
    return True


def process_start(pid: int) -> str | None:
    """Returns what tells this process from an earlier or later one of the same pid; None if it has ended.

    On Linux the boot's id and the start time in clock ticks since boot, elsewhere what `ps` prints.
    """
    stat_path = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            stat = stat_path.read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The command name stands in parentheses and may hold anything; the fields after it are separated by
        # spaces.
        state, *fields = stat.rpartition(")")[2].split()
        if state in {"Z", "X"}:
            return None
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{fields[18]}"
    listed = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return None if not listed or listed.startswith("Z") else listed.partition(" ")[2].strip()


def write_record(path: Path, *, port: int, generation: str, log_path: str) -> None:
    """Records the calling process as the emulator; the server calls this before it listens."""
    record = {
        "pid": os.getpid(),
        "started": process_start(os.getpid()),
        "port": port,
        "generation": generation,
        "log_path": log_path,
    }
    write_atomically(path, json.dumps(record, indent=2) + "\n")


def _lock_path(state_dir: Path) -> Path:
    return state_dir / "emulator.lock"


def _record_path(state_dir: Path) -> Path:
    return state_dir / "emulator.json"


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocalError(
            f"the directory {path} for the emulated AWS can't be made: {error.strerror}",
            "make its parent directory writable, or work in a checkout that is",
        ) from error


@contextmanager
def _lock(state_dir: Path) -> Iterator[IO[bytes] | None]:
    """Yields the lock's open file, or None when another process holds it.

    Closing the file here doesn't free the lock once a child process has inherited it.
    """
    try:
        file = _lock_path(state_dir).open("ab")
    except OSError as error:
        raise LocalError(
            f"the lock {_lock_path(state_dir)} of the emulated AWS can't be opened: {error.strerror}",
            "make the file writable, or free disk space",
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file


def _is_locked(state_dir: Path) -> bool:
    with _lock(state_dir) as lock:
        return lock is None


def _read_record(state_dir: Path) -> RunningEmulator | None:
    try:
        record = json.loads(_record_path(state_dir).read_text())
        return RunningEmulator(
            pid=int(record["pid"]),
            started=str(record["started"]),
            port=int(record["port"]),
            generation=str(record["generation"]),
            log_path=Path(record["log_path"]),
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        # Written whole or not at all by this program; somebody else's edit is as good as no record.
        return None


def _health_generation(port: int, timeout_seconds: float) -> str | None:
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout_seconds)
    try:
        connection.request("GET", HEALTH_PATH)
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    if response.status != 200 or not isinstance(answer, dict):
        return None
    generation = answer.get("generation")
    return generation if isinstance(generation, str) else None


def _await_healthy(state_dir: Path, deadline: float) -> RunningEmulator | None:
    """Waits for the emulator that holds the lock; None if it doesn't become healthy or lets go of it."""
    while time.monotonic() < deadline:
        running = find(state_dir)
        if running is not None and is_healthy(running, timeout_seconds=max(0.1, deadline - time.monotonic())):
            return running
        if not _is_locked(state_dir):
            return None
        time.sleep(_POLL_SECONDS)
    return None


def _listen(port: int | None, last_port: int | None) -> socket.socket:
    """Opens the listening socket: on the port asked for, else on the last one, else on any free one."""
    wanted = [port] if port is not None else [*([last_port] if last_port else []), 0]
    problem: OSError | None = None
    for candidate in wanted:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, candidate))
            listener.listen(128)
        except OSError as error:
            listener.close()
            problem = error
        else:
            return listener
    reason = problem.strerror if problem else "no port to try"
    raise LocalError(
        f"port {port} on {HOST} can't be taken for the emulated AWS: {reason}",
        f"end what listens there (`ss -ltnp 'sport = :{port}'` shows it), or choose another port",
    ) from problem


def _launch(
    python: Path,
    port: int | None,
    log_path: Path,
    state_dir: Path,
    lock: IO[bytes],
    deadline: float,
    base: Mapping[str, str],
) -> RunningEmulator:
    last = _read_record(state_dir)
    with _listen(port, last.port if last else None) as listener:
        listening_port = int(listener.getsockname()[1])
        if log_path.exists() and log_path.stat().st_size > LOG_LIMIT_BYTES:
            log_path.replace(log_path.with_name(log_path.name + ".1"))
        environment = {
            name: value for name, value in base.items() if not name.startswith(_DROPPED_ENVIRONMENT)
        } | {
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(listening_port),
            "PYTHONPATH": str(_CHECKOUT),
            "PYTHONUNBUFFERED": "1",
        }
        command = [
            *(str(python), "-m", "local.emulator.server"),
            *("--listen-fd", str(listener.fileno())),
            *("--lock-fd", str(lock.fileno())),
            *("--record", str(_record_path(state_dir))),
            *("--log-path", str(log_path)),
        ]
        try:
            with log_path.open("ab") as log:
                process = subprocess.Popen(
                    command,
                    cwd=_CHECKOUT,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(listener.fileno(), lock.fileno()),
                    start_new_session=True,
                )
        except OSError as error:
            raise LocalError(
                f"the emulated AWS can't be started with {python}: {error.strerror}",
                "remove the cached environment, so that the next run makes it anew; or free disk space",
            ) from error
    while time.monotonic() < deadline:
        exit_code = process.poll()
        if exit_code is not None:
            raise _start_failed(f"ended with exit code {exit_code} while it started", log_path)
        running = find(state_dir)
        if running is not None and running.pid == process.pid and is_healthy(running, timeout_seconds=1):
            return running
        time.sleep(_POLL_SECONDS)
    process.kill()
    process.wait()
    raise _start_failed("was not ready in time", log_path)


def _start_failed(what: str, log_path: Path) -> LocalError:
    lines = log_path.read_text(errors="replace").splitlines()[-15:]
    shown = "\n".join(f"  {line}" for line in lines)
    return LocalError(
        f"the emulated AWS {what}; the last lines of its log:\n{shown}",
        f"read {log_path}; if the environment looks damaged, remove it from the cache and run again",
    )
