"""`endpoints`: where each task answers inside the VPC (the guide's "메트릭 수집 안됨")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click
from rich.console import RenderableType
from rich.text import Text

from operate.app import Session, verb
from operate.errors import SETTLED, WRONG
from operate.observation import tasks_of
from operate.result import uncut

ACTUATOR_PATHS = ("/actuator/health", "/actuator/prometheus")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One running task's address and its Actuator's URLs."""

    service: str
    task_id: str
    private_address: str
    urls: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """The endpoints of the tasks that run."""

    endpoints: Sequence[Endpoint]
    without: Sequence[str]
    """Services of which no task has an address."""

    @property
    def exit_code(self) -> int:
        return WRONG if self.without else SETTLED

    def human(self) -> RenderableType:
        if not self.endpoints:
            return Text(f"No task of {', '.join(self.without)} runs.", style="red")
        table = uncut("service", "task", "Actuator, from inside the VPC")
        for each in self.endpoints:
            table.add_row(each.service, each.task_id[:8], "\n".join(each.urls))
        for name in self.without:
            table.add_row(name, "none runs", f"python -m operate why {name}", style="red")
        return table


@verb()
@click.argument("service", required=False)
def endpoints(session: Session, service: str | None) -> Endpoints:
    """List the address and the Actuator's URLs of each running task."""
    found: list[Endpoint] = []
    without: list[str] = []
    for chosen in session.services(service):
        ports = [
            mapping["containerPort"]
            for container in chosen.containers
            for mapping in container.get("portMappings", [])
        ]
        running = [
            task
            for task in tasks_of(session.aws, chosen)
            if task.last_status == "RUNNING" and task.private_address
        ]
        if not running:
            without.append(chosen.name)
        found.extend(
            Endpoint(
                service=chosen.name,
                task_id=task.task_id,
                private_address=str(task.private_address),
                urls=[
                    f"http://{task.private_address}:{port}{path}"
                    for port in ports[:1]
                    for path in ACTUATOR_PATHS
                ],
            )
            for task in running
        )
    return Endpoints(endpoints=found, without=without)
