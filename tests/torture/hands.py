"""Two runs at once on one stack, and somebody else's hand on what a run has made.

The whole program is up. Each hand changes something by AWS's own API as a console would; a run with
`--refresh` puts it back. Owns the hands. Doesn't own what the program asks for.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.engine.deployment import Deployment
from tests.torture.evidence import Evidence
from tests.torture.stack import CLUSTER, DOWNLOAD, PLAIN_UP

TWO_RUNNING = "fileflow-scheduler-pipeline-two-running"
CPU = "fileflow-scheduler-download-cpu"
REFRESHED = f"{PLAIN_UP} --refresh"
LOCKED = ("the stack is currently locked by 1 lock(s)", "pulumi cancel")
"""What the CLI says of a stack on which another run works.

Source: https://github.com/pulumi/pulumi/blob/master/pkg/backend/diy/lock.go
"""

Clients = Callable[[str], Any]


@dataclass(frozen=True)
class Hand:
    """A change, and what shows it: the same before it and after it has been put back."""

    name: str
    change: Callable[[Clients], object]
    look: Callable[[Clients], object]


def _service(of: Clients, name: str = DOWNLOAD) -> dict[str, Any]:
    asked = {"cluster": CLUSTER, "services": [name], "include": ["TAGS"]}
    return dict(of("ecs").describe_services(**asked)["services"][0])


def _service_tags(of: Clients) -> dict[str, str]:
    return {each["key"]: each["value"] for each in _service(of)["tags"]}


def _alarms(of: Clients, beginning: str) -> list[dict[str, Any]]:
    """The alarms of a name's beginning: Pulumi draws the rest."""
    found = of("cloudwatch").describe_alarms(AlarmNamePrefix=beginning, AlarmTypes=["MetricAlarm"])
    return list(found["MetricAlarms"])


def _delete_alarm(of: Clients) -> None:
    [alarm] = _alarms(of, TWO_RUNNING)
    of("cloudwatch").delete_alarms(AlarmNames=[alarm["AlarmName"]])


def _raise_alarm(of: Clients) -> None:
    [alarm] = _alarms(of, CPU)
    kept = ("AlarmName", "ComparisonOperator", "EvaluationPeriods", "MetricName", "Namespace", "Period")
    more = ("Statistic", "Dimensions", "AlarmActions", "TreatMissingData", "AlarmDescription")
    of("cloudwatch").put_metric_alarm(
        **{key: alarm[key] for key in (*kept, *more) if key in alarm}, Threshold=99.9
    )


def _thresholds(of: Clients, beginning: str) -> list[float | None]:
    return [each.get("Threshold") for each in _alarms(of, beginning)]


def _security_group(of: Clients) -> str:
    network = _service(of)["networkConfiguration"]["awsvpcConfiguration"]
    return str(network["securityGroups"][0])


def _security_rules(of: Clients) -> list[Any]:
    asked = [{"Name": "group-id", "Values": [_security_group(of)]}]
    found = of("ec2").describe_security_group_rules(Filters=asked)["SecurityGroupRules"]
    return sorted((each["IsEgress"], each["FromPort"], each.get("CidrIpv4", "")) for each in found)


def _close_ports(of: Clients) -> None:
    asked = [{"Name": "group-id", "Values": [_security_group(of)]}]
    found = of("ec2").describe_security_group_rules(Filters=asked)["SecurityGroupRules"]
    rules = [each["SecurityGroupRuleId"] for each in found if not each["IsEgress"]]
    of("ec2").revoke_security_group_ingress(GroupId=_security_group(of), SecurityGroupRuleIds=rules)


def _listener(of: Clients) -> str:
    balancing = of("elbv2")
    [balancer] = balancing.describe_load_balancers()["LoadBalancers"]
    listeners = balancing.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    return str(listeners[0]["ListenerArn"])


def _rules(of: Clients) -> list[Any]:
    found = of("elbv2").describe_rules(ListenerArn=_listener(of))["Rules"]
    return sorted((each["Priority"], each["Actions"][0]["Type"]) for each in found)


def _delete_rule(of: Clients) -> None:
    found = of("elbv2").describe_rules(ListenerArn=_listener(of))["Rules"]
    [rule, *_] = [each["RuleArn"] for each in found if each["Priority"] != "default"]
    of("elbv2").delete_rule(RuleArn=rule)


def _target_group(of: Clients) -> str:
    return str(of("elbv2").describe_target_groups()["TargetGroups"][0]["TargetGroupArn"])


def _delay(of: Clients) -> str:
    found = of("elbv2").describe_target_group_attributes(TargetGroupArn=_target_group(of))["Attributes"]
    values = {each["Key"]: each["Value"] for each in found}
    return str(values["deregistration_delay.timeout_seconds"])


def _retention(of: Clients) -> list[Any]:
    found = of("logs").describe_log_groups(logGroupNamePrefix=f"/aws/ecs/{DOWNLOAD}")["logGroups"]
    return [each.get("retentionInDays") for each in found]


def _event_rules(of: Clients) -> list[Any]:
    return sorted((each["Name"], each["State"]) for each in of("events").list_rules()["Rules"])


