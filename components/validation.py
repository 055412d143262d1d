"""Rules on plain values, and the one error that reports a broken rule.

Owns the checks that need nothing but the value. Doesn't own where a value comes from: the settings
add the file and the key, the components add the argument's name.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import TypeVar

from components.credentials import credential_in_command, exposed_credential

_JSON_KEY_STAGE_AND_VERSION = r"(:[^:\s]*:[^:\s]*:[^:\s]*)?"
SECRET_REFERENCE = re.compile(
    r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[^:\s]+" + _JSON_KEY_STAGE_AND_VERSION + "|"
    r"arn:aws[a-z-]*:ssm:[a-z0-9-]+:\d{12}:parameter/\S+|"
    r"secretsmanager:[A-Za-z0-9/_+=.@-]{1,512}" + _JSON_KEY_STAGE_AND_VERSION + "|"
    r"ssm:/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*"
)
"""How a secret is named: by the ARN that ECS accepts as `valueFrom`, or by its name behind its service's.

ECS wants all three of JSON key, version stage and version id behind a secret, or none; each may be empty.
Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
"""

RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""The periods that CloudWatch Logs knows.

Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
"""

FARGATE_MEMORY_MIB: Mapping[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}
"""Memory in MiB that Fargate offers for each number of CPU units.

Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
"""


class InvalidArgumentError(ValueError):
    """A value that breaks a rule: which field, which value, which rule, and how to mend it.

    Where a group breaks several rules, `mistakes` has all of them, the first one included.
    """

    def __init__(self, field: str, value: object, rule: str, fix: str) -> None:
        self.field = field
        self.value = value
        self.rule = rule
        self.fix = fix
        self.mistakes: Sequence[InvalidArgumentError] = (self,)
        super().__init__(f"{field} is {value!r}, but {rule}. {fix}")

    def __str__(self) -> str:
        return "\n".join(str(each.args[0]) for each in self.mistakes)


_Group = TypeVar("_Group")
_Result = TypeVar("_Result")

_found: ContextVar[list[InvalidArgumentError] | None] = ContextVar("_found", default=None)
"""The mistakes of the group that is being checked, or None outside of `all_mistakes`."""


def refuse(field: str, value: object, rule: str, fix: str) -> None:
    """Reports a broken rule: raises it, or, within `all_mistakes`, goes on to find the other ones too."""
    error = InvalidArgumentError(field, value, rule, fix)
    found = _found.get()
    if found is None:
        raise error
    found.append(error)


def all_mistakes(check: Callable[[_Group], _Result]) -> Callable[[_Group], _Result]:
    """Has a group's check raise all broken rules at once, and not the first alone."""

    @functools.wraps(check)
    def checked(group: _Group) -> _Result:
        mistakes: list[InvalidArgumentError] = []
        outer = _found.set(mistakes)
        try:
            return_value = check(group)
        except InvalidArgumentError as error:
            mistakes += error.mistakes
        except (ValueError, TypeError, LookupError):
            # A later check may trip over a value that an earlier one has refused already.
            if not mistakes:
                raise
        finally:
            _found.reset(outer)
        if mistakes:
            mistakes[0].mistakes = tuple(mistakes)
            raise mistakes[0] from None
        return return_value

    return checked


class Hidden:
    """Stands for a value that must not be printed."""

    def __repr__(self) -> str:
        return "[hidden]"


HIDDEN = Hidden()


def _last(field: str) -> str:
    """The field itself: the settings write other groups before it than the components do."""
    return field.rsplit(".", 1)[-1]


def check_range(field: str, value: int, minimum: int, maximum: int, what: str) -> None:
    """Refuses a number outside `minimum` to `maximum`, both included."""
    if not minimum <= value <= maximum:
        refuse(
            field, value, f"{what} is from {minimum} to {maximum}", f"Set {_last(field)} within that range."
        )


