"""A stack that is tortured: two schedulers with leases on a local AWS of its own, in a copy of the project.

Owns the copy, the operator's commands and what has to be true after them. Doesn't own what is done to it.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.environment import LOCAL_ACCOUNT_ID
from local.paths import Paths
from tests.engine.deployment import CHECKOUT, Deployment
from tests.walk.stack import KINDS
from tests.walk.watcher import Watcher

CLUSTER = "fileflow-prod"
DOWNLOAD = "fileflow-scheduler-download"
PROGRAM = CHECKOUT / "tests/torture/programs/schedulers.py"
PACK = "--policy-pack policies"
PLAIN_UP = f"pulumi up --yes --skip-preview --non-interactive {PACK}"
UNCHANGED = "pulumi up --yes --skip-preview --non-interactive --expect-no-changes"


@dataclass
class TorturedStack:
    """The stack. `release` and `archive` say what its file asks for: a version, and which name one has.

    Release 0 is the committed file's own.
    """

    deployment: Deployment
    release: int = 0
    archive: bool = False
    expected: Mapping[str, int] = field(default_factory=dict)
    edit: Callable[[str], str] = str
    """What else its file says otherwise than the committed one."""
    committed: str = field(default_factory=(CHECKOUT / "Pulumi.local.yaml").read_text)
    """As it was when the copy was made: the checkout may go on meanwhile."""

    @classmethod
    def copy(cls, folder: Path, environment: Mapping[str, str] | None = None) -> TorturedStack:
        """A copy of the project with the small program; `environment` is what its commands find besides."""
        copied = Deployment.copy(folder)
        made = cls(Deployment(copied.root, {**copied.environment, **(environment or {})}))
        (folder / "__main__.py").write_text(PROGRAM.read_text())
        made.write()
        return made

    @property
    def root(self) -> Path:
        return self.deployment.root

    @property
    def paths(self) -> Paths:
        return Paths.of({}, self.root)

    @property
    def endpoint(self) -> str:
        """Where its AWS answers; the port stays when the process is another one."""
        return self.deployment.endpoint

    def client(self, service: str) -> Any:
        """A client of its AWS."""
        return self.deployment.client(service)

    def watcher(self) -> Watcher:
        """Looks at its tasks; the two names of the one scheduler count together."""
        return Watcher(self.endpoint, LOCAL_ACCOUNT_ID, [], {"archive": "pipeline"}, pause_seconds=0.2)

    def write(self) -> None:
        """Writes the stack's file as it is asked for by now."""
        text = self.committed
        if self.release:
            release = f'      environment: {{RELEASE: "{self.release}"}}\n'
            text = re.sub(r"(?m)^(      lease: .*\n)", r"\g<1>" + release, text)
        old, new = ("pipeline", "archive") if self.archive else ("archive", "pipeline")
        text = text.replace("    - name: pipeline\n", f"    - name: {new}\n      renamed_from: {old}\n")
        # Its lease keeps its key, whatever it is called.
        begin, end = text.split("port: 9092\n")
        text = f"{begin}port: 9092\n{end.replace('lease: {', 'lease: {key: pipeline, ', 1)}"
        (self.root / "Pulumi.local.yaml").write_text(self.edit(text))

    def up(self) -> subprocess.CompletedProcess[str]:
        """`make up`, without a preview."""
        return self.deployment.up()

    def begin(self) -> None:
        """Brings it up for the first time, and remembers what there is then."""
        up = self.up()
        assert up.returncode == 0, up.stdout
        self.expected = self.counted()

    def counted(self) -> dict[str, int]:
        """How many of each kind there are."""
        return {kind: len(each(self.client)) for kind, each in KINDS.items()}

    def surplus(self) -> dict[str, int]:
        """How many more there are of each kind than after the first run, or fewer."""
        counted = self.counted()
        return {
            kind: counted[kind] - number for kind, number in self.expected.items() if counted[kind] != number
        }

    def wrong(self, left: Collection[str] = ()) -> str:
        """What isn't as the file asks for: the inventory, each one's task, a run that changes nothing.

        Of the kinds in `left` there may be more.
        """
        surplus = self.surplus()
        if any(number < 0 or kind not in left for kind, number in surplus.items()):
            return f"more or fewer than after the first run: {surplus}"
        ecs = self.client("ecs")
        names = [
            DOWNLOAD,
            f"fileflow-scheduler-{'archive' if self.archive else 'pipeline'}",
        ]
        for service in ecs.describe_services(cluster=CLUSTER, services=names)["services"]:
            counts = (
                service["status"],
                service["desiredCount"],
                service["runningCount"],
                service["pendingCount"],
            )
            if counts != ("ACTIVE", 1, 1, 0):
                return f"{service['serviceName']} is {counts}"
        unchanged = self.deployment.sourced(UNCHANGED)
        if unchanged.returncode:
            return f"an unchanged run isn't quiet: {unchanged.stdout[-1500:]}"
        return ""

    def down(self) -> None:
        """Ends all of it."""
        self.deployment.down()
