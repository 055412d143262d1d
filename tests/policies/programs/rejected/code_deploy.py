"""CodeDeploy deploys the scheduler."""

# rejected: scheduler-no-code-deploy on deploys
# rejected: scheduler-rolling-deployment on download

import pulumi_aws as aws

from tests.policies.programs import fleet

fleet.scheduler(deployment_controller={"type": "CODE_DEPLOY"})
aws.codedeploy.DeploymentGroup(
    "deploys",
    app_name="fileflow",
    deployment_group_name="deploys",
    service_role_arn="arn:aws:iam::1:role/deploy",
    ecs_service={"cluster_name": "fileflow-main", "service_name": "fileflow-scheduler-download"},
)