def check_choice(field: str, value: object, choices: Iterable[object], what: str) -> None:
    """Refuses a value that is none of `choices`."""
    known = list(choices)
    if value not in known:
        listed = ", ".join(str(choice) for choice in known)
        refuse(field, value, f"{what} is one of {listed}", f"Choose one of them for {_last(field)}.")


def check_port(field: str, value: int) -> None:
    """Refuses a TCP port that a non-root process can't listen on, or that doesn't exist."""
    check_range(field, value, 1024, 65535, "a port that a non-root container can open")


def check_task_size(cpu_field: str, cpu: int, memory_field: str, memory_mib: int) -> None:
    """Refuses a pair of CPU units and MiB that Fargate doesn't offer."""
    check_choice(cpu_field, cpu, FARGATE_MEMORY_MIB, "the CPU units of a Fargate task")
    offered = FARGATE_MEMORY_MIB.get(cpu, ())
    if offered and memory_mib not in offered:
        steps = f"{offered[0]} to {offered[-1]} in steps of {offered[-1] - offered[-2]}"
        listed = ", ".join(map(str, offered)) if len(offered) <= 4 else steps
        refuse(
            memory_field,
            memory_mib,
            f"Fargate offers {listed} MiB with {cpu} CPU units",
            f"Choose one of these for {memory_field}, or another {cpu_field}.",
        )


def check_retention_days(field: str, value: int) -> None:
    """Refuses a log retention that CloudWatch Logs doesn't know."""
    check_choice(field, value, RETENTION_DAYS, "the retention of a log group in days")


def check_pattern(field: str, value: str, pattern: str, rule: str, fix: str) -> None:
    """Refuses a text that doesn't match `pattern`, with ASCII's digits and letters, from end to end."""
    if not re.fullmatch(pattern, value, re.ASCII):
        refuse(field, value, rule, fix)


VARIABLE_NAME = r"[A-Za-z_][A-Za-z0-9_.\[\]-]*"
"""What ECS takes for a variable's name; Spring's canonical form has dots, dashes and indices.

Source: https://docs.spring.io/spring-boot/reference/features/external-config.html
"""


def check_variable_names(field: str, names: Iterable[str]) -> None:
    """Refuses a name that no process could have in its environment."""
    for name in names:
        check_pattern(
            field,
            name,
            VARIABLE_NAME,
            "a variable's name begins with a letter or '_' and goes on with letters, digits and '_.-[]'",
            f"Rename {name!r}.",
        )


def check_environment(field: str, environment: Mapping[str, object]) -> None:
    """Refuses a plain variable that exposes a credential by its name or its value; never prints one."""
    check_variable_names(field, environment)
    for name, value in environment.items():
        exposed = exposed_credential(name, value)
        if exposed is not None:
            refuse(
                f"{field}.{name}",
                HIDDEN,
                f"it {exposed}, which would stand readable in the task definition",
                f"Keep it in Secrets Manager and name its ARN under secrets.{name}.",
            )


def check_command(field: str, words: Sequence[str]) -> None:
    """Refuses a command line that holds a credential; never prints one."""
    held = credential_in_command(words)
    if held is not None:
        refuse(
            field,
            HIDDEN,
            f"it holds {held}, which would stand readable in the task definition",
            "Keep it in Secrets Manager, name its ARN under secrets, and the variable in the command.",
        )


def check_entry_point(field: str, words: Sequence[str]) -> None:
    """Refuses a command that holds a credential, and a whole line in a program's place: no shell reads it."""
    check_command(field, words)
    if words and not re.fullmatch(r"\S+", words[0]):
        refuse(
            field,
            list(words),
            "its first word is a program, looked for by all of that name",
            f"Make each argument a word of its own: {words[0].split()}.",
        )


def check_secret_reference(field: str, value: str) -> None:
    """Refuses a secret that isn't a reference; what may be the secret itself is never printed."""
    if not SECRET_REFERENCE.fullmatch(value):
        refuse(
            field,
            HIDDEN,
            "a secret is named by its ARN or its name: secretsmanager:NAME, with :JSON_KEY:: behind it for "
            "one value of several, or ssm:NAME for a parameter",
            "Store the value there and put the reference here.",
        )


