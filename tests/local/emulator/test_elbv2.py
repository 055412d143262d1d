"""Load balancing on the emulated AWS."""

from __future__ import annotations

import http.client
import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from local.emulator.process import RunningEmulator
from tests.local.emulator.aws import REGION, Client, assert_contains, network, refusal

HEALTH_CHECK: dict[str, Any] = {
    "HealthCheckProtocol": "HTTP",
    "HealthCheckPort": "traffic-port",
    "HealthCheckEnabled": True,
    "HealthCheckPath": "/actuator/health",
    "HealthCheckIntervalSeconds": 15,
    "HealthCheckTimeoutSeconds": 6,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 3,
    "Matcher": {"HttpCode": "200-299"},
}
REDIRECT = {
    "Type": "redirect",
    "RedirectConfig": {"Port": "443", "Protocol": "HTTPS", "StatusCode": "HTTP_301"},
}
FIXED = {
    "Type": "fixed-response",
    "FixedResponseConfig": {"ContentType": "text/plain", "MessageBody": "no", "StatusCode": "403"},
}


LOG_DELIVERY = {
    "Effect": "Allow",
    "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::BUCKET/alb/AWSLogs/ACCOUNT/*",
}
"""The statement of AWS's page on access logs."""
TLS_ALONE = {
    "Effect": "Deny",
    "Principal": {"AWS": "*"},
    "Action": "s3:*",
    "Resource": "arn:aws:s3:::BUCKET/*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def set_policy(s3: Any, bucket: str, account: str, statements: list[dict[str, Any]]) -> None:
    """Gives a bucket a policy of these statements."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    s3.put_bucket_policy(Bucket=bucket, Policy=policy.replace("BUCKET", bucket).replace("ACCOUNT", account))


@dataclass
class Front:
    """A load balancer with a target group."""

    client: Client

    def __post_init__(self) -> None:
        self.elb = self.client("elbv2")
        self.ec2 = self.client("ec2")
        self.vpc, self.subnets, self.group = network(self.ec2)
        self.balancer = self.elb.create_load_balancer(
            Name="fileflow-prod-alb",
            Subnets=self.subnets,
            SecurityGroups=[self.group],
            Tags=[{"Key": "Project", "Value": "fileflow"}],
        )["LoadBalancers"][0]
        self.arn = self.balancer["LoadBalancerArn"]
        self.targets = self.elb.create_target_group(
            Name="web",
            Protocol="HTTP",
            Port=8083,
            VpcId=self.vpc,
            TargetType="ip",
            **HEALTH_CHECK,
        )["TargetGroups"][0]

    def listen(self, port: int, *actions: dict[str, Any], **options: Any) -> Any:
        return self.elb.create_listener(
            **{
                "LoadBalancerArn": self.arn,
                "Port": port,
                "Protocol": "HTTP",
                "DefaultActions": list(actions),
            }
            | options
        )["Listeners"][0]

    @property
    def forward(self) -> dict[str, Any]:
        return {"Type": "forward", "TargetGroupArn": self.targets["TargetGroupArn"]}


@pytest.fixture
def front(client: Client) -> Front:
    return Front(client)


def as_dict(attributes: list[dict[str, str]]) -> dict[str, str]:
    return {attribute["Key"]: attribute["Value"] for attribute in attributes}


def test_a_load_balancer_has_a_name_and_zones_as_on_aws(front: Front) -> None:
    (balancer,) = front.elb.describe_load_balancers(Names=["fileflow-prod-alb"])["LoadBalancers"]
    assert re.fullmatch(rf"fileflow-prod-alb-[0-9a-z]+\.{REGION}\.elb\.amazonaws\.com", balancer["DNSName"])
    assert balancer["VpcId"] == front.vpc
    assert balancer["CanonicalHostedZoneId"] == "ZWKZPGTI48KDX"
    assert [zone["ZoneName"] for zone in balancer["AvailabilityZones"]] == [f"{REGION}a", f"{REGION}c"]
    assert balancer["SecurityGroups"] == [front.group]
    assert balancer["State"]["Code"] == "active"
    attributes = front.elb.describe_load_balancer_attributes(LoadBalancerArn=front.arn)["Attributes"]
    assert_contains(
        as_dict(attributes), {"client_keep_alive.seconds": "3600", "waf.fail_open.enabled": "false"}
    )


def test_a_health_check_that_aws_refuses_is_refused_and_the_rest_of_it_kept(front: Front) -> None:
    arn = front.targets["TargetGroupArn"]
    changed = {"HealthCheckPath": "/health?a=1&b=2<3", "HealthCheckIntervalSeconds": 20}
    (modified,) = front.elb.modify_target_group(TargetGroupArn=arn, **changed)["TargetGroups"]
    assert_contains(modified, HEALTH_CHECK | changed)
    code, message = refusal(front.elb.modify_target_group, TargetGroupArn=arn, HealthCheckTimeoutSeconds=20)
    assert code == "ValidationError"
    assert "smaller than the interval" in message


def test_listeners_of_each_kind_come_back(front: Front) -> None:
    for port, action in enumerate((REDIRECT, FIXED, front.forward), start=80):
        made = front.listen(port, action)
        assert_contains(made["DefaultActions"], [action])
        (described,) = front.elb.describe_listeners(ListenerArns=[made["ListenerArn"]])["Listeners"]
        assert described == made
    assert refusal(front.listen, 80, FIXED)[0] == "DuplicateListener"
    arn = front.targets["TargetGroupArn"]
    (group,) = front.elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
    assert group["LoadBalancerArns"] == [front.arn]
    tuples = [{"TargetGroupArn": arn, "Weight": 1}]
    one = {"Type": "forward", "ForwardConfig": {"TargetGroups": tuples}}
    assert front.listen(83, one)["DefaultActions"][0]["TargetGroupArn"] == arn
    weighted = {"Type": "forward", "ForwardConfig": {"TargetGroups": tuples * 2}}
    assert "forwards to one alone, not to 2" in refusal(front.listen, 84, weighted)[1]


def test_a_modified_listener_frees_the_target_group_that_it_leaves(front: Front) -> None:
    listener = front.listen(80, front.forward)
    arn = front.targets["TargetGroupArn"]
    assert refusal(front.elb.delete_target_group, TargetGroupArn=arn)[0] == "ResourceInUse"
    (modified,) = front.elb.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=[FIXED])[
        "Listeners"
    ]
    assert_contains(modified["DefaultActions"], [FIXED])
    front.elb.delete_target_group(TargetGroupArn=arn)
    assert refusal(front.listen, 81, front.forward)[0] == "TargetGroupNotFound"


def test_https_needs_an_issued_certificate(front: Front, client: Client) -> None:
    acm, route53 = client("acm"), client("route53")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    arn = acm.request_certificate(
        DomainName="api.example.com", SubjectAlternativeNames=["*.api.example.com"], ValidationMethod="DNS"
    )["CertificateArn"]
    secure: dict[str, Any] = {
        "Protocol": "HTTPS",
        "Certificates": [{"CertificateArn": arn}],
        "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
    }
    assert refusal(front.listen, 443, front.forward, Protocol="HTTPS")[0] == "ValidationError"
    assert refusal(front.listen, 443, front.forward, **secure)[0] == "UnsupportedCertificate"
    pending = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert pending["Status"] == "PENDING_VALIDATION"
    records = {
        (option["ResourceRecord"]["Name"], option["ResourceRecord"]["Value"])
        for option in pending["DomainValidationOptions"]
    }
    ((name, value),) = records
    record = {"Name": name, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": value}]}
    route53.change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    )
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED"
    listener = front.listen(443, front.forward, **secure)
    assert_contains(listener, secure | {"MutualAuthentication": {"Mode": "off"}})
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["InUseBy"] == [front.arn]
    assert refusal(acm.delete_certificate, CertificateArn=arn)[0] == "ResourceInUseException"


ADMIN = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/admin/*", "/internal/*"]}}


def test_a_rule_that_would_match_nothing_is_refused(front: Front) -> None:
    rule = {"ListenerArn": front.listen(80, front.forward)["ListenerArn"], "Priority": 10, "Actions": [FIXED]}
    for field in ("query-string", "path-pattern"):
        code, message = refusal(front.elb.create_rule, **rule, Conditions=[{"Field": field}])
        assert code == "ValidationError"
        assert field in message


def test_rules_have_an_order_of_their_own(front: Front) -> None:
    listener = front.listen(80, front.forward)["ListenerArn"]
    rules = [
        front.elb.create_rule(ListenerArn=listener, Priority=priority, Conditions=[ADMIN], Actions=[FIXED])[
            "Rules"
        ][0]["RuleArn"]
        for priority in (20, 10)
    ]
    again = refusal(
        front.elb.create_rule, ListenerArn=listener, Priority=10, Conditions=[ADMIN], Actions=[FIXED]
    )
    assert again[0] == "PriorityInUse"
    listed = front.elb.describe_rules(ListenerArn=listener)["Rules"]
    assert [rule["Priority"] for rule in listed] == ["10", "20", "default"]
    swapped = [{"RuleArn": rules[0], "Priority": 10}, {"RuleArn": rules[1], "Priority": 20}]
    front.elb.set_rule_priorities(RulePriorities=swapped)
    listed = front.elb.describe_rules(ListenerArn=listener)["Rules"]
    assert [rule["RuleArn"] for rule in listed[:2]] == rules


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"Name": "fileflow-prod-alb"}, "DuplicateLoadBalancerName"),
    ({"Name": "x" * 33}, "ValidationError"),
    ({"Name": "-x"}, "ValidationError"),
    ({"Subnets": []}, "ValidationError"),
    ({"Subnets": ["subnet-nowhere"]}, "SubnetNotFound"),
    ({"SecurityGroups": ["sg-nowhere"]}, "InvalidSecurityGroup"),
    ({"Type": "network"}, "ValidationError"),
]


def test_a_load_balancer_that_aws_refuses_is_refused(front: Front, subtests: pytest.Subtests) -> None:
    for change, code in REFUSED:
        with subtests.test(**change):
            request = {"Name": "other", "Subnets": front.subnets, "SecurityGroups": [front.group]} | change
            assert refusal(front.elb.create_load_balancer, **request)[0] == code


def test_a_load_balancers_subnet_is_a_27_or_larger(front: Front) -> None:
    small, large = (
        [
            front.ec2.create_subnet(
                VpcId=front.vpc, CidrBlock=f"10.20.{third}.0/{prefix}", AvailabilityZone=f"{REGION}{zone}"
            )["Subnet"]["SubnetId"]
            for third, zone in ((prefix, "a"), (prefix + 100, "c"))
        ]
        for prefix in (28, 27)
    )
    request = {"Name": "small", "SecurityGroups": [front.group]}
    code, message = refusal(front.elb.create_load_balancer, **request, Subnets=small)
    assert code == "InvalidSubnet"
    assert "/27 or larger" in message
    assert refusal(front.elb.set_subnets, LoadBalancerArn=front.arn, Subnets=small)[0] == "InvalidSubnet"
    front.elb.create_load_balancer(**request, Subnets=large)
    assert front.elb.set_subnets(LoadBalancerArn=front.arn, Subnets=large)["AvailabilityZones"]


WRITES: list[tuple[str, list[dict[str, Any]], bool]] = [
    ("prefix", [LOG_DELIVERY | {"Resource": "arn:aws:s3:::BUCKET/AWSLogs/ACCOUNT/*"}], False),
    ("account", [LOG_DELIVERY | {"Resource": "arn:aws:s3:::BUCKET/alb/AWSLogs/111111111111/*"}], False),
    (
        "source account",
        [LOG_DELIVERY | {"Condition": {"StringEquals": {"aws:SourceAccount": "ACCOUNT"}}}],
        False,
    ),
    ("principal", [LOG_DELIVERY | {"Principal": {"Service": "delivery.logs.amazonaws.com"}}], False),
    (
        "denied",
        [LOG_DELIVERY, TLS_ALONE | {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}],
        False,
    ),
    ("AWS's own", [LOG_DELIVERY, TLS_ALONE], True),
    ("whole bucket", [LOG_DELIVERY | {"Resource": "arn:aws:s3:::BUCKET/*"}], True),
]


def test_access_logs_go_to_a_bucket_whose_policy_lets_the_load_balancer_write(
    front: Front, client: Client, account: str, subtests: pytest.Subtests
) -> None:
    bucket = f"alb-{account}"

    def write(enabled: str = "true") -> None:
        wanted = {"enabled": enabled, "bucket": bucket, "prefix": "alb"}
        attributes = [{"Key": f"access_logs.s3.{key}", "Value": value} for key, value in wanted.items()]
        front.elb.modify_load_balancer_attributes(LoadBalancerArn=front.arn, Attributes=attributes)

    def written() -> str:
        got = front.elb.describe_load_balancer_attributes(LoadBalancerArn=front.arn)["Attributes"]
        return as_dict(got)["access_logs.s3.enabled"]

    unknown = {"LoadBalancerArn": front.arn, "Attributes": [{"Key": "colour", "Value": "red"}]}
    assert "is not recognized" in refusal(front.elb.modify_load_balancer_attributes, **unknown)[1]
    nowhere = "InvalidConfigurationRequest", f"S3 bucket {bucket} does not exist"
    denied = nowhere[0], f"Access Denied for bucket: {bucket}. Please check S3bucket permission"
    assert refusal(write) == nowhere
    s3 = client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    assert refusal(write) == denied
    for what, statements, admitted in WRITES:
        with subtests.test(what):
            set_policy(s3, bucket, account, statements)
            if admitted:
                write()
            else:
                assert refusal(write) == denied
            assert written() == ("true" if admitted else "false")
            write("false")


EXAMPLE = f"arn:aws:acm:{REGION}:646886795421:certificate/00000000-0000-0000-0000-000000000000"
"""What a stack's file names until somebody puts a certificate there."""


def test_the_example_certificate_is_issued_in_other_accounts_than_the_guides(
    front: Front, client: Client
) -> None:
    acm = client("acm")
    assert acm.describe_certificate(CertificateArn=EXAMPLE)["Certificate"]["Status"] == "ISSUED"
    secure = {"Protocol": "HTTPS", "Certificates": [{"CertificateArn": EXAMPLE}]}
    assert front.listen(443, front.forward, **secure)["Port"] == 443
    guides = client("acm", account="646886795421")
    gone = refusal(guides.describe_certificate, CertificateArn=EXAMPLE)
    assert gone[0] == "ResourceNotFoundException"


def test_a_certificate_of_another_region_or_one_that_is_gone_is_not_found(front: Front) -> None:
    for arn in (EXAMPLE.replace(REGION, "us-east-1"), EXAMPLE.replace("00000000-", "00000001-")):
        secure = {"Protocol": "HTTPS", "Certificates": [{"CertificateArn": arn}]}
        assert refusal(front.listen, 443, front.forward, **secure)[0] == "CertificateNotFound"
    assert front.elb.describe_listeners(LoadBalancerArn=front.arn)["Listeners"] == []


def test_a_request_to_the_load_balancers_name_is_answered_by_its_listener(
    front: Front, emulator: RunningEmulator
) -> None:
    listener = front.listen(80, FIXED)["ListenerArn"]

    def ask() -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=10)
        connection.request("GET", "/actuator/health", headers={"Host": front.balancer["DNSName"]})
        response = connection.getresponse()
        return response.status, response.read().decode()

    assert ask() == (403, "no")
    front.elb.modify_listener(ListenerArn=listener, DefaultActions=[front.forward])
    targets = [{"Id": "10.20.0.9", "Port": 8083}]
    front.elb.register_targets(TargetGroupArn=front.targets["TargetGroupArn"], Targets=targets)
    status, text = ask()
    assert status == 503
    assert "no container engine" in text
