"""Creates what the leases of a stack stand on: the stack's own table, and the guard's image.

Nothing is created where no scheduler has a lease. Doesn't own which scheduler has one, nor by what key.
"""

from __future__ import annotations

import pulumi

from components.image_repository import ImageRepository
from components.lease_table import LeaseTable
from components.names import Names
from components.service_image import ServiceImage
from composition import guard_architectures, guard_image_args, lease_table_args
from settings import Settings


def create_leases(settings: Settings, names: Names, repository: ImageRepository) -> pulumi.Output[str] | None:
    """The guard's image, which is there when the table is; None without a lease."""
    if not guard_architectures(settings):
        return None
    reference = ServiceImage("lease-guard", guard_image_args(settings, repository)).reference
    if all(each.lease.table_name for each in settings.schedulers if each.lease is not None):
        return reference
    table = LeaseTable(names.lease_table, lease_table_args(settings, names))
    # The name is known at preview, which the table's ARN isn't; whoever waits for it waits for the table.
    return pulumi.Output.all(reference, table.table_name).apply(lambda known: str(known[0]))
