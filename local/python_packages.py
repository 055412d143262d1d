"""Python packages from a registry: `uv` installs them in seconds; pip gets `uv`, or takes its place.

Owns: how each is got on a machine that has Python alone, how an installation is asked for, that the user's
settings for pip (mirror, certificates, proxy) hold for `uv` too, and packages kept in the cache for a
command that they carry. Deliberately doesn't own what is installed (`virtual_environments`, `engine.build`).
"""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local import processes, progress
from local.cache import full, making, whole
from local.errors import LocalError

UV_PACKAGE = "uv==0.13.9"
"""Installs this project's packages in 5 s where pip takes 3 minutes."""

_DROPPED = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_USER",
    "UV_PYTHON",
    "UV_SYSTEM_PYTHON",
    "VIRTUAL_ENV",
)
"""What would have packages installed somewhere else."""

_OWN_PIP = ".pip"
"""Where a tool's folder has a pip while it is filled, for an interpreter without one."""

_TELLING = (
    "No space left on device",
    "Read-only file system",
    "Permission denied",
    "ERROR:",
    "error:",
    "Error:",
    "Because ",
)
"""What an installer says that tells why it failed, the most telling first."""

_PIP_INSTALL = ("install", "--disable-pip-version-check", "--no-input", "--progress-bar=off")
_UV_SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
}
"""pip's settings, by uv's variables (https://docs.astral.sh/uv/pip/compatibility: uv reads none of pip's)."""

_COMMA_SEPARATED = ("UV_FIND_LINKS", "UV_INSECURE_HOST")
_SECTIONS = ("global", "install", ":env:")
"""Where pip reads a setting, the last one winning."""


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what would have packages installed somewhere else."""
    return {name: value for name, value in environment.items() if name not in _DROPPED}


def ensure_tool(package: str, executable: str, cache: Path, environment: Mapping[str, str], why: str) -> Path:
    """Return a command that a package carries, installed into the cache without its dependencies.

    `executable` is the command's path below the package's own folder. Raises LocalError when the package
    can't be had.
    """
    folder = cache / "tools" / package.replace("==", "-")
    command = folder / executable
    if command.exists():
        return command
    with making(cache, folder.name, f"another command that gets {package}"):
        if not command.exists():
            with whole(folder) as unfinished:
                _install_tool(package, unfinished, cache, environment, why)
    return command


def uv_install(
    uv: Path, python: Path, requirements: Path, cache: Path, environment: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Return the command with which `uv` fills a virtual environment, and the command's environment.

    Its own cache lies in this project's, so that environments share their files.
    """
    settings = pip_settings(environment)
    offline = ["--no-index"] if settings.pop("no-index", "") not in ("", "0", "false", "no", "off") else []
    command = [str(uv), "pip", "install", "--no-progress", *offline, "--python", str(python)]
    values = {"UV_CACHE_DIR": str(cache / "uv"), **for_uv(settings), **clean(environment)}
    return [*command, "--requirements", str(requirements)], values


def pip_install(python: Path, requirements: Path) -> list[str]:
    """Return the command with which pip fills a virtual environment: this interpreter's pip, else its own.

    Raises LocalError where neither exists.
    """
    if has_pip():
        pip = [sys.executable, "-m", "pip", "--python", str(python)]
    elif importlib.util.find_spec("ensurepip"):
        pip = [str(python), "-m", "pip"]
    else:
        raise _no_pip()
    return [*pip, *_PIP_INSTALL, "--requirement", str(requirements)]


def has_pip() -> bool:
    """Say whether this interpreter has pip; one without it gets a pip in each environment that it makes."""
    return importlib.util.find_spec("pip") is not None


def pip_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Ask this interpreter's pip for its settings, from files and variables; none where there is no pip."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        capture_output=True,
        text=True,
        check=False,
        env=clean(environment),
    )
    found = re.findall(r"^([\w:]+)\.([\w-]+)=(.*)$", asked.stdout, re.MULTILINE)
    known = [setting for setting in found if setting[0] in _SECTIONS]
    known.sort(key=lambda setting: _SECTIONS.index(setting[0]))
    return {name: str(ast.literal_eval(value)) for _, name, value in known}


def for_uv(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that say to `uv` what the settings say to pip."""
    values = {_UV_SETTINGS[name]: value.strip() for name, value in settings.items() if name in _UV_SETTINGS}
    if "UV_INDEX" in values:
        # pip takes the best version of all indexes, uv that of the first index that knows the package.
        values["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    for name, value in values.items():
        separator = "," if name in _COMMA_SEPARATED else " "
        values[name] = separator.join(value.split())
    return values


def why(log: Path) -> str:
    """Return the line of an installer's log that says why it failed."""
    return processes.telling_line(log, _TELLING)


def _install_tool(
    package: str, folder: Path, cache: Path, environment: Mapping[str, str], because: str
) -> None:
    log = cache / "logs" / f"{package.replace('==', '-')}.log"
    environment = clean(environment)
    with progress.step(f"{because}: installing {package} into the cache") as step:
        pip = [str(_python_with_pip(folder / _OWN_PIP, log, environment)), "-m", "pip", *_PIP_INSTALL]
        command = [*pip, "--no-deps", "--no-compile", "--target", str(folder), package]
        if processes.run_logged(command, log, step, env=environment):
            raise full(cache) or LocalError(
                f"`pip install {package}` failed: {why(log)}",
                "check the network and pip's configuration (`pip config list`).",
            )
    shutil.rmtree(folder / _OWN_PIP, ignore_errors=True)


def _python_with_pip(folder: Path, log: Path, environment: Mapping[str, str]) -> Path:
    """Return this interpreter, or one made in `folder` where it has no pip."""
    if has_pip():
        return Path(sys.executable)
    if not importlib.util.find_spec("ensurepip"):
        raise _no_pip()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        command = [sys.executable, "-m", "venv", str(folder)]
        subprocess.run(command, stdout=output, stderr=output, check=False, env=dict(environment))
    return folder / "bin" / "python"


def _no_pip() -> LocalError:
    return LocalError(
        f"{sys.executable} has neither ensurepip nor pip, so no package can be installed.",
        "install them, on Debian: apt-get install python3-venv",
    )
