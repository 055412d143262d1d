"""What an account answers that nobody has set anything in."""

from __future__ import annotations

import csv
import socket
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.emulator import process
from tests.local.emulator.aws import Client, assert_contains
from tests.waiting import eventually
from tools.audit import on_this_machine

BASIC: dict[str, Any] = {"scanType": "BASIC", "rules": []}
NOBODYS: list[tuple[str, str, dict[str, Any]]] = [
    ("ec2", "get_ebs_encryption_by_default", {"EbsEncryptionByDefault": False}),
    ("ec2", "get_snapshot_block_public_access_state", {"State": "unblocked"}),
    ("ec2", "get_image_block_public_access_state", {"ImageBlockPublicAccessState": "block-new-sharing"}),
    ("ec2", "get_instance_metadata_defaults", {"AccountLevel": {}}),
    ("ec2", "describe_client_vpn_endpoints", {"ClientVpnEndpoints": []}),
    ("ec2", "describe_transit_gateways", {"TransitGateways": []}),
    ("ec2", "describe_vpn_connections", {"VpnConnections": []}),
    ("ecr", "get_registry_scanning_configuration", {"scanningConfiguration": BASIC}),
    ("iam", "list_server_certificates", {"ServerCertificateMetadataList": []}),
    ("iam", "list_organizations_features", {"EnabledFeatures": []}),
    ("ssm", "list_documents", {"DocumentIdentifiers": []}),
    ("ssm", "list_resource_compliance_summaries", {"ResourceComplianceSummaryItems": []}),
    ("elb", "describe_load_balancers", {"LoadBalancerDescriptions": []}),
    ("elbv2", "describe_load_balancers", {"LoadBalancers": []}),
    ("dax", "describe_clusters", {"Clusters": []}),
    ("network-firewall", "list_firewalls", {"Firewalls": []}),
    ("route53domains", "list_domains", {"Domains": []}),
    ("schemas", "list_registries", {"Registries": []}),
]


def test_of_what_nobody_set_or_made_there_is_what_aws_begins_with(
    client: Client, subtests: pytest.Subtests
) -> None:
    for service, operation, answer in NOBODYS:
        with subtests.test(f"{service} {operation}"):
            assert_contains(getattr(client(service), operation)(), answer)


def test_a_policy_of_aws_that_nobody_has_is_attached_to_nobody(client: Client) -> None:
    found = client("iam").list_entities_for_policy(PolicyArn="arn:aws:iam::aws:policy/AWSSupportAccess")

    assert found["PolicyRoles"] == []


def test_the_root_user_has_never_signed_in(client: Client) -> None:
    iam = client("iam")
    eventually(lambda: iam.generate_credential_report()["State"] == "COMPLETE")
    root, *_ = csv.DictReader(iam.get_credential_report()["Content"].decode().splitlines())

    assert root["user"] == "<root_account>"
    assert root["password_last_used"] == "no_information"


def test_s3s_control_plane_answers_at_the_accounts_own_name(
    emulator: process.RunningEmulator, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", on_this_machine.resolve)
    control = boto3.client(
        "s3control",
        endpoint_url=emulator.url,
        region_name="ap-northeast-2",
        aws_access_key_id=account,
        aws_secret_access_key="local",
    )

    with pytest.raises(ClientError, match="NoSuchPublicAccessBlockConfiguration"):
        control.get_public_access_block(AccountId=account)
    assert control.list_access_points(AccountId=account)["AccessPointList"] == []
