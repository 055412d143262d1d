"""`scrape-config`: what Prometheus needs to find the Actuators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from operate.app import Session, verb
from operate.errors import SETTLED
from operate.prometheus import scrape_configuration
from operate.result import written


@dataclass(frozen=True, kw_only=True)
class ScrapeConfiguration:
    """The configuration, and each service's port in it."""

    ports: Mapping[str, int]
    configuration: str
    written_to: str | None

    @property
    def exit_code(self) -> int:
        return SETTLED

    def human(self) -> str:
        return f"Wrote {self.written_to}." if self.written_to else self.configuration.rstrip()


@verb()
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to a file instead of printing it.",
)
def scrape_config(session: Session, output: Path | None) -> ScrapeConfiguration:
    """Print the Prometheus scrape configuration of all services, usable as it is inside the VPC."""
    ports = {
        service.name: mapping["containerPort"]
        for service in session.stack.services
        for container in service.containers[:1]
        for mapping in container.get("portMappings", [])[:1]
    }
    cluster = session.stack.services[0].cluster_arn
    text = scrape_configuration(session.aws.region, cluster, ports)
    if output is not None:
        written(output, text)
    return ScrapeConfiguration(
        ports=ports, configuration=text, written_to=None if output is None else str(output)
    )
