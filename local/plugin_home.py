"""PULUMI_HOME of the local stack: which provider plugins it has, the real ones or the stand-ins.

Owns: that decision, the wrappers under `plugins/`. A home of its own keeps the user's Pulumi home
untouched. Real plugins lie in the cache, for all clones. Deliberately doesn't own the stand-ins
(`local.plugins`).

`FILEFLOW_PLUGINS` decides: `stand-in`, `real`, or `auto` (default): the real ones where they are in the
cache or can be downloaded, which is tried once per set of versions and remembered in the cache. The real
docker plugin needs a Docker engine; without one its stand-in serves beside the real aws and awsx.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from local import processes, progress
from local.cache import making, write_atomically
from local.engine.acquire import Engine
from local.errors import LocalError
from local.paths import Paths

NAMES = ("aws", "awsx", "docker")
CHOICES = ("auto", "real", "stand-in")
PROBE_URL = "https://get.pulumi.com/releases/plugins/"
PROBE_TIMEOUT_SECONDS = 3.0

_NO_LOG = """Where the CLI finds a folder of this name it keeps a log of every run, which takes an eighth of a
preview. Make one in place of this file to have it; `pulumi --logtostderr -v 9` shows as much.
"""


def versions(root: Path) -> dict[str, str]:
    """Return the plugins' versions: those of the packages that requirements.txt pins."""
    text = (root / "requirements.txt").read_text()
    pins = dict(re.findall(r"^pulumi-([a-z-]+)==(\S+)", text, re.MULTILINE))
    return {name: pins[name] for name in NAMES}


def ensure_plugins(
    paths: Paths, engine: Engine, environment: Mapping[str, str], *, has_containers: bool
) -> dict[str, str]:
    """Fill PULUMI_HOME, and say for each plugin whether it is `real` or a `stand-in`.

    Raises LocalError when FILEFLOW_PLUGINS is none of its values, or asks for real plugins that can't be had.
    """
    choice = environment.get("FILEFLOW_PLUGINS") or "auto"
    if choice not in CHOICES:
        raise LocalError(
            f"FILEFLOW_PLUGINS is {choice!r}; it has to be one of {', '.join(CHOICES)}.",
            "correct it, or leave it out.",
        )
    wanted = versions(paths.root)
    real = choice != "stand-in" and _ensure_real(choice, wanted, paths, engine, environment)
    log = paths.home / "logs"
    if not log.exists():
        write_atomically(log, _NO_LOG)
    decided = {}
    for name, version in wanted.items():
        use_real = real and (name != "docker" or has_containers)
        decided[name] = "real" if use_real else "stand-in"
        folder = f"resource-{name}-v{version}"
        command = _real(paths, folder, name) if use_real else _stand_in(paths, name)
        write_atomically(paths.home / "plugins" / folder / f"pulumi-resource-{name}", command, mode=0o755)
    return decided


def _stand_in(paths: Paths, name: str) -> str:
    root = shlex.quote(str(paths.root))
    return f"""#!/bin/sh
# Stands in for the {name} provider on the local stack.
export PYTHONPATH={root}${{PYTHONPATH:+:$PYTHONPATH}}
exec {root}/.venv/bin/python -I -S {root}/local/fork_server/client.py -m local.plugins.{name} "$@"
"""


def _real(paths: Paths, folder: str, name: str) -> str:
    binary = _real_home(paths) / "plugins" / folder / f"pulumi-resource-{name}"
    return f'#!/bin/sh\n# The real {name} provider, in the cache.\nexec {shlex.quote(str(binary))} "$@"\n'


def _real_home(paths: Paths) -> Path:
    return paths.cache / "plugins"


def _ensure_real(
    choice: str, wanted: Mapping[str, str], paths: Paths, engine: Engine, environment: Mapping[str, str]
) -> bool:
    """Return whether the real plugins are in the cache, downloaded now where that is possible."""
    if _installed(paths, wanted):
        return True
    remembered = _real_home(paths) / f"unreachable-{'-'.join(wanted.values())}"
    if choice == "auto" and remembered.exists():
        return False
    try:
        problem = _get(wanted, paths, engine, environment)
        if problem and choice == "auto":
            write_atomically(
                remembered, f"{problem}\nRemove this file, or set FILEFLOW_PLUGINS=real, to try again.\n"
            )
    except (LocalError, OSError) as error:
        # A cache that can't be written is no reason to do without a local stack that needs nothing from it.
        problem = str(error)
    if problem and choice == "real":
        raise LocalError(
            f"FILEFLOW_PLUGINS=real, but the provider plugins can't be had: {problem}.",
            "check the network, or leave FILEFLOW_PLUGINS out to use the stand-ins.",
        )
    if problem:
        progress.say(f"Stand-ins serve for the provider plugins, which can't be had here: {problem}")
    return not problem


def _get(wanted: Mapping[str, str], paths: Paths, engine: Engine, environment: Mapping[str, str]) -> str:
    """Download the plugins into the cache; return why that failed, nothing when they are there."""
    with making(paths.cache, "plugins", "another command that gets the plugins"):
        if _installed(paths, wanted):
            return ""
        return _unreachable() or _download(wanted, paths, engine, environment)


def _installed(paths: Paths, wanted: Mapping[str, str]) -> bool:
    plugins = _real_home(paths) / "plugins"
    return all(
        (plugins / f"resource-{name}-v{version}" / f"pulumi-resource-{name}").exists()
        # The CLI keeps this file beside a folder that it has not finished.
        and not (plugins / f"resource-{name}-v{version}.partial").exists()
        for name, version in wanted.items()
    )


def _unreachable() -> str:
    """Say why the plugins' server can't be reached; nothing when it answers, whatever it answers."""
    import urllib.error  # 50 ms that only this needs
    import urllib.request

    try:
        urllib.request.urlopen(PROBE_URL, timeout=PROBE_TIMEOUT_SECONDS).close()
    except urllib.error.HTTPError:
        return ""
    except OSError as error:
        return f"{PROBE_URL}: {getattr(error, 'reason', error)}"
    return ""


def _download(wanted: Mapping[str, str], paths: Paths, engine: Engine, environment: Mapping[str, str]) -> str:
    """Have the CLI install the plugins, which verifies them; return why it failed, nothing when it didn't."""
    own = {name: value for name, value in environment.items() if not name.startswith("PULUMI_")}
    for name, version in wanted.items():
        log = paths.cache / "logs" / f"plugin-{name}.log"
        with progress.step(f"Getting the provider plugin {name} {version}") as step:
            code = processes.run_logged(
                [engine.pulumi, "plugin", "install", "resource", name, version],
                log,
                step,
                env={**own, "PULUMI_HOME": str(_real_home(paths)), "PULUMI_SKIP_UPDATE_CHECK": "true"},
            )
        if code:
            return f"{name} {version}: {processes.last_line(log, 300)}"
    return ""
