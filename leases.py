"""Creates what the leases of a stack stand on: the stack's own table, and the guard's images.

Nothing is created where no scheduler has a lease. Doesn't own which scheduler has one, nor by what key.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.image_repository import ImageRepository
from components.lease_table import LeaseTable
from components.names import Names
from components.service_image import ServiceImage
from components.waiting import once
from composition import guard_architectures, guard_image_args, lease_table_args
from settings import Settings


def create_leases(
    settings: Settings, names: Names, repository: ImageRepository
) -> Mapping[str, pulumi.Output[str]]:
    """The guard's image by architecture, which is there when the table is; empty without a lease."""
    images = {
        architecture: ServiceImage(
            f"lease-guard-{architecture.lower()}", guard_image_args(settings, repository, architecture)
        ).reference
        for architecture in guard_architectures(settings)
    }
    if not settings.has_own_lease_table:
        return images
    table = LeaseTable(names.lease_table, lease_table_args(settings, names))
    return {architecture: once(image, table.table_name) for architecture, image in images.items()}
