"""Question sets in BEIR layout: questions, and the documents that answer them.

A set is a folder with `queries.jsonl` (`_id`, `text`, `metadata`), `qrels/test.tsv` (`query-id`, `corpus-id`, `score`)
and, unless it is about documents that are indexed already, `corpus.jsonl` (`_id`, `title`, `text`, `metadata`).
The `metadata` of a question may have `language`, `answers`, `answerable`, `readers`, `class` and `history`, that of a
document `readers`; whatever else it has is not read.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ingest.errors import ConfigurationError
from ingest.model import EVERYONE, MEMBER, PUBLIC, DocumentId, Readers, reader_token

_Row = TypeVar("_Row")

DEPTH = 100
"""Documents kept of each ranking; the deepest measure needs 10."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """One earlier message of the conversation that a question belongs to."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """One question of a set."""

    id: str
    text: str
    language: str | None = None
    """Language that people asked it in, where the set says so."""
    readers: Readers = MEMBER
    """Reader tokens of who asks it."""
    answerable: bool = True
    answers: tuple[str, ...] = ()
    """Gold answers, any of which will do, as they stand in a relevant document."""
    kind: str | None = None
    """The set's own class of questions (`class`), as EnterpriseRAG-Bench has `basic`, `semantic` and eight more."""
    history: tuple[Said, ...] = ()
    """Earlier turns, oldest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Article:
    """One document of a set's own corpus."""

    id: DocumentId
    title: str
    text: str
    readers: Readers = frozenset({EVERYONE})


@dataclass(frozen=True, kw_only=True, slots=True)
class QuestionSet:
    """A folder in BEIR layout, read."""

    name: str
    queries: tuple[Query, ...]
    relevant: Mapping[str, Mapping[str, int]]
    """Query id -> document id -> grade; only grades above 0."""
    corpus: tuple[Article, ...] | None
    """None: the documents are those of the index in use."""


_Token = Annotated[str, AfterValidator(reader_token)]


class _Turn(BaseModel):
    model_config = ConfigDict(strict=True)

    role: Literal["user", "assistant"]
    text: str


class _QueryMetadata(BaseModel):
    model_config = ConfigDict(strict=True)

    language: str | None = None
    readers: list[_Token] | None = None
    answerable: bool = True
    answers: list[str] = []
    kind: str | None = Field(default=None, alias="class")
    history: list[_Turn] = []


class _ArticleMetadata(BaseModel):
    model_config = ConfigDict(strict=True)

    readers: list[_Token] | None = None


def read_set(folder: Path) -> QuestionSet:
    """Raises `ConfigurationError` when the folder is not in BEIR layout."""
    for needed in (folder / "queries.jsonl", folder / "qrels" / "test.tsv"):
        if not needed.is_file():
            raise ConfigurationError(
                f"{folder}: no question set in BEIR layout, {needed.relative_to(folder)} is missing"
            )
    corpus = folder / "corpus.jsonl"
    return QuestionSet(
        name=folder.resolve().name,
        queries=tuple(_read(folder / "queries.jsonl", _query)),
        relevant=_relevant(folder / "qrels" / "test.tsv"),
        corpus=read_corpus(folder) if corpus.is_file() else None,
    )


def read_corpus(folder: Path) -> tuple[Article, ...]:
    """The documents of a set. Raises `ConfigurationError` when it has none of its own."""
    path = folder / "corpus.jsonl"
    if not path.is_file():
        raise ConfigurationError(f"{folder}: has no corpus of its own, corpus.jsonl is missing")
    return tuple(_read(path, _article))


def _read(path: Path, made: Callable[[Mapping[str, object]], _Row]) -> Iterator[_Row]:
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ConfigurationError(f"{path}, line {number}: not JSON ({error})") from error
        if not isinstance(row, dict) or "_id" not in row:
            raise ConfigurationError(f"{path}, line {number}: needs an object with `_id` and `text`")
        try:
            yield made(row)
        except ValidationError as error:
            first = error.errors()[0]
            at = ".".join(map(str, first["loc"]))
            raise ConfigurationError(f"{path}, line {number}: `metadata.{at}`: {first['msg']}") from error


def _query(row: Mapping[str, object]) -> Query:
    said = _QueryMetadata.model_validate(_said(row))
    return Query(
        id=str(row["_id"]),
        text=str(row.get("text", "")),
        language=said.language,
        readers=frozenset(said.readers) | {PUBLIC} if said.readers else MEMBER,
        answerable=said.answerable,
        answers=tuple(said.answers),
        kind=said.kind,
        history=tuple(Said(role=turn.role, text=turn.text) for turn in said.history),
    )


def _article(row: Mapping[str, object]) -> Article:
    said = _ArticleMetadata.model_validate(_said(row))
    return Article(
        id=DocumentId(str(row["_id"])),
        title=str(row.get("title") or ""),
        text=str(row.get("text") or ""),
        readers=frozenset({EVERYONE}) if said.readers is None else frozenset(said.readers),
    )


def _said(row: Mapping[str, object]) -> Mapping[str, object]:
    metadata = row.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _relevant(path: Path) -> dict[str, dict[str, int]]:
    relevant: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t")
        for row in rows:
            try:
                query, document, grade = row["query-id"], row["corpus-id"], int(row["score"])
            except (KeyError, TypeError, ValueError) as error:
                raise ConfigurationError(
                    f"{path}, line {rows.line_num}: needs the columns `query-id`, `corpus-id` and `score` (a number)"
                ) from error
            if grade > 0:
                relevant.setdefault(query, {})[document] = grade
    return relevant


def by_document(chunks: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    """A ranking of documents from one of their chunks: the first place counts."""
    first: dict[str, float] = {}
    for document, score in chunks:
        first.setdefault(document, score)
    return list(first.items())[:DEPTH]
