"""Mistakes made in good faith, and honest programs that look like them, each as a change of a stack without
violations.

A mistake names the rule that must refuse it; an honest change must bring nothing mandatory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fileflow_policies.config import starting_configuration
from fileflow_policies.pack import RULES

from tests.policies import compliant_stack
from tests.policies.harness import Recording, analyse, analyzer, record, unknown
from tests.policies.rule_cases import (
    SCHEDULER,
    WEB,
    WEB_TASK,
    WORKER,
    WORKER_TASK,
    Change,
    add,
    both,
    drop,
    ignore,
    in_container,
    put,
)

ROOT = Path(__file__).parents[2]
DIGEST = f"sha256:{'c' * 64}"
TASK = "arn:aws:ecs:ap-northeast-2:646886795421:task-definition/fileflow-scheduler-download-prod"
CLUSTER = "arn:aws:ecs:ap-northeast-2:646886795421:cluster/fileflow-prod"
SERVICE = "service/fileflow-prod/fileflow-scheduler-download"
SCALED = {"ServiceNamespace": "ecs", "ResourceId": SERVICE, "MinCapacity": 2, "MaxCapacity": 4}
CONTROL = "aws:cloudcontrol/resource:Resource"
TEMPLATE = "aws:cloudformation/stack:Stack"
COMMAND = "command:local:Command"
RUN_TASK = f"aws ecs run-task --task-definition {TASK.rsplit('/', 1)[-1]}"


@cache
def _compliant(preview: bool, stack: str = "prod") -> Recording:
    return record(compliant_stack.program, preview=preview, stack=stack)


def _mandatory(change: Change, preview: bool, stack: str = "prod") -> dict[str, str]:
    recording = _compliant(preview, stack).copy()
    change(recording)
    report = analyse(recording)
    return {found.rule: str(report) for found in report.violations if found.level == "mandatory"}


def _started(*command: str, **more: Any) -> Change:
    return in_container(WORKER_TASK, command=list(command), **more)


def _state_machine(**parameters: Any) -> Change:
    state = {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "Parameters": parameters}
    return add(
        "aws:sfn/stateMachine:StateMachine", "extra", {"definition": json.dumps({"States": {"Run": state}})}
    )


def _schedule(target: Mapping[str, Any]) -> Change:
    return add("aws:scheduler/schedule:Schedule", "extra", {"target": dict(target)})


def _service(token: str, **inputs: Any) -> Change:
    return add(token, "extra", inputs)


def _undeclared(*more: Change) -> Change:
    return both(put(WORKER, "tags", {"team": "files"}), *more)


def _nightly_job_of_the_schedulers_image(recording: Recording) -> None:
    definitions = recording["fileflow-scheduler-download-prod-task"].inputs["containerDefinitions"]
    recording.add(
        "aws:ecs/taskDefinition:TaskDefinition",
        "job",
        {**recording[WORKER_TASK].inputs, "family": "nightly", "containerDefinitions": definitions},
    )
    _schedule({"arn": CLUSTER, "ecsParameters": {"taskDefinitionArn": "nightly"}})(recording)


def _next_version_beside(recording: Recording) -> None:
    """Another service for the same scheduler, one version on."""
    task = recording["fileflow-scheduler-download-prod-task"].inputs
    (container,) = json.loads(task["containerDefinitions"])

    def of_version(version: str, digest: str) -> str:
        image = container["image"].partition("@")[0]
        return json.dumps([{**container, "image": f"{image}:{version}@sha256:{digest * 64}"}])

    recording.add(
        "aws:ecs/taskDefinition:TaskDefinition",
        "next",
        {**task, "family": "next", "containerDefinitions": of_version("1.10.0", "d")},
    )
    task["containerDefinitions"] = of_version("1.9.0", "e")
    service = {**recording[SCHEDULER].inputs, "name": "billing-next", "taskDefinition": "next"}
    recording.add("aws:ecs/service:Service", "next-service", service)


def _agent_beside_each(recording: Recording) -> None:
    """A vendor's agent, essential as ECS has it by default, in a scheduler's task and in a web API's."""
    for task in (WEB_TASK, "fileflow-scheduler-download-prod-task"):
        inputs = recording[task].inputs
        containers = json.loads(inputs["containerDefinitions"])
        agent = {
            **{name: value for name, value in containers[0].items() if name != "portMappings"},
            "name": "agent",
            "image": f"public.ecr.aws/datadog/agent@sha256:{'d' * 64}",
            "command": ["run"],
        }
        inputs["containerDefinitions"] = json.dumps([*containers, agent])


