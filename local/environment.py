"""What a command needs in its environment to work against the local stack, and nothing of the user's own.

Owns: the variables, the file to source, the emulated account of each stack, the commands in `.local/bin`.
Deliberately doesn't own what they point to.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.cache import write_atomically
from local.engine.acquire import Engine
from local.fork_server import client as fork_client
from local.paths import Paths

PASSPHRASE = "local"
"""Of the local stack's secrets, public on purpose: nothing secret is in a throwaway stack."""

REGION = "ap-northeast-2"
LOCAL_STACK = "local"
LOCAL_ACCOUNT_ID = "646886795421"
"""The account of the guide's examples."""

FOREIGN_PREFIXES = ("AWS_", "PULUMI_", "PYTHON")
"""The user's own settings for AWS, Pulumi and Python; none may reach a command of the local stack."""

_DROPPED_IN_A_SHELL = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CA_BUNDLE",
    "PULUMI_ACCESS_TOKEN",
    "PULUMI_CONFIG_PASSPHRASE_FILE",
    "PULUMI_STACK",
)
_COMMANDS_MARK = ".fileflow"
"""Marks a clone's folder of commands."""

_LOOPBACK = "127.0.0.1,localhost"
"""What must not go through a proxy: the emulated AWS, and the calls between the engine and its plugins."""

_NAMELESS_USER = "local"

DEBUG_OPTIONS = ("--debug", "-d", "--verbose", "-v")
"""What makes the CLI show a program's debug messages."""

DEBUG_VARIABLE = "FILEFLOW_DEBUG_MESSAGES"
"""Set where the CLI shows them: a program sends none otherwise (`local/engine/runner.py`)."""

_OLDEST_AWS_CLI_2 = (2, 13)
"""The first AWS CLI 2 that reads AWS_ENDPOINT_URL."""


def account_id(stack: str) -> str:
    """Return the emulated account of a stack.

    The guide's for `local`, twelve digits that follow from the name for another: two stacks on one emulator
    never see each other's resources.
    """
    if stack == LOCAL_STACK:
        return LOCAL_ACCOUNT_ID
    digits = int.from_bytes(hashlib.sha256(stack.encode()).digest()[:8]) % 900_000_000_000
    return str(100_000_000_000 + digits)


