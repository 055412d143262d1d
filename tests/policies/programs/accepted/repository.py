"""An image repository as this project keeps it."""

import json

import pulumi_aws as aws

repository = aws.ecr.Repository(
    "images",
    image_tag_mutability="IMMUTABLE_WITH_EXCLUSION",
    image_tag_mutability_exclusion_filters=[{"filter": "*latest", "filter_type": "WILDCARD"}],
    image_scanning_configuration={"scan_on_push": True},
)
aws.ecr.LifecyclePolicy("old", repository=repository.name, policy=json.dumps({"rules": []}))
