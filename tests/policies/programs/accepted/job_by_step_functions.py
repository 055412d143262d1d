"""A state machine runs a task that is no scheduler's."""

import json

import pulumi_aws as aws

from tests.policies.programs import fleet

report = fleet.task("nightly-report", fleet.container("nightly-report", 8090))
aws.sfn.StateMachine(
    "machine",
    role_arn="arn:aws:iam::1:role/states",
    definition=report.arn.apply(
        lambda arn: json.dumps(
            {
                "StartAt": "Run",
                "States": {
                    "Run": {
                        "Type": "Task",
                        "Resource": "arn:aws:states:::ecs:runTask.sync",
                        "Parameters": {"TaskDefinition": arn},
                        "End": True,
                    }
                },
            }
        )
    ),
)
