"""Programs that start work at set times, so that two of them start it twice.

Owns the list of known clocks and how a command line shows one: celery beat, Laravel's schedule:work,
clockwork, rqscheduler, Airflow's scheduler, supercronic and their like, a Spring profile, a program or JAR
that is called a scheduler. Deliberately not here: what a service is then held to, and names of resources.

Every search looks at each word once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

# Programs that are clocks whatever their arguments say.
_PROGRAMS: Final = {
    "supercronic": "supercronic runs a crontab",
    "crond": "crond runs a crontab",
    "cron": "cron runs a crontab",
    "anacron": "anacron runs a crontab",
    "yacron": "yacron runs a crontab",
    "go-crond": "go-crond runs a crontab",
    "ofelia": "ofelia runs jobs at set times",
    "chadburn": "chadburn runs jobs at set times",
    "clockwork": "clockwork starts jobs at set times",
    "clockworkd": "clockwork starts jobs at set times",
    "rqscheduler": "rqscheduler enqueues jobs at set times",
    "rq-scheduler": "rqscheduler enqueues jobs at set times",
    "periodiq": "periodiq enqueues jobs at set times",
    "crono": "crono starts jobs at set times",
    "dagster-daemon": "dagster-daemon starts schedules",
    "resque-scheduler": "resque-scheduler enqueues jobs at set times",
    "runapscheduler": "APScheduler starts jobs at set times",
    "apscheduler": "APScheduler starts jobs at set times",
    "agenda-scheduler": "agenda starts jobs at set times",
}
_ARGUMENTS: Final = {
    "schedule:work": "schedule:work starts jobs at set times",
    "schedule:run": "schedule:run starts the jobs that are due",
    "schedule:daemon": "schedule:daemon starts jobs at set times",
    "schedule/run": "schedule/run starts the jobs that are due",
    "short-schedule:run": "short-schedule:run starts jobs at set times",
    "resque:scheduler": "resque:scheduler enqueues jobs at set times",
    "jobs:clock": "jobs:clock starts jobs at set times",
}
# A program, and an argument behind it.
_PAIRS: Final = {
    ("celery", "beat"): "celery beat sends tasks at set times",
    ("celery", "-b"): "celery -B sends tasks at set times beside its worker",
    ("celery", "--beat"): "celery --beat sends tasks at set times beside its worker",
    ("airflow", "scheduler"): "airflow scheduler starts workflows",
    ("airflow", "standalone"): "airflow standalone brings a scheduler",
    ("prefect", "scheduler"): "Prefect's scheduler starts flows",
    ("sidekiq", "scheduler"): "sidekiq-scheduler enqueues jobs at set times",
    ("rails", "solid_queue:scheduler"): "Solid Queue's scheduler enqueues jobs at set times",
    ("messenger:consume", "scheduler_default"): "Symfony's scheduler sends messages at set times",
}
_SERVERS: Final = frozenset(
    {
        *("uvicorn", "gunicorn", "hypercorn", "daphne", "granian", "flask", "puma", "unicorn", "nginx"),
        *("httpd", "apache2-foreground", "caddy", "php-fpm", "next", "serve", "http-server"),
    }
)
"""Web servers: a module of theirs that is called a scheduler answers requests."""

_PLACES: Final = re.compile(r"[\s;&|()'\"`,=\[\]{}]+")
_RUNNERS: Final = frozenset(
    {
        *("java", "python", "python3", "python2", "node", "nodejs", "ts-node", "tsx", "bun", "deno", "ruby"),
        *("php", "perl", "dotnet", "mono", "go", "poetry", "pipenv", "uv", "bundle", "exec", "run", "npm"),
        *("yarn", "pnpm", "npx", "sh", "bash", "ash", "dash", "tini", "dumb-init", "env", "sudo", "gosu"),
        *("su-exec", "nice", "rake", "rails", "manage.py", "make", "catchsegv", "ddtrace-run", "xargs"),
        *("opentelemetry-instrument", "newrelic-admin", "run-program", "start", "time", "timeout"),
    }
)
_INTRODUCING: Final = frozenset({"-m", "-jar", "--", "--module", "-c", "-lc", "-ec", "exec"})
"""Options and words behind which a program, a module or a JAR is named."""

_CLOCK_STEMS: Final = frozenset({"cron", "crontab", "clock", "beat", "scheduler", "schedulers", "quartz"})
_SUFFIX: Final = re.compile(r"\.(?:jar|war|dll|exe|py|pyc|js|mjs|cjs|ts|rb|php|sh|pl|exs|bin)$")
_VERSION: Final = re.compile(r"[-_.]v?[0-9][0-9a-z.+_-]*$")
_PROFILES: Final = ("spring.profiles.active", "spring_profiles_active")
_APPLICATION: Final = ("spring.application.name", "spring_application_name")
# By which images of many parts are told which part to be, as in Laravel's and Django's images.
_PART_VARIABLES: Final = frozenset(
    {
        *("CONTAINER_ROLE", "CONTAINER_MODE", "APP_ROLE", "APP_MODE", "APP_TYPE", "APP_PROCESS", "ROLE"),
        *("PROCESS", "PROCESS_TYPE", "COMPONENT", "SERVICE_ROLE", "SERVICE_TYPE", "SERVER_ROLE", "MODE"),
        *("RUN_MODE", "DYNO_TYPE", "START_MODE"),
    }
)


def says_scheduler(name: str) -> bool:
    """Whether a name has the word scheduler in it, in any spelling: DownloadScheduler, mail_schedulers."""
    lower = name.lower()
    return "scheduler" in "".join(filter(str.isalnum, lower)) or "스케줄러" in lower


def split_words(command: Sequence[str]) -> list[str]:
    """The words of a command line, also those inside `sh -c "…"`."""
    return [word for part in command for word in _PLACES.split(part) if word]


def known_clock(command: Sequence[str], variables: Mapping[str, str]) -> str | None:
    """Which known clock a container runs, in words; None when none."""
    parts = [word.lower() for word in split_words(command)]
    names = [word.rsplit("/", 1)[-1] for word in parts]
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for index, (word, name) in enumerate(zip(parts, names, strict=True)):
        first.setdefault(name, index)
        last[word] = index
    for (program, argument), meaning in _PAIRS.items():
        if program in first and last.get(argument, -1) > first[program]:
            return meaning
    for word in parts:
        if word in _ARGUMENTS:
            return _ARGUMENTS[word]
    for index in _programs(names):
        if names[index] in _PROGRAMS:
            return _PROGRAMS[names[index]]
    for profile in _settings(command, variables, _PROFILES):
        if any(
            says_scheduler(each) and not each.strip().startswith(("!", "no")) for each in profile.split(",")
        ):
            return f"its Spring profile is {profile}"
    for name, value in sorted(variables.items()):
        if name.upper() in _PART_VARIABLES and value.strip().lower() in _CLOCK_STEMS:
            return f"{name} is {value.strip().lower()}"
    return None


def named_clock(command: Sequence[str], variables: Mapping[str, str]) -> str | None:
    """Which program, JAR, class or script of the command line is called a scheduler, in words."""
    parts = split_words(command)
    lower = [word.rsplit("/", 1)[-1].lower() for word in parts]
    if any(word in _SERVERS for word in lower):
        return None
    for index in _programs(lower):
        if _stem_says_clock(parts[index]):
            return f"it runs {parts[index]}"
    for application in _settings(command, variables, _APPLICATION):
        if says_scheduler(application):
            return f"its Spring application name is {application}"
    return None


def _programs(names: Sequence[str]) -> list[int]:
    """Where a program, a JAR, a class, a module or a script stands, and not an option or a value."""
    found: list[int] = []
    leading = True  # so far nothing but programs that run others, and their options
    java = False
    for index, name in enumerate(names):
        before = names[index - 1] if index else ""
        if not name.startswith("-") and (
            leading
            or _SUFFIX.search(name)
            or before in _INTRODUCING
            # A main class stands behind options and a class path: com.example.SchedulerApplication.
            or (java and name.count(".") >= 2)
        ):
            found.append(index)
        java = java or name == "java"
        leading = leading and (name in _RUNNERS or name.startswith("-") or "=" in name or name.isdigit())
    return found


def _stem_says_clock(word: str) -> bool:
    name = word.rsplit("/", 1)[-1]
    stem = _VERSION.sub("", _SUFFIX.sub("", name))
    last = stem.rsplit(".", 1)[-1].lower()
    parts = re.split(r"[-_.:]", stem.lower())
    return says_scheduler(stem) or last in _CLOCK_STEMS or "quartz" in parts


def _settings(command: Sequence[str], variables: Mapping[str, str], names: Sequence[str]) -> list[str]:
    """The values of a Spring property, from arguments and variables."""
    found = [value for key, value in variables.items() if key.lower() in names]
    places = [
        *command,
        *(value for key, value in variables.items() if key.upper().endswith(("OPTS", "OPTIONS"))),
    ]
    for part in places:
        for word in part.split():
            key, equals, value = word.partition("=")
            if equals and key.lstrip("-").removeprefix("D").lower() in names:
                found.append(value.strip("'\""))
    return found
