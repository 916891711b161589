"""A YAML file read into a settings class, and everything that is wrong with it told at once.

Each problem is one line: file, line, key path, what is wrong, the way out. YAML is composed into nodes, which know
their lines, before it becomes values; pydantic's errors find their lines by walking the nodes. No value of a key that
looks like a secret is ever printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from inspect import isclass
from pathlib import Path
from typing import TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ingest.declared import KeyPath, keys, walk, without_none
from ingest.errors import ConfigurationError
from ingest.sources.interface import token_variable

Model = TypeVar("Model", bound=BaseModel)

SECRETS = {
    ("models", "chat"): "SOUFFLEUR_CHAT_API_KEY",
    ("models", "vision"): "SOUFFLEUR_VISION_API_KEY",
    ("models", "embedding"): "SOUFFLEUR_EMBEDDING_API_KEY",
    ("models", "reranker"): "SOUFFLEUR_RERANKER_API_KEY",
    ("index",): "SOUFFLEUR_QDRANT_API_KEY",
    ("state",): "SOUFFLEUR_STATE_PASSWORD",
    ("slack",): "SOUFFLEUR_SLACK_BOT_TOKEN",
    ("mattermost",): "SOUFFLEUR_MATTERMOST_TOKEN",
}
"""The variable that holds the secret of each section."""

SECRET_KEY = re.compile(r"(^|_)(api_?key|key|token|password|passwd|secret)$", re.IGNORECASE)
"""Names of keys under which people write secrets; `keys` and `context_tokens` are none of them."""

URL_WITH_PASSWORD = re.compile(r"^[a-z0-9+.-]+://[^/@\s]*:[^/@\s]+@", re.IGNORECASE)

UNUSABLE = re.compile("[\x00\ud800-\udfff]")
"""Characters that no path, address or name can have, and that YAML can write as `\\0` and `\\ud800`."""

ADDRESS_KEY = re.compile(
    r"models\.\w+\.base_url$|index\.url$|serve\.public_url$|slack\.base_url$|mattermost\.(callback_)?url$"
)
"""Settings that hold the address of an HTTP server."""

FILE_BYTES = 1_000_000
"""A longer file was made by no person and read by mistake."""

MOST_VALUES = 50_000
"""What is behind an alias counted each time: aliases of aliases, and merged sections, grow without end."""

MOST_PROBLEMS = 20
"""How many are told at once; the next run tells the rest."""

KINDS = frozenset({"union_tag_invalid", "union_tag_not_found"})
"""Errors of a source's `kind`."""

MOMENT = "a date and time such as 2027-03-31T00:00:00Z"

EXPECTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "datetime_from_date_parsing": MOMENT,
    "datetime_parsing": MOMENT,
    "datetime_type": MOMENT,
    "dict_type": "a section of `name: value` lines",
    "float_parsing": "a number",
    "float_type": "a number",
    "frozen_set_type": "a list",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_attributes_type": "a section of `name: value` lines",
    "model_type": "a section of `name: value` lines",
    "path_type": "a path",
    "string_type": "text",
    "tuple_type": "a list",
}
"""What pydantic's error types ask for, in the words of somebody who edits the file."""

BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}