def _composite(recording: Recording) -> None:
    """Two alarms that a composite alarm rings for."""
    for name in ("cpu", "memory"):
        recording.add(
            "aws:cloudwatch/metricAlarm:MetricAlarm", name, {"name": f"shop-{name}", "threshold": 80}
        )
    recording.add(
        "aws:cloudwatch/compositeAlarm:CompositeAlarm",
        "load",
        {"alarmRule": "ALARM(shop-cpu) AND ALARM(shop-memory)", "alarmActions": ["arn:aws:sns:x:1:ops"]},
    )


def _alarm(**inputs: Any) -> Change:
    def change(recording: Recording) -> None:
        recording["none-running"].inputs.update(inputs)

    return change


OVERRIDE = json.dumps(
    {"containerOverrides": [{"name": "a", "command": ["java", "-jar", "bootstrap-scheduler-download.jar"]}]}
)
TWO_SERVICES = {
    "Resources": {"S": {"Type": "AWS::ECS::Service", "Properties": {"ServiceName": "my-scheduler"}}}
}
NESTED = {
    "Resources": {"N": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://x"}}}
}

CLOCKS = [
    "celery -A shop beat",
    "celery -A shop worker -B",
    "php artisan schedule:work",
    "bundle exec clockwork clock.rb",
    "bundle exec rake resque:scheduler",
    "python manage.py rqscheduler",
    "airflow scheduler",
    "supercronic /app/crontab",
    "crond -f",
    "dagster-daemon run",
    "ofelia daemon",
    "php bin/console messenger:consume scheduler_default",
    "java -jar /app/billing-scheduler-1.4.jar",
    "java -cp /app.jar com.example.shop.BillingSchedulerApplication",
    "java -Dspring.profiles.active=prod,scheduler -jar app.jar",
    "dotnet Billing.Scheduler.dll",
    "node dist/scheduler.js",
    "npm run scheduler",
    "python -m shop.scheduler",
    "/app/scheduler",
    "busybox crond -f -l 2",
    "gosu app supercronic /app/crontab",
    "celery -A shop worker -Bl info",
    "node dist/apps/scheduler/main.js",
    "python3 -m jobs.scheduler.main",
    "dotnet Shop.Scheduler.Host.dll",
    "yarn workspace @shop/scheduler start",
    "/app/server scheduler --config=/etc/shop.yaml",
    "php bin/console messenger:consume -v scheduler_nightly async",
    "bin/console scheduled-task:run",
    "wp cron event run --due-now",
    "java -jar download-scheduler-1.0.0-SNAPSHOT.jar",
    "/guard/guard --table leases -- java -jar bootstrap-scheduler-download.jar",
]
NO_CLOCKS = [
    "celery -A scheduler_app worker",
    "airflow webserver",
    "uvicorn scheduler.main:app",
    "gunicorn scheduler.wsgi",
    "java -jar shop-1.0.jar --no-scheduler",
    "java -Dspring.profiles.active=prod,noscheduler -jar app.jar",
    "node server.js --disable-scheduler",
    "bundle exec sidekiq",
    "temporal-worker start",
    "prefect worker start --pool scheduler-pool",
    "dotnet Shop.Web.dll",
    "python worker.py --queue scheduled",
    "celery -b redis://cache worker -Q beat",
    "rq worker scheduler",
    "node /srv/scheduler/server.js",
    "python -m scheduler.worker",
    "npm run start:scheduler-ui",
    "java -jar scheduler-client-1.4.jar",
    "java -javaagent:/otel/scheduler-instrumentation.jar -jar shop-1.4.jar",
    "java -cp /app/libs/quartz-scheduler-2.3.2.jar:/app/app.jar com.example.shop.Main",
    "java -cp /app com.example.scheduler.api.ApiApplication",
]

NIGHTLY_RULE = {
    "N": {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "ScheduleExpression": "rate(1 day)",
            "Targets": [
                {
                    "Id": "n",
                    "Arn": CLUSTER,
                    "EcsParameters": {
                        "TaskDefinitionArn": {"Fn::Sub": TASK.replace("ap-northeast-2", "${AWS::Region}")}
                    },
                }
            ],
        },
    }
}


