"""A running stack that is walked: its file, its runs, and what the engine and AWS say after each.

Owns the Pulumi commands and the inventory. Doesn't own what is changed (`runs`) nor what is wrong
(`rules`).
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from local.environment import LOCAL_ACCOUNT_ID
from local.stack import ENCRYPTION_SALT
from tests.engine.deployment import Deployment
from tests.walk import facts
from tests.walk.change import Change, changed, with_facts
from tests.walk.runs import base_values
from tests.walk.watcher import Record, Watcher

QUIET_OPERATIONS = ("same", "read", "refresh")
DYED = re.compile(r"<\{%.*?%\}>")
"""The engine's marks for colours in its messages."""


@dataclass(frozen=True)
class Operation:
    """What the engine did to one resource; `kind` is its operation's name."""

    kind: str
    type: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one `pulumi up` ended."""

    succeeded: bool
    output: str
    operations: Sequence[Operation]
    errors: Sequence[str]
    record: Record


@dataclass
class WalkedStack:
    """FileFlow on stack `local`, from one of the two bases with `changes`; with the pack where `policies`."""

    deployment: Deployment
    base: str
    changes: Sequence[Change] = ()
    policies: bool = True
    facts: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Begins anew with the base's file; fails when that doesn't come up, or shows a change afterwards."""
        self.deployment.down()
        self.begin()
        again = self.up(changes_nothing=True)
        assert again.succeeded, again.output

    def begin(self) -> None:
        """Brings the base's file up where nothing is deployed yet."""
        started = self.deployment.local("start")
        assert started.returncode == 0, started.stdout
        self.facts = facts.make(self.client)
        staged = self.deployment.root / "staged"
        if not staged.exists():
            shutil.copytree(self.deployment.root / "local/sample", staged)
            dockerfile = (staged / "Dockerfile").read_text()
            (staged / "Dockerfile").write_text(dockerfile.replace("FROM scratch\n", "FROM scratch AS slim\n"))
        self.write(changed(base_values(self.base), self.changes))
        up = self.up()
        assert up.succeeded, up.output

    def client(self, service: str) -> Any:
        """A client of this stack's AWS."""
        return self.deployment.client(service)

    @property
    def endpoint(self) -> str:
        """Where the emulated AWS answers."""
        return self.deployment.endpoint

    @property
    def urls(self) -> list[str]:
        """The web API's addresses, as its clients know them before a change.

        Not below /actuator, which the listener itself answers.
        """
        balancers = self.client("elbv2").describe_load_balancers()["LoadBalancers"]
        return [f"http://{each['DNSName']}/" for each in balancers]

    def write(self, values: Mapping[str, Any]) -> None:
        """Writes the stack's file."""
        config = {f"fileflow:{key}": value for key, value in with_facts(values, self.facts).items()}
        text = yaml.safe_dump({"config": {"aws:region": "ap-northeast-2", **config}}, sort_keys=False)
        file = self.deployment.root / "Pulumi.local.yaml"
        file.write_text(f"{text}encryptionsalt: {ENCRYPTION_SALT}\n")

    def up(
        self,
        *,
        preview: bool = False,
        changes_nothing: bool = False,
        watched: bool = False,
        renames: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Runs `pulumi up`, with its preview first where that may refuse; a watcher looks on if wanted."""
        log = self.deployment.root / "events.json"
        log.unlink(missing_ok=True)
        options = [] if preview else ["--skip-preview"]
        options += ["--expect-no-changes"] if changes_nothing else []
        # An unchanged run tells the pack nothing new.
        options += ["--policy-pack", "policies"] if self.policies and not changes_nothing else []
        command = "PULUMI_DEBUG_COMMANDS=true pulumi up --yes --non-interactive"
        with Watcher(self.endpoint, LOCAL_ACCOUNT_ID, self.urls if watched else [], renames) as watcher:
            done = self.deployment.sourced(f"{command} --event-log {log} {' '.join(options)}")
        operations, errors = read_events(log)
        return Outcome(
            succeeded=done.returncode == 0,
            output=done.stdout,
            operations=operations,
            errors=errors,
            record=watcher.record,
        )

    def state(self) -> bytes:
        """The engine's state, to the byte."""
        [file] = (self.deployment.root / ".local/backend/.pulumi/stacks").glob("*/local.json")
        return file.read_bytes()

    def web_acls(self) -> list[str]:
        """The names of the web ACLs in front of the load balancers."""
        balancers = self.client("elbv2").describe_load_balancers()["LoadBalancers"]
        answers = [
            self.client("wafv2").get_web_acl_for_resource(ResourceArn=each["LoadBalancerArn"])
            for each in balancers
        ]
        return [each["WebACL"]["Name"] for each in answers if each.get("WebACL")]

    def keys_to_be_deleted(self) -> dict[str, str]:
        """The KMS keys that are on their way out, by their ids, with what each is for."""
        keys = _described_keys(self.client("kms"))
        return {key["KeyId"]: key["Description"] for key in keys if key["KeyState"] == "PendingDeletion"}

    def inventory(self) -> dict[str, list[str]]:
        """What exists of each kind, by what AWS calls it."""
        return {kind: sorted(each(self.client)) for kind, each in KINDS.items()}


def read_events(log: Path) -> tuple[list[Operation], list[str]]:
    """What the engine did, and the errors that it showed."""
    operations, errors = [], []
    for line in log.read_text().splitlines() if log.exists() else ():
        event = json.loads(line)
        if "resOutputsEvent" in event:
            metadata = event["resOutputsEvent"]["metadata"]
            if metadata["op"] in QUIET_OPERATIONS or event["resOutputsEvent"].get("planning"):
                continue
            *_, types, name = metadata["urn"].split("::")
            operations.append(Operation(metadata["op"], types.rpartition("$")[2], name))
        for kind, severity in (("diagnosticEvent", "severity"), ("policyEvent", "enforcementLevel")):
            if kind in event and event[kind].get(severity) in ("error", "mandatory"):
                errors.append(DYED.sub("", event[kind]["message"]).strip())
    return operations, errors


def _named(
    service: str, operation: str, member: str, name: str
) -> Callable[[Callable[[str], Any]], list[str]]:
    def names(client_of: Callable[[str], Any]) -> list[str]:
        found = getattr(client_of(service), operation)()[member]
        return [each if isinstance(each, str) else str(each[name]) for each in found]

    return names


def _services(client_of: Callable[[str], Any]) -> list[str]:
    ecs = client_of("ecs")
    return [
        arn
        for cluster in ecs.list_clusters()["clusterArns"]
        for arn in ecs.list_services(cluster=cluster)["serviceArns"]
    ]


def _listeners(client_of: Callable[[str], Any]) -> list[str]:
    balancing = client_of("elbv2")
    return [
        f"{balancer['LoadBalancerName']} {listener['Port']}"
        for balancer in balancing.describe_load_balancers()["LoadBalancers"]
        for listener in balancing.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    ]


def _nat_gateways(client_of: Callable[[str], Any]) -> list[str]:
    found = client_of("ec2").describe_nat_gateways(Filters=[{"Name": "state", "Values": ["available"]}])
    return [each["NatGatewayId"] for each in found["NatGateways"]]


def _keys(client_of: Callable[[str], Any]) -> list[str]:
    """Those of others: the stack's own stay on purpose, since what is left of logs is read with them."""
    return [
        str(key["KeyId"])
        for key in _described_keys(client_of("kms"))
        if not key["Description"].startswith(("Logs, sessions, ", "Sessions of ECS Exec "))
    ]


def _described_keys(kms: Any) -> list[dict[str, Any]]:
    return [kms.describe_key(KeyId=each["KeyId"])["KeyMetadata"] for each in kms.list_keys()["Keys"]]


KINDS: Mapping[str, Callable[[Callable[[str], Any]], list[str]]] = {
    "clusters": _named("ecs", "list_clusters", "clusterArns", ""),
    "services": _services,
    "networks": _named("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    "subnets": _named("ec2", "describe_subnets", "Subnets", "SubnetId"),
    "NAT gateways": _nat_gateways,
    "security groups": _named("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    "security group rules": _named(
        "ec2", "describe_security_group_rules", "SecurityGroupRules", "SecurityGroupRuleId"
    ),
    "load balancers": _named("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerName"),
    "listeners": _listeners,
    "target groups": _named("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupName"),
    "repositories": _named("ecr", "describe_repositories", "repositories", "repositoryName"),
    "log groups": _named("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "roles": _named("iam", "list_roles", "Roles", "RoleName"),
    "alarms": _named("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "topics": _named("sns", "list_topics", "Topics", "TopicArn"),
    "subscriptions": _named("sns", "list_subscriptions", "Subscriptions", "Endpoint"),
    "tables": _named("dynamodb", "list_tables", "TableNames", ""),
    "buckets": _named("s3", "list_buckets", "Buckets", "Name"),
    "keys": _keys,
    "certificates": _named("acm", "list_certificates", "CertificateSummaryList", "CertificateArn"),
}
"""How each kind is listed. Without task definitions and images: former ones are kept on purpose."""
