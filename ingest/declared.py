"""What a settings class declares at a place of the file: for messages that say what was expected there."""

from __future__ import annotations

from inspect import isclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

KeyPath = tuple[str | int, ...]


def walk(annotation: Any, location: KeyPath) -> tuple[KeyPath, Any, Any]:
    """Pydantic's `location` below `annotation`: the path in the file, and the declared types of its parent and itself.

    Between a source's name and its keys pydantic names the kind, which the file has in a key. A type is None where
    nothing is declared.
    """
    path: list[str | int] = []
    parent, declared = None, _plain(annotation)
    for part in location:
        kinds = {name: member for member in map(_plain, get_args(declared)) for name in _kinds(member)}
        if part in kinds:
            declared = kinds[str(part)]
            continue
        path.append(part)
        parent = declared
        if isclass(declared) and issubclass(declared, BaseModel):
            field = declared.model_fields.get(str(part))
            declared = _plain(field.annotation) if field else None
        else:
            arguments = get_args(declared)
            declared = _plain(arguments[-1 if get_origin(declared) is dict else 0]) if arguments else None
    return tuple(path), parent, declared


def _kinds(member: Any) -> tuple[Any, ...]:
    """The kinds of source that a settings class is for."""
    if not (isclass(member) and issubclass(member, BaseModel) and "kind" in member.model_fields):
        return ()
    return get_args(member.model_fields["kind"].annotation)


def _plain(annotation: Any) -> Any:
    """A type without what `Annotated` says of it, and without its None."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return without_none(annotation)


def without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, UnionType):
        members = [member for member in get_args(annotation) if member is not NoneType]
        return members[0] if len(members) == 1 else annotation
    return annotation


def keys(section: Any) -> list[str]:
    """The keys that a section may hold in the file; what `exclude`s itself comes from the environment."""
    if not (isclass(section) and issubclass(section, BaseModel)):
        return []
    return [name for name, field in section.model_fields.items() if not field.exclude]
