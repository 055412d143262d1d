"""Programs that start work at set times, so that two of them start it twice.

Owns the list of known clocks and how a command line shows one: celery beat, Laravel's schedule:work,
clockwork, rqscheduler, Airflow's scheduler, supercronic and their like, a Spring profile, a program or JAR
that is called a scheduler. Deliberately not here: what a service is then held to, and names of resources.

Every search looks at each word once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .json_text import UnreadableTextError, parse

# Programs that are clocks whatever their arguments say.
_PROGRAMS: Final = {
    "supercronic": "supercronic runs a crontab",
    "crond": "crond runs a crontab",
    "cron": "cron runs a crontab",
    "anacron": "anacron runs a crontab",
    "fcron": "fcron runs a crontab",
    "dkron": "dkron starts jobs at set times",
    "luigid": "luigid is Luigi's central scheduler",
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
    "scheduled-task:run": "scheduled-task:run starts jobs at set times",
    "scheduler:run": "scheduler:run starts the jobs that are due",
    "cron:run": "cron:run starts the jobs that are due",
}
# A program, and an argument behind it.
_PAIRS: Final = {
    ("celery", "beat"): "celery beat sends tasks at set times",
    ("celery", "--beat"): "celery --beat sends tasks at set times beside its worker",
    ("airflow", "scheduler"): "airflow scheduler starts workflows",
    ("airflow", "standalone"): "airflow standalone brings a scheduler",
    ("wp", "cron"): "wp cron starts the jobs that are due",
    ("drush", "cron"): "drush cron starts the jobs that are due",
    ("rails", "solid_queue:scheduler"): "Solid Queue's scheduler enqueues jobs at set times",
}
# Options of workers that name a queue, a pool or the worker itself, whatever the name sounds like.
_NAMING: Final = frozenset(
    {"-Q", "--queues", "--queue", "-p", "--pool", "-n", "--hostname", "--name", "--group"}
)
_BEAT_INSIDE: Final = re.compile(r"-[BDE]*B\w*")
"""Celery's -B among other short options: https://docs.celeryq.dev/en/stable/reference/cli.html#celery-worker"""

_SERVERS: Final = frozenset(
    {
        *("uvicorn", "gunicorn", "hypercorn", "daphne", "granian", "flask", "puma", "unicorn", "nginx"),
        *("httpd", "apache2-foreground", "caddy", "php-fpm", "next", "serve", "http-server"),
    }
)
"""Web servers: a module of theirs that is called a scheduler answers requests."""

_WORD: Final = re.compile(r"[^\s;&|()'\"`,=\[\]{}]+|[;&|(\n]")
_NEXT_COMMAND: Final = frozenset(";&|(\n")
"""What ends one command of a shell's line and begins the next."""

_RUNNERS: Final = frozenset(
    {
        *("java", "python", "python3", "python2", "node", "nodejs", "ts-node", "tsx", "bun", "deno"),
        *("ruby", "php", "perl", "busybox", "dotnet", "mono", "go", "poetry", "pipenv", "uv", "bundle"),
        *("exec", "run", "npm", "yarn", "pnpm", "npx", "sh", "bash", "ash", "dash", "tini", "dumb-init"),
        *("env", "sudo", "gosu", "su-exec", "nice", "rake", "rails", "manage.py", "make", "catchsegv"),
        *("ddtrace-run", "xargs", "do", "then", "else", "if", "while", "until", "!", "nohup", "setsid"),
        *("chpst", "s6-setuidgid", "opentelemetry-instrument", "newrelic-admin", "run-program", "start"),
        *("time", "timeout"),
    }
)
_SHOWING: Final = frozenset(
    {"cd", "echo", "cat", "tail", "head", "grep", "ls", "cp", "mv", "rm", "mkdir", "touch", "ln"}
)
"""Programs whose arguments are files and texts."""

_CLASS_PATH: Final = frozenset({"-cp", "-classpath", "--class-path"})
_USERS: Final = frozenset({"gosu", "su-exec", "s6-setuidgid", "-u", "--user"})
"""What a user's name stands behind, and behind that another program."""

