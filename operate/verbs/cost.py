"""`cost`: what a month of the stack costs as it is configured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from operate.app import Session, verb
from operate.errors import SETTLED
from operate.pulumi_cli import settings_of
from operate.result import uncut

if TYPE_CHECKING:
    from tools import costs


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Fixed costs in US dollars a month, by the price list of a day."""

    stack: str
    region: str
    prices_of: str
    month: costs.Month
    total: float

    @property
    def exit_code(self) -> int:
        return SETTLED

    def human(self) -> RenderableType:
        table = uncut("", "US dollars a month")
        for name, dollars in vars(self.month).items():
            table.add_row(name.replace("_", " "), f"{dollars:8.2f}")
        table.add_row("together", f"{self.total:8.2f}", style="bold")
        return Group(
            # Not as the table's title and caption, which are broken to its width.
            Text(f"Stack {self.stack}, {self.region}, prices of {self.prices_of}"),
            table,
            Text("Without requests, traffic, logs and metrics: docs/costs.md", style="dim"),
        )


@verb()
def cost(session: Session) -> Cost:
    """Say what a month of the stack costs as it is configured, by the price list of Seoul."""
    # The prices are worked out from the settings, which bring the Pulumi SDK.
    from tools import costs

    month = costs.month(settings_of(session.stack.name, session.stack.folder))
    return Cost(
        stack=session.stack.name,
        region=costs.REGION,
        prices_of=costs.PRICES_OF,
        month=month,
        total=round(month.total, 2),
    )
