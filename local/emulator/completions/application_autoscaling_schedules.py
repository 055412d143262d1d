"""Application Auto Scaling's scheduled actions.

Owns what is stored of them, and the schedules that AWS can't read. Deliberately does nothing at their times.
Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html
"""

from __future__ import annotations

import re
import zoneinfo

from local.emulator.completions.application_autoscaling_records import Kind, Record, invalid, required
from local.emulator.completions.patching import Request
from local.emulator.completions.protocols import Action

_SCHEDULE = re.compile(
    r"^(rate\(\d+ (minute|hour|day)s?\)|cron\(\S+( \S+){5}\)|at\(\d{4}-\d{2}-\d{2}T[\d:]{5,8}\))$"
)
_MEMBERS = ("Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction")

SCHEDULED_ACTIONS = Kind("scheduled action", "ScheduledActionName", "ScheduledActions")


def _put_scheduled_action(request: Request) -> Record:
    known = SCHEDULED_ACTIONS.find(request)
    if known is None:
        required(request, "Schedule")
    _check_schedule(request)
    action = known or SCHEDULED_ACTIONS.new(request)
    action |= {member: request[member] for member in _MEMBERS if member in request}
    SCHEDULED_ACTIONS.put(request, action)
    return {}


def _check_schedule(request: Request) -> None:
    """Refuses a schedule and a time zone that AWS refuses.

    Source: https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
    """
    schedule, zone = request.get("Schedule"), request.get("Timezone")
    if schedule is not None and not _SCHEDULE.match(schedule):
        raise invalid(f"Schedule {schedule!r} must have the form at(…), rate(VALUE UNIT) or cron(SIX FIELDS)")
    if schedule is not None and schedule.startswith("cron("):
        _, _, day_of_month, _, day_of_week, _ = schedule[5:-1].split()
        if (day_of_month == "?") == (day_of_week == "?"):
            raise invalid(f"Schedule {schedule!r} must have a ? in exactly one of its two fields for the day")
    if zone is not None and zone not in zoneinfo.available_timezones():
        raise invalid(f"Time zone {zone!r} is not supported")


ACTIONS: dict[str, Action] = {
    "PutScheduledAction": _put_scheduled_action,
    "DescribeScheduledActions": SCHEDULED_ACTIONS.describe,
    "DeleteScheduledAction": SCHEDULED_ACTIONS.delete,
}
