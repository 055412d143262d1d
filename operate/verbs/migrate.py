"""`migrate`: what Terraform or a person has made, into the stack's state, with what runs left running.

Changes nothing: it writes an import file and says the commands. docs/migration.md tells the whole way.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.text import Text

from operate.app import Session, verb
from operate.errors import SETTLED, WRONG, OperateError
from operate.migration.account import Account
from operate.migration.existing import (
    CAPACITY,
    EGRESS_RULE,
    INGRESS_RULE,
    SERVICE,
    Existing,
    existing,
)
from operate.migration.planned import Planned, filled_in, planned
from operate.migration.steps import Step, leftovers, takeover
from operate.migration.terraform import Managed, managed, owner, removed_blocks, state_rm
from operate.pulumi_cli import pulumi
from operate.result import uncut, written


@dataclass(frozen=True, kw_only=True)
class Imported:
    """One thing that is there and that the import takes over."""

    type: str
    name: str
    id: str
    terraform: str | None
    """Its address in the Terraform state."""


@dataclass(frozen=True, kw_only=True)
class Migration:
    """What is taken over, what is new, and what to do."""

    stack: str
    import_file: str
    imported: Sequence[Imported]
    created: int
    """How many resources the first update creates."""
    problems: Sequence[str]
    """What would keep the first update from its end."""
    notes: Sequence[str]
    left_to_terraform: Sequence[str]
    """Addresses in the Terraform state that the program doesn't take over."""
    steps: Sequence[Step]

    @property
    def exit_code(self) -> int:
        return WRONG if self.problems else SETTLED

    def human(self) -> RenderableType:
        table = uncut("type", "name", "id", title=f"Stack {self.stack} takes over")
        for each in self.imported:
            table.add_row(each.type.rpartition(":")[2], each.name, each.id)
        lines = [Text(f"{len(self.imported)} are taken over, {self.created} will be created.")]
        lines += [Text(each, style="red") for each in self.problems]
        lines += [Text(each) for each in self.notes]
        if self.left_to_terraform:
            lines.append(Text("Terraform keeps: " + ", ".join(self.left_to_terraform)))
        for number, step in enumerate(self.steps, start=1):
            lines.append(Text(f"\n{number}. {step.why}", style="bold"))
            lines += [Text(f"   {command}") for command in step.commands]
        return Group(table, *lines)


@verb(deployed=False)
@click.option(
    "--terraform-state",
    "states",
    multiple=True,
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="What `terraform show -json` or `terraform state pull` has printed; may be given several times.",
)
@click.option(
    "--import-file",
    default="import.json",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write what `pulumi import --file` takes.",
)
@click.option(
    "--removed-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write Terraform's `removed` blocks for what is taken over.",
)
def migrate(
    session: Session, states: Sequence[Path], import_file: Path, removed_file: Path | None
) -> Migration:
    """Find what the program would create and what is there already, and write the import file for it.

    Runs a preview and asks AWS. Nothing is changed: the commands that do are printed, with every name in
    them.
    The exit code is 1 where something would keep the first update from its end.
    """
    owned = [each for path in states for each in managed(path.read_bytes(), str(path))]
    if removed_file is not None and not states:
        raise OperateError(
            "--removed-file is for what a Terraform state has, and none is given.",
            "Give it with --terraform-state.",
        )
    preview, template = _previewed(session)
    plan = planned(preview)
    if not plan:
        raise OperateError(
            f"Stack {session.stack.name} has all that it would create in its state already.",
            "There is nothing to take over: go on with pulumi preview",
        )
    found = existing(plan, Account(session.aws))
    if not found.ids:
        raise OperateError(
            f"Nothing that stack {session.stack.name} would create is there yet in {session.aws.region}.",
            "Check account, region and the stack's environment; for a new deployment: pulumi up",
        )
    written(import_file, json.dumps(filled_in(template, found.ids), indent=2) + "\n")
    imported = [
        Imported(
            type=plan[urn].type,
            name=plan[urn].name,
            id=resource_id,
            terraform=None if (its := owner(plan[urn].type, resource_id, owned)) is None else its.address,
        )
        for urn, resource_id in found.ids.items()
    ]
    addresses = {each.terraform for each in imported}
    taken = [each for each in owned if each.address in addresses]
    if removed_file is not None:
        written(removed_file, removed_blocks(taken, owned))
    return Migration(
        stack=session.stack.name,
        import_file=str(import_file),
        imported=imported,
        created=len([each for each in plan.values() if each.type.startswith("aws:")]) - len(imported),
        problems=_problems(plan, found),
        notes=_notes(plan, found, imported, owned),
        left_to_terraform=[each.address for each in owned if each.address not in addresses],
        steps=[
            *takeover(session.stack.name, str(import_file), [state_rm(taken)] if taken else []),
            *leftovers(found.surplus_rules),
        ],
    )


def _previewed(session: Session) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What a preview would create, and the import file that it writes."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "import.json"
        session.console.print("Previewing what the program would create …", style="dim")
        text = pulumi(
            ["preview", "--stack", session.stack.name, "--json", "--import-file", str(written)],
            session.stack.folder,
        )
        return json.loads(text), json.loads(written.read_text(encoding="utf-8"))


def _problems(plan: Mapping[str, Planned], found: Existing) -> list[str]:
    problems = [
        f"{plan[urn].name}: another listener rule has its priority: {arn}. Move that one: aws elbv2 "
        f"set-rule-priorities --rule-priorities RuleArn={arn},Priority=100"
        for urn, arn in found.taken_priorities.items()
    ]
    for urn, service in found.services.items():
        kind = (service.get("deploymentController") or {}).get("type", "ECS")
        if kind != "ECS":
            problems.append(
                f"{plan[urn].name}: its deployment controller is {kind}, which ECS can't change: the update "
                "would replace the service. Delete it first, in a maintenance window."
            )
    return problems


def _notes(
    plan: Mapping[str, Planned], found: Existing, imported: Sequence[Imported], owned: Sequence[Managed]
) -> list[str]:
    notes = [
        f"{resource_id} is used by several services, so each gets its own and nobody takes it: let databases "
        f"and queues in from the new ones too ({', '.join(plan[urn].name for urn in urns)})."
        for resource_id, urns in found.shared.items()
    ]
    services = {each.known("name") for each in plan.values() if each.type == SERVICE}
    here = {service["serviceName"] for service in found.services.values()}
    notes += [
        f"No service {name} runs yet; the update creates it. Is the old one's name another?"
        for name in sorted(services - here)
    ]
    if owned:
        notes += [
            f"{each.name} ({each.id}) isn't in the Terraform state that was given: who owns it?"
            for each in imported
            # Terraform may keep rules within their group, and a cluster without providers in the cluster.
            if each.terraform is None and each.type not in (CAPACITY, INGRESS_RULE, EGRESS_RULE)
        ]
    return notes