_INTRODUCING: Final = frozenset(
    {"-m", "-jar", "--", "--module", "-c", "-lc", "-ec", "exec", "workspace", "--workspace", "--filter"}
)
"""Options and words behind which a program, a module or a JAR is named."""

_CLOCK_STEMS: Final = frozenset({"cron", "crontab", "clock", "beat", "scheduler", "schedulers", "quartz"})
_ENTRIES: Final = frozenset({"main", "index", "program", "__main__"})
"""Scripts that are called by what they are in their folder; the folder says which."""

_BUILD_FOLDERS: Final = frozenset({"dist", "build", "src", "lib", "out", "bin", "target", "cmd", "app"})
_SUFFIX: Final = re.compile(r"\.(?:jar|war|dll|exe|py|pyc|js|mjs|cjs|ts|rb|php|sh|pl|exs|bin)$")
_VERSION: Final = re.compile(r"[-_.]v?[0-9][0-9a-z.+_-]*$", re.IGNORECASE)
_PROFILES: Final = (
    *("spring.profiles.active", "spring_profiles_active", "quarkus.profile", "quarkus_profile"),
    *("spring.profiles.include", "spring_profiles_include"),
    *("micronaut.environments", "micronaut_environments"),
)
_SPRING_JSON: Final = ("spring.application.json", "spring_application_json")
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
    """The words of a command line, also those inside `sh -c "…"`; `;` stands where another command begins."""
    found = [word for part in command for word in _WORD.findall(part)]
    return [";" if word in _NEXT_COMMAND else word for word in found]


def known_clock(command: Sequence[str], variables: Mapping[str, str]) -> str | None:
    """Which known clock a container runs, in words; None when none."""
    words = split_words(_expanded(command, variables))
    names = [_last(word.lower()) for word in words]
    found = _clock_by_arguments(words, names) or next(
        (_PROGRAMS[names[index]] for index in _programs(names) if names[index] in _PROGRAMS), None
    )
    if found is not None:
        return found
    for profile in _settings(command, variables, _PROFILES):
        if any(
            says_scheduler(each) and not each.strip().startswith(("!", "no")) for each in profile.split(",")
        ):
            return f"its profile is {profile}"
    for name, value in sorted(variables.items()):
        if name.upper() in _PART_VARIABLES and value.strip().lower() in _CLOCK_STEMS:
            return f"{name} is {value.strip().lower()}"
    return None


