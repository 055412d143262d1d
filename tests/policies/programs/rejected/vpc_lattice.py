"""VPC Lattice instead of a load balancer."""

# rejected: scheduler-no-load-balancer on download

from tests.policies.programs import fleet

fleet.scheduler(
    vpc_lattice_configurations=[
        {"role_arn": "arn:aws:iam::1:role/lattice", "target_group_arn": "arn", "port_name": "actuator"}
    ]
)
