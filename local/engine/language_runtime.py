"""A stand-in for `pulumi-language-python`, the plugin by which the Pulumi engine runs Python programs.

Owns: the LanguageRuntime service, the choice of interpreter, the life of the processes it starts. It answers
what `pulumi preview`, `up`, `refresh`, `import`, `destroy`, `about` and policy packs ask for.
Does not own: what happens inside the program's interpreter (`runner`), or how a policy pack is told its
stack (`policy_server`). Code generation (`GenerateProgram`, `GeneratePackage`, `Pack`, `Link`), the list of a
program's packages, type checkers and the toolchains poetry and uv are left to the official release's plugin.

The engine starts it by path, with the engine's address as the last argument, and reads the port from the
first line of its stdout.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator, Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

RUNNER = Path(__file__).with_name("runner.py")
CLIENT = Path(__file__).parents[1] / "fork_server" / "client.py"
EXIT_AFTER_MESSAGE = 32
STOP_GRACE_SECONDS = 3.0
PARENT_POLL_SECONDS = 0.5


class InterpreterError(Exception):
    """The program names no usable Python; the message is for the user."""


def interpreter(root_directory: str, options: Mapping[str, Any], environment: Mapping[str, str]) -> Path:
    """Choose the Python for a program or a policy pack.

    `runtime.options.virtualenv` of Pulumi.yaml or PulumiPolicy.yaml counts, relative to that file's folder;
    without it the active virtual environment, then `python3` on PATH.

    Raises InterpreterError when the named environment is not there or nothing is found.
    """
    toolchain = str(options.get("toolchain") or "pip").lower()
    if toolchain != "pip":
        raise InterpreterError(
            f"runtime.options.toolchain is {toolchain!r}; this language host supports 'pip' only."
            " Install the official Pulumi release to use another one."
        )
    named = options.get("virtualenv")
    if named:
        folder = Path(root_directory, str(named))
        python = folder / "bin" / "python"
        if not python.exists():
            raise InterpreterError(
                f"runtime.options.virtualenv is {str(named)!r}, but {folder} is not a virtual environment."
                " Create it with `pulumi install`, or with `make up` in this project."
            )
        return python
    if environment.get("VIRTUAL_ENV"):
        python = Path(environment["VIRTUAL_ENV"], "bin", "python")
        if python.exists():
            return python
    found = shutil.which("python3", path=environment.get("PATH")) or shutil.which(
        "python", path=environment.get("PATH")
    )
    if not found:
        raise InterpreterError(
            "no python3 on PATH: install Python 3.11 or later, or activate a virtual environment."
        )
    return Path(found)


def activated(python: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment as the virtual environment of `python` would activate it."""
    result = dict(environment)
    # Not resolved: bin/python of a virtual environment is a link to the base interpreter.
    if (python.parent.parent / "pyvenv.cfg").exists():
        result["VIRTUAL_ENV"] = str(python.parent.parent)
        result["PATH"] = f"{python.parent}{os.pathsep}{environment.get('PATH', os.defpath)}"
        result.pop("PYTHONHOME", None)
    return result


