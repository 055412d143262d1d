"""A state machine runs the scheduler's task."""

# rejected: scheduler-no-second-launcher on machine

import json

import pulumi_aws as aws

aws.sfn.StateMachine(
    "machine",
    role_arn="arn:aws:iam::1:role/states",
    definition=json.dumps(
        {
            "StartAt": "Run",
            "States": {
                "Run": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::ecs:runTask.sync",
                    "Parameters": {"TaskDefinition": "fileflow-scheduler-pipeline-prod:4"},
                    "End": True,
                }
            },
        }
    ),
)
