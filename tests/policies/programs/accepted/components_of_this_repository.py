"""The two components as another program would use them."""

import pulumi_aws as aws

from components.options import Alarms, Placement
from components.scheduler_service import SchedulerService, SchedulerServiceArgs
from tests.policies.programs import fleet

cluster = fleet.cluster()
placement = Placement(vpc_id="vpc-1", private_subnet_ids=["subnet-1", "subnet-2"], cidr_block="10.0.0.0/16")
for name, port in (("download", 9091), ("pipeline", 9092)):
    SchedulerService(
        f"fileflow-scheduler-{name}",
        SchedulerServiceArgs(
            cluster_arn=cluster.arn,
            service_name=f"fileflow-scheduler-{name}",
            family=f"fileflow-scheduler-{name}-prod",
            image=f"registry.local/{name}@{fleet.DIGEST}",
            port=port,
            placement=placement,
            log_group_name=f"/aws/ecs/fileflow-scheduler-{name}",
            spot_opt_in=name == "pipeline",
            alarms=Alarms(topic_arns=["arn:aws:sns:ap-northeast-2:646886795421:alarms"]),
        ),
    )
aws.ecs.ClusterCapacityProviders("capacity", cluster_name=cluster.name, capacity_providers=["FARGATE_SPOT"])
