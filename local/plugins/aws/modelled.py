"""A resource type as a table: what AWS calls it, which operations it has, and where its arguments are.

Owns what such types do alike: requests and answers, names, tags, waits, updates by part or by putting the
whole again. Doesn't own how a value gets to its place (`places`). What a table can't say, a type says in
`shaped`, on the way to AWS, in `told`, on the way back, or around one of the methods here.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

from . import schema
from .comparison import is_nothing
from .places import Places, Shape
from .resource import Answer, Call, Inputs, Names, Outputs, Resource, State, is_missing, name_of, tag_changes
from .resources.calls import retried, unless_absent


@dataclass(frozen=True)
class Ask:
    """An operation.

    `into` is where its answer has the thing, of a list the first, or the one that has the same as is known of
    `same`; `fixed` is what it's always asked, of a list in addition. `only` are the arguments or outputs that
    it's asked for, where its model has more. Of one that changes, `only` may be what its model doesn't have:
    it does what they say; `without` is asked instead of it where they say nothing. `whole` says that it's
    told everything, else what changed. `none` are error codes by which it says that there is nothing to tell.
    """

    operation: str
    into: str = ""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    whole: bool = False
    without: str = ""
    same: tuple[str, ...] = ()
    none: tuple[str, ...] = ()


def one_each(operation: str, *arguments: str) -> tuple[Ask, ...]:
    """An operation that changes one argument a request."""
    return tuple(Ask(operation, only=(argument,)) for argument in arguments)


@dataclass(frozen=True)
class Tags:
    """The operations on tags; `of` are the outputs that name the thing to them, in their order.

    Where none is `reading`, the thing's own answer has them, as the output `tagsAll`; `none` are the error
    codes by which reading says that there are none. `whole` says that setting is told all of them, also
    after another change, and removing takes all away.
    """

    reading: str = "ListTagsForResource"
    setting: str = "TagResource"
    removing: str = "UntagResource"
    of: str = "arn"
    none: tuple[str, ...] = ()
    whole: bool = False


_ABSENCE: Final = re.compile("NotFound|NoSuch|NotExist|Nonexist")
_TAGGING: Final = (
    ("ListTagsForResource", "ListTagsOfResource", "ListResourceTags", "List{}Tags"),
    ("TagResource", "AddTagsToResource", "Tag{}"),
    ("UntagResource", "RemoveTagsFromResource", "Untag{}"),
)
_TAG_PLACES: Final = Places(
    named={
        "tags": "Tags|Tagging.TagSet",
        "tagsAll": "Tags|TagList|TagDescriptions.Tags|TagInfoForResource.TagList|TagSet",
    }
)
_ID: Final = {"id": schema.Property(schema.Type("string"))}
_TAG_OUTPUT: Final = {"tagsAll": schema.Property(schema.Type("map", schema.Type("string")))}


class Modelled(Resource):
    """A type that is a table.

    - `service`: botocore's name, where it isn't the SDK's.
    - `key`: the argument or output that is the id, or several, with what joins them (`groupName/name`); what
      it's named by (`auto_name`), where the table doesn't say.
    - `identity`: what the id is, where that isn't the key, by which an import names it.
    - `noun`, `within`, `named`: its `places`; `named` adds to the one of its base.
    - `end_of_arn`: an output that is the last part of the ARN.
    - `tags`: the operations on tags, where the service doesn't name them as others do.
    - `made_by`, `read_by`, `changed_by`, `deleted_by`: the operations. What makes it as a whole also changes
      it, where the table doesn't say. One that changes is also asked after creation, for what creation has no
      place for and its answer doesn't have as it's wanted. What is nothing on AWS isn't deleted.
    - `ready`: the place of an answer that says how it is, and the value that is waited for.
    - `passing`: error codes that pass by themselves, within `passing_timeout_seconds`.
    - `kept`: of the arguments that no operation reads those that none takes either; the state keeps all.
    - `missing`: what the models of the operations that read and delete don't name as errors of absence.
    - `settled`: arguments that AWS changes by other operations than these, which the stand-in doesn't serve.
    - `by_hand`: arguments and outputs, by dotted path, that `shaped` and `told` see to.
    """

    service: ClassVar[str]
    key: ClassVar[str]
    identity: ClassVar[str] = ""
    noun: ClassVar[str]
    within: ClassVar[str]
    named: ClassVar[Mapping[str, str]]
    places: ClassVar[Places] = Places()
    end_of_arn: ClassVar[str] = ""
    made_by: ClassVar[Ask]
    read_by: ClassVar[tuple[Ask, ...]]
    changed_by: ClassVar[tuple[Ask, ...]] = ()
    deleted_by: ClassVar[Ask | None]
    tags: ClassVar[Tags | None] = None
    ready: ClassVar[tuple[str, str] | None] = None
    passing: ClassVar[frozenset[str]] = frozenset()
    passing_timeout_seconds: ClassVar[float] = 300
    settled: ClassVar[frozenset[str]] = frozenset()
    by_hand: ClassVar[frozenset[str]] = frozenset()
    default_timeout_seconds: ClassVar[float] = 1800

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if hasattr(cls, "token"):
            cls.service = getattr(cls, "service", cls.token.partition(":")[2].partition("/")[0])
            cls.key = getattr(cls, "key", cls.auto_name.property if cls.auto_name else "name")
        if "changed_by" not in vars(cls) and "made_by" in vars(cls) and cls.made_by.whole:
            cls.changed_by = (cls.made_by,)
        stated = {name: vars(cls)[name] for name in ("noun", "within", "named") if name in vars(cls)}
        if "named" in stated:
            stated["named"] = {**cls.places.named, **stated["named"]}
        cls.places = replace(cls.places, **stated)

    def shaped(self, inputs: Inputs) -> Inputs:
        """The arguments as their places take them."""
        return inputs

    def told(self, outputs: Outputs, found: Answer, state: State) -> Outputs | None:
        """The outputs, from what their places have and, `found`, all that AWS answered; None for nothing."""
        return outputs

    def refused(self, old: State, new: Inputs, changed: Names) -> str | None:
        if named := sorted(self.settled & changed):
            return f"the aws stand-in can't change {', '.join(named)}; use the real aws plugin (7.x)"
        return None

    def all_kept(self, found: Mapping[str, Any]) -> Iterable[str]:
        unread = self.described.inputs.keys() & (self.described.outputs.keys() - found.keys())
        return self.kept | (unread - {"region", "tags"})

    def absence(self, call: Call) -> frozenset[str]:
        model = call.client(self.service).meta.service_model
        operations = [model.operation_model(ask.operation) for ask in (*self.read_by, self.deleted_by) if ask]
        errors = [error for operation in operations for error in operation.error_shapes]
        codes = {code for error in errors for code in (error.name, error.error_code)}
        return self.missing.union(filter(_ABSENCE.search, codes))

    def create(self, call: Call, inputs: Inputs) -> str:
        given = self._given(inputs)
        answer = self._ask(call, self.made_by, given)
        found, shape = _inside(answer, _output(call, self.service, self.made_by.operation), self.made_by.into)
        described = {**self.described.outputs, **_ID}
        made = self.places.outputs(found, shape, described) if found and shape is not None else {}
        known = {**{name: value for name, value in made.items() if value}, **given}
        resource_id = call.created(_joined(self.key, known))
        self._settle(call, resource_id, known)
        at_once = self._placed(call, self.made_by)
        later = [self._placed(call, ask).difference(at_once, names_in(self.key)) for ask in self.changed_by]
        unlike = {name: value for name, value in given.items() if name not in made or made[name] != value}
        asked = [{name: given[name] for name in names & unlike.keys()} for names in later]
        self._change(call, resource_id, known, asked)
        if "tags" not in at_once:
            self._change_tags(call, {**known, "tagsAll": {}}, inputs)
        return resource_id

    def read(self, call: Call, resource_id: str, state: State) -> Outputs | None:
        outputs: dict[str, Any] = {}
        answered: dict[str, Any] = {}
        described = {**self.described.outputs, **(_ID if self.identity else {})}
        key = self._key(resource_id, state)
        for ask in self.read_by:
            known = {**outputs, **key}
            answer = unless_absent(functools.partial(self._ask, call, ask, known), *ask.none)
            if answer is None:
                continue
            candidates, shape = _all_inside(answer, _output(call, self.service, ask.operation), ask.into)
            for found in candidates:
                values = self.places.outputs(
                    found, shape, described, unsaid={**self.defaults, **self.when_absent}
                )
                if all(values[name] == known[name] for name in ask.same):
                    break
            else:
                return None
            answered |= found
            for name, value in values.items():
                if is_nothing(outputs.get(name)) and (name in ask.only or not ask.only):
                    outputs[name] = value
        for name, value in key.items():
            if name in described and is_nothing(outputs.get(name)):
                outputs[name] = value
        if self.identity:
            outputs["id"] = _joined(self.identity, {**key, **outputs})
        if self.end_of_arn:
            outputs[self.end_of_arn] = outputs["arn"].rpartition(":")[2]
        told = self.told(outputs, answered, state)
        tags = self.tags_of(call.client(self.service).meta.service_model)
        return {**told, "tagsAll": self._read_tags(call, tags, outputs)} if told and tags else told

    def update(self, call: Call, resource_id: str, old: State, new: Inputs, changed: Names) -> str | None:
        arguments = self.described.inputs
        given = self._given(new)
        left_out = {name: schema.nothing(arguments[name].type) for name in changed.difference(new)}
        by_part = self.shaped({**left_out, **new})
        asked = []
        for ask in self.changed_by:
            mine = self._placed(call, ask).difference(names_in(self.key), ("tags",))
            if ask.whole and (mine & changed or not (changed or ask.only)):
                whole = by_part if ask.only else given
                asked.append(
                    {name: whole[name] for name in whole.keys() & (ask.only or whole.keys() - {"tags"})}
                )
            else:
                asked.append({name: by_part[name] for name in mine & changed & by_part.keys()})
        self._change(call, resource_id, old, asked)
        self._change_tags(call, old, new)
        return None

    def delete(self, call: Call, resource_id: str, state: State) -> None:
        if self.deleted_by is None or state.get("skipDestroy"):
            return
        self._ask(call, self.deleted_by, {**state, **self._key(resource_id, state)})
        if self.ready:
            call.wait_until(
                f"the end of {resource_id}",
                lambda: not self._first_answer(call, resource_id, state),
                self.default_timeout_seconds,
            )

    def _given(self, inputs: Inputs) -> dict[str, Any]:
        named = {"name": name_of(inputs)} if inputs.get("namePrefix") else {}
        shaped = self.shaped({**inputs, **named})
        said = {name: value for name, value in shaped.items() if value not in (None, "", [], {})}
        return {name: value for name, value in said.items() if name not in self.off or not is_nothing(value)}

    def _key(self, resource_id: str, state: State) -> dict[str, str]:
        """What names it to AWS: the state has it, else the id, on import."""
        names = names_in(self.key)
        if all(state.get(name) for name in names):
            return {name: state[name] for name in names}
        said = re.fullmatch(re.sub(r"(\w+)", r"(?P<\1>.+?)", self.key), resource_id)
        if said is None:
            raise ValueError(f"the id {resource_id!r} isn't of the form {self.key}")
        return said.groupdict()

    def _placed(self, call: Call, ask: Ask) -> frozenset[str]:
        """The arguments that an operation takes."""
        shape = _input(call, self.service, ask.operation)
        return frozenset(
            name
            for name, described in self.described.inputs.items()
            if name in ask.only or (not ask.only and self.places.has(shape, name, described.type))
        )

    def _ask(self, call: Call, ask: Ask, arguments: Mapping[str, Any]) -> Any:
        shape = _input(call, self.service, ask.operation)
        required: dict[str, Any] = {
            name: [] for name in shape.required_members if shape.members[name].type_name == "list"
        }
        request = {**required, **self.places.request(arguments, shape)}
        for name, value in ask.fixed.items():
            request[name] = [*request.get(name, ()), *value] if isinstance(value, list) else value
        return self._send(call, ask.operation, request, every=bool(ask.same))

    def _send(self, call: Call, operation: str, request: Mapping[str, Any], *, every: bool = False) -> Any:
        """The answer; of `every` page, where it comes by pages."""
        from botocore import xform_name

        client, name = call.client(self.service), xform_name(operation)
        if every and client.can_paginate(name):
            ask = client.get_paginator(name).paginate(**request).build_full_result
        else:
            ask = functools.partial(getattr(client, name), **request)
        timeout = self.passing_timeout_seconds
        return retried(call, operation, ask, *self.passing, default_timeout_seconds=timeout)

    def _change(
        self, call: Call, resource_id: str, state: State, by_operation: Iterable[Mapping[str, Any]]
    ) -> None:
        """Asks each operation that changes what it's told, if anything; last what switches off."""
        key, each = self._key(resource_id, state), []
        for ask, arguments in zip(self.changed_by, by_operation, strict=True):
            off = ask.without and is_nothing(arguments)
            if arguments:
                each.append((replace(ask, operation=ask.without) if off else ask, arguments))
        for ask, arguments in sorted(each, key=lambda one: one[0].operation == one[0].without):
            self._ask(call, ask, {**arguments, **key})
            self._settle(call, resource_id, state)

    def _settle(self, call: Call, resource_id: str, state: State) -> None:
        """Waits until it is as a type that becomes so by and by is wanted to be."""
        if self.ready:
            name, wanted = self.ready
            call.wait_until(
                f"{name} {wanted} of {resource_id}",
                lambda: _at(self._first_answer(call, resource_id, state), name) == wanted,
                self.default_timeout_seconds,
            )

    def _first_answer(self, call: Call, resource_id: str, state: State) -> Mapping[str, Any]:
        """What AWS says of it by the first operation that reads, nothing where it isn't there."""
        ask = self.read_by[0]
        try:
            answer = self._ask(call, ask, self._key(resource_id, state))
        except Exception as error:
            if is_missing(error, self.absence(call)):
                return {}
            raise
        return _inside(answer, _output(call, self.service, ask.operation), ask.into)[0] or {}

    def tags_of(self, model: Any) -> Tags | None:
        """The operations on tags, of a service's model."""
        outputs = self.described.outputs
        if self.tags or "tagsAll" not in outputs:
            return self.tags
        there = set(model.operation_names)
        named = ({name.format(self.places.noun) for name in names} & there for names in _TAGGING)
        reading, setting, removing = (next(iter(names), "") for names in named)
        if not reading:
            return None
        shape = model.operation_model(reading).input_shape
        of = (name for name in outputs if self.places.find(shape, name) == (*things_in(shape),))
        return Tags(reading, setting, removing, of=next(of, "arn"))

    def _read_tags(self, call: Call, tags: Tags, outputs: State) -> dict[str, str]:
        told = outputs
        if tags.reading:
            asked = functools.partial(self._ask_of_tags, call, tags, tags.reading, outputs, {})
            answer = unless_absent(asked, *tags.none) or {}
            told = _TAG_PLACES.outputs(answer, _output(call, self.service, tags.reading), _TAG_OUTPUT)
        return {key: text for key, text in told["tagsAll"].items() if not key.startswith("aws:")}

    def _change_tags(self, call: Call, old: State, new: Inputs) -> None:
        tags = self.tags_of(call.client(self.service).meta.service_model)
        wanted, surplus = tag_changes(old, new)
        if tags and tags.whole:
            wanted = new.get("tags") or {}
            surplus = [] if wanted else surplus
        if tags and surplus:
            keys = [{"key": key} for key in surplus]
            self._ask_of_tags(call, tags, tags.removing, old, {"tagKeys": surplus, "tags": keys})
        if tags and wanted:
            self._ask_of_tags(call, tags, tags.setting, old, {"tags": wanted})

    def _ask_of_tags(self, call: Call, tags: Tags, operation: str, of: State, told: Mapping[str, Any]) -> Any:
        shape = _input(call, self.service, operation)
        named = dict(zip(names_in(tags.of), things_in(shape), strict=True))
        thing = Places(named=named).request({name: of[name] for name in named}, shape)
        return self._send(call, operation, {**thing, **_TAG_PLACES.request(told, shape)})


