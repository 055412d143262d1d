"""The count of the web service is left to autoscaling."""

import pulumi

from tests.policies.programs import fleet

fleet.service(
    "fileflow-web-api",
    port=8083,
    role="web-api",
    opts=pulumi.ResourceOptions(ignore_changes=["desired_count"]),
)
