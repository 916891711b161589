"""What a page says of itself above its text: YAML between `---` lines, or TOML between `+++` lines.

Whatever is wrong with `readers` fails the document: it is never read for more people than it may name.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import datetime

import yaml

from ingest.model import Readers, reader_token
from ingest.parsers.interface import ReadersUnclear
from ingest.parsers.text import moment

YAML_BLOCK = re.compile(r"---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S | re.M)
TOML_BLOCK = re.compile(r"\+\+\+[ \t]*\n(.*?)^\+\+\+[ \t]*(?:\n|\Z)", re.S | re.M)
NAMES_READERS = re.compile(r"^[ \t\"']*readers\b", re.I | re.M)
READERS_FIELD = re.compile(r"(?:^[^\w\n|#]*|[{,]\s*[\"']?)readers[\"'*_` \t]{0,4}[:=]", re.I | re.M)
"""A field of that name as people write it, in a block or between braces; neither a heading nor a table's cell."""
DELIMITER = re.compile(
    r"^[^\w\n|]{0,8}?(?:-{3,}+|\+{3,}+|;{3,}+|\{)(?=[ \t]*\w{0,12}[ \t]*$|[ \t]*[\"']|[^\n]*\breaders)", re.I | re.M
)
"""What looks like the first or last line of front matter: `---yaml`, `----`, ` ---`, `;;;`, `{`."""
HEAD_LINES = 40
FRONT_MATTER_CHARACTERS = 64 * 1024
NATIVE_YAML_CHARACTERS = 1000
"""libyaml overflows the stack on deep nesting: longer front matter goes through the slower loader, which cannot."""

DATE_KEYS = ("updated", "last_changed", "last_updated", "lastmod", "last_modified", "modified", "date")


@dataclass(frozen=True, kw_only=True, slots=True)
class FrontMatter:
    """The fields that are used; all others are ignored."""

    title: str | None = None
    author: str | None = None
    updated_at: datetime | None = None
    readers: Readers | None = None


def split(text: str) -> tuple[FrontMatter, str]:
    """The front matter and what follows it. Raises `ReadersUnclear` where `readers` is unclear.

    `text` has single newlines as line ends.
    """
    fields, body = _fields(text)
    if "readers" not in fields and _seems_to_name_readers(body):
        raise ReadersUnclear(
            "its head names `readers` where they do not count: write `---`, `readers: [group:finance]` and `---` "
            "as its first three lines"
        )
    title, author = fields.get("title"), fields.get("author")
    return FrontMatter(
        title=" ".join(title.split()) or None if isinstance(title, str) else None,
        author=author if isinstance(author, str) else None,
        updated_at=next((found for key in DATE_KEYS if (found := moment(fields.get(key)))), None),
        readers=_readers(fields["readers"]) if "readers" in fields else None,
    ), body


def _fields(text: str) -> tuple[dict[str, object], str]:
    """Fields by lower-case name, and what follows. A block that cannot be read is dropped, unless it names readers."""
    if (block := YAML_BLOCK.match(text)) is None and (block := TOML_BLOCK.match(text)) is None:
        if text.startswith(("---\n", "+++\n")) and (
            NAMES_READERS.search(text, 0, FRONT_MATTER_CHARACTERS) or READERS_FIELD.search(text)
        ):
            raise ReadersUnclear(
                "its front matter names `readers` but has no closing line: add `---` after the last field"
            )
        return {}, text
    source, body = block[1], text[block.end() :]
    restricted = NAMES_READERS.findall(source)
    if len(source) > FRONT_MATTER_CHARACTERS or len(restricted) > 1:
        raise ReadersUnclear(
            "its front matter names `readers` more than once"
            if len(restricted) > 1
            else f"its front matter is longer than {FRONT_MATTER_CHARACTERS >> 10} kB: too long to tell its `readers`"
        )
    try:
        fields = _yaml(source) if text.startswith("---") else tomllib.loads(source)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if restricted or READERS_FIELD.search(source):
            raise ReadersUnclear(f"its front matter names `readers` and cannot be read: {_problem(error)}") from error
        return {}, body
    named = {str(key).strip().lower(): value for key, value in fields.items()} if isinstance(fields, dict) else {}
    if "readers" not in named and (restricted or _holds_readers(fields)):
        raise ReadersUnclear("its front matter names `readers` below another field: write it at the left margin")
    return named, body


def _holds_readers(fields: object) -> bool:
    """Whether a field of that name stands anywhere below."""
    waiting = [fields]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if any(str(key).strip().lower() == "readers" for key in value):
                return True
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
    return False


def _seems_to_name_readers(text: str) -> bool:
    """Whether `text` begins with a field `readers`, or has one in its head, which also has a delimiter.

    The head is the first lines, or all of a block that a delimiter opens.
    """
    text = text.lstrip()[:FRONT_MATTER_CHARACTERS]
    end = len("\n".join(text.split("\n", HEAD_LINES)[:HEAD_LINES]))
    if opening := DELIMITER.match(text):
        closing = DELIMITER.search(text, opening.end())
        end = max(end, closing.start() if closing else len(text))
    return bool(READERS_FIELD.match(text) or (DELIMITER.search(text, 0, end) and READERS_FIELD.search(text, 0, end)))


def _yaml(source: str) -> object:
    """Aliases are refused (ValueError): a few lines of aliases of aliases stand for more than a machine can hold."""
    loader = yaml.CSafeLoader if len(source) <= NATIVE_YAML_CHARACTERS else yaml.SafeLoader
    if "*" in source and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(source, loader)):
        raise ValueError("it uses an alias (`*…`); write the value out")
    return yaml.load(source, loader)  # noqa: S506 - both are safe loaders


def _problem(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem} in line {error.problem_mark.line + 2}"
    return str(error)


def _readers(value: object) -> Readers:
    if not isinstance(value, list) or not all(isinstance(token, str) and token.strip() for token in value):
        raise ReadersUnclear(f"`readers` in its front matter must be a list such as [group:finance], not {value!r}")
    try:
        return frozenset(reader_token(token.strip()) for token in value)
    except ValueError as error:
        raise ReadersUnclear(f"`readers` in its front matter: {error}") from error
