"""A worker with three tasks and a declared role."""

from tests.policies.programs import fleet

fleet.service("thumbnails")
