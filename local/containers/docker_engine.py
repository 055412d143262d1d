"""A Docker engine of this clone's own: `dockerd` on a socket and in folders of its own.

Owns its command line, network, readiness, end, and what went wrong in words. It leaves the machine's firewall
and forwarding alone: containers reach each other and the machine, and nothing beyond. Deliberately doesn't
own anything of an engine that somebody else started: no file, socket, bridge or namespace is shared with one.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import socket
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

from local import progress
from local.containers import engine_api, programs
from local.errors import LocalError

PROGRAM = "dockerd"
START_TIMEOUT_SECONDS = 90.0
STOP_TIMEOUT_SECONDS = 40.0
"""The engine gives its containers 15 s to stop."""

RUNTIME_ROOT = Path("/run/fileflow-ecs")
"""Sockets lie here: the path of a socket has at most 107 characters, and a checkout's may be longer."""

DEFAULT_HOST = "unix:///var/run/docker.sock"

NETWORK = "fileflow"
"""The network of the clone's own engine, on which every task has an address as it has in a VPC."""

TASK_LABEL = "ministack"
"""The emulated AWS marks its containers by it."""

_SIOCSIFFLAGS = 0x8914
_SIOCBRDELBR = 0x89A1

_CAUSES = (
    (r"read-only file system", "the file system is read-only", programs.OTHER_FOLDER),
    (
        r"cgroups?: cgroup mountpoint does not exist|[Dd]evices cgroup isn't mounted",
        "cgroups aren't mounted",
        "mount them, on Debian by: apt-get install cgroupfs-mount && cgroupfs-mount",
    ),
    (
        r"operation not permitted|permission denied",
        "the kernel forbids it, as in a container without privileges",
        "run this on the machine itself or in a privileged container.",
    ),
    (
        r"error initializing graphdriver",
        "no storage driver works on this file system",
        "choose a folder on ext4 or xfs by FILEFLOW_DOCKER_DIR.",
    ),
)


def runtime_folder(folder: Path) -> Path:
    """Return where the sockets and states of a folder's engine lie while it runs."""
    return RUNTIME_ROOT / hashlib.sha256(str(folder).encode()).hexdigest()[:12]


def docker_host(folder: Path) -> str:
    """Return what DOCKER_HOST has to be for a folder's engine."""
    return f"unix://{runtime_folder(folder) / 'docker.sock'}"


def bridge_of(folder: Path) -> str:
    """Return the name of the bridge of a folder's engine; the kernel allows 15 characters."""
    return f"ff-{runtime_folder(folder).name}"


def network_of(folder: Path) -> str:
    """Return the network for containers of the folder's engine: its own, or the machine's without bridges."""
    problem = engine_api.ensure_bridge_network(docker_host(folder), NETWORK, bridge_of(folder))
    return "host" if problem else NETWORK


def arguments(folder: Path) -> list[str]:
    """Return dockerd's arguments."""
    runtime = runtime_folder(folder)
    namespace = f"fileflow-{runtime.name}"
    return [
        # Instead of /etc/docker/daemon.json, which is for the machine's own engine.
        *("--config-file", str(folder / "daemon.json")),
        *("--data-root", str(folder / "engine")),
        *("--exec-root", str(runtime / "exec")),
        *("--pidfile", str(runtime / "docker.pid")),
        *("--host", docker_host(folder)),
        # The default bridge would take an address range; the clone has a network of its own instead.
        "--bridge=none",
        "--iptables=false",
        "--ip6tables=false",
        "--ip-forward=false",
        # Where the machine has a containerd, dockerd uses it: then in a namespace of its own.
        *("--containerd-namespace", namespace),
        *("--containerd-plugins-namespace", f"{namespace}-plugins"),
    ]


def start(folder: Path, environment: Mapping[str, str]) -> None:
    """Start the folder's engine and wait until it answers.

    Raises LocalError without root, without dockerd, or when it doesn't come up, with the cause from its log.
    """
    dockerd = programs.which(PROGRAM, environment)
    if dockerd is None:
        raise LocalError(
            "there is no Docker engine to start: dockerd isn't installed.",
            "install it, on Debian by: apt-get update && apt-get install -y --no-install-recommends docker.io"
            " docker-registry",
        )
    if os.geteuid() != 0:
        raise LocalError(
            "starting a Docker engine needs root, and this is an ordinary user.",
            "run it by `sudo make docker`, or start an engine of your own and name it in DOCKER_HOST.",
        )
    if not RUNTIME_ROOT.parent.is_dir():
        raise LocalError(
            f"there is no folder {RUNTIME_ROOT.parent} for the engine's socket.", "start it on Linux."
        )
    runtime = runtime_folder(folder)
    # What an engine that was killed left here would only mislead the next one.
    clear(folder)
    runtime.mkdir(parents=True, exist_ok=True)
    (folder / "daemon.json").write_text("{}\n")
    with progress.step("Starting a Docker engine") as step:
        programs.launch(
            "the Docker engine",
            [dockerd, *arguments(folder)],
            folder,
            environment,
            step,
            ready=lambda: engine_api.ping(docker_host(folder)) is None,
            timeout_seconds=START_TIMEOUT_SECONDS,
            causes=_CAUSES,
        )
        step.note(f"at {docker_host(folder)},")
    # Tasks of an emulated AWS that ended with the engine before.
    engine_api.remove_containers(docker_host(folder), TASK_LABEL)
    _give_to_the_user(runtime / "docker.sock", environment)


def stop(folder: Path) -> None:
    """Stop the folder's engine, if it runs, and remove the emulated AWS's tasks in it."""
    # An engine that doesn't answer is ended all the same; its next start removes them.
    with contextlib.suppress(engine_api.EngineApiError):
        engine_api.remove_containers(docker_host(folder), TASK_LABEL)
    programs.stop(folder, PROGRAM, STOP_TIMEOUT_SECONDS)
    programs.stop_rest(folder)
    clear(folder)


def clear(folder: Path) -> None:
    """Unmount and remove what an engine that has ended left on the machine; its images stay."""
    runtime = runtime_folder(folder)
    if Path("/sys/class/net", bridge_of(folder)).exists():
        _remove_bridge(bridge_of(folder))
    for mount in reversed(mounts_below([folder, runtime], Path("/proc/self/mountinfo").read_text())):
        subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)
    if runtime.exists():
        try:
            shutil.rmtree(runtime)
        except PermissionError as error:
            raise LocalError(
                f"{runtime} of an engine that has ended belongs to root.", "remove it by: sudo make down"
            ) from error


def mounts_below(folders: list[Path], mountinfo: str) -> list[str]:
    """Return the mount points below folders, in the order in which they were mounted."""
    points = [line.split()[4] for line in mountinfo.splitlines() if line.strip()]
    # The kernel writes blanks and the like as octal numbers.
    points = [re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), point) for point in points]
    return [point for point in points if any(folder in Path(point).parents for folder in folders)]


def _remove_bridge(name: str) -> None:
    """Take down a bridge; dockerd leaves its bridges behind."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as request:
        # struct ifreq with empty flags: the interface has to be down first.
        fcntl.ioctl(request, _SIOCSIFFLAGS, struct.pack("16sH22x", name.encode(), 0))
        fcntl.ioctl(request, _SIOCBRDELBR, name.encode() + b"\0")


def _give_to_the_user(socket_path: Path, environment: Mapping[str, str]) -> None:
    """Let the user who typed `sudo` use the engine without it."""
    user = environment.get("SUDO_UID", "")
    if user.isdigit():
        os.chown(socket_path, int(user), -1)
