"""A load balancer on the service."""

# rejected: scheduler-no-load-balancer on download

from tests.policies.programs import fleet

fleet.scheduler(
    load_balancers=[
        {
            "target_group_arn": fleet.target_group("web").arn,
            "container_name": "fileflow-scheduler-download",
            "container_port": 9091,
        }
    ]
)
