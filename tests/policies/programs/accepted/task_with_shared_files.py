"""A worker whose task mounts an encrypted file system."""

from tests.policies.programs import fleet

definition = fleet.task(
    "thumbnails",
    fleet.container("thumbnails", 8080),
    volumes=[
        {
            "name": "files",
            "efs_volume_configuration": {"file_system_id": "fs-1", "transit_encryption": "ENABLED"},
        }
    ],
)
fleet.service("thumbnails", task_definition=definition.arn)
