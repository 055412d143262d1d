"""Elastic Load Balancing functions: load balancers and what belongs to them that exist already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..resource import Call, Function, Inputs
from ..resources.calls import unless_absent
from ..resources.lb.listeners import NO_LISTENER, Listener
from ..resources.lb.load_balancers import NO_LOAD_BALANCER, LoadBalancer
from ..resources.lb.tags import read_tags
from ..resources.lb.target_groups import NO_TARGET_GROUP, TargetGroup

# https://docs.aws.amazon.com/general/latest/gr/elb.html: hosted zones of load balancers, by type.
_APPLICATION_ZONES: Final = {
    "ap-northeast-1": "Z14GRHDCWA56QT",
    "ap-northeast-2": "ZWKZPGTI48KDX",
    "ap-northeast-3": "Z5LXEXXYW11ES",
    "ap-southeast-1": "Z1LMS91P8CMLE5",
    "ap-southeast-2": "Z1GM3OXH4ZPM65",
    "eu-central-1": "Z215JYRZR1TBD5",
    "eu-west-1": "Z32O12XQLNTSW2",
    "us-east-1": "Z35SXDOTRQ7X7K",
    "us-east-2": "Z3AADJGX6KTTL2",
    "us-west-1": "Z368ELLRRE2KJ0",
    "us-west-2": "Z1H1FL5HABSF5",
}
_NETWORK_ZONES: Final = {
    "ap-northeast-1": "Z31USIVHYNEOWT",
    "ap-northeast-2": "ZIBE1TIR4HY56",
    "ap-northeast-3": "Z1GWIQ4HH19I5X",
    "ap-southeast-1": "ZKVM4W9LS7TM",
    "ap-southeast-2": "ZCT6FZBF4DROD",
    "eu-central-1": "Z3F0SRJ5LGBH90",
    "eu-west-1": "Z2IFOLAFXWLO4F",
    "us-east-1": "Z26RNL4JYFTOTI",
    "us-east-2": "ZLMOA37VPKANP",
    "us-west-1": "Z24FKFUX50B4VW",
    "us-west-2": "Z18D5FSROUN65G",
}


def _chosen(what: str, found: list[str], asked: str) -> str:
    if len(found) != 1:
        raise LookupError(
            f"{len(found) or 'no'} {what} match {asked or 'nothing in particular'}; exactly one must"
        )
    return found[0]


def _by_tags(elbv2: Any, arns: list[str], args: Inputs) -> list[str]:
    wanted = (args.get("tags") or {}).items()
    return [arn for arn in arns if not wanted or wanted <= read_tags(elbv2, arn).items()]


def _asked(args: Inputs) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(args.items()) if name != "region")


def _get_load_balancer(call: Call, args: Inputs) -> Mapping[str, Any]:
    elbv2 = call.client("elbv2")
    wanted = {"LoadBalancerArns": args.get("arn"), "Names": args.get("name")}
    parameters = {name: [value] for name, value in wanted.items() if value}
    found = unless_absent(
        lambda: elbv2.describe_load_balancers(**parameters)["LoadBalancers"], NO_LOAD_BALANCER
    )
    arns = _by_tags(elbv2, [balancer["LoadBalancerArn"] for balancer in found or ()], args)
    arn = _chosen("load balancers", arns, _asked(args))
    outputs = dict(LoadBalancer().read(call, arn, {}) or {})
    for name in ("minimumLoadBalancerCapacity", "namePrefix"):
        outputs.pop(name)
    for name in ("connectionLogs", "healthCheckLogs", "ipamPools"):
        outputs[name] = [outputs[name]] if outputs[name] else []
    return {**outputs, "id": arn, "tags": outputs.pop("tagsAll")}


def _get_lbs(call: Call, args: Inputs) -> Mapping[str, Any]:
    elbv2 = call.client("elbv2")
    pages = elbv2.get_paginator("describe_load_balancers").paginate()
    arns = [balancer["LoadBalancerArn"] for page in pages for balancer in page["LoadBalancers"]]
    return {"id": call.region, "arns": sorted(_by_tags(elbv2, arns, args)), "tags": args.get("tags")}


def _get_target_group(call: Call, args: Inputs) -> Mapping[str, Any]:
    elbv2 = call.client("elbv2")
    wanted = {"TargetGroupArns": args.get("arn"), "Names": args.get("name")}
    parameters = {name: [value] for name, value in wanted.items() if value}
    found = unless_absent(lambda: elbv2.describe_target_groups(**parameters)["TargetGroups"], NO_TARGET_GROUP)
    arns = _by_tags(elbv2, [group["TargetGroupArn"] for group in found or ()], args)
    arn = _chosen("target groups", arns, _asked(args))
    outputs = dict(TargetGroup().read(call, arn, {}) or {})
    for name in ("ipAddressType", "namePrefix", "targetFailovers", "targetGroupHealth", "targetHealthStates"):
        outputs.pop(name)
    outputs["deregistrationDelay"] = str(outputs["deregistrationDelay"])
    return {**outputs, "id": arn, "tags": outputs.pop("tagsAll")}


def _get_listener(call: Call, args: Inputs) -> Mapping[str, Any]:
    elbv2 = call.client("elbv2")
    if args.get("arn"):
        parameters: dict[str, Any] = {"ListenerArns": [args["arn"]]}
    elif args.get("loadBalancerArn") and args.get("port"):
        parameters = {"LoadBalancerArn": args["loadBalancerArn"]}
    else:
        raise ValueError("getListener wants `arn`, or `loadBalancerArn` and `port`")
    found = unless_absent(
        lambda: elbv2.describe_listeners(**parameters)["Listeners"], NO_LISTENER, NO_LOAD_BALANCER
    )
    arns = [
        listener["ListenerArn"]
        for listener in found or ()
        if args.get("arn") or listener.get("Port") == args["port"]
    ]
    arn = _chosen("listeners", arns, _asked(args))
    outputs = Listener().read(call, arn, {}) or {}
    blocks = {
        "authenticateCognito": "authenticateCognitos",
        "authenticateOidc": "authenticateOidcs",
        "fixedResponse": "fixedResponses",
        "forward": "forwards",
        "jwtValidation": "jwtValidations",
        "redirect": "redirects",
    }
    actions = [
        {blocks.get(name, name): [value] if name in blocks else value for name, value in action.items()}
        for action in outputs["defaultActions"]
    ]
    for action in actions:
        for forward in action.get("forwards", []):
            stickiness = forward.pop("stickiness", None)
            forward["stickinesses"] = [stickiness] if stickiness else []
    mutual = outputs["mutualAuthentication"]
    return {
        **{
            name: outputs[name]
            for name in (
                "alpnPolicy",
                "arn",
                "certificateArn",
                "loadBalancerArn",
                "port",
                "protocol",
                "sslPolicy",
            )
        },
        "defaultActions": actions,
        "id": arn,
        "mutualAuthentications": [mutual] if mutual else [],
        "tags": outputs["tagsAll"],
    }


def _get_hosted_zone_id(call: Call, args: Inputs) -> Mapping[str, Any]:
    network = args.get("loadBalancerType") == "network"
    zone = (_NETWORK_ZONES if network else _APPLICATION_ZONES).get(call.region)
    if zone is None:
        raise LookupError(f"the aws stand-in doesn't know the load balancers' hosted zone of {call.region}")
    return {"id": zone, "loadBalancerType": args.get("loadBalancerType") or "application"}


FUNCTIONS: tuple[Function, ...] = (
    Function("aws:lb/getHostedZoneId:getHostedZoneId", _get_hosted_zone_id),
    Function("aws:lb/getLbs:getLbs", _get_lbs),
    Function("aws:lb/getListener:getListener", _get_listener),
    Function("aws:lb/getLoadBalancer:getLoadBalancer", _get_load_balancer),
    Function("aws:lb/getTargetGroup:getTargetGroup", _get_target_group),
)
