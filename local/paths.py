"""Where the local stack keeps what.

Owns the folders and their meaning: the checkout, this clone's own state (`.local`), and the cache that all
clones share. Deliberately doesn't create anything; whoever fills a folder makes it.

Environment: `FILEFLOW_LOCAL_DIR` puts this clone's state elsewhere, so that a test has a local stack of its
own; `FILEFLOW_CACHE_DIR` puts the cache elsewhere (default `$XDG_CACHE_HOME/fileflow-ecs`, else
`~/.cache/fileflow-ecs`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Paths:
    """The folders of one local stack."""

    root: Path
    local: Path
    cache: Path

    @classmethod
    def of(cls, environment: Mapping[str, str], root: Path = ROOT) -> Paths:
        """Read the folders from the environment; a relative one counts from the checkout."""
        local = environment.get("FILEFLOW_LOCAL_DIR") or ".local"
        if environment.get("FILEFLOW_CACHE_DIR"):
            cache = Path(environment["FILEFLOW_CACHE_DIR"])
        elif environment.get("XDG_CACHE_HOME"):
            cache = Path(environment["XDG_CACHE_HOME"], "fileflow-ecs")
        else:
            cache = Path.home() / ".cache" / "fileflow-ecs"
        return cls(root=root, local=root / local, cache=root / cache)

    @property
    def venv(self) -> Path:
        """The link in the checkout to the project's virtual environment."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The project's interpreter."""
        return self.venv / "bin" / "python"

    @property
    def home(self) -> Path:
        """PULUMI_HOME of the local stack."""
        return self.local / "home"

    @property
    def backend(self) -> Path:
        """The file backend."""
        return self.local / "backend"

    @property
    def project(self) -> Path:
        """Copies of the project and stack files, where the CLI may write what must not reach the checkout."""
        return self.local / "project"

    @property
    def emulator(self) -> Path:
        """The emulated AWS's process, port, generation and log."""
        return self.local / "emulator"

    @property
    def fork_server(self) -> Path:
        """The socket of the process that the Python processes of a run are forked from."""
        return self.local / "fork-server.socket"

    @property
    def bin(self) -> Path:
        """Commands that `env` puts first on PATH."""
        return self.local / "bin"

    @property
    def env(self) -> Path:
        """The file to source."""
        return self.local / "env"

    @property
    def lock(self) -> Path:
        """Held by the one command that changes this clone's local stack."""
        return self.local / "lock"