_ARNS: Mapping[str, tuple[str, str]] = {
    "acm": (r"[a-z0-9-]+:\d{12}:certificate/[A-Za-z0-9-]+", "a certificate of acm"),
    "iam certificate": (r":\d{12}:server-certificate/[A-Za-z0-9_+=,.@/-]+", "a server certificate of iam"),
    "iam": (r":(\d{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+", "a policy of iam"),
    "kms": (r"[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+", "a key of kms, not of its alias"),
    "sns": (r"[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}", "a standard topic of sns"),
    "wafv2": (
        r"[a-z0-9-]+:\d{12}:regional/webacl/[A-Za-z0-9_-]{1,128}/[A-Za-z0-9-]+",
        "a regional web ACL of wafv2",
    ),
    "s3": (r"::[a-z0-9][a-z0-9.-]+/\S+", "an object in s3"),
}
"""What stands behind the service in an ARN: region, account and resource; others have any of each.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""


def check_arn(field: str, value: object, *services: str) -> None:
    """Refuses a text that isn't an ARN of one of the AWS services `services`; an output is left to AWS.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
    """
    if isinstance(value, str):
        known = {
            each: _ARNS.get(each, (r"[a-z0-9-]*:(\d{12}|aws)?:\S+", f"a resource of {each}"))
            for each in services
        }
        pattern = "|".join(f"{service.split()[0]}:{rest}" for service, (rest, _) in known.items())
        check_pattern(
            field,
            value,
            rf"arn:aws(-[a-z-]+)?:({pattern})",
            f"it is the ARN of {' or '.join(what for _, what in known.values())}",
            "Copy the whole ARN from AWS.",
        )


def check_arns(field: str, values: Iterable[object], service: str) -> None:
    """Refuses a list in which an ARN is of another service, or stands twice."""
    known = list(values)
    for index, value in enumerate(known):
        check_arn(f"{field}.{index}", value, service)
    check_unique(field, (value for value in known if isinstance(value, str)), "an ARN")


def check_image(field: str, value: object) -> None:
    """Refuses an image that is named by a tag alone, which can name something else tomorrow."""
    if isinstance(value, str):
        check_pattern(
            field,
            value,
            r"\S+@sha256:[0-9a-f]{64}",
            "an image is named by its digest",
            "Write REGISTRY/NAME@sha256:… (64 hexadecimal digits).",
        )


def check_cidr_block(field: str, value: str) -> ipaddress.IPv4Network | None:
    """Refuses what isn't an IPv4 range, and one whose address has bits beyond its prefix."""
    try:
        return ipaddress.IPv4Network(value)
    except ValueError:
        refuse(
            field,
            value,
            "it is an IPv4 range whose address has no bits beyond its prefix",
            "Write for example 10.0.0.0/8.",
        )
        return None


def check_unique(field: str, values: Iterable[object], what: str) -> None:
    """Refuses a value that stands twice."""
    seen: set[object] = set()
    for value in values:
        if value in seen:
            refuse(field, value, f"{what} is used twice", "Give each one its own.")
        seen.add(value)


def check_service_names(service_name: str, family: str, container_name: str | None, log_group: str) -> None:
    """Refuses names that ECS and CloudWatch Logs refuse.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html,
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
    """
    for name, value in (
        ("service_name", service_name),
        ("family", family),
        ("container_name", container_name),
    ):
        if value is None:
            continue
        check_pattern(
            name,
            value,
            r"[A-Za-z0-9_-]{1,255}",
            "it has up to 255 letters, digits, '_' and '-'",
            f"Shorten or rename {name}.",
        )
    check_pattern(
        "log_group_name",
        log_group,
        r"[A-Za-z0-9_/.#-]{1,512}",
        "it has up to 512 letters, digits, '_', '-', '/', '.' and '#'",
        "Shorten or rename log_group_name.",
    )
