"""An architecture diagram of a stack, from its own state: `make diagram`.

Pure but for the state that it reads. Draws what a reader asks first: who is reached from where, what runs
exactly once, and where images, logs, alarms and leases are. Doesn't draw every resource:
`pulumi stack graph` does.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from operate.errors import OperateError
from operate.stack import Service, Stack, read_stack

PAGE = Path(__file__).parents[1] / "docs" / "architecture.svg"
WIDTH = 960
CARD_HEIGHT = 64
GAP = 16
LEFT, CENTRE, RIGHT = 24, 250, 684
CARD_WIDTH, SIDE_WIDTH, BALANCER_WIDTH = 350, 246, 150

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.small { font-size: 11px; fill: #57606a }
.box { fill: #ffffff; stroke: #8c959f }
.area { fill: none; stroke: #8c959f; stroke-dasharray: 5 4 }
.once { fill: #fff8c5; stroke: #9a6700 }
.many { fill: #ddf4ff; stroke: #0969da }
.way { stroke: #57606a; fill: none; marker-end: url(#end) }
"""


@dataclass(frozen=True, kw_only=True)
class Card:
    """One box: a title, and a line below it."""

    title: str
    line: str
    kind: str = "box"


def service_cards(stack: Stack) -> list[Card]:
    """The services, with how many of each run."""
    limits = {
        str(each.get("resourceId", "")).rpartition("/")[2]: (each.get("minCapacity"), each.get("maxCapacity"))
        for each in stack.of_type("aws:appautoscaling/target:Target")
    }
    return [_service_card(each, limits.get(each.name)) for each in stack.services]


def _service_card(service: Service, limits: tuple[Any, Any] | None) -> Card:
    ports = [str(each["containerPort"]) for each in service.containers[0].get("portMappings", ())]
    where = f" · port {', '.join(ports)}" if ports else ""
    if service.is_scheduler:
        return Card(title=service.name, line=f"exactly 1 task{where} · from inside the VPC only", kind="once")
    count = f"{limits[0]} to {limits[1]} tasks" if limits else f"{service.desired_count} tasks"
    return Card(title=service.name, line=f"{count}{where}", kind="many")


def side_cards(stack: Stack) -> list[Card]:
    """What the services rest on, outside of the VPC; only what the stack has."""
    repositories = [each["name"] for each in stack.of_type("aws:ecr/repository:Repository")]
    topics = [each["name"] for each in stack.of_type("aws:sns/topic:Topic")]
    tables = [each["name"] for each in stack.of_type("aws:dynamodb/table:Table")]
    return [
        *(Card(title=f"ECR {name}", line="images, by their digests") for name in repositories),
        Card(title="CloudWatch", line="logs, metrics, dashboard, alarms"),
        *(Card(title=f"SNS {name}", line="tells people of alarms") for name in topics),
        *(Card(title=f"DynamoDB {name}", line="leases: which task may work") for name in tables),
    ]


def svg(stack: Stack) -> str:
    """The picture, as tall as it has to be."""
    services, side = service_cards(stack), side_cards(stack)
    rows = max(len(services), len(side))
    top = 96
    height = top + rows * (CARD_HEIGHT + GAP) + 40
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(_spoken(services, side))}">',
        f"<style>{STYLE}</style>",
        '<defs><marker id="end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#57606a"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{height}" fill="#f6f8fa"/>',
        *_area(LEFT - 12, 36, CENTRE + CARD_WIDTH - LEFT + 36, height - 52, "VPC"),
        *_area(
            CENTRE - 12, 60, CARD_WIDTH + 24, height - 88, f"ECS cluster {_cluster(stack)}, private subnets"
        ),
        *_area(RIGHT - 12, 60, SIDE_WIDTH + 24, height - 88, "AWS, by its own services"),
        *_placed(services, CENTRE, CARD_WIDTH, top),
        *_placed(side, RIGHT, SIDE_WIDTH, top),
        *_entrance(stack, top),
        _way(CENTRE + CARD_WIDTH + 12, _middle(top, 0), RIGHT - 12, _middle(top, 0)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _cluster(stack: Stack) -> str:
    return stack.services[0].cluster


def _spoken(services: Sequence[Card], side: Sequence[Card]) -> str:
    return "; ".join(f"{each.title}: {each.line}" for each in (*services, *side))


def _area(x: int, y: int, width: int, height: int, title: str) -> Iterator[str]:
    yield f'<rect class="area" x="{x}" y="{y}" width="{width}" height="{height}" rx="10"/>'
    yield f'<text class="small" x="{x + 10}" y="{y + 16}">{escape(title)}</text>'


def _placed(cards: Sequence[Card], x: int, width: int, top: int) -> Iterator[str]:
    for row, card in enumerate(cards):
        y = top + row * (CARD_HEIGHT + GAP)
        yield f'<rect class="{card.kind}" x="{x}" y="{y}" width="{width}" height="{CARD_HEIGHT}" rx="6"/>'
        yield f'<text class="title" x="{x + 12}" y="{y + 26}">{escape(card.title)}</text>'
        yield f'<text class="small" x="{x + 12}" y="{y + 46}">{escape(card.line)}</text>'


def _entrance(stack: Stack, top: int) -> Iterator[str]:
    """From where the load balancer is reached to the services behind it."""
    balancers = stack.of_type("aws:lb/loadBalancer:LoadBalancer")
    behind = [row for row, each in enumerate(stack.services) if each.target_group_arns]
    if not balancers or not behind:
        return
    ports = sorted({str(each["port"]) for each in stack.of_type("aws:lb/listener:Listener")}, key=int)
    inside = bool(balancers[0].get("internal"))
    y = top + behind[0] * (CARD_HEIGHT + GAP)
    subnets = "private" if inside else "public"
    said = f"port{'s' if len(ports) > 1 else ''} {', '.join(ports)}"
    card = Card(title="Load balancer", line=f"{said} · {subnets} subnets")
    yield from _placed([card], LEFT, BALANCER_WIDTH + 20, y)
    yield f'<text class="small" x="{LEFT + 12}" y="24">{"The VPC" if inside else "Internet"}</text>'
    yield _way(LEFT + 85, 28, LEFT + 85, y)
    for row in behind:
        yield _way(LEFT + BALANCER_WIDTH + 20, y + CARD_HEIGHT // 2, CENTRE, _middle(top, row))


def _middle(top: int, row: int) -> int:
    return top + row * (CARD_HEIGHT + GAP) + CARD_HEIGHT // 2


def _way(x: int, y: int, to_x: int, to_y: int) -> str:
    return f'<path class="way" d="M{x} {y} L{to_x} {to_y}"/>'


def main() -> None:
    """Writes the diagram of a stack."""
    parser = argparse.ArgumentParser(description="Draw a stack from its own state.")
    parser.add_argument("--stack", help="the stack; without it the selected one")
    parser.add_argument("--output", type=Path, default=PAGE, help="where to write the SVG")
    options = parser.parse_args()
    try:
        stack = read_stack(options.stack, Path())
    except OperateError as error:
        sys.exit(f"diagram: {error}")
    options.output.write_text(svg(stack), encoding="utf-8")
    print(f"wrote {options.output}")


if __name__ == "__main__":
    main()
