"""What AWS refuses in a value, so that it is refused before anything is made.

Owns rules that one AWS page each states. Doesn't own rules of this project, nor the wording of a
mistake; see `validation`.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
import zoneinfo
from collections.abc import Iterable, Mapping

from components.validation import check_pattern, check_unique, refuse

MAXIMUM_TAGS = 50
"""Tags of a user that one resource can have.

Source: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
"""

MAXIMUM_TAG_VALUE = 256
"""Characters of a tag's value.

Source: https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html
"""

OWN_TAGS = 5
"""What the components add to a resource's tags at most: a scheduler's role, its opt-in for Spot, and of a
pause since when, until when and why.
"""


def check_tags(field: str, tags: Mapping[str, object]) -> None:
    """Refuses tags that a service of AWS refuses; each of them is put on resources of all services.

    IAM tells two keys that differ in case alone for one, so they are refused although others take them.
    Source: https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html,
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
    """
    if len(tags) > MAXIMUM_TAGS - OWN_TAGS:
        refuse(
            field,
            len(tags),
            f"a resource has up to {MAXIMUM_TAGS} tags, of which {OWN_TAGS} are the components' own",
            "Remove some.",
        )
    for key, value in tags.items():
        check_tag_text(f"{field}.{key}", "a tag's key", key, 128)
        if not key:
            refuse(f"{field}.{key}", key, "a tag has a key", "Name it.")
        if key.lower().startswith("aws:"):
            refuse(f"{field}.{key}", key, "keys that begin with aws: are AWS's own", "Rename it.")
        if isinstance(value, str):
            check_tag_text(f"{field}.{key}", "a tag's value", value, MAXIMUM_TAG_VALUE)
    check_unique(field, (key.lower() for key in tags), "a tag's key, in whatever case,")


def check_tag_text(field: str, what: str, text: str, limit: int) -> None:
    """Refuses a text that a tag of AWS can't have."""
    strange = {
        character
        for character in text
        if unicodedata.category(character)[0] not in "LZN" and character not in "_.:/=+-@"
    }
    if strange:
        refuse(
            field,
            text,
            f"{what} has letters, digits, spaces and '_.:/=+-@' only",
            f"Leave out {' '.join(sorted(map(repr, strange)))}.",
        )
    if len(text) > limit:
        refuse(field, text, f"{what} has up to {limit} characters", "Shorten it.")


