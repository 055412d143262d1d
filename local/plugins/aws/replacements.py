"""Which changed arguments replace a resource, and which update it in place.

Owns the facts, one entry per resource type: arguments that always replace, and the few arguments whose
answer depends on the values. An argument that is named nowhere updates in place. Doesn't own the comparison
of inputs: callers ask only about arguments that they found changed.

Source of the facts: the public schemas of the Terraform AWS provider (the `ForceNew` attributes, the
framework's `RequiresReplace` plan modifiers and the `CustomizeDiff` functions under `internal/service/*`),
which pulumi-aws bridges under the same names in camel case. Where release 5.100 and release 6 differ (an ECS
service's deployment controller and capacity providers), 5.100 decides: the recordings of the real provider
were made with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

Inputs = Mapping[str, Any]
Condition = Callable[[Inputs, Inputs], bool]

_NAMED: Final = ("name", "namePrefix")

# Types that belong to no region have no `region` argument; of every other type a changed region replaces.
_GLOBAL_MODULES: Final = frozenset({"iam", "route53"})

_REPLACING: Final[Mapping[str, frozenset[str]]] = {
    token: frozenset(names)
    for token, names in {
        "acm/certificate:Certificate": (
            "certificateAuthorityArn",
            "domainName",
            "keyAlgorithm",
            "subjectAlternativeNames",
            "validationMethod",
            "validationOptions",
        ),
        "acm/certificateValidation:CertificateValidation": ("certificateArn", "validationRecordFqdns"),
        "appautoscaling/policy:Policy": ("name", "resourceId", "scalableDimension", "serviceNamespace"),
        "appautoscaling/scheduledAction:ScheduledAction": (
            "name",
            "resourceId",
            "scalableDimension",
            "serviceNamespace",
        ),
        "appautoscaling/target:Target": ("resourceId", "scalableDimension", "serviceNamespace"),
        "lb/listener:Listener": ("loadBalancerArn",),
        "lb/listenerRule:ListenerRule": ("listenerArn",),
        "lb/loadBalancer:LoadBalancer": (*_NAMED, "customerOwnedIpv4Pool", "internal", "loadBalancerType"),
        "route53/record:Record": ("name", "zoneId"),
        "s3/bucket:Bucket": ("bucket", "bucketNamespace", "bucketPrefix", "objectLockEnabled"),
        "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ("bucket", "expectedBucketOwner"),
        "s3/bucketOwnershipControls:BucketOwnershipControls": ("bucket",),
        "s3/bucketPolicy:BucketPolicy": ("bucket",),
        "s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ("bucket",),
        "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
            "bucket",
            "expectedBucketOwner",
        ),
        "s3/bucketVersioning:BucketVersioning": ("bucket", "expectedBucketOwner"),
    }.items()
}


def _subnets_of_load_balancer(old: Inputs, new: Inputs) -> bool:
    """An NLB only ever gains subnets; an ALB swaps them in place."""
    if _load_balancer_type(new) != "network":
        return False
    return len(_members(new, "subnets")) <= len(_members(old, "subnets"))


def _subnet_mappings_of_load_balancer(old: Inputs, new: Inputs) -> bool:
    """A mapping is never changed in place. Adding ones is; removing ones is for an ALB only."""
    kind = _load_balancer_type(new)
    before, after = _members(old, "subnetMappings"), _members(new, "subnetMappings")
    if kind == "gateway":
        return False
    if len(after) > len(before):
        return not before <= after
    if len(after) < len(before) and kind == "application":
        return not after <= before
    return True


def _security_groups_of_load_balancer(old: Inputs, new: Inputs) -> bool:
    """An NLB made without security groups never gets any, one made with them keeps at least one."""
    if _load_balancer_type(new) != "network":
        return False
    return bool(_members(old, "securityGroups")) != bool(_members(new, "securityGroups"))


def _secondary_ips_of_load_balancer(old: Inputs, new: Inputs) -> bool:
    name = "secondaryIpsAutoAssignedPerSubnet"
    return int(new.get(name) or 0) < int(old.get(name) or 0)


def _export_of_certificate(old: Inputs, new: Inputs) -> bool:
    """ACM fills in what is left out; the other options change in place."""
    before, after = ((inputs.get("options") or {}).get("export") for inputs in (old, new))
    return after not in (None, "") and before != after


_CONDITIONAL: Final[Mapping[str, Mapping[str, Condition]]] = {
    "acm/certificate:Certificate": {"options": _export_of_certificate},
    "lb/loadBalancer:LoadBalancer": {
        "secondaryIpsAutoAssignedPerSubnet": _secondary_ips_of_load_balancer,
        "securityGroups": _security_groups_of_load_balancer,
        "subnetMappings": _subnet_mappings_of_load_balancer,
        "subnets": _subnets_of_load_balancer,
    },
}


TYPES: Final = frozenset(_REPLACING)
"""The types that have an entry, without the `aws:` of their tokens (`ec2/vpc:Vpc`)."""


def named_arguments(token: str) -> frozenset[str]:
    """The arguments of a type for which a change replaces, always or sometimes; `region` aside."""
    key = _key(token)
    return _REPLACING[key] | _CONDITIONAL.get(key, {}).keys()


def replaces(token: str, argument: str, old: Inputs, new: Inputs) -> bool:
    """Whether a change of one top-level argument replaces the resource.

    `old` and `new` are the whole inputs before and after: some answers depend on other arguments. The caller
    has found `argument` changed; asking about an unchanged one answers as if it had changed.

    Raises KeyError for a type that isn't known here, so that a new resource can't silently update in place.
    """
    key = _key(token)
    always = _REPLACING[key]
    if argument in always:
        return True
    if argument == "region":
        return key.split("/", 1)[0] not in _GLOBAL_MODULES
    condition = _CONDITIONAL.get(key, {}).get(argument)
    return condition is not None and condition(old, new)


def _key(token: str) -> str:
    return token.removeprefix("aws:")


def _load_balancer_type(inputs: Inputs) -> str:
    return str(inputs.get("loadBalancerType") or "application")


def _members(inputs: Inputs, name: str) -> frozenset[str]:
    """The members of a set argument, comparable whatever their kind."""
    return frozenset(
        str(sorted((k, v) for k, v in member.items() if k != "__defaults"))
        if isinstance(member, Mapping)
        else str(member)
        for member in inputs.get(name) or ()
    )
