"""`exec` and `port-forward`: into a running task, where its service lets a person in.

Both hand over to the AWS CLI and its Session Manager plugin, which own the session; what the service must
allow is checked first, since the plugin's own words don't say.
Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

import click
from rich.console import RenderableType
from rich.text import Text

from operate.app import Session, verb
from operate.errors import OperateError
from operate.observation import Task, tasks_of
from operate.stack import Service

PLUGIN = "session-manager-plugin"


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a session ended; its exit code is passed on."""

    service: str
    task_id: str
    command: Sequence[str]
    exit_code: int

    def human(self) -> RenderableType:
        return Text(f"The session with task {self.task_id} of {self.service} ended with {self.exit_code}.")


def _task(session: Session, service: Service) -> Task:
    for program in ("aws", PLUGIN):
        if shutil.which(program) is None:
            raise OperateError(
                f"There is no `{program}` on the PATH, and a session needs it.",
                "Install the AWS CLI and its Session Manager plugin.",
            )
    running = [each for each in tasks_of(session.aws, service) if each.last_status == "RUNNING"]
    if not running:
        raise OperateError(f"No task of {service.name} runs.", f"python -m operate why {service.name}")
    if not running[0].execute_command:
        raise OperateError(
            f"{service.name} lets nobody in: ECS Exec is off for its tasks.",
            "Set execute_command: true for it in the stack's file, then pulumi up: new tasks have it.",
        )
    return running[0]


def _hand_over(service: Service, task: Task, command: Sequence[str]) -> Ended:
    done = subprocess.run(command, check=False)
    return Ended(service=service.name, task_id=task.task_id, command=command, exit_code=done.returncode)


@verb()
@click.argument("service")
@click.option("--command", default="/bin/sh", show_default=True, help="What to run in the container.")
@click.option("--container", metavar="NAME", help="The container; without it the main one.")
def exec(session: Session, service: str, command: str, container: str | None) -> Ended:
    """Open a shell in a running task of SERVICE, by ECS Exec."""
    chosen = session.stack.service(service)
    task = _task(session, chosen)
    session.about_to(f"run {command!r} in a task of {chosen.name}")
    into = container or str(chosen.containers[0]["name"])
    return _hand_over(
        chosen,
        task,
        [
            *("aws", "ecs", "execute-command", "--region", session.aws.region, "--interactive"),
            *("--cluster", chosen.cluster, "--task", task.arn, "--container", into, "--command", command),
        ],
    )


@verb()
@click.argument("service")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="The container's port; without it the service's own."
)
@click.option("--local-port", type=click.IntRange(1, 65535), help="The port here; without it the same.")
def port_forward(session: Session, service: str, port: int | None, local_port: int | None) -> Ended:
    """Make a port of a running task of SERVICE answer on this machine, for example its Actuator."""
    chosen = session.stack.service(service)
    task = _task(session, chosen)
    main = chosen.containers[0]
    remote = port or int(main["portMappings"][0]["containerPort"])
    runtime_id = task.runtime_ids.get(str(main["name"]))
    if runtime_id is None:
        raise OperateError(
            f"ECS doesn't say which container of task {task.task_id} is {main['name']}.",
            "Try again in a moment.",
        )
    target = f"ecs:{chosen.cluster}_{task.task_id}_{runtime_id}"
    parameters = f"portNumber={remote},localPortNumber={local_port or remote}"
    return _hand_over(
        chosen,
        task,
        [
            *("aws", "ssm", "start-session", "--region", session.aws.region, "--target", target),
            *("--document-name", "AWS-StartPortForwardingSession", "--parameters", parameters),
        ],
    )