def check_bucket_name(field: str, value: object) -> None:
    """Refuses a name that no general purpose bucket of S3 can have; an output is left to AWS.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    if isinstance(value, str):
        check_pattern(
            field,
            value,
            r"(?!xn--|sthree-|amzn-s3-demo-)(?!(\d{1,3}\.){3}\d{1,3}$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
            r"(?<!-s3alias)(?<!--ol-s3)(?<!\.mrap)(?<!--x-s3)(?<!--table-s3)",
            "a bucket's name has 3 to 63 lower-case letters, digits, '.' and '-', a letter or digit at both "
            "ends, no two dots in a row, and none of S3's own beginnings and endings",
            "Write the bucket's name alone, neither its ARN nor an s3:// address.",
        )


def check_table_name(field: str, value: str) -> None:
    """Refuses a name that no table of DynamoDB can have.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
    """
    check_pattern(
        field,
        value,
        r"[A-Za-z0-9_.-]{3,255}",
        "a table's name has 3 to 255 letters, digits, '_', '.' and '-'",
        "Rename it, for example fileflow-leases.",
    )


def check_log_prefix(field: str, value: str) -> None:
    """Refuses a prefix under which a load balancer delivers no logs.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """
    check_pattern(
        field,
        value,
        r"(?!.*AWSLogs)(?!.*//)[A-Za-z0-9!_.*'()-][A-Za-z0-9!_.*'()/-]{0,510}(?<!/)",
        'a prefix has letters, digits and "!-_.*\'()/", no slash at either end, and not AWSLogs, which the '
        "load balancer adds itself",
        "Write for example web-api.",
    )


def check_host_name(field: str, value: str) -> None:
    """Refuses a name for which ACM issues no certificate.

    The first name of a certificate has up to 64 characters.
    Source: https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
    """
    check_pattern(
        field,
        value,
        r"(?=.{1,64}$)(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
        "a host name has up to 64 characters: lower-case letters, digits and '-', in parts between dots",
        "Write for example files.example.com; another alphabet is written in Punycode (xn--…).",
    )


def check_hosted_zone_id(field: str, value: str) -> None:
    """Refuses what isn't the id of a zone of Route 53.

    Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_HostedZone.html
    """
    check_pattern(
        field,
        value,
        r"Z[A-Z0-9]{1,31}",
        "a hosted zone's id is a Z with capital letters and digits behind it",
        "Copy it from Route 53; the zone's name is none.",
    )


def check_health_check_path(field: str, value: str) -> None:
    """Refuses a path that a target group refuses.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
    """
    check_pattern(
        field,
        value,
        r"/[!-~]{0,1023}",
        "a path begins with '/' and has up to 1024 characters, none of them a space",
        "Write for example /actuator/health.",
    )


def check_matcher(field: str, value: str) -> None:
    """Refuses HTTP codes that an Application Load Balancer doesn't take for healthy.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Matcher.html
    """
    parts = [part.split("-") for part in value.split(",")]
    numbers = [[int(code) for code in part if re.fullmatch(r"[0-9]{3}", code)] for part in parts]
    right = all(
        len(codes) == len(part) in (1, 2) and codes == sorted(codes) and 200 <= codes[0] <= codes[-1] <= 499
        for part, codes in zip(parts, numbers, strict=True)
    )
    if not right:
        refuse(
            field,
            value,
            "healthy codes are from 200 to 499, several of them between commas, or a range",
            "Write for example 200, 200,202 or 200-299.",
        )


def check_schedule(field: str, value: str) -> None:
    """Refuses a time that Application Auto Scaling can't read.

    Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html,
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
    """
    match = re.fullmatch(r"(cron|rate|at)\(([ -~]*)\)", value)
    kind, inner = (match[1], match[2]) if match else ("", "")
    if kind == "cron":
        _check_cron(field, value, inner.split())
    elif kind == "rate":
        if not re.fullmatch(r"1 (minute|hour|day)|(?!1 |0)\d{1,6} (minutes|hours|days)", inner):
            refuse(
                field,
                value,
                "a rate is a number above 0 and its unit: minute, hour or day for 1, else in the plural",
                "Write for example rate(1 hour) or rate(6 hours).",
            )
    elif kind == "at":
        # Its digits only: whether there is a 30 February, AWS says at once.
        if not re.fullmatch(
            r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d", inner
        ):
            refuse(
                field,
                value,
                "a moment is at(yyyy-mm-ddThh:mm:ss)",
                "Write for example at(2027-01-31T09:00:00).",
            )
    else:
        refuse(
            field,
            value,
            "a schedule is cron(…), rate(…) or at(…)",
            "Write for example cron(0 9 * * ? *).",
        )


_MONTHS = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
_DAYS = "SUN|MON|TUE|WED|THU|FRI|SAT"


def _list_of(one: str) -> str:
    """A cron field of one value, a range or a list of them, each with a step."""
    item = rf"(\*|({one})(-({one}))?)(/[1-9]\d?)?"
    return rf"{item}(,{item})*"


_DAY_OF_MONTH = r"0?[1-9]|[12]\d|3[01]"
_CRON_FIELDS = (
    ("minutes", _list_of(r"[0-5]?\d")),
    ("hours", _list_of(r"[01]?\d|2[0-3]")),
    ("day of month", rf"\?|L|({_DAY_OF_MONTH})W|{_list_of(_DAY_OF_MONTH)}"),
    ("month", _list_of(rf"0?[1-9]|1[0-2]|{_MONTHS}")),
    ("day of week", rf"\?|L|([1-7]|{_DAYS})(L|#[1-5])|{_list_of(f'[1-7]|{_DAYS}')}"),
    ("year", _list_of(r"19[7-9]\d|20\d\d|21\d\d")),
)


def _check_cron(field: str, value: str, fields: list[str]) -> None:
    if len(fields) != len(_CRON_FIELDS):
        refuse(
            field,
            value,
            "a cron expression of AWS has six fields: minutes, hours, day of month, month, day of week, year",
            "Write for example cron(0 9 * * ? *).",
        )
        return
    for text, (name, pattern) in zip(fields, _CRON_FIELDS, strict=True):
        if not re.fullmatch(pattern, text, re.IGNORECASE | re.ASCII):
            refuse(
                field, value, f"its {name} {text!r} can't be", "Correct it: for example cron(0 9 * * ? *)."
            )
            return
    if (fields[2] == "?") == (fields[4] == "?"):
        refuse(
            field,
            value,
            "either the day of month or the day of week is '?'",
            "Write for example cron(0 9 * * ? *) or cron(0 9 ? * MON-FRI *).",
        )


def check_timezone(field: str, value: str) -> None:
    """Refuses a time zone that isn't in IANA's list.

    Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html
    """
    if value != "UTC" and value not in zoneinfo.available_timezones():
        refuse(field, value, "there is no such time zone", "Write it as IANA does, for example Asia/Seoul.")


def check_scheduled_action_name(field: str, value: str) -> None:
    """Refuses a name that Application Auto Scaling refuses.

    Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html
    """
    check_pattern(
        field,
        value,
        r"(?! )[^\x00-\x1f\x7f-\x9f:/|]{1,256}(?<! )",
        "a schedule's name has 1 to 256 characters, none of them ':', '/' or '|'",
        "Rename it, for example morning.",
    )


PRIVATE_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
"""Where a VPC's range lies: what RFC 1918 and RFC 6598 keep out of the internet.

The policy pack takes no other range for one inside a VPC. AWS recommends it too.
Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
"""


def is_private_range(value: str) -> bool:
    """Whether nobody on the internet has an address in this range."""
    network = ipaddress.IPv4Network(value, strict=False)
    return any(network.subnet_of(ipaddress.IPv4Network(each)) for each in PRIVATE_RANGES)


def check_private_range(field: str, value: str) -> None:
    """Refuses a VPC's range that belongs to somebody on the internet."""
    if not is_private_range(value):
        refuse(
            field,
            value,
            f"a VPC's range is a private one, out of {', '.join(PRIVATE_RANGES)}",
            "Choose for example 10.20.0.0/16.",
        )


def check_resource_ids(field: str, values: Iterable[str], prefix: str) -> None:
    """Refuses what isn't an id of EC2, and one that stands twice.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html
    """
    known = list(values)
    for value in known:
        check_pattern(
            field,
            value,
            rf"{prefix}-[a-z0-9]{{1,17}}",
            f"an id here is {prefix}- with letters and digits behind it",
            "Copy it from the console; a name is none.",
        )
    check_unique(field, known, "an id")