def _expanded(command: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    """The command line with the container's own variables in it, as a shell reads it."""
    return [_VARIABLE.sub(lambda found: variables.get(found[1], found[0]), part) for part in command]


_VARIABLE: Final = re.compile(r"\$\{?(\w+)\}?")


def _clock_by_arguments(words: Sequence[str], names: Sequence[str]) -> str | None:
    """A clock that is one of several things that its program can be: by the arguments."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for index, (word, name) in enumerate(zip(words, names, strict=True)):
        first.setdefault(name, index)
        if not index or words[index - 1] not in _NAMING:
            last[word.lower()] = index
    for (program, argument), meaning in _PAIRS.items():
        if program in first and last.get(argument, -1) > first[program]:
            return meaning
    if "celery" in first and any(map(_BEAT_INSIDE.fullmatch, words[first["celery"] :])):
        return "celery -B sends tasks at set times beside its worker"
    consumed = first.get("messenger:consume")
    if consumed is not None and any(word.lower().startswith("scheduler_") for word in words[consumed:]):
        return "Symfony's scheduler sends messages at set times"
    return next((_ARGUMENTS[word.lower()] for word in words if word.lower() in _ARGUMENTS), None)


def named_clock(command: Sequence[str], variables: Mapping[str, str]) -> str | None:
    """Which program, JAR, class or script of the command line is called a scheduler, in words."""
    parts = split_words(_expanded(command, variables))
    lower = [_last(word.lower()) for word in parts]
    if any(word in _SERVERS for word in lower):
        return None
    for index in _programs(lower):
        following = lower[index + 1] if index + 1 < len(lower) else ""
        if _stem_says_clock(parts[index]):
            return f"it runs {parts[index]}"
        # One program of many parts, told by its first argument which one to be: `server scheduler`.
        if following in _CLOCK_STEMS and lower[index] not in _RUNNERS and lower[index] not in _SHOWING:
            return f"it runs {parts[index]} {parts[index + 1]}"
    for application in _settings(command, variables, _APPLICATION):
        if _is_called_scheduler(application):
            return f"its Spring application name is {application}"
    return None


def _last(word: str) -> str:
    """A program without its folder; an option with the path that stands in it, as of a Java agent."""
    return word if word.startswith("-") else word.rsplit("/", 1)[-1]


def _programs(names: Sequence[str]) -> list[int]:
    """Where a program, a JAR, a class, a module or a script stands, and not an option or a value."""
    found: list[int] = []
    leading = True  # so far nothing but programs that run others, and their options
    java = False
    for index, name in enumerate(names):
        if name == ";":
            leading, java = True, False
            continue
        before = names[index - 1] if index else ""
        if (
            not name.startswith("-")
            and before not in _CLASS_PATH
            and (
                leading
                or _SUFFIX.search(name)
                or before in _INTRODUCING
                # A main class stands behind options and a class path: com.example.SchedulerApplication.
                or (java and name.count(".") >= 2)
            )
        ):
            found.append(index)
        java = java or name == "java"
        leading = leading and (
            before in _USERS or name in _RUNNERS or name.startswith("-") or "=" in name or name.isdigit()
        )
    return found


def _stem_says_clock(word: str) -> bool:
    """By the last part of a path, a module or a class, or by the folder of a script that is called main."""
    *folders, name = word.split("/")
    stem = _VERSION.sub("", _SUFFIX.sub("", name))
    *packages, last = re.split(r"[.:]", stem)
    above = [each for each in (*folders, *packages) if each.lower() not in _BUILD_FOLDERS]
    said = _spoken(last)
    if last.lower() in _ENTRIES or (packages and not said):
        said = _spoken(above[-1]) if above else []
    return "".join(said) in _CLOCK_STEMS or "quartz" in said or _speaks_of_scheduler(said)


def _is_called_scheduler(name: str) -> bool:
    return _speaks_of_scheduler(_spoken(name))


_SPOKEN: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")
_GENERIC: Final = frozenset(
    {
        *("application", "app", "main", "service", "server", "runner", "daemon", "process", "boot"),
        *("launcher", "start", "run", "prod", "production", "dev", "exec", "cli", "program", "jvm", "java"),
        *("kt", "host"),
    }
)
_OF_A_SCHEDULER: Final = frozenset(
    {
        *("api", "ui", "client", "clients", "web", "controller", "worker", "workers", "consumer"),
        *("dashboard", "admin", "console", "portal", "frontend", "gateway", "exporter", "proxy", "test"),
        *("tests", "docs", "lib", "sdk", "instrumentation", "viewer", "migration", "migrations", "migrate"),
    }
)
"""What a program is that has to do with a scheduler and isn't one: a `meeting-scheduler-api` is an API."""


def _spoken(name: str) -> list[str]:
    """The words of a name in any spelling, without those at its end that say nothing of its kind."""
    words = [word.lower() for word in _SPOKEN.findall(name)]
    while words and words[-1] in _GENERIC:
        words.pop()
    return words


def _speaks_of_scheduler(words: Sequence[str]) -> bool:
    return bool(words) and says_scheduler("".join(words)) and words[-1] not in _OF_A_SCHEDULER


def _settings(command: Sequence[str], variables: Mapping[str, str], names: Sequence[str]) -> list[str]:
    """The values of a Spring property, from arguments and variables."""
    found = [value for key, value in variables.items() if key.lower() in names]
    for key, value in variables.items():
        if key.lower() in _SPRING_JSON:
            found.extend(text for path, text in _flat(value) if path in names)
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


def _flat(text: str) -> list[tuple[str, str]]:
    """The texts in a JSON object by their paths, as Spring reads SPRING_APPLICATION_JSON."""
    try:
        waiting: list[tuple[str, Any]] = [("", parse(text))]
    except UnreadableTextError:
        return []
    found: list[tuple[str, str]] = []
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend((f"{path}.{key}".lstrip(".").lower(), member) for key, member in value.items())
        elif isinstance(value, list):
            waiting.extend((path, member) for member in value)
        else:
            found.append((path, str(value)))
    return found
