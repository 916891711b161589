"""Groups and people as SCIM 2.0 writes them in JSON (https://www.rfc-editor.org/rfc/rfc7643, …/rfc7644).

A file holds resources, `ListResponse`s or a list of either; or `{"Groups": […], "Users": […]}`. Names of attributes are
in any case (RFC 7643, section 2.1). What a person calls themselves (`display`, `displayName`) identifies nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.access.exports import Account, Export, ExportUnusable, Group, Reference, decoded
from ingest.model import email_of

NonEmpty = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

KINDS = {"user": "user", "group": "group", "": ""}
"""Types of members that hold anything; devices and services (RFC 7643 leaves more open) do not."""


class _Attributes(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Member(_Attributes):
    value: NonEmpty
    type: str | None = None


class _Email(_Attributes):
    value: str


class _Group(_Attributes):
    id: NonEmpty
    name: NonEmpty = Field(alias="displayname")
    members: tuple[_Member, ...] | None = None


class _User(_Attributes):
    id: NonEmpty
    name: NonEmpty = Field(alias="username")
    emails: tuple[_Email, ...] | None = None
    active: bool | None = None
    """Unassigned is no word against somebody; some directories write it as text."""


class _Page(_Attributes):
    total: int = Field(alias="totalresults", ge=0)
    start: int | None = Field(default=None, alias="startindex")
    resources: tuple[dict[str, Any], ...] = ()


def directory(content: bytes) -> Export:
    """What a SCIM export says. Raises `ExportUnusable`."""
    text = decoded(content)
    try:
        found = json.loads(text, object_pairs_hook=_folded)
    except (ValueError, RecursionError) as error:
        raise ExportUnusable("is no JSON, as if it were half written; export it again") from error
    groups: list[Group] = []
    accounts: list[Account] = []
    try:
        for kind, resource in _resources(found):
            if kind == "group":
                groups.append(_group(_Group.model_validate(resource)))
            else:
                accounts.append(_account(_User.model_validate(resource)))
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in wrong["loc"])
        count = len(groups) + len(accounts) + 1
        raise ExportUnusable(f"is no SCIM at resource {count}, `{where}` ({wrong['msg']}); export it again") from error
    if not groups and not accounts:
        raise ExportUnusable("holds neither groups nor users; export it again")
    return Export(groups=tuple(groups), accounts=tuple(accounts))


def _folded(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object with its names in lower case. Raises `ValueError` for one name twice: which of them counts?"""
    found = {name.lower(): value for name, value in pairs}
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice in one object")
    return found


def _resources(found: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    pages: list[_Page] = []
    for item in found if isinstance(found, list) else [found]:
        if not isinstance(item, dict):
            raise ExportUnusable("holds something else than SCIM resources; export users and groups")
        if "totalresults" in item:
            pages.append(page := _Page.model_validate(item))
            for resource in page.resources:
                yield _kind(resource), resource
        elif not item.get("schemas") and "id" not in item and ("groups" in item or "users" in item):
            for resource in _listed(item, "groups"):
                yield "group", resource
            for resource in _listed(item, "users"):
                yield "user", resource
        else:
            yield _kind(item), item
    _see_that_none_is_missing(pages)


def _listed(item: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = item.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(resource, dict) for resource in found):
        raise ExportUnusable(f"has `{name}` that is no list of resources; export it again")
    return found


def _kind(resource: dict[str, Any]) -> str:
    meta = resource.get("meta")
    schemas = resource.get("schemas")
    said = [str(schema) for schema in schemas] if isinstance(schemas, list) else []
    said.append(str(meta.get("resourcetype", "")) if isinstance(meta, dict) else "")
    kinds = {kind for kind in ("user", "group") for name in said if name.lower().rpartition(":")[2] == kind}
    if not kinds:
        kinds = {"user"} if "username" in resource else {"group"} if "displayname" in resource else set()
    if len(kinds) != 1:
        raise ExportUnusable("holds a resource that is neither a user nor a group; export users and groups alone")
    return kinds.pop()


def _see_that_none_is_missing(pages: list[_Page]) -> None:
    """Pages follow each other; the first of each listing starts at 1 (RFC 7644, section 3.4.2.4)."""
    listings: list[tuple[int, int]] = []
    for page in pages:
        if listings and (page.start or 1) > 1:
            total, had = listings.pop()
            listings.append((max(total, page.total), had + len(page.resources)))
        else:
            listings.append((page.total, len(page.resources)))
    for total, had in listings:
        if had != total:
            raise ExportUnusable(f"holds {had} of {total} resources; export all pages of the listing")


def _group(group: _Group) -> Group:
    """The group; a member without a known id that is an address is the person with that address."""
    references = set()
    unclear = 0
    for member in group.members or ():
        kind = KINDS.get((member.type or "").strip().lower())
        if kind is None:
            unclear += 1
        else:
            references.add(Reference(member.value, kind))  # type: ignore[arg-type]  # the values of KINDS
    return Group(name=group.name, id=group.id, references=frozenset(references), unclear=unclear)


def _account(user: _User) -> Account:
    named = (user.name, *(email.value for email in user.emails or ()))
    return Account(
        id=user.id,
        emails=frozenset(email for text in named if (email := email_of(text))),
        active=user.active is not False,
    )