def _input(call: Call, service: str, operation: str) -> Shape:
    return call.client(service).meta.service_model.operation_model(operation).input_shape


def _output(call: Call, service: str, operation: str) -> Shape:
    return call.client(service).meta.service_model.operation_model(operation).output_shape


def _inside(answer: Any, shape: Shape, into: str) -> tuple[Any, Shape]:
    """What an answer has at a dotted place, of a list the first, and its shape."""
    found, shape = _all_inside(answer, shape, into)
    return next(iter(found), None), shape


def _all_inside(answer: Any, shape: Shape, into: str) -> tuple[list[Any], Shape]:
    """All that an answer has at a dotted place, of a list each, and the shape of one."""
    found = [answer] if answer else []
    for step in filter(None, into.split(".")):
        found, shape = [each[step] for each in found if each.get(step)], shape.members[step]
        if shape.type_name == "list":
            found, shape = [member for each in found for member in each], shape.member
    return found, shape


def _at(answer: Any, place: str) -> Any:
    for step in place.split("."):
        answer = (answer or {}).get(step)
    return answer


def names_in(key: str) -> list[str]:
    """The arguments and outputs that a key or an identity is made of."""
    return re.findall(r"\w+", key)


def things_in(shape: Shape) -> list[str]:
    """What an operation on tags needs besides them."""
    return [name for name in shape.required_members if name.lower() not in ("tags", "tagkeys", "tagging")]


def _joined(key: str, known: Mapping[str, Any]) -> str:
    return re.sub(r"\w+", lambda name: str(known[name[0]]), key)
