"""Blue/green on the web service, which may well run two versions."""

from tests.policies.programs import fleet

fleet.service(
    "fileflow-web-api",
    port=8083,
    role="web-api",
    deployment_configuration={"strategy": "BLUE_GREEN", "bake_time_in_minutes": 10},
    deployment_circuit_breaker=None,
    load_balancers=[
        {
            "target_group_arn": fleet.target_group("blue").arn,
            "container_name": "fileflow-web-api",
            "container_port": 8083,
            "advanced_configuration": {
                "alternate_target_group_arn": fleet.target_group("green").arn,
                "production_listener_rule": "arn",
                "role_arn": "arn",
            },
        }
    ],
)