def program_environment(request: Any, python: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the program, with its configuration where the SDK reads it."""
    return activated(python, environment) | {
        "PULUMI_CONFIG": json.dumps(dict(request.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
    }


def program_arguments(request: Any, engine_address: str) -> list[str]:
    """Return the runner's arguments for a Run request."""
    program = Path(request.info.program_directory or request.pwd, request.info.entry_point or ".")
    return [
        *("--monitor", request.monitor_address),
        *("--engine", engine_address),
        *("--project", request.project),
        *("--stack", request.stack),
        *("--organization", request.organization),
        *("--root-directory", request.info.root_directory),
        *("--pwd", request.pwd),
        *("--parallel", str(request.parallel)),
        *(("--dry-run",) if request.dryRun else ()),
        str(program),
        *request.args,
    ]


@dataclass
class Children:
    """The processes this host started and has not yet reaped."""

    _running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closed: bool = False

    def start(self, python: Path, arguments: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start Python, by a fork where one can stand for it; it is stopped with this host at the latest."""
        command = [str(python), "-I", "-S", str(CLIENT), *arguments]
        with self._lock:
            if self._closed:
                raise InterpreterError("the language host is shutting down.")
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
            self._running.add(process)
        return process

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """Reap a process and return its exit code."""
        code = process.wait()
        with self._lock:
            self._running.discard(process)
        return code

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Ask a process to end, and end it when it does not."""
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()

    def close(self) -> None:
        """Stop every process and start no more."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            if process.poll() is None:
                process.terminate()
        for process in running:
            self.stop(process)


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """The LanguageRuntime service for Python."""

    def __init__(self, engine_address: str, children: Children, environment: Mapping[str, str]) -> None:
        self._engine_address = engine_address
        self._children = children
        self._environment = environment

    def GetPluginInfo(self, _request: Any, _context: grpc.ServicerContext) -> Any:
        """Answer with the version of the SDK that this host runs on."""
        from pulumi._version import version  # 30 ms that only this call needs

        return plugin_pb2.PluginInfo(version=str(version))

    def About(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Name the program's interpreter and its version."""
        python = self._interpreter(request.info, context)
        told = subprocess.run([python, "--version"], capture_output=True, text=True, check=True).stdout
        version = told.removeprefix("Python ").strip()
        return language_pb2.AboutResponse(
            executable=str(python), version=version, metadata={"language host": "stand-in of this project"}
        )

    def GetRequiredPackages(self, _request: Any, _context: grpc.ServicerContext) -> Any:
        """Name none: each resource names its provider and version, and `plugin_home` has them ready."""
        return language_pb2.GetRequiredPackagesResponse()

    def InstallDependencies(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Create the virtual environment when it is missing and install requirements.txt into it."""
        root = request.info.root_directory
        named = dict(request.info.options).get("virtualenv")
        if named and not Path(root, str(named), "bin", "python").exists():
            yield language_pb2.InstallDependenciesResponse(stdout=f"Creating {named}\n".encode())
            venv.create(Path(root, str(named)), with_pip=True)
        requirements = Path(request.info.program_directory, "requirements.txt")
        if not requirements.exists():
            return
        python = self._interpreter(request.info, context)
        process = self._start(
            context,
            python,
            ["-m", "pip", "install", "--disable-pip-version-check", "-r", str(requirements)],
            cwd=request.info.program_directory,
            env=activated(python, self._environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for piece in _streams(process):
            yield language_pb2.InstallDependenciesResponse(**piece)
        code = self._children.wait(process)
        if code:
            context.abort(
                grpc.StatusCode.INTERNAL, f"pip install -r {requirements} ended with exit code {code}"
            )

    def Run(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Run the program to its end; its output reaches the engine by this process's stdout and stderr."""
        try:
            python = interpreter(request.info.root_directory, dict(request.info.options), self._environment)
            process = self._start(
                context,
                python,
                [str(RUNNER), "program", *program_arguments(request, self._engine_address)],
                cwd=request.pwd,
                env=program_environment(request, python, self._environment),
            )
        except InterpreterError as error:
            return language_pb2.RunResponse(error=str(error))
        code = self._children.wait(process)
        if code == EXIT_AFTER_MESSAGE:
            return language_pb2.RunResponse(bail=True)
        if code < 0:
            return language_pb2.RunResponse(error=f"the program was ended by {signal.Signals(-code).name}")
        return language_pb2.RunResponse(error=f"the program ended with exit code {code}" if code else "")

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Run a policy pack, or a plugin written in Python, and stream its output."""
        # Later entries win, as they do for a process started with this list.
        environment = dict(entry.split("=", 1) for entry in request.env) or dict(self._environment)
        python = self._interpreter(request.info, context, environment)
        folder = request.info.program_directory
        pack = request.kind == "analyzer"
        process = self._start(
            context,
            python,
            [str(RUNNER), "policy", *request.args, folder] if pack else [folder, *request.args],
            # A pack reads its files beside itself, wherever the program lies.
            cwd=folder if pack else request.pwd,
            env=activated(python, environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for piece in _streams(process):
            yield language_pb2.RunPluginResponse(**piece)
        yield language_pb2.RunPluginResponse(exitcode=self._children.wait(process))

    def Cancel(self, _request: Any, _context: grpc.ServicerContext) -> Any:
        """Stop what runs."""
        self._children.close()
        return empty_pb2.Empty()

    def _start(
        self, context: grpc.ServicerContext, python: Path, arguments: Sequence[str], **options: Any
    ) -> subprocess.Popen[bytes]:
        """Start a process that ends with the request it serves."""
        process = self._children.start(python, arguments, **options)
        if not context.add_callback(lambda: self._children.stop(process)):
            self._children.stop(process)
        return process

    def _interpreter(
        self, info: Any, context: grpc.ServicerContext, environment: Mapping[str, str] | None = None
    ) -> Path:
        try:
            return interpreter(info.root_directory, dict(info.options), environment or self._environment)
        except InterpreterError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
            raise


def _streams(process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """Yield what a process writes as it writes it, by the stream's name, until both streams end."""
    with selectors.DefaultSelector() as selector:
        for name, stream in {"stdout": process.stdout, "stderr": process.stderr}.items():
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, name)
        while selector.get_map():
            for key, _ in selector.select():
                if piece := os.read(key.fd, 65536):
                    yield {key.data: piece}
                else:
                    selector.unregister(key.fileobj)


def main(argv: Sequence[str], host: type[LanguageHost] = LanguageHost) -> int:
    """Serve on a free port of the loopback address until a signal arrives or the engine is gone."""
    # Started by path: the modules beside this one are found from the checkout's root.
    sys.path.insert(0, str(Path(__file__).parents[2]))
    engine_address = argv[-1] if argv and not argv[-1].startswith("-") else ""
    parent = os.getppid()
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda _number, _frame: stop.set())
    children = Children()
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=16),
        options=[*_GRPC_CHANNEL_OPTIONS, ("grpc.so_reuseport", 0)],
    )
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(
        host(engine_address, children, dict(os.environ)), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    while not stop.wait(PARENT_POLL_SECONDS) and os.getppid() == parent:
        continue
    children.close()
    server.stop(grace=0)
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
    # Threads of unfinished requests would hold the interpreter back.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