def _disable_event_rule(of: Clients) -> None:
    of("events").disable_rule(Name=of("events").list_rules()["Rules"][0]["Name"])


def _counts(of: Clients, name: str) -> int:
    return int(_service(of, name)["desiredCount"])


def _most(of: Clients) -> int:
    targets = of("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
    return int(targets["ScalableTargets"][0]["MaxCapacity"])


def _scale_on(of: Clients) -> None:
    found = of("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
    asked = {key: found["ScalableTargets"][0][key] for key in ("ResourceId", "ScalableDimension")}
    of("application-autoscaling").register_scalable_target(ServiceNamespace="ecs", **asked, MaxCapacity=9)


HANDS = (
    Hand(
        "a scheduler's desired count set to 2",
        lambda of: of("ecs").update_service(cluster=CLUSTER, service=DOWNLOAD, desiredCount=2),
        lambda of: _counts(of, DOWNLOAD),
    ),
    Hand(
        "a scheduler's desired count set to 0",
        lambda of: of("ecs").update_service(
            cluster=CLUSTER, service="fileflow-scheduler-pipeline", desiredCount=0
        ),
        lambda of: _counts(of, "fileflow-scheduler-pipeline"),
    ),
    Hand(
        "a service's tag changed and one added",
        lambda of: of("ecs").tag_resource(
            resourceArn=_service(of)["serviceArn"],
            tags=[{"key": "Environment", "value": "mine"}, {"key": "Owner", "value": "me"}],
        ),
        _service_tags,
    ),
    Hand(
        "an alarm deleted",
        _delete_alarm,
        lambda of: _thresholds(of, TWO_RUNNING),
    ),
    Hand("an alarm's threshold raised", _raise_alarm, lambda of: _thresholds(of, CPU)),
    Hand("a security group's ports closed", _close_ports, _security_rules),
    Hand("a listener's rule deleted", _delete_rule, _rules),
    Hand(
        "a target group's attribute changed",
        lambda of: of("elbv2").modify_target_group_attributes(
            TargetGroupArn=_target_group(of),
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "3"}],
        ),
        _delay,
    ),
    Hand(
        "a log group's retention removed",
        lambda of: of("logs").delete_retention_policy(logGroupName=f"/aws/ecs/{DOWNLOAD}"),
        _retention,
    ),
    Hand("an event rule disabled", _disable_event_rule, _event_rules),
    Hand("the web API's maximum raised", _scale_on, _most),
)


@dataclass
class Handled:
    """What came of it."""

    hands: int = 0
    not_repaired: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def two_at_once(deployment: Deployment) -> list[str]:
    """What was wrong when two runs began at once: one has to run, the other to say so and what to do."""
    command = ["bash", "-c", f". {deployment.root}/.local/env\n{PLAIN_UP}"]
    both = [deployment.start(command, {}) for _ in range(2)]
    outputs = [process.communicate(timeout=600)[0] for process in both]
    codes = [process.returncode for process in both]
    refused = [output for output, code in zip(outputs, codes, strict=True) if code]
    if len(refused) == 2:
        return [f"of two runs at once neither ended well: {outputs}"]
    return [
        f"a run beside another one doesn't say {words!r}: {output[-1000:]}"
        for output in refused
        for words in LOCKED
        if words not in output
    ]


def handled(deployment: Deployment, hands: tuple[Hand, ...] = HANDS) -> Handled:
    """All hands at once, then the runs that put back what they did."""
    of = deployment.client
    result = Handled(hands=len(hands))
    before = {hand.name: hand.look(of) for hand in hands}
    for hand in hands:
        hand.change(of)
        if hand.look(of) == before[hand.name]:
            result.wrong.append(f"{hand.name}: changed nothing")
    plain = deployment.sourced(PLAIN_UP)
    result.said.append(
        "without --refresh the next run " + ("fails and says why" if plain.returncode else "sees none of it")
    )
    refreshed = deployment.sourced(REFRESHED)
    if refreshed.returncode:
        result.wrong.append(f"`pulumi up --refresh` failed: {refreshed.stdout[-2500:]}")
    result.not_repaired = [
        f"{hand.name}: {before[hand.name]!r} before, {now!r} after `pulumi up --refresh`"
        for hand in hands
        if (now := hand.look(of)) != before[hand.name]
    ]
    quiet = deployment.sourced(f"{PLAIN_UP} --expect-no-changes")
    if quiet.returncode:
        result.wrong.append(f"an unchanged run afterwards isn't quiet: {quiet.stdout[-1500:]}")
    return result


def evidence(_seed: int) -> Evidence:
    """Both as a row of the table."""
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        deployment = Deployment.copy(Path(name))
        try:
            up = deployment.up()
            assert up.returncode == 0, up.stdout
            locked = two_at_once(deployment)
            result = handled(deployment)
        finally:
            deployment.down()
    return Evidence(
        "two runs at once, somebody else's hand",
        {"scenes": result.hands + 1, "runs that didn't converge": len(result.not_repaired)},
        [*locked, *result.not_repaired, *result.wrong],
        [f"{result.hands} hands; {'; '.join(result.said)}"],
    )
