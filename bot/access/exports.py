"""What an export of a company's directory says: its groups, and where it has them its people.

    exports (what any export holds, and tables of memberships: CSV) ← scim (JSON)

An export is read whole or not at all: of half of one nobody could tell who is missing.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ingest.errors import Terminal
from ingest.model import READER_TOKEN, email_of

GROUP_COLUMNS = ("groupname", "groupdisplayname", "group")
GROUP_ID_COLUMNS = ("groupid", "groupobjectid")
MEMBER_COLUMNS = ("memberemail", "memberupn", "memberuserprincipalname", "member", "members")
USER_COLUMNS = ("email", "useremail", "emailaddress", "mail", "userprincipalname", "upn", "user", "username")
"""Headers as exports have them, in small letters without spaces and punctuation; of two the earlier one is taken."""

DISPLAY_NAME = "displayname"
"""A group's only beside a column of members: in a list of users it is what each calls themselves, and whoever chose the
name of a group would be in it."""


class ExportUnusable(Terminal):
    """An export cannot be read whole; the text says what is wrong with it, without the file's name."""


class Reference(NamedTuple):
    """A member by the id that the export knows it by."""

    id: str
    kind: Literal["user", "group", ""]
    """Empty where the export does not say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """One group as one file or list defines it."""

    name: str
    id: str = ""
    """Stays when the name changes; empty where there is none."""
    tokens: frozenset[str] = frozenset()
    """Members by reader token; those that begin with `group:` are groups."""
    references: frozenset[Reference] = frozenset()
    """Members by id."""
    unclear: int = 0
    """Members that are named in no way that a person or group can be found by."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A person in the directory."""

    id: str
    emails: frozenset[str]
    """In lower case."""
    active: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """All that one file or list says."""

    groups: tuple[Group, ...]
    accounts: tuple[Account, ...] = ()


def decoded(content: bytes) -> str:
    """A text file as spreadsheets and directories write it: UTF-8, or UTF-16 that says so. Raises `ExportUnusable`."""
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ExportUnusable("is not UTF-8 text; save it as UTF-8") from error
    if not text.strip():
        raise ExportUnusable("is empty; export it again")
    return text


def table(content: bytes) -> Export:
    """A CSV file: a line of headers, then a line for each membership. Raises `ExportUnusable`.

    A file that does not end in a line break was cut off: the last address in it may be another person's. One that was
    cut off between two lines cannot be told from a whole one.
    """
    text = decoded(content)
    if not text.endswith(("\n", "\r")):
        raise ExportUnusable("does not end in a line break, as if it were half written; export it again")
    headers = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=headers.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        first = next(rows)
        return Export(groups=tuple(_groups(rows, len(first), *_columns(first))))
    except csv.Error as error:
        raise ExportUnusable(f"is no CSV near line {rows.line_num} ({error}); export it again") from error


def _columns(headers: Sequence[str]) -> tuple[int, int | None, int]:
    """Where the group's name, its id and the member stand."""
    known = ["".join(letter for letter in header.lower() if letter.isalnum()) for header in headers]
    named = (*GROUP_COLUMNS, *GROUP_ID_COLUMNS, *MEMBER_COLUMNS, *USER_COLUMNS, DISPLAY_NAME)
    if twice := [name for name in named if known.count(name) > 1]:
        raise ExportUnusable(f"has two columns `{twice[0]}`; leave one")
    members = [name for name in (*MEMBER_COLUMNS, *USER_COLUMNS) if name in known]
    groups = [name for name in GROUP_COLUMNS if name in known]
    if not groups and members and members[0] in MEMBER_COLUMNS and DISPLAY_NAME in known:
        groups = [DISPLAY_NAME]
    if not groups or not members:
        lacking = "no column of groups" if not groups else "no column of members"
        raise ExportUnusable(
            f"has {lacking} that can be told; name one column `group` and one `email` (it has {len(headers)} columns)"
        )
    ids = [known.index(name) for name in GROUP_ID_COLUMNS if name in known]
    return known.index(groups[0]), ids[0] if ids else None, known.index(members[0])


def _groups(rows: Iterator[list[str]], width: int, group: int, id: int | None, member: int) -> Iterator[Group]:
    """One group for each pair of name and id, so that it shows where one stands for two."""
    tokens: dict[tuple[str, str], set[str]] = defaultdict(set)
    unclear: dict[tuple[str, str], int] = defaultdict(int)
    for number, row in enumerate(rows, 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != width:
            raise ExportUnusable(f"has another number of columns in row {number}, as if half written; export it again")
        key = (row[group].strip(), "" if id is None else row[id].strip())
        if not key[0]:
            raise ExportUnusable(f"names no group in row {number}; export it again")
        named, token = row[member].strip(), member_token(row[member])
        tokens[key] |= {token} if token else set()
        unclear[key] += bool(named and not token)
    if not tokens:
        raise ExportUnusable("has headers and no memberships; export it again")
    for name, identity in tokens:
        key = (name, identity)
        yield Group(name=name, id=identity, tokens=frozenset(tokens[key]), unclear=unclear[key])


def member_token(text: str) -> str:
    """The reader token that a cell stands for: an address, or a token as it is; empty where it is neither."""
    plain = text.strip()
    if "@" in plain:
        kind, _, name = plain.partition(":")
        email = email_of(name if kind.lower() == "user" else plain)
        return f"user:{email}" if email else ""
    return plain if ":" in plain and READER_TOKEN.fullmatch(plain) else ""