def _batch_job_of_the_schedulers_image(recording: Recording) -> None:
    definitions = recording["fileflow-scheduler-download-prod-task"].inputs["containerDefinitions"]
    (container,) = json.loads(definitions)
    given = {key: container[key] for key in ("image", "command", "environment") if key in container}
    recording.add("aws:batch/jobDefinition:JobDefinition", "job", {"containerProperties": json.dumps(given)})


def _scaled_by_a_template(resource_id: object, **parameters: str) -> Change:
    scaled = {"Type": "AWS::ApplicationAutoScaling::ScalableTarget"}
    made = {"T": {**scaled, "Properties": {**SCALED, "ResourceId": resource_id}}}
    declared = {"Service": {"Type": "String", "Default": "fileflow-scheduler-download"}}
    body = json.dumps({"Parameters": declared, "Resources": made})
    return _service(TEMPLATE, templateBody=body, parameters=parameters)


JOINED = {"Fn::Join": ["/", ["service", "fileflow-prod", {"Ref": "Service"}]]}

MISTAKES: dict[str, tuple[str, Change]] = {
    "a batch job of the scheduler's image and command": (
        "scheduler-no-second-launcher",
        _batch_job_of_the_schedulers_image,
    ),
    "a template that scales a service joined from its parameters": (
        "scheduler-no-autoscaling",
        _scaled_by_a_template(JOINED, Service="fileflow-scheduler-download"),
    ),
    "a template that scales a service by a parameter's default": (
        "scheduler-no-autoscaling",
        _scaled_by_a_template({"Fn::Sub": ["service/c/${Name}", {"Name": {"Ref": "Service"}}]}),
    ),
    "a count by PowerShell": (
        "scheduler-no-command",
        _service(
            COMMAND,
            create="Update-ECSService -Cluster c -Service fileflow-scheduler-download -DesiredCount 2",
        ),
    ),
    "a count in another script's digits": ("scheduler-desired-count", put(SCHEDULER, "desiredCount", "１")),
    "a replacement that starts first": (
        "scheduler-stop-before-start",
        both(
            put(SCHEDULER, "name", "scheduler-0a1b2c3"),
            lambda recording: setattr(recording[SCHEDULER], "delete_before_replace", None),
        ),
    ),
    "a role's tag under ignoreChanges": (
        "scheduler-guarded-properties",
        ignore(SCHEDULER, 'tags["fileflow:role"]'),
    ),
    "any role of the account passed to ECS": (
        "iam-pass-role-scoped",
        add(
            "aws:iam/policy:Policy",
            "extra",
            {
                "policy": {
                    "Statement": {
                        "Effect": "Allow",
                        "Action": "iam:PassRole",
                        "Resource": "arn:aws:iam::646886795421:role/*",
                        "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
                    }
                }
            },
        ),
    ),
    "a gateway in front": ("scheduler-no-load-balancer", put(SCHEDULER, "gatewayConnectors", [{"arn": "x"}])),
    "containers in Pascal case, privileged": (
        "ecs-no-privileged-container",
        in_container(WORKER_TASK, privileged=None, Privileged=True),
    ),
    "a stop timeout of an hour": (
        "scheduler-stop-timeout",
        in_container("fileflow-scheduler-download-prod-task", stopTimeout=3600),
    ),
    "a password in a URL": (
        "ecs-no-secrets-in-environment",
        in_container(
            WORKER_TASK, environment=[{"name": "DATABASE_URL", "value": "postgres://a:hunter2@db/x"}]
        ),
    ),
    "a scheduler's image in a worker": (
        "scheduler-declared-by-service",
        in_container(WORKER_TASK, image=f"r.io/fileflow:pipeline-scheduler-2@{DIGEST}"),
    ),
    "one image of many parts": (
        "scheduler-declared-by-service",
        in_container(WORKER_TASK, environment=[{"name": "CONTAINER_ROLE", "value": "scheduler"}]),
    ),
    "nothing declared, two tasks": (
        "scheduler-desired-count",
        _undeclared(put(WORKER, "name", "DownloadSchedulers")),
    ),
    "nothing declared, on Spot": (
        "scheduler-spot-opt-in",
        _undeclared(put(WORKER, "name", "mail_scheduler")),
    ),
    "another provider's service": (
        "scheduler-desired-count",
        _service("ecs:tf:aws_ecs_service", name="shop-scheduler", desired_count=2),
    ),
    "any Terraform provider's service": (
        "scheduler-desired-count",
        _service("aws:index/ecsService:EcsService", name="shop-scheduler", desiredCount=3),
    ),
    "aws-native's service": (
        "scheduler-desired-count",
        _service("aws-native:ecs:Service", serviceName="shop-scheduler", desiredCount=2),
    ),
    "Cloud Control's service": (
        "scheduler-desired-count",
        _service(
            CONTROL,
            typeName="AWS::ECS::Service",
            desiredState=json.dumps({"ServiceName": "shop-scheduler", "DesiredCount": 2}),
        ),
    ),
    "Cloud Control's scaling": (
        "scheduler-no-autoscaling",
        _service(
            CONTROL,
            typeName="AWS::ApplicationAutoScaling::ScalableTarget",
            desiredState=json.dumps(SCALED),
        ),
    ),
    "Cloud Control's target group": (
        "scheduler-no-target-group",
        _service(
            CONTROL,
            typeName="AWS::ElasticLoadBalancingV2::TargetGroup",
            desiredState=json.dumps({"Port": 9091, "Protocol": "TCP"}),
        ),
    ),
    "aws-native's schedule": (
        "scheduler-no-second-launcher",
        _service(
            "aws-native:scheduler:Schedule",
            target={"arn": CLUSTER, "ecsParameters": {"taskDefinitionArn": TASK}},
        ),
    ),
    "aws-native's rule": (
        "scheduler-no-second-launcher",
        _service(
            "aws-native:events:Rule", targets=[{"arn": CLUSTER, "ecsParameters": {"taskDefinitionArn": TASK}}]
        ),
    ),
    "aws-native's pipe": (
        "scheduler-no-second-launcher",
        _service(
            "aws-native:pipes:Pipe", targetParameters={"ecsTaskParameters": {"taskDefinitionArn": TASK}}
        ),
    ),
    "aws-native's open group": (
        "scheduler-ingress-from-vpc",
        both(
            put(SCHEDULER, "networkConfiguration.securityGroups", ["sg-1"]),
            _service(
                "aws-native:ec2:SecurityGroupIngress",
                groupId="sg-1",
                description="x",
                ipProtocol="tcp",
                fromPort=443,
                toPort=443,
                cidrIp="203.0.113.0/24",
            ),
        ),
    ),
    "a state that works its task out": (
        "scheduler-no-second-launcher",
        _state_machine(**{"Cluster": CLUSTER, "TaskDefinition.$": "$.task"}),
    ),
    "a schedule with another command": (
        "scheduler-no-second-launcher",
        _schedule({"arn": CLUSTER, "input": OVERRIDE, "ecsParameters": {"taskDefinitionArn": "shop:1"}}),
    ),
    "a target with another command": (
        "scheduler-no-second-launcher",
        add(
            "aws:cloudwatch/eventTarget:EventTarget",
            "extra",
            {"input": OVERRIDE, "ecsTarget": {"taskDefinitionArn": "shop:1"}},
        ),
    ),
    "a schedule that scales": (
        "scheduler-no-second-launcher",
        _schedule(
            {
                "arn": "arn:aws:scheduler:::aws-sdk:applicationautoscaling:registerScalableTarget",
                "input": json.dumps(SCALED),
            }
        ),
    ),
    "a command by its interpreter": (
        "scheduler-no-command",
        _service(COMMAND, create="true", interpreter=["/bin/sh", "-c", f"{RUN_TASK} #"]),
    ),
    "a command by a variable": (
        "scheduler-no-command",
        _service(COMMAND, create="$X", environment={"X": RUN_TASK}),
    ),
    "a command that deploys a template": (
        "scheduler-no-command",
        _service(COMMAND, create="aws cloudformation deploy --template-file ecs.yaml --stack-name x"),
    ),
    "a template with escapes": (
        "scheduler-not-in-template",
        _service(TEMPLATE, templateBody=json.dumps(TWO_SERVICES).replace("::", "\\u003a\\u003a")),
    ),
    "a template in YAML": (
        "scheduler-not-in-template",
        _service(
            TEMPLATE,
            templateBody="Resources:\n  S:\n    Type: AWS::ECS::Service\n    Properties:\n"
            "      ServiceName: my-scheduler\n      Cluster: !Ref Cluster\n",
        ),
    ),
    "a template nested by its URL": (
        "cloudformation-template-readable",
        _service(TEMPLATE, templateBody=json.dumps(NESTED)),
    ),
    "cron behind another command": (
        "scheduler-declared-by-service",
        in_container(
            WORKER_TASK,
            command=["sh", "-c", "printenv > /etc/environment && cron && tail -f /var/log/cron.log"],
        ),
    ),
    "a profile in Spring's JSON": (
        "scheduler-declared-by-service",
        in_container(
            WORKER_TASK,
            environment=[
                {
                    "name": "SPRING_APPLICATION_JSON",
                    "value": json.dumps({"spring": {"profiles": {"active": "prod,scheduler"}}}),
                }
            ],
        ),
    ),
    "a scheduler's JAR by a variable": (
        "scheduler-declared-by-service",
        in_container(
            WORKER_TASK,
            command=["sh", "-c", "exec java -jar ${JAR}"],
            environment=[{"name": "JAR", "value": "/app/billing-scheduler-1.4.jar"}],
        ),
    ),
    "a name from another resource": (
        "scheduler-stop-before-start",
        both(
            put(SCHEDULER, "name", unknown()),
            lambda recording: setattr(recording[SCHEDULER], "delete_before_replace", None),
        ),
    ),
    "an override in a pipe": (
        "scheduler-no-second-launcher",
        add(
            "aws:pipes/pipe:Pipe",
            "extra",
            {
                "targetParameters": {
                    "ecsTaskParameters": {
                        "taskDefinitionArn": "thumbnails",
                        "overrides": {"containerOverrides": [{"commands": ["celery", "-A", "shop", "beat"]}]},
                    }
                }
            },
        ),
    ),
    "a state machine's definition with substitutions": (
        "scheduler-no-second-launcher",
        add(
            "aws-native:stepfunctions:StateMachine",
            "extra",
            {
                "definitionSubstitutions": {"Task": TASK},
                "definition": {
                    "States": {
                        "Run": {
                            "Resource": "arn:aws:states:::ecs:runTask",
                            "Parameters": {"TaskDefinition": TASK},
                        }
                    }
                },
            },
        ),
    ),
    "a template that starts the scheduler each night": (
        "scheduler-no-second-launcher",
        _service(TEMPLATE, templateBody=json.dumps({"Resources": NIGHTLY_RULE})),
    ),
    "a job of another family with the scheduler's image and command": (
        "scheduler-no-second-launcher",
        _nightly_job_of_the_schedulers_image,
    ),
    "a password in a command": (
        "ecs-no-secrets-in-environment",
        in_container(WORKER_TASK, command=["worker", "--db-password", "s3cr3t-of-prod"]),
    ),
    "a password in a health check": (
        "ecs-no-secrets-in-environment",
        in_container(
            WORKER_TASK, healthCheck={"command": ["CMD-SHELL", "curl -fu admin:Zq8wN2vx http://localhost"]}
        ),
    ),
    "a key in a log driver's options": (
        "ecs-no-secrets-in-environment",
        in_container(
            WORKER_TASK,
            logConfiguration={
                "logDriver": "awsfirelens",
                "options": {"Name": "datadog", "apikey": "0123456789"},
            },
        ),
    ),
    "a password in Kafka's JAAS text": (
        "ecs-no-secrets-in-environment",
        in_container(
            WORKER_TASK,
            environment=[
                {"name": "SASL_JAAS", "value": 'ScramLoginModule required username="a" password="Zq8wN2vx";'}
            ],
        ),
    ),
    "an API key in headers": (
        "ecs-no-secrets-in-environment",
        in_container(
            WORKER_TASK,
            environment=[{"name": "OTEL_EXPORTER_OTLP_HEADERS", "value": "api-key=eu01xx0123456789NRAL"}],
        ),
    ),
    "a credential of an Express service": (
        "ecs-no-secrets-in-environment",
        add(
            "aws:ecs/expressGatewayService:ExpressGatewayService",
            "extra",
            {
                "tags": {"fileflow:role": "web-api"},
                "primaryContainer": {"environments": [{"name": "DB_PASSWORD", "value": "Zq8wN2vx"}]},
            },
        ),
    ),
    "a role of aws-native that may do everything": (
        "iam-no-admin-actions",
        add(
            "aws-native:iam:Role",
            "extra",
            {
                "policies": [
                    {"policyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}
                ]
            },
        ),
    ),
    "logs of aws-native for ever": (
        "cloudwatch-log-retention",
        add("aws-native:logs:LogGroup", "extra", {"logGroupName": "/ecs/orders"}),
    ),
    "two versions of one scheduler side by side": ("scheduler-one-service", _next_version_beside),
    "a template nested without end": (
        "cloudformation-template-readable",
        _service(TEMPLATE, templateBody="[" * 80_000),
    ),
    "a user of many digits": (
        "ecs-non-root-user",
        in_container(WORKER_TASK, user="0" * 80_000),
    ),
    "an alarm a day": ("scheduler-heartbeat-alarms", _alarm(period=86400)),
    "an alarm on samples": ("scheduler-heartbeat-alarms", _alarm(statistic="SampleCount")),
    "an alarm on another unit": ("scheduler-heartbeat-alarms", _alarm(unit="Percent")),
    "an alarm on another cluster": (
        "scheduler-heartbeat-alarms",
        _alarm(dimensions={"ClusterName": "staging", "ServiceName": "fileflow-scheduler-download"}),
    ),
    "an alarm that always rings": ("scheduler-heartbeat-alarms", _alarm(threshold=2)),
    "containers nested without end": (
        "ecs-task-definition-readable",
        put(WORKER_TASK, "containerDefinitions", "[" * 5000 + "]" * 5000),
    ),
}

HONEST: dict[str, Change] = {
    "a template that scales another service by its parameter": _scaled_by_a_template(JOINED, Service="shop"),
    "the provider's copy of a scheduler's tags ignored": ignore(SCHEDULER, "tagsAll"),
    "a scheduler's tag that a cost tool writes": ignore(
        SCHEDULER, 'tags["CostCenter"]', "tagsAll.CostCenter"
    ),
    "a worker called scheduler-ui on 9092": both(
        put(WORKER, "name", "scheduler-ui"),
        in_container(WORKER_TASK, name="scheduler-ui", portMappings=[{"containerPort": 9092}]),
    ),
    "a web service's JAR called scheduler": in_container(
        WEB_TASK, command=["java", "-jar", "appointment-scheduler-1.4.jar"]
    ),
    "a clock with a reason why it is none": both(
        _started("supercronic", "/app/crontab"),
        put(WORKER, "tags.fileflow:not-a-scheduler", "rotates logs only"),
    ),
    "containers that the update will know": put(WORKER_TASK, "containerDefinitions", unknown()),
    "a topic as a variable": in_container(
        WORKER_TASK, environment=[{"name": "TOKEN_URL", "value": "https://x"}]
    ),
    "containers in Pascal case": in_container(WORKER_TASK, user=None, User="1000"),
    "a scheduler's default stop timeout": in_container(
        "fileflow-scheduler-download-prod-task", stopTimeout=None
    ),
    "a scheduler's public address left out": drop(SCHEDULER, "networkConfiguration.assignPublicIp"),
    "a scheduler on Fargate by strategy": both(
        drop(SCHEDULER, "launchType"),
        put(SCHEDULER, "capacityProviderStrategies", [{"capacityProvider": "FARGATE", "weight": 1}]),
        put(SCHEDULER, "forceNewDeployment", True),
    ),
    "alarms that a composite alarm tells of": _composite,
    "one vendor's agent beside a scheduler and a web API": _agent_beside_each,
    "an ARN, a path and a reference where a secret would be": in_container(
        WORKER_TASK,
        environment=[
            {"name": "API_KEY_SECRET", "value": "arn:aws:secretsmanager:ap-northeast-2:1:secret:api-0a1B2c"},
            {"name": "GOOGLE_APPLICATION_CREDENTIALS", "value": "/etc/gcp/identity.json"},
        ],
        command=["worker", "--password-file", "/run/secrets/db", "--token", "$TOKEN"],
    ),
    "another user of many digits": in_container(WORKER_TASK, user="1" * 80_000),
    "thresholds between whole tasks": both(
        put("two-running", "threshold", 1.5), put("none-running", "threshold", 0.5)
    ),
    "an alarm as the provider gives it back, with empty texts for what was left out": _alarm(
        unit="", extendedStatistic="", thresholdMetricId="", metricQueries=[], datapointsToAlarm=0
    ),
    "metric math that fills gaps": _alarm(
        namespace=None,
        metricName=None,
        dimensions=None,
        statistic=None,
        period=None,
        metricQueries=[
            {
                "id": "m",
                "expression": "",
                "metric": {
                    "namespace": "ECS/ContainerInsights",
                    "metricName": "RunningTaskCount",
                    "period": 60,
                    "stat": "Minimum",
                    "unit": "",
                    "dimensions": {
                        "ClusterName": "fileflow-prod",
                        "ServiceName": "fileflow-scheduler-download",
                    },
                },
            },
            {"id": "f", "expression": "FILL(m, 0)", "returnData": True},
        ],
    ),
    "a redeploy of a web service": _service(
        COMMAND, create="aws ecs update-service --service shop-web --force-new-deployment"
    ),
    "a table that scales in a template": _service(
        TEMPLATE,
        templateBody=json.dumps(
            {"Resources": {"T": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": {}}}}
        ),
    ),
    "a capacity provider by Cloud Control": _service(
        CONTROL, typeName="AWS::ECS::CapacityProvider", desiredState="{}"
    ),
    "a partner at the brokers": add(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "extra",
        {
            "securityGroupId": "sg-kafka",
            "description": "x",
            "ipProtocol": "tcp",
            "fromPort": 9092,
            "toPort": 9098,
            "cidrIpv4": "203.0.113.7/32",
        },
    ),
    "a job started at set times": _schedule(
        {"arn": CLUSTER, "ecsParameters": {"taskDefinitionArn": "nightly-report:3"}}
    ),
}


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_refused_by_its_rule(name: str, preview: bool) -> None:
    rule, change = MISTAKES[name]
    found = _mandatory(change, preview)
    assert rule in found, found
    assert "hunter2" not in found[rule]


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        (
            "security-group-open-ports",
            add(
                "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
                "extra",
                {
                    "description": "Database",
                    "cidrIpv4": "0.0.0.0/0",
                    "fromPort": 5432,
                    "toPort": 5432,
                    "ipProtocol": "tcp",
                },
            ),
        ),
        (
            "iam-pass-role-scoped",
            add(
                "aws:iam/policy:Policy",
                "extra",
                {"policy": {"Statement": {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}}},
            ),
        ),
    ],
    ids=["a database open to the world", "any role passed"],
)
def test_one_mistake_is_said_once(rule: str, change: Change) -> None:
    assert list(_mandatory(change, preview=True)) == [rule]


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ({"alarmActions": []}, "it has no alarmActions in its own region"),
        ({"actionsEnabled": False}, "actionsEnabled is false"),
        ({"threshold": 2}, "it rings while one task runs"),
        ({"treatMissingData": "notBreaching"}, "it doesn't ring within 30 minutes"),
        ({"namespace": "AWS/ECS"}, "it isn't on RunningTaskCount of ECS/ContainerInsights"),
        (
            {"dimensions": {"ClusterName": CLUSTER, "ServiceName": "fileflow-scheduler-download"}},
            "its dimensions aren't the service's ClusterName and ServiceName alone",
        ),
    ],
)
def test_an_alarm_that_tells_nobody_is_named_with_the_reason(inputs: dict[str, Any], why: str) -> None:
    found = _mandatory(_alarm(**inputs), preview=True)
    assert f"(none-running: {why}); " in found["scheduler-heartbeat-alarms"]
    assert "to fix: mend the alarms." in found["scheduler-heartbeat-alarms"]


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_program_is_left_alone(name: str) -> None:
    assert _mandatory(HONEST[name], preview=True) == {}


