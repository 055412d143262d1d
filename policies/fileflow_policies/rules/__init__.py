"""All rules of the pack, one module per concern."""

from __future__ import annotations

from typing import Final

from ..rule import Rule
from . import scheduler_capacity, scheduler_count, scheduler_traffic

ALL_RULES: Final[tuple[Rule, ...]] = (
    *scheduler_count.catalogue.rules,
    *scheduler_traffic.catalogue.rules,
    *scheduler_capacity.catalogue.rules,
)