PATTERNS = {
    "^[a-z]{2}$": "two small letters such as en (ISO 639-1)",
    "^[0-9a-fA-F]{64}$": "the SHA-256 of the key, 64 hexadecimal digits: printf %s KEY | sha256sum",
    "^https?://": "an address; it starts with http:// or https://",
    r"^[a-z0-9][a-z0-9_.-]*$": "a name of small letters, digits, `-`, `_` and `.`",
    r"^[a-z0-9_-]{1,31}$": "a command of small letters, digits, `-` and `_`, without its slash: ask",
    r"^/[a-z0-9_-]{1,31}$": "a command of small letters, digits, `-` and `_`, with its slash: /ask",
    r"^[a-z0-9_+'-]+$": "an emoji's name, without its colons: question",
    r"^([CDG][A-Z0-9]+|[a-z0-9]{26})$": "a channel's id; Slack's is like C042ABCDE (channel > About), Mattermost's has "
    "26 letters and digits (View Info)",
    r"^([UW][A-Z0-9]+|[a-z0-9]{26})$": "a user's id; Slack's is like U042ABCDE (profile > Copy member ID), "
    "Mattermost's has 26 letters and digits (System Console > Users)",
    r"^(slack:[UW][A-Z0-9]+|mattermost:[a-z0-9]{26})$": "a platform and a user's id on it: slack:U042ABCDE, or "
    "mattermost: and 26 letters and digits",
    r"^[^:\x00-\x1f\x7f]+$": "the name of a user; it has no colon",
    r"^[A-Za-z_-]+(?:[ /][\x20-\x7e]*)?$": "a name of letters, and what else helps: Souffleur (it@example.org)",
}
"""What each pattern in a settings class asks for."""

SYNTAX = {
    "found character '\\t' that cannot start any token": "a tab; YAML is indented with spaces",
    "mapping values are not allowed here": "a second `: ` on this line, or a line indented further than the one above; "
    "put a value that holds `: ` in quotes",
    "could not find expected ':'": "a line without `: ` after its key",
    "expected <block end>, but found '<block mapping start>'": "indented differently from the lines above",
    "expected <block end>, but found '-'": "a `- ` where the lines above have keys; indent the list below its key",
    "expected ',' or ']', but got '<stream end>'": "a `[` that is never closed",
    "expected ',' or '}', but got '<stream end>'": "a `{` that is never closed",
    "found unexpected end of stream": "a quote that is never closed",
}
"""PyYAML's words for the commonest slips, and the operator's."""


class _Loader(yaml.SafeLoader):
    """YAML without timestamps: no setting is a date, and `2024-13-01` shall be a wrong text, not a crash."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own declaration
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that is wrong, at one place of the file."""

    path: KeyPath
    line: int
    text: str


def load(file: Path, settings_class: type[Model]) -> Model:
    """The settings in `file`; an empty file holds the defaults. Raises `ConfigurationError` with every problem."""
    root = _compose(file)
    if root is None:
        return settings_class()
    if not isinstance(root, yaml.MappingNode):
        raise ConfigurationError(f"{file}:1: expected `section: …` lines, got {_kind(root)}")
    problems = list(_look_over(root))
    settings: Model | None = None
    try:
        settings = settings_class.model_validate(yaml.constructor.SafeConstructor().construct_document(root))
    except yaml.MarkedYAMLError as error:
        if not problems:
            raise ConfigurationError(_syntax(file, error)) from error
    except ValidationError as error:
        told = {problem.path for problem in problems}
        details = error.errors(include_url=False)[:MOST_PROBLEMS]
        mistakes = [_Mistake(root, settings_class, detail) for detail in details]
        problems += [mistake.problem() for mistake in mistakes if mistake.path not in told]
    except ValueError as error:  # a number or a date that is none
        if not problems:
            raise ConfigurationError(f"{file}: {error}") from error
    if problems or settings is None:
        problems.sort(key=lambda problem: problem.line)
        lines = (
            f"{file}:{problem.line}: {f'{_dotted(problem.path)}: ' if problem.path else ''}{problem.text}"
            for problem in problems[:MOST_PROBLEMS]
        )
        raise ConfigurationError("\n".join(lines))
    return settings


