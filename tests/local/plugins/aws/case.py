"""What a life of a type that is a table asks for, and what several rows name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.plugins.aws.documents import to_text
from tests.local.plugins.aws.life import Life

Aws = Callable[[str], Any]
Tamper = Callable[[Aws, Life], object]


@dataclass(frozen=True)
class Case:
    """`tampered` is what a refresh and an update put back after `tamper`.

    `needs` makes what must be there, and returns the arguments that name it. `replaced_by` are arguments that
    replace, `ends_with` are those without which it can't be deleted. What `stays` is put back by its deletion
    as it was.
    """

    token: str
    arguments: Mapping[str, Any]
    change: Mapping[str, Any] = field(default_factory=dict)
    tamper: Tamper = lambda _aws, _life: None
    tampered: Sequence[str] = ()
    replaced_by: Mapping[str, Any] = field(default_factory=dict)
    imported_by: Callable[[Life], str] = lambda life: life.id
    unknowable: tuple[str, ...] = ()
    ends_with: Mapping[str, Any] = field(default_factory=dict)
    needs: Callable[[Aws], Mapping[str, Any]] = lambda _aws: {}
    stays: bool = False


def policy(sid: str) -> str:
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": "*",
        "Action": "sqs:SendMessage",
        "Resource": "*",
    }
    return to_text({"Version": "2012-10-17", "Statement": [statement]})


def trust(service: str) -> str:
    principal = {"Service": f"{service}.amazonaws.com"}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    return to_text({"Version": "2012-10-17", "Statement": [statement]})


QUEUE = "arn:aws:sqs:ap-northeast-2:123456789012:work"
