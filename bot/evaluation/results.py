"""What is kept of a run, question by question: read again, it is one side of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest.errors import ConfigurationError


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Shown(_Row):
    """One citation of an answer."""

    number: int
    document: str
    language: str


class AnswerResult(_Row):
    """How the assistant answered one question."""

    outcome: str
    language: str
    text: str
    written_by: str
    cited: tuple[Shown, ...]
    """In the order of their numbers."""
    retrieved: tuple[str, ...]
    """Documents of the passages that the writer was given, best first."""
    notices: tuple[str, ...] = ()
    wrong_language: str | None = None
    """Why the text is not in the language of the question; None when it is."""
    judged: str | None = None
    """What the judge says of it, where there is one."""


class Result(_Row):
    """One question, measured."""

    id: str
    text: str
    slices: dict[str, str] = Field(default_factory=dict)
    """Kind of slice (`language`, `pair`, `class`, `readers`) -> which one it belongs to."""
    measures: dict[str, float] = Field(default_factory=dict)
    """Measure -> 0 to 1; one that does not apply to the question is absent."""
    costs: dict[str, float] = Field(default_factory=dict)
    """Cost (`bot.evaluation.measures.COSTS`) -> seconds, calls or tokens."""
    answer: AnswerResult | None = None


class SetResults(_Row):
    """One set."""

    name: str
    seconds: float = 0.0
    """That the rankings took."""
    judge: str | None = None
    """The model that graded the answers."""
    results: tuple[Result, ...]


class _Kept(_Row):
    form: Literal[1] = 1
    sets: tuple[SetResults, ...]


def save(sets: Sequence[SetResults], path: Path) -> None:
    """Keep a run as JSON; it holds questions and answers, so for whoever may read those."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_Kept(sets=tuple(sets)).model_dump_json(indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> tuple[SetResults, ...]:
    """A run that was kept. Raises `ConfigurationError` when the file holds none."""
    try:
        return _Kept.model_validate_json(path.read_text(encoding="utf-8")).sets
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise ConfigurationError(f"{path}: holds no run that `bot eval --save` wrote ({_why(error)})") from error


def _why(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    problem = error.errors()[0]
    place = ".".join(map(str, problem["loc"]))
    return f"{place}: {problem['msg']}" if place else problem["msg"]