def _compose(file: Path) -> yaml.Node | None:
    try:
        if file.stat().st_size > FILE_BYTES:
            raise ConfigurationError(f"{file}: longer than a configuration can be; name another file")
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file}: is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from error
    try:
        root: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise ConfigurationError(_syntax(file, error)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigurationError(f"{file}:{line}: a control character; take it out") from error
    except RecursionError as error:
        raise ConfigurationError(f"{file}: nested too deeply to read") from error
    if root is not None and _size(root, {}) > MOST_VALUES:
        raise ConfigurationError(f"{file}: holds more than {MOST_VALUES:,} values; take out aliases (`*…`) of aliases")
    return None if root is None or root.tag == "tag:yaml.org,2002:null" else root


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values `node` stands for, aliases written out."""
    if id(node) not in known:
        known[id(node)] = 1  # what it counts as where it holds itself
        parts: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            parts = [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            parts = node.value
        known[id(node)] += sum(_size(part, known) for part in parts)
    return known[id(node)]


def _syntax(file: Path, error: yaml.MarkedYAMLError) -> str:
    """One line for an error of the YAML itself."""
    mark = error.problem_mark or error.context_mark
    line = 1 if mark is None else mark.line + 1
    problem = error.problem or str(error)
    if problem.startswith("could not determine a constructor"):
        problem = "a tag (`!…`) that means nothing here; take it out"
    return f"{file}:{line}: not valid YAML: {SYNTAX.get(problem, problem)}"


def _look_over(root: yaml.MappingNode) -> Iterator[Problem]:
    """What the settings classes do not look for: keys given twice, secrets, and addresses that are none."""
    seen: set[int] = set()
    waiting: list[tuple[yaml.Node, KeyPath]] = [(root, ())]
    while waiting:
        node, path = waiting.pop()
        if id(node) in seen:
            continue  # an alias, perhaps of a node that holds it
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield from _look_over_keys(node, path)
            waiting += [(value, (*path, key.value)) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(item, (*path, number)) for number, item in enumerate(node.value)]
        elif isinstance(node, yaml.ScalarNode) and (text := _wrong_with(node, path)):
            yield Problem(path=path, line=_line(node), text=text)


def _wrong_with(node: yaml.ScalarNode, path: KeyPath) -> str | None:
    """What is wrong with a single value whatever the settings classes expect there; None for nothing."""
    if UNUSABLE.search(node.value):
        return "holds a character that no setting can have; take it out"
    if URL_WITH_PASSWORD.match(node.value):
        return f"holds a password; take it out of the address{_way_out(path)}"
    if ADDRESS_KEY.match(_dotted(path)):
        if not re.match("https?://.", node.value):
            return "not an address; it starts with http:// or https://"
        if "?" in node.value:
            return f"an address with a `?`, where secrets hide; take out what follows{_way_out(path)}"
    try:
        yaml.constructor.SafeConstructor().construct_object(node)
    except yaml.YAMLError:
        return None  # a tag without a meaning: told when the whole is constructed
    except ValueError:
        return "neither a number nor a date that can be; put it in quotes if it is text"
    return None


def _look_over_keys(node: yaml.MappingNode, path: KeyPath) -> Iterator[Problem]:
    lines: dict[str, int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            yield Problem(path=path, line=_line(key), text=f"a key must be a plain name, not {_kind(key)}")
            continue
        here = (*path, key.value)
        if key.value in lines and key.value != "<<":
            yield Problem(path=here, line=_line(key), text=f"given twice, first on line {lines[key.value]}; keep one")
        elif SECRET_KEY.search(key.value) and path != ("sources",):
            text = f"a secret does not belong in this file; take the line out{_way_out(path)}"
            yield Problem(path=here, line=_line(key), text=text)
        lines.setdefault(key.value, _line(key))


def _way_out(path: KeyPath) -> str:
    if path[:2] == ("serve", "keys"):
        return " and give `sha256`, the SHA-256 of the key: printf %s KEY | sha256sum"
    if path[:1] == ("sources",) and len(path) > 1:
        return f" and set {token_variable(str(path[1]))} in the environment or in .env"
    variable = next((name for section, name in SECRETS.items() if path[: len(section)] == section), None)
    return f" and set {variable} in the environment or in .env" if variable else ""


class _Mistake:
    """One of pydantic's errors, with the node and the declared type that it speaks of."""

    def __init__(self, root: yaml.MappingNode, settings_class: type[BaseModel], details: ErrorDetails) -> None:
        self.details = details
        self.of_key = details["loc"][-1:] == ("[key]",)
        self.path, self.section, self.declared = walk(settings_class, details["loc"][: -1 if self.of_key else None])
        if details["type"] in KINDS:
            self.path = (*self.path, "kind")
        self.node, self.line = _find(root, self.path)

    def problem(self) -> Problem:
        return Problem(path=self.path, line=self.line, text=self._text())

    def _text(self) -> str:
        kind, context = self.details["type"], self.details.get("ctx", {})
        if self.of_key:
            return f"not {PATTERNS.get(context.get('pattern', ''), 'a name; put it in quotes')}"
        if kind == "extra_forbidden":
            return f"unknown key; {_suggestion(str(self.path[-1]), keys(self.section))}"
        if kind == "union_tag_invalid":
            allowed = re.findall(r"'(\w+)'", context["expected_tags"])
            return f"{context['tag']!r} is no kind of source; {_suggestion(context['tag'], allowed, one='kinds')}"
        if kind == "union_tag_not_found":
            return "is missing; add `kind: files` or another"
        if kind == "missing":
            return f"is missing; add `{self.path[-1]}: …`"
        if kind in BOUNDS:
            name, words = BOUNDS[kind]
            return f"must be {words} {context[name]:g}, got {self._given()}"
        if kind == "literal_error":
            allowed = [str(value) for value in get_args(without_none(self.declared))]
            return f"{self._given()} is not allowed; {_suggestion(str(self.details['input']), allowed, one='allowed')}"
        if kind == "invalid_key":
            return "not a name; put it in quotes"
        if kind == "string_pattern_mismatch":
            return f"not {PATTERNS[context['pattern']]}"
        if kind == "too_short":
            return "empty; name at least one, or take the line out for the default"
        if kind in EXPECTED:
            return f"expected {EXPECTED[kind]}, got {self._given()}{self._example(EXPECTED[kind])}"
        return self.details["msg"].removeprefix("Value error, ")

    def _given(self) -> str:
        if isinstance(self.node, yaml.ScalarNode):
            if self.details["input"] is None:
                return "nothing"
            return repr(self.node.value) if isinstance(self.details["input"], str) else str(self.node.value)
        return "nothing" if self.node is None else _kind(self.node)

    def _example(self, expected: str) -> str:
        scalar = self.node.value if isinstance(self.node, yaml.ScalarNode) and self.node.value else None
        if expected == "text" and scalar:
            return f'; put it in quotes: "{scalar}"'
        if expected == "a list" and scalar:
            return f"; write [{scalar}]"
        if expected.startswith("a section") and (known := keys(self.declared)):
            return f"; its keys: {', '.join(known)}"
        if isclass(self.section) and issubclass(self.section, BaseModel):
            default = self.section.model_fields[str(self.path[-1])].default
            if isinstance(default, int | float | str) and not isinstance(default, bool):
                return f"; for example {default}"
        return ""


def _find(root: yaml.Node, path: KeyPath) -> tuple[yaml.Node | None, int]:
    """The node at `path` and its key's line; None and the last key's line where the path leaves the file."""
    node, line = root, 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            pairs = [(key, value) for key, value in node.value if str(part) in (key.value, _merged(key))]
            if not pairs:
                return None, line
            line, node = _line(pairs[-1][0]), pairs[-1][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = _line(node)
        else:
            return None, line
    return node, line


def _merged(key: yaml.Node) -> str | None:
    """A key that is not text (`2024:`, `no:`), as pydantic names it."""
    return str(yaml.constructor.SafeConstructor().construct_object(key)) if isinstance(key, yaml.ScalarNode) else None


def _suggestion(word: str, known: list[str], *, one: str = "known here") -> str:
    close = get_close_matches(word.lower(), known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"{one}: {', '.join(known)}"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _kind(node: yaml.Node) -> str:
    match node:
        case yaml.MappingNode():
            return "a section"
        case yaml.SequenceNode():
            return "a list"
    return "text"


def _dotted(path: KeyPath) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