def users_environment(paths: Paths, base: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the user's own PATH: without what a sourced `.local/env` has put first.

    Else this project's `pulumi` would be taken for one that the user has installed. Without the user's
    settings of Python, too: under some of them no program of ours runs (`PYTHONWARNINGS=error`).
    """
    own = {paths.bin, paths.venv / "bin"}
    kept = [
        entry
        for entry in base.get("PATH", os.defpath).split(os.pathsep)
        if Path(entry) not in own
        and not _has_our_commands(Path(entry))
        and not Path(entry).is_relative_to(paths.cache)
    ]
    plain = {name: value for name, value in base.items() if not name.startswith("PYTHON")}
    return {**plain, "PATH": os.pathsep.join(kept)}


def _has_our_commands(folder: Path) -> bool:
    try:
        return (folder / _COMMANDS_MARK).exists()
    except OSError:
        # It may not be read, for one; then nothing of it is run either.
        return False


def variables(paths: Paths, stack: str, port: int, real_plugins: bool) -> dict[str, str]:
    """Return the variables that make `pulumi` and `aws` work on a stack of the emulated AWS."""
    account = account_id(stack)
    values = {
        "FILEFLOW_ROOT": str(paths.root),
        fork_client.VARIABLE: str(paths.fork_server),
        "VIRTUAL_ENV": str(paths.venv),
        "PULUMI_HOME": str(paths.home),
        # A URL: the engine reads what follows a # or a ? as another part of it.
        "PULUMI_BACKEND_URL": paths.backend.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        # The emulator takes the access key for the account.
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }
    if paths.local != paths.root / ".local":
        # For the plugins' files. Left out by default: a shell that has sourced it may go to another clone.
        values["FILEFLOW_LOCAL_DIR"] = str(paths.local)
    if not real_plugins:
        # Else the CLI tries for seconds, before every preview, to download plugins that nobody uses.
        values["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    return values


def path_of(paths: Paths, engine: Engine) -> list[str]:
    """Return what comes first on PATH."""
    # The CLI's folder in the cache holds its language host; a CLI from PATH has it there already.
    own = [] if engine.source == "PATH" else [str(engine.pulumi.parent)]
    return [str(paths.bin), *own, str(paths.venv / "bin")]


def child_environment(
    paths: Paths, engine: Engine, values: Mapping[str, str], base: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment of a command of the local stack: the user's own without AWS or Pulumi."""
    kept = {name: value for name, value in base.items() if not name.startswith(FOREIGN_PREFIXES)}
    path = os.pathsep.join([*path_of(paths, engine), base.get("PATH", os.defpath)])
    # The CLI signs what it does with a user's name, and a CI job's user often has none.
    kept.setdefault("USER", _NAMELESS_USER)
    direct = {name: ",".join(filter(None, (base.get(name), _LOOPBACK))) for name in ("NO_PROXY", "no_proxy")}
    return {**kept, **values, **direct, "PATH": path}


def debug_variables(arguments: Sequence[str]) -> dict[str, str]:
    """Return what a program has to know of the CLI's arguments."""
    shown = any(argument.startswith(DEBUG_OPTIONS) for argument in arguments)
    return {DEBUG_VARIABLE: "true"} if shown else {}


def write_env_file(paths: Paths, engine: Engine, values: Mapping[str, str]) -> None:
    """Write the file to source, in one step."""
    lines = ["# Points pulumi and aws at this clone's local stack: `source` it. Written by `make up`."]
    lines += [f"unset {' '.join(_DROPPED_IN_A_SHELL)}"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
    first = os.pathsep.join(path_of(paths, engine))
    for name in ("NO_PROXY", "no_proxy"):
        longer = f'"${{{name}:+${name},}}{_LOOPBACK}"'
        lines.append(f'case ",${{{name}:-}}," in *,{_LOOPBACK},*) ;; *) export {name}={longer} ;; esac')
    lines += [
        f'case ":$PATH:" in *:{shlex.quote(first)}:*) ;; *) export PATH={shlex.quote(first)}:"$PATH" ;; esac',
        "hash -r 2>/dev/null || true",
    ]
    write_atomically(paths.env, "\n".join(lines) + "\n")


def write_commands(paths: Paths, engine: Engine, base: Mapping[str, str]) -> None:
    """Put `pulumi` into `.local/bin`, and `aws` where the user has an AWS CLI 2 of their own.

    The project's own `aws` is version 1, which lacks `aws logs tail`.
    """
    write_atomically(paths.bin / _COMMANDS_MARK, "Commands of a FileFlow checkout's local stack.\n")
    write_atomically(paths.bin / "pulumi", _pulumi_command(paths, engine), mode=0o755)
    found = shutil.which("aws", path=base.get("PATH", os.defpath))
    if found and _is_new_enough(found, paths.cache / "aws-cli"):
        command = f'#!/bin/sh\n# The AWS CLI 2 of this machine.\nexec {shlex.quote(found)} "$@"\n'
        write_atomically(paths.bin / "aws", command, mode=0o755)
    else:
        (paths.bin / "aws").unlink(missing_ok=True)


def _pulumi_command(paths: Paths, engine: Engine) -> str:
    debugging = " | ".join(f'*" {option}"*' for option in DEBUG_OPTIONS)
    return f"""#!/bin/sh
# The Pulumi CLI, which first makes sure that the emulated AWS is there.
root={shlex.quote(str(paths.root))}
home={shlex.quote(str(paths.home))}
record={shlex.quote(str(paths.emulator / "emulator.json"))}
kept={shlex.quote(str(paths.project / "kept"))}
pulumi={shlex.quote(str(engine.pulumi))}
case " $*" in {debugging}) export {DEBUG_VARIABLE}=true ;; esac
""" + _PULUMI_COMMAND.replace("NAMELESS", _NAMELESS_USER)


_PULUMI_COMMAND = r"""
export FILEFLOW_ROOT="$root" USER="${USER:-NAMELESS}"
# The user's settings of Python would reach the program and the plugins.
for name in $(env | sed -n 's/^\(PYTHON[A-Z]*\)=.*/\1/p'); do
  [ "$name" = PYTHONPATH ] || unset "$name"
done
case " $* " in
*" up "* | *" preview "* | *" refresh "* | *" destroy "* | *" import "* | *" watch "*)
  pid=$(sed -n 's/.*"pid": *\([0-9][0-9]*\).*/\1/p' "$record" 2>/dev/null)
  # A process that has ended may stay listed as a zombie for a while.
  if ! kill -0 "${pid:-none}" 2>/dev/null || grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; then
    echo "error: the emulated AWS of $root is not running, and what was deployed in it is gone." >&2
    echo "Fix: make up" >&2
    exit 1
  fi
  ;;
esac
salted() { grep -q '^encryptionsalt:' "$1" 2>/dev/null; }
# The CLI writes a salt into the file of a stack that has none, and a file that is committed for AWS itself
# must not carry the local stack's: it is put back as it was, unless the command was about settings.
saltless=
for stack in $(sed -n 's/.*"stack": *"\([^"]*\)".*/\1/p' "$home"/workspaces/*.json 2>/dev/null); do
  salted "$root/Pulumi.${stack##*/}.yaml" || saltless=yes
done
case " $* " in *" -s"* | *" --stack"* | *" init "* | *" select "*) saltless=yes ;; esac
case " $* " in *" config "*) saltless= ;; esac
[ "$saltless" ] || exec "$pulumi" "$@"
rm -rf "$kept" && mkdir -p "$kept" || exit 1
for file in "$root"/Pulumi.?*.yaml; do
  salted "$file" || cp -p "$file" "$kept/"
done
"$pulumi" "$@"
code=$?
for file in "$kept"/Pulumi.?*.yaml; do
  own="$root/${file##*/}"
  if [ -f "$file" ] && salted "$own"; then cp -p "$file" "$own"; fi
done
exit $code
"""


def _is_new_enough(aws: str, cache: Path) -> bool:
    """Ask an AWS CLI for its version, once: the answer takes a tenth of a deployment."""
    looked_at = f"{aws} {Path(aws).stat().st_mtime_ns} "
    if cache.exists() and cache.read_text().startswith(looked_at):
        return cache.read_text() == f"{looked_at}{True}"
    try:
        answer = subprocess.run(
            [aws, "--version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    match = re.match(r"aws-cli/(\d+)\.(\d+)", answer.stdout)
    new_enough = match is not None and (int(match[1]), int(match[2])) >= _OLDEST_AWS_CLI_2
    write_atomically(cache, f"{looked_at}{new_enough}")
    return new_enough
