"""What a stack's file says of leases: the scheduler's part, and the stack's."""

from __future__ import annotations

from pydantic import model_validator

from components.lease import Lease
from components.validation import all_mistakes, refuse
from settings.values import Section

EXAMPLE_IMAGE = f"example@sha256:{'0' * 64}"


class LeaseSettings(Section):
    """The lease that a scheduler holds while it works. `{}` is one by its name in the stack's table.

    Stacks that share a database share a table, by `table_name`, and there a `key` that names the database.
    `entry_point` is what the guard starts: by default ENTRYPOINT and CMD of the Dockerfile where images are
    built, and `/cnb/process/web` where a buildpack made them elsewhere; of other images it has to be said.
    """

    table_name: str | None = None
    key: str | None = None
    entry_point: list[str] | None = None
    duration_seconds: int = 60

    @model_validator(mode="after")
    @all_mistakes
    def _check(self) -> LeaseSettings:
        if self.table_name is not None and self.key is None:
            refuse(
                "lease.key",
                None,
                "in a table of several stacks a lease is called by what it protects",
                "Name the database and the scheduler, for example fileflow-db/download.",
            )
        Lease(
            table_name="example" if self.table_name is None else self.table_name,
            key="example" if self.key is None else self.key,
            guard_image=EXAMPLE_IMAGE,
            entry_point=["example"] if self.entry_point is None else self.entry_point,
            duration_seconds=self.duration_seconds,
        )
        return self


class LeasesSettings(Section):
    """The stack's own table of leases, which is there where a scheduler's lease names none, and the guard.

    With `images.source: build` the guard's image is built of `context` (`guard`) by `dockerfile`
    (`guard/Dockerfile`).
    """

    context: str | None = None
    dockerfile: str | None = None
    deletion_protection: bool = True
    point_in_time_recovery: bool = False
