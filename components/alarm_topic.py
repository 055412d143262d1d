"""The SNS topic that alarms and failed deployments are told to.

Owns the topic, who may publish to it, who subscribes, and the rules that tell of failed deployments and of
tasks that ended by themselves. Doesn't own the alarms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from components.aws_environment import AwsEnvironment
from components.aws_rules import check_tags
from components.names import digest
from components.validation import (
    all_mistakes,
    check_arn,
    check_pattern,
    check_unique,
)

ALARM_TOPIC = "fileflow:sns:AlarmTopic"


@dataclass(frozen=True, kw_only=True)
class EcsEvent:
    """A kind of ECS event that is told: its pattern in EventBridge without the cluster."""

    description: str
    detail_type: str
    detail: Mapping[str, Sequence[str]]


TOLD_EVENTS: Mapping[str, EcsEvent] = {
    "failed-deployment": EcsEvent(
        description="A deployment in the cluster of {0} has failed",
        detail_type="ECS Deployment State Change",
        detail={"eventName": ["SERVICE_DEPLOYMENT_FAILED"]},
    ),
    # Not those that a rollout or scaling in stops: their code is ServiceSchedulerInitiated.
    "stopped-task": EcsEvent(
        description="A task in the cluster of {0} ended by itself, never started, or lost its Spot capacity",
        detail_type="ECS Task State Change",
        detail={
            "lastStatus": ["STOPPED"],
            "stopCode": ["EssentialContainerExited", "SpotInterruption", "TaskFailedToStart"],
        },
    ),
    "restart-loop": EcsEvent(
        description="A service in the cluster of {0} can't keep its tasks running",
        detail_type="ECS Service Action",
        detail={"eventName": ["SERVICE_TASK_START_IMPAIRED", "SERVICE_TASK_PLACEMENT_FAILURE"]},
    ),
}
"""The events that are told, by the endings of their rules' names.

Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html,
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html
"""


@dataclass(frozen=True, kw_only=True)
class AlarmTopicArgs:
    """Arguments of `AlarmTopic`.

    `emails` and `https_endpoints` are subscribed; each confirms its subscription once. `cluster_arn` is
    whose failed deployments are told.
    """

    topic_name: str
    """The topic's name."""
    kms_key_arn: pulumi.Input[str] | None = None
    """The key that messages are encrypted with; none by default. Its policy has to let CloudWatch and
    EventBridge use it, which AWS's own key `alias/aws/sns` doesn't: they would deliver nothing.
    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html,
    https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns
    """
    cluster_arn: pulumi.Input[str]
    """Whose failed deployments and stopped tasks are told."""
    emails: Sequence[str] = ()
    """Addresses that are told, each once it has confirmed; none by default."""
    https_endpoints: Sequence[str] = ()
    """URLs that are told, each once it has confirmed; none by default."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Put on everything; none by default."""

    @all_mistakes
    def __post_init__(self) -> None:
        check_tags("tags", self.tags)
        check_arn("kms_key_arn", self.kms_key_arn, "kms")
        for email in self.emails:
            check_pattern("emails", email, r"[^@\s]+@[^@\s]+", "it is an e-mail address", "Correct it.")
        for endpoint in self.https_endpoints:
            check_pattern("https_endpoints", endpoint, r"https://\S+", "it is an https URL", "Correct it.")
        check_unique("emails", self.emails, "an address")
        check_unique("https_endpoints", self.https_endpoints, "an endpoint")


class AlarmTopic(pulumi.ComponentResource):
    """A topic that CloudWatch and EventBridge of this account may publish to, and its subscribers."""

    topic_arn: pulumi.Output[str]
    """What alarms name."""

    def __init__(self, name: str, args: AlarmTopicArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(ALARM_TOPIC, name, {"topicName": args.topic_name}, opts)
        environment = AwsEnvironment.of(self)
        topic = aws.sns.Topic(
            name,
            name=args.topic_name,
            kms_master_key_id=args.kms_key_arn,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        policy = aws.sns.TopicPolicy(
            name,
            arn=topic.arn,
            policy=pulumi.Output.json_dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Action": "sns:Publish",
                            "Condition": {"StringEquals": {"aws:SourceAccount": environment.account_id}},
                            "Effect": "Allow",
                            "Principal": {"Service": "cloudwatch.amazonaws.com"},
                            "Resource": topic.arn,
                        },
                        # EventBridge delivers nothing to a topic whose statement for it has a Condition:
                        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
                        # (section "Amazon SNS permissions")
                        {
                            "Action": "sns:Publish",
                            "Effect": "Allow",
                            "Principal": {"Service": "events.amazonaws.com"},
                            "Resource": topic.arn,
                        },
                    ],
                }
            ),
            opts=pulumi.ResourceOptions(parent=topic),
        )
        subscribers = [("email", each) for each in args.emails]
        subscribers += [("https", each) for each in args.https_endpoints]
        for protocol, endpoint in subscribers:
            aws.sns.TopicSubscription(
                # Not by its place: who is moved by a newcomer would have to confirm once more.
                f"{name}-{digest(endpoint)}",
                topic=topic.arn,
                protocol=protocol,
                endpoint=endpoint,
                opts=pulumi.ResourceOptions(parent=topic),
            )
        for suffix, event in TOLD_EVENTS.items():
            rule = aws.cloudwatch.EventRule(
                f"{name}-{suffix}",
                description=event.description.format(args.topic_name),
                event_pattern=pulumi.Output.json_dumps(_pattern(event, args.cluster_arn)),
                tags=args.tags,
                opts=pulumi.ResourceOptions(parent=self),
            )
            aws.cloudwatch.EventTarget(
                f"{name}-{suffix}",
                rule=rule.name,
                arn=topic.arn,
                opts=pulumi.ResourceOptions(parent=rule, depends_on=[policy]),
            )
        self.topic_arn = topic.arn
        self.register_outputs({"topic_arn": self.topic_arn})


def _pattern(event: EcsEvent, cluster_arn: pulumi.Input[str]) -> dict[str, Any]:
    """`event`, of the services and tasks of one cluster: ARNs of both begin with the cluster's name."""
    kind = "task" if event.detail_type == "ECS Task State Change" else "service"
    prefix = pulumi.Output.from_input(cluster_arn).apply(
        lambda arn: arn.replace(":cluster/", f":{kind}/") + "/"
    )
    return {
        "source": ["aws.ecs"],
        "detail-type": [event.detail_type],
        "detail": {key: list(values) for key, values in event.detail.items()},
        "resources": [{"prefix": prefix}],
    }
