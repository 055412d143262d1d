"""Security groups: open to the world only where the world is meant to come in, and saying what for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from ..networks import (
    DEFAULT_SECURITY_GROUP,
    INGRESS_RULE,
    INGRESS_TYPES,
    SECURITY_GROUP,
    SECURITY_GROUP_RULE,
    everyone,
    ingress_of,
)
from ..resources import Resource
from ..rule import FSBP, Catalogue, Finding, Framework, Settings, Threshold

catalogue: Final = Catalogue()

EGRESS_RULE: Final = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
_CONTROLS_URL: Final = "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html"
_PORTS: Final = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 65535}}
_MADE_UP_DESCRIPTIONS: Final = ("", "Managed by Pulumi", "Managed by Terraform")


@catalogue.resource(
    *INGRESS_TYPES,
    name="security-group-open-ports",
    description="only the ports of the web are open to the world",
    severity=Severity.CRITICAL,
    framework=Framework(FSBP, "EC2.18, EC2.19"),
    remediation=(
        "Narrow the source to the VPC or to a security group, or add the port to this rule's setting "
        "openPorts."
    ),
    url=_CONTROLS_URL + "#ec2-18",
    tags=(
        "ec2",
        "network",
        "checkov:CKV_AWS_24",
        "checkov:CKV_AWS_25",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_all_ports",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_any_port",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_high_risk_tcp_ports",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_22",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_3389",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_cassandra_7199_9160_8888",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_elasticsearch_kibana_9200_9300_5601",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_ftp_20_21",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_kafka_9092",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_memcached_11211",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_mongodb_27017_27018",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_mysql_3306",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_oracle_1521_2483",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_postgres_5432",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_redis_6379",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_sql_server_1433_1434",
        "prowler:ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_telnet_23",
        "prowler:fileflow_security_group_no_open_port",
        "isms-p:2.6.1",
        "isms-p:2.6.2",
        "isms-p:2.6.4",
        "isms-p:2.6.6",
        "isms-p:2.10.2",
    ),
    thresholds={"openPorts": Threshold([80, 443], _PORTS, "ports that may be open to the world")},
)
def open_ports(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Every port in the range must be one of the open ones; an unreadable source or range is not."""
    allowed = {int(port) for port in settings.thresholds["openPorts"]}
    for ingress in ingress_of(resource):
        low, high = ingress.from_port.integer(), ingress.to_port.integer()
        fine = (
            not ingress.all_ports
            and low is not None
            and high is not None
            and high - low < 100
            and all(port in allowed for port in range(low, high + 1))
        )
        for cidr in ingress.cidrs:
            text = cidr.text()
            if not fine and text is not None and everyone(text):
                yield Finding(
                    f"{cidr.path} {cidr.shown()} reaches {ingress.ports_shown()}",
                    "narrow the source or the ports",
                    advisory=ingress.unknown_ports,
                )


@catalogue.resource(
    SECURITY_GROUP,
    SECURITY_GROUP_RULE,
    INGRESS_RULE,
    EGRESS_RULE,
    name="security-group-descriptions",
    description="a security group and each of its rules says what it is for",
    severity=Severity.LOW,
    framework=Framework(FSBP, "EC2"),
    remediation="Give the group and every rule a description.",
    url="https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
    tags=("ec2", "network", "checkov:CKV_AWS_23", "cdk-nag:AwsSolutions-EC27"),
)
def descriptions(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    values = [resource["description"]]
    if resource.canonical_type == SECURITY_GROUP:
        values.extend(
            rule["description"] for name in ("ingress", "egress") for rule in resource[name].items()
        )
    for value in values:
        if value.missing or value.text() in _MADE_UP_DESCRIPTIONS:
            yield Finding(
                f"{value.path} is {value.shown()}", "say what the rule is for", advisory=value.unknown
            )


@catalogue.resource(
    DEFAULT_SECURITY_GROUP,
    name="security-group-default-closed",
    description="a VPC's default security group lets nothing through",
    severity=Severity.HIGH,
    framework=Framework(FSBP, "EC2.2"),
    remediation="Take ingress and egress off the default security group.",
    url=_CONTROLS_URL + "#ec2-2",
    tags=(
        "ec2",
        "network",
        "checkov:CKV2_AWS_12",
        "prowler:ec2_securitygroup_default_restrict_traffic",
        "isms-p:2.6.1",
        "isms-p:2.10.2",
    ),
)
def default_closed(resource: Resource, _settings: Settings) -> Iterator[Finding]:
    for name in ("ingress", "egress"):
        value = resource[name]
        if not value.surely_empty:
            yield Finding(
                f"{name} is {value.shown()}",
                f"take {name} off the default security group",
                advisory=value.unknown,
            )
