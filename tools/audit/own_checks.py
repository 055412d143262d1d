"""What Prowler lets pass and this system doesn't: asked of AWS like Prowler's checks, and judged with them.

- A topic under AWS's own key, or under a key that leaves a service out, is encrypted and tells nobody.
- A security group that the Internet reaches on another port than a load balancer's: Prowler looks at ports
  that are well known, and a scheduler's is none.

Owns those two. Read-only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

from tools.audit.prowler import Found, Requirement
from tools.audit.resources import OwnResource, OwnResources

TOPIC_KEY: Final = "fileflow_topic_key_lets_alarms_in"
OPEN_PORT: Final = "fileflow_security_group_no_open_port"
ASKED_BY: Final[dict[str, tuple[str, ...]]] = {TOPIC_KEY: ("2.7.2",), OPEN_PORT: ("2.6.1", "2.10.2")}
"""The requirements of ISMS-P."""
PUBLISHERS: Final = ("cloudwatch.amazonaws.com", "events.amazonaws.com")
WEB_PORTS: Final = (80, 443)
EVERYWHERE: Final = ("0.0.0.0/0", "::/0")

Clients = Callable[[str], Any]


def requirements() -> dict[str, list[Requirement]]:
    """What each of the checks belongs to."""
    return {check: [Requirement("KISA-ISMS-P", each) for each in ids] for check, ids in ASKED_BY.items()}


def checked(own: OwnResources, client_of: Clients) -> Iterator[Found]:
    """What the two checks find on the stack's own topics and security groups."""
    for each in own.resources:
        if each.type == "aws:sns/topic:Topic":
            yield _topic(each, client_of)
        elif each.type in (
            "aws:ec2/securityGroup:SecurityGroup",
            "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        ):
            yield _group(each, client_of("ec2"))


def _topic(topic: OwnResource, client_of: Clients) -> Found:
    attributes = client_of("sns").get_topic_attributes(TopicArn=topic.arn)["Attributes"]
    key_id = attributes.get("KmsMasterKeyId")
    wrong = "it has no key" if not key_id else _wrong_key(str(key_id), client_of("kms"))
    return Found(
        check=TOPIC_KEY,
        severity="high",
        status="FAIL" if wrong else "PASS",
        said=f"Topic {topic.name}: {wrong or 'its key lets those in that publish alarms'}.",
        uid=topic.arn or topic.id,
    )


def _wrong_key(key_id: str, kms: Any) -> str | None:
    """What is wrong with a topic's key; None for one that alarms come through.

    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """
    if key_id.startswith("alias/aws/"):
        return f"{key_id} is AWS's own key, by which no alarm is delivered"
    try:
        key = kms.describe_key(KeyId=key_id)["KeyMetadata"]
        if key["KeyManager"] == "AWS":
            return f"{key_id} is AWS's own key, by which no alarm is delivered"
        policy = json.loads(kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])
    except ClientError as error:
        return f"its key {key_id} can't be read ({error.response['Error']['Code']})"
    named = {
        service
        for statement in policy["Statement"]
        if statement["Effect"] == "Allow" and isinstance(statement["Principal"], dict)
        for service in _listed(statement["Principal"].get("Service"))
    }
    missing = [each for each in PUBLISHERS if each not in named]
    return f"the policy of its key leaves out {' and '.join(missing)}" if missing else None


def _listed(value: Any) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def _group(group: OwnResource, ec2: Any) -> Found:
    pages = ec2.get_paginator("describe_security_group_rules").paginate(
        Filters=[{"Name": "group-id", "Values": [group.id]}]
    )
    opened = [
        _ports(rule)
        for page in pages
        for rule in page["SecurityGroupRules"]
        if not rule["IsEgress"]
        and (rule.get("CidrIpv4") in EVERYWHERE or rule.get("CidrIpv6") in EVERYWHERE)
        and not (rule["FromPort"] == rule["ToPort"] and rule["FromPort"] in WEB_PORTS)
    ]
    return Found(
        check=OPEN_PORT,
        severity="high",
        status="FAIL" if opened else "PASS",
        said=f"Security group {group.name}: "
        + (f"open to the Internet on {', '.join(opened)}." if opened else "no other port is open."),
        uid=group.arn or group.id,
    )


def _ports(rule: dict[str, Any]) -> str:
    if rule["IpProtocol"] == "-1":
        return "every port"
    first, last = rule["FromPort"], rule["ToPort"]
    return f"port {first}" if first == last else f"ports {first} to {last}"
