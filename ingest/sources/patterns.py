"""Paths, and the settings that speak of them, for sources whose documents are files: patterns as in `.gitignore`."""

from __future__ import annotations

import mimetypes
import unicodedata
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Annotated

from pathspec import GitIgnoreSpec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from ingest.model import Readers, reader_token
from ingest.parsers.interface import ParserName
from ingest.sources.interface import SourceSettings

LITTER = frozenset({"thumbs.db", "desktop.ini", "$recycle.bin", "__macosx", "system volume information", "@eadir"})
"""Names, in lower case, that systems leave in folders of documents; those that begin with a dot are left out anyway."""

LOCK_PREFIXES = (".", "~$")
"""Hidden files, among them `.~lock.report.odt#`; and the owner files of Office (`~$report.docx`)."""


def checked_pattern(pattern: str) -> str:
    """`pattern` itself when it can name a file. Raises `ValueError` for one that cannot."""
    try:
        made = spec([pattern])
    except ValueError as error:
        raise ValueError(f"{pattern!r} is not a pattern as in .gitignore: {error}") from error
    if not any(item.include for item in made.patterns):
        raise ValueError(f"{pattern!r} names no file: it is empty, a comment or a negation")
    return pattern


Pattern = Annotated[str, AfterValidator(checked_pattern)]
"""As in `.gitignore`: `finance/` is all below a folder, `*.key.md` any such name, `**` any number of folders."""


class AccessRule(BaseModel):
    """Who may read the files that a pattern names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    paths: Pattern
    readers: list[str]
    """Empty: nobody."""

    _tokens = field_validator("readers")(lambda cls, value: list(map(reader_token, value)))


class PathSettings(SourceSettings):
    """The keys of a source whose documents are files below one place; patterns are relative to it."""

    access: list[AccessRule] = Field(default=[])
    """The first rule that names a file decides, whatever the document says of itself."""
    include: list[Pattern] = Field(default=[])
    """Only files that one of these names; empty means all."""
    exclude: list[Pattern] = Field(default=[])
    parser: ParserName = "kreuzberg"
    parsers: dict[str, ParserName] = Field(default={})
    """By media type (`application/pdf`, `image/*`) or pattern (`scans/**`); the first that fits, else `parser`."""


class Paths:
    """What the settings say of a path: relative to the source's root, with slashes, a folder's with one at the end."""

    def __init__(self, settings: PathSettings) -> None:
        self._include = spec(settings.include) if settings.include else None
        self._exclude = spec(settings.exclude)
        self._access = [(spec([rule.paths]), frozenset(rule.readers)) for rule in settings.access]
        self._parser = settings.parser
        self._parsers = [(key, spec([key]), parser) for key, parser in settings.parsers.items()]

    def excluded(self, path: str) -> bool:
        """Whether nothing at `path`, or in the folder of that name, is wanted."""
        return self._exclude.match_file(composed(path))

    def wanted(self, path: str) -> bool:
        """Whether the file at `path` is wanted."""
        return not self.excluded(path) and (self._include is None or self._include.match_file(composed(path)))

    def readers(self, paths: Iterable[str]) -> Readers | None:
        """Who the rules let read the file; when it goes by several paths, whom they let read it by each of them."""
        decided: list[Readers] = []
        for path in map(composed, paths):
            readers = next((readers for rule, readers in self._access if rule.match_file(path)), None)
            if readers is not None:
                decided.append(readers)
        return frozenset.intersection(*decided) if decided else None

    def parser(self, path: str, media_type: str | None) -> ParserName:
        """The parser chosen for the file; its media type is guessed from its name where it is not known."""
        if not self._parsers:
            return self._parser
        known = media_type or mimetypes.guess_type(path, strict=False)[0] or ""
        path = composed(path)
        for key, pattern, parser in self._parsers:
            if fnmatchcase(known, key) or pattern.match_file(path):
                return parser
        return self._parser


def spec(patterns: Sequence[str]) -> GitIgnoreSpec:
    """What matches a path, in any spelling of its accents, that one of the patterns names."""
    return GitIgnoreSpec.from_lines(map(composed, patterns))


def composed(path: str) -> str:
    """One spelling for one name: macOS writes accents as marks of their own, people type them as one letter."""
    return unicodedata.normalize("NFC", path)


def is_litter(name: str) -> bool:
    """Whether a file or folder of that name is hidden, or left behind by a system or an editor: no document."""
    return name.startswith(LOCK_PREFIXES) or name.lower() in LITTER
