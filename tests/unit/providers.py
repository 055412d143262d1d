"""What the aws, awsx and docker providers would answer, as far as the program reads it.

Owns ids, ARNs, generated names, the answers to functions, and the children and outputs of awsx's
remote components. Pure: values go in and come out. Doesn't own how a run asks: see `recorder`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

ACCOUNT: Final = "646886795421"
REGION: Final = "ap-northeast-2"
DIGEST: Final = "sha256:" + "ab" * 32
FOUND_DIGEST: Final = "sha256:" + "cd" * 32
PUSHED_DIGEST: Final = "sha256:" + "ef" * 32
LOCAL_IMAGE_ID: Final = "sha256:" + "12" * 32
FOUND_SECRET_ARN: Final = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:fileflow/database-f0und1"
VPC_ID: Final = "vpc-0a1b2c3d4e5f60718"
EXISTING_VPC: Final = "vpc-existing"


CERTIFICATE_STATUS: Final = {"22222222": "PENDING_VALIDATION"}
"""The status of certificates that exist already and aren't issued, by the beginning of their id."""


class Unknown:
    """A value that only a real creation could tell."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Reference:
    """A reference to a resource: to a child by its key, or to a registered one by its URN."""

    to: str


@dataclass(frozen=True)
class Child:
    """A resource that a remote component registers; `key` is how its outputs refer to it."""

    key: str
    type: str
    name: str
    inputs: Mapping[str, Any]


@dataclass(frozen=True)
class Constructed:
    """What a remote component makes: its children and its outputs."""

    children: Sequence[Child] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)


ANSWERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {
        "accountId": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:user/deployer",
        "id": ACCOUNT,
        "userId": "AIDA",
    },
    "aws:index/getRegion:getRegion": {
        "description": "Asia Pacific (Seoul)",
        "endpoint": f"ec2.{REGION}.amazonaws.com",
        "id": REGION,
        "name": REGION,
        "region": REGION,
    },
    "aws:index/getPartition:getPartition": {
        "dnsSuffix": "amazonaws.com",
        "id": "aws",
        "partition": "aws",
        "reverseDnsPrefix": "com.amazonaws",
    },
    "aws:ecr/getAuthorizationToken:getAuthorizationToken": {
        "authorizationToken": "QVdTOnRva2Vu",
        "expiresAt": "2030-01-01T00:00:00Z",
        "id": REGION,
        "password": "token-of-the-registry",
        "proxyEndpoint": f"https://{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com",
        "userName": "AWS",
    },
    "aws:cloudwatch/getLogGroups:getLogGroups": {"arns": [], "id": REGION, "logGroupNames": []},
    "aws:ecr/getImage:getImage": {"id": FOUND_DIGEST, "imageDigest": FOUND_DIGEST},
    "aws:ec2/getVpc:getVpc": {
        "arn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/{EXISTING_VPC}",
        "cidrBlock": "172.16.0.0/16",
        "id": EXISTING_VPC,
    },
    # Not sorted, as AWS gives no order.
    "aws:ec2/getSubnets:getSubnets": {"id": REGION, "ids": ["subnet-found-2", "subnet-found-1"]},
    # Nothing runs yet.
    "aws:ec2/getVpcs:getVpcs": {"id": REGION, "ids": []},
    "aws:lb/getLbs:getLbs": {"id": REGION, "arns": []},
    "aws:secretsmanager/getSecret:getSecret": {"arn": FOUND_SECRET_ARN, "id": FOUND_SECRET_ARN},
    "docker:index/getRemoteImage:getRemoteImage": {
        "id": LOCAL_IMAGE_ID,
        "name": "",
        "repoDigest": "",
    },
}


def create(
    type_token: str, name: str, inputs: Mapping[str, Any], *, preview: bool
) -> tuple[str, dict[str, Any]]:
    """The id and the outputs of a resource; a preview knows no id, no ARN and nothing else of AWS's.

    A name that the program leaves open is generated at once, as the aws provider does in its Check.
    """
    state = dict(inputs)
    if type_token in _GENERATED_NAMES:
        state.setdefault(_GENERATED_NAMES[type_token], f"{name}-0a1b2c3")
    if preview:
        return "", state
    made = _COMPUTED.get(type_token, _unremarkable)(name, state)
    return made.pop("id"), {**state, **made}


def construct(type_token: str, name: str, inputs: Mapping[str, Any], preview: bool) -> Constructed:
    """The children and outputs of a remote component."""
    return _REMOTE[type_token](name, inputs, preview)


def arn(service: str, resource: str, *, region: str = REGION) -> str:
    """An ARN of the account."""
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"


_GENERATED_NAMES: Final[Mapping[str, str]] = {
    "aws:appautoscaling/policy:Policy": "name",
    "aws:cloudwatch/eventRule:EventRule": "name",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": "name",
    "aws:cloudwatch/alarmMuteRule:AlarmMuteRule": "name",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "name",
    "aws:ec2/securityGroup:SecurityGroup": "name",
    "aws:iam/role:Role": "name",
    "aws:iam/rolePolicy:RolePolicy": "name",
    "aws:s3/bucket:Bucket": "bucket",
    "aws:sns/topic:Topic": "name",
}
"""The property that has the name, for types whose name the provider makes up when it is left open."""


def _unremarkable(name: str, _: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": f"{name}-id"}


def _with_arn(
    service: str, prefix: str, key: str = "name"
) -> Callable[[str, Mapping[str, Any]], dict[str, Any]]:
    def made(_: str, state: Mapping[str, Any]) -> dict[str, Any]:
        return {"id": state[key], "arn": arn(service, f"{prefix}{state[key]}")}

    return made


def _ecs_cluster(_: str, state: Mapping[str, Any]) -> dict[str, Any]:
    cluster_arn = arn("ecs", f"cluster/{state['name']}")
    return {"id": cluster_arn, "arn": cluster_arn}


def _ecs_service(_: str, state: Mapping[str, Any]) -> dict[str, Any]:
    cluster = str(state["cluster"]).rsplit("/", 1)[-1]
    service_arn = arn("ecs", f"service/{cluster}/{state['name']}")
    return {"id": service_arn, "arn": service_arn}


def _task_definition(_: str, state: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": state["family"],
        "arn": arn("ecs", f"task-definition/{state['family']}:1"),
        "arnWithoutRevision": arn("ecs", f"task-definition/{state['family']}"),
        "revision": 1,
    }


def _role(_: str, state: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": state["name"], "arn": arn("iam", f"role/{state['name']}", region="")}


def _key(name: str, _: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": name, "keyId": name, "arn": arn("kms", f"key/{name}")}


def _security_group(name: str, _: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": f"sg-{name}", "arn": arn("ec2", f"security-group/sg-{name}")}


def _load_balancer(name: str, state: Mapping[str, Any]) -> dict[str, Any]:
    named = state.get("name", name)
    balancer_arn = arn("elasticloadbalancing", f"loadbalancer/app/{named}/0a1b2c3d4e5f6071")
    return {
        "id": balancer_arn,
        "arn": balancer_arn,
        "arnSuffix": f"app/{named}/0a1b2c3d4e5f6071",
        "dnsName": f"{named}-123456789.{REGION}.elb.amazonaws.com",
        "zoneId": "ZWKZPGTI48KDX",
    }


def _target_group(name: str, state: Mapping[str, Any]) -> dict[str, Any]:
    named = state.get("name", name)
    group_arn = arn("elasticloadbalancing", f"targetgroup/{named}/0011223344556677")
    return {"id": group_arn, "arn": group_arn, "arnSuffix": f"targetgroup/{named}/0011223344556677"}


def _listener(name: str, _: Mapping[str, Any]) -> dict[str, Any]:
    listener_arn = arn("elasticloadbalancing", f"listener/app/{name}/0a1b2c3d4e5f6071/8899aabbccddeeff")
    return {"id": listener_arn, "arn": listener_arn}


def _topic(_: str, state: Mapping[str, Any]) -> dict[str, Any]:
    topic_arn = arn("sns", state["name"])
    return {"id": topic_arn, "arn": topic_arn}


def _certificate(name: str, state: Mapping[str, Any]) -> dict[str, Any]:
    certificate_arn = arn("acm", f"certificate/{name}")
    proof = {
        "domainName": state["domainName"],
        "resourceRecordName": f"_proof.{state['domainName']}.",
        "resourceRecordType": "CNAME",
        "resourceRecordValue": "_proof.acm-validations.aws.",
    }
    return {"id": certificate_arn, "arn": certificate_arn, "domainValidationOptions": [proof]}


def _dns_record(name: str, state: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": f"{name}-id", "fqdn": str(state["name"]).rstrip(".")}


def _ecr_repository(name: str, state: Mapping[str, Any]) -> dict[str, Any]:
    named = state.get("name", name)
    return {
        "id": named,
        "arn": arn("ecr", f"repository/{named}"),
        "name": named,
        "registryId": ACCOUNT,
        "repositoryUrl": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{named}",
    }


def _bucket(_: str, state: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": state["bucket"], "arn": f"arn:aws:s3:::{state['bucket']}"}


def _docker_image(_: str, state: Mapping[str, Any]) -> dict[str, Any]:
    # The provider answers with the registry's digest, whatever the tag was.
    repository = str(state["imageName"]).rsplit(":", 1)[0]
    return {"id": state["imageName"], "repoDigest": f"{repository}@{PUSHED_DIGEST}"}


def _registry_image(name: str, _: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": f"{name}-id", "sha256Digest": PUSHED_DIGEST}


_COMPUTED: Final[Mapping[str, Callable[[str, Mapping[str, Any]], dict[str, Any]]]] = {
    "aws:acm/certificate:Certificate": _certificate,
    "aws:cloudwatch/eventRule:EventRule": _with_arn("events", "rule/"),
    "aws:cloudwatch/logGroup:LogGroup": _with_arn("logs", "log-group:"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _with_arn("cloudwatch", "alarm:"),
    "aws:ec2/securityGroup:SecurityGroup": _security_group,
    "aws:ecr/repository:Repository": _ecr_repository,
    "aws:ecs/cluster:Cluster": _ecs_cluster,
    "aws:ecs/service:Service": _ecs_service,
    "aws:ecs/taskDefinition:TaskDefinition": _task_definition,
    "aws:iam/role:Role": _role,
    "aws:kms/key:Key": _key,
    "aws:lb/listener:Listener": _listener,
    "aws:lb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:lb/targetGroup:TargetGroup": _target_group,
    "aws:route53/record:Record": _dns_record,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:sns/topic:Topic": _topic,
    "docker:index/image:Image": _docker_image,
    "docker:index/registryImage:RegistryImage": _registry_image,
}


def read(type_token: str, physical_id: str) -> dict[str, Any]:
    """The state of a resource that exists already and isn't the program's."""
    if type_token != "aws:acm/certificate:Certificate":
        raise AssertionError(f"the program reads {type_token}, which is not described here")
    begin = physical_id.rpartition("/")[2][:8]
    status = CERTIFICATE_STATUS.get(begin, "ISSUED")
    return {"arn": physical_id, "status": status}


def _vpc(name: str, inputs: Mapping[str, Any], preview: bool) -> Constructed:
    zones = range(1, int(inputs.get("numberOfAvailabilityZones", 3)) + 1)
    tags = dict(inputs.get("tags", {}))
    vpc = Child(
        key="vpc",
        type="aws:ec2/vpc:Vpc",
        name=name,
        inputs={"cidrBlock": inputs.get("cidrBlock", "10.0.0.0/16"), "tags": {**tags, "Name": name}},
    )
    subnets = {
        kind: [
            Child(
                key=f"{kind}-{zone}",
                type="aws:ec2/subnet:Subnet",
                name=f"{name}-{kind}-{zone}",
                inputs={"tags": {**tags, "Name": f"{name}-{kind}-{zone}", "SubnetType": kind.title()}},
            )
            for zone in zones
        ]
        for kind in ("public", "private")
    }

    def ids(kind: str) -> Any:
        return UNKNOWN if preview else [f"{subnet.name}-id" for subnet in subnets[kind]]

    return Constructed(
        children=[vpc, *subnets["public"], *subnets["private"]],
        outputs={
            "vpc": Reference("vpc"),
            "vpcId": UNKNOWN if preview else f"{name}-id",
            "publicSubnetIds": ids("public"),
            "privateSubnetIds": ids("private"),
            "isolatedSubnetIds": [],
            "routeTables": [],
        },
    )


def _repository(name: str, inputs: Mapping[str, Any], preview: bool) -> Constructed:
    rules = inputs.get("lifecyclePolicy", {}).get("rules", [])
    repository_name = inputs.get("name", name)
    url = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{repository_name}"
    return Constructed(
        children=[
            Child(
                key="repository",
                type="aws:ecr/repository:Repository",
                name=name,
                inputs={key: value for key, value in inputs.items() if key != "lifecyclePolicy"},
            ),
            Child(
                key="lifecycle",
                type="aws:ecr/lifecyclePolicy:LifecyclePolicy",
                name=name,
                inputs={"repository": repository_name, "policy": json.dumps({"rules": rules})},
            ),
        ],
        outputs={
            "repository": Reference("repository"),
            "lifecyclePolicy": Reference("lifecycle"),
            "url": UNKNOWN if preview else url,
        },
    )


_REMOTE: Final[Mapping[str, Callable[[str, Mapping[str, Any], bool], Constructed]]] = {
    "awsx:ec2:Vpc": _vpc,
    "awsx:ecr:Repository": _repository,
}