@pytest.mark.parametrize("command", CLOCKS)
def test_a_clock_is_no_worker(command: str) -> None:
    for preview in (True, False):
        found = _mandatory(_started(*command.split()), preview)
        assert set(found) == {"scheduler-declared-by-service"}, found


@pytest.mark.parametrize("command", NO_CLOCKS)
def test_a_command_that_only_sounds_like_a_clock_passes(command: str) -> None:
    assert _mandatory(_started(*command.split()), preview=True) == {}


def test_alarms_may_be_left_out_on_a_stack_for_development() -> None:
    def change(recording: Recording) -> None:
        recording.resources.remove(recording["none-running"])

    assert _mandatory(change, preview=True, stack="dev") == {}


# -- starting gently -----------------------------------------------------------------------------------------


def test_the_configuration_to_start_with_is_what_the_rules_say() -> None:
    """Not any more? `python -m fileflow_policies start policies/start.json` writes it anew."""
    assert json.loads((ROOT / "policies" / "start.json").read_text()) == starting_configuration(RULES)


def _web_template(recording: Recording) -> None:
    """A cluster and a public service behind a load balancer, as getting-started pages write them."""
    recording.resources.clear()
    recording.add("aws:ecs/cluster:Cluster", "cluster", {"name": "cluster-1234567"})
    recording.add(
        "aws:ecs/taskDefinition:TaskDefinition",
        "task",
        {"family": "app", "containerDefinitions": json.dumps([{"name": "app", "image": "nginx:latest"}])},
    )
    recording.add("aws:lb/loadBalancer:LoadBalancer", "lb", {"name": "lb-1234567"})
    recording.add(
        "aws:lb/listener:Listener", "listener", {"port": 80, "defaultActions": [{"type": "forward"}]}
    )
    recording.add(
        "aws:ecs/service:Service",
        "service",
        {
            "name": "service-1234567",
            "desiredCount": 3,
            "taskDefinition": "app:1",
            "launchType": "FARGATE",
            "loadBalancers": [{"containerName": "app", "containerPort": 80}],
            "networkConfiguration": {"assignPublicIp": True},
        },
    )


