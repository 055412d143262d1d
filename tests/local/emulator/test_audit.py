"""The audit, with Prowler itself, of resources that are wrong: made by nobody's pack and no component.

Nightly: Prowler comes from PyPI into an environment of its own, and takes minutes.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from local.emulator import process
from tests.local.emulator.conftest import REGION, Client
from tools.audit.__main__ import main

pytestmark = pytest.mark.nightly

ACCEPTANCE = {
    "check": "s3_bucket_object_lock",
    "resource": "aws:s3/bucket:Bucket",
    "stacks": ["prod"],
    "reason": "Its bucket was deleted long ago.",
    "instead": "Nothing, since nothing is there.",
    "decides": "nobody",
}


def state(*made: tuple[str, str, str, str]) -> str:
    """A state as `pulumi stack export` has it: type, name, ARN and id of each resource."""
    return json.dumps(
        {
            "deployment": {
                "resources": [
                    {
                        "urn": f"urn:pulumi:prod::fileflow::{kind}::{name}",
                        "type": kind,
                        "custom": True,
                        "id": resource_id,
                        "outputs": {"arn": arn},
                    }
                    for kind, name, arn, resource_id in made
                ]
            }
        }
    )


def test_what_is_wrong_fails_the_audit_by_name_and_nothing_of_it_is_missed(
    client: Client,
    account: str,
    emulator: process.RunningEmulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    client("logs").create_log_group(logGroupName="/aws/ecs/fileflow")
    topic = client("sns").create_topic(Name="alarms", Attributes={"KmsMasterKeyId": "alias/aws/sns"})
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.0.0/24")["Subnet"]["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    group = ec2.create_security_group(GroupName="scheduler", Description="scheduler", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=9091, ToPort=9091, CidrIp="0.0.0.0/0"
    )
    # Prowler looks at networks in use alone.
    ec2.create_network_interface(SubnetId=subnet, Groups=[group])
    of_ec2 = f"arn:aws:ec2:{REGION}:{account}"
    exported = state(
        (
            "aws:cloudwatch/logGroup:LogGroup",
            "logs",
            f"arn:aws:logs:{REGION}:{account}:log-group:/aws/ecs/fileflow",
            "/aws/ecs/fileflow",
        ),
        ("aws:sns/topic:Topic", "alarms", topic["TopicArn"], topic["TopicArn"]),
        ("aws:ec2/subnet:Subnet", "public-1", f"{of_ec2}:subnet/{subnet}", subnet),
        ("aws:ec2/securityGroup:SecurityGroup", "scheduler", f"{of_ec2}:security-group/{group}", group),
    )
    monkeypatch.setattr(
        "tools.audit.__main__.pulumi",
        lambda arguments, _folder: "prod\n" if "--show-name" in arguments else exported,
    )
    for name, value in {
        "AWS_ENDPOINT_URL": emulator.url,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
    }.items():
        monkeypatch.setenv(name, value)
    entries = tmp_path / "accepted.yaml"
    entries.write_text(json.dumps([ACCEPTANCE]), encoding="utf-8")

    ended = main(["--output", str(tmp_path), "--accepted", str(entries)])

    assert ended == 1
    with (tmp_path / "audit-prod.csv").open(encoding="utf-8", newline="") as file:
        rows: list[dict[str, Any]] = list(csv.DictReader(file))
    failed = {(row["check"], row["resource"], row["state"]) for row in rows if row["state"] != "passes"}
    assert failed >= {
        ("cloudwatch_log_group_kms_encryption_enabled", "LogGroup logs", "open"),
        ("fileflow_topic_key_lets_alarms_in", "Topic alarms", "open"),
        ("vpc_subnet_no_public_ip_by_default", "Subnet public-1", "open"),
        ("fileflow_security_group_no_open_port", "SecurityGroup scheduler", "open"),
        ("s3_bucket_object_lock", "Bucket *", "stale"),
    }
    assert (tmp_path / "prowler.log").read_text(encoding="utf-8").count("InvalidAction") == 0
