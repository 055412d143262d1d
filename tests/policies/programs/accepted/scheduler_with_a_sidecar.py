"""A scheduler whose log goes through a router beside it."""

from tests.policies.programs import fleet

ROUTER = f"public.ecr.aws/aws-observability/aws-for-fluent-bit@sha256:{'b' * 64}"

definition = fleet.task(
    "fileflow-scheduler-download-prod",
    fleet.container("fileflow-scheduler-download", 9091),
    fleet.container("log-router", 24224, essential=False, image=ROUTER),
)
fleet.scheduler(task_definition=definition.arn)