def _worker_template(recording: Recording) -> None:
    _web_template(recording)
    recording.set("service", "loadBalancers", [])
    recording.add("aws:ecr/repository:Repository", "repository", {"name": "app"})


def _unknown_template(recording: Recording) -> None:
    _web_template(recording)
    recording.set("task", "containerDefinitions", unknown())
    recording.set("service", "taskDefinition", unknown())


def _open_template(recording: Recording) -> None:
    _web_template(recording)
    everyone = [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}]
    recording.add("aws:ec2/securityGroup:SecurityGroup", "group", {"ingress": everyone, "egress": everyone})


@pytest.mark.parametrize(
    "template",
    [_web_template, _worker_template, _unknown_template, _open_template],
    ids=lambda each: each.__name__,
)
def test_a_common_template_starts_without_a_mandatory_violation(template: Change) -> None:
    recording = _compliant(True).copy()
    template(recording)
    gentle = analyzer(json.loads((ROOT / "policies" / "start.json").read_text()))
    levels = {found.level for found in analyse(recording, gentle).violations}
    assert levels == {"advisory"}
    assert "mandatory" in {found.level for found in analyse(recording).violations}


def test_a_scheduler_of_two_tasks_is_refused_from_the_start() -> None:
    recording = _compliant(True).copy()
    recording.set(WEB, "name", "web-1234567")
    recording.set(SCHEDULER, "desiredCount", 2)
    gentle = analyzer(json.loads((ROOT / "policies" / "start.json").read_text()))
    report = analyse(recording, gentle)
    assert {found.rule for found in report.violations if found.level == "mandatory"} == {
        "scheduler-desired-count"
    }
