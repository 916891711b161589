"""The sections that only the bot reads, and the example that documents all of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from inspect import isclass
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel, SecretStr

from bot.settings import BotSecrets, BotSettings, Secrets, read
from ingest.configuration import PATTERNS
from ingest.errors import ConfigurationError

ROOT = Path(__file__).parents[2]

OTHER_FORMS = {
    "index.path",
    "models.embedding.local",
    "models.reranker.local",
    "sources.files.storage",
    "sources.confluence.email_domain",
}
"""Settings that exclude the form that the example shows; its comments name them."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SOUFFLEUR_")]:  # noqa: TID251 - to empty it
        monkeypatch.delenv(name)
    return tmp_path


def settings_of(text: str) -> BotSettings:
    Path("souffleur.yaml").write_text(text, encoding="utf-8")
    return read(None, BotSettings, Secrets())


DIGEST = sha256(b"key").hexdigest()

BAD = {
    "half a chat model": (
        "models:\n  chat: {model: assistant}\n",
        "souffleur.yaml:2: models.chat.base_url: is missing; add `base_url: …`",
    ),
    "a typing error in the chat model": (
        "models:\n  chat: {base_url: http://g/v1, modl: assistant, model: a}\n",
        "souffleur.yaml:2: models.chat.modl: unknown key; did you mean 'model'?",
    ),
    "a chat model without its section": (
        "models: {chat: assistant}\n",
        "souffleur.yaml:1: models.chat: expected a section of `name: value` lines, got 'assistant'; its keys: "
        "base_url, model, temperature, context_tokens, answer_tokens, json_schema, send_user, first_token_seconds, "
        "between_tokens_seconds, total_seconds",
    ),
    "a port that is none": (
        "serve:\n  port: 80800\n",
        "souffleur.yaml:2: serve.port: must be at most 65535, got 80800",
    ),
    "a public address that is none": (
        "serve: {public_url: 'javascript:alert(1)'}\n",
        "souffleur.yaml:1: serve.public_url: not an address; it starts with http:// or https://",
    ),
    "the key itself": (
        "serve:\n  keys:\n    - {name: intranet, key: sk-123}\n",
        "souffleur.yaml:3: serve.keys[0].key: a secret does not belong in this file; take the line out and give "
        "`sha256`, the SHA-256 of the key: printf %s KEY | sha256sum\n"
        "souffleur.yaml:3: serve.keys[0].sha256: is missing; add `sha256: …`",
    ),
    "the key itself for its digest": (
        "serve:\n  keys:\n    - {name: intranet, sha256: sk-123}\n",
        "souffleur.yaml:3: serve.keys[0].sha256: not the SHA-256 of the key, 64 hexadecimal digits: "
        "printf %s KEY | sha256sum",
    ),
    "a word for a truth value": (
        "access: {offer: perhaps}\n",
        "souffleur.yaml:1: access.offer: expected true or false, got 'perhaps'",
    ),
    "a word for a date": (
        "serve: {keys: [{name: a, sha256: " + "a" * 64 + ", expires: soon}]}\n",
        "souffleur.yaml:1: serve.keys[0].expires: expected a date and time such as 2027-03-31T00:00:00Z, got 'soon'",
    ),
    "a slash command without its slash": (
        "slack: {command: ask}\n",
        "souffleur.yaml:1: slack.command: not a command of small letters, digits, `-` and `_`, with its slash: /ask",
    ),
    "an emoji between its colons": (
        "slack: {ask_reaction: ':question:'}\n",
        "souffleur.yaml:1: slack.ask_reaction: not an emoji's name, without its colons: question",
    ),
    "a channel by its name": (
        "channels:\n  help-desk: {answer: every}\n",
        "souffleur.yaml:2: channels.help-desk: not a channel's id; Slack's is like C042ABCDE (channel > About), "
        "Mattermost's has 26 letters and digits (View Info)",
    ),
    "a channel's owner by name": (
        "channels:\n  C042: {owners: [bob]}\n",
        "souffleur.yaml:2: channels.C042.owners[0]: not a user's id; Slack's is like U042ABCDE (profile > Copy member "
        "ID), Mattermost's has 26 letters and digits (System Console > Users)",
    ),
    "a source's owner without a platform": (
        "sources:\n  wiki: {kind: files, root: wiki, owners: [U042]}\n",
        "souffleur.yaml:2: sources.wiki.owners[0]: not a platform and a user's id on it: slack:U042ABCDE, or "
        "mattermost: and 26 letters and digits",
    ),
    "a Mattermost of which nothing is said": (
        "mattermost:\n",
        "souffleur.yaml:1: mattermost.url: is missing; add `url: …`",
    ),
    "no passages": (
        "answer: {passages: 0}\n",
        "souffleur.yaml:1: answer.passages: must be at least 1, got 0",
    ),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD.keys())
def test_a_bad_section_of_the_bot_is_told_by_line_with_the_way_out(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings_of(text)
    assert str(caught.value) == message


def test_the_defaults_need_no_model_and_listen_to_this_machine_only() -> None:
    settings = settings_of("")
    assert settings.models.chat is None
    assert (settings.serve.host, settings.serve.port, settings.serve.keys) == ("127.0.0.1", 8080, ())


def test_the_chat_model_gets_its_key_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUFFLEUR_CHAT_API_KEY", "sk-123")
    chat = settings_of("models: {chat: {base_url: http://g/v1, model: m}}\n").models.chat
    assert chat
    assert chat.api_key
    assert chat.api_key.get_secret_value() == "sk-123"
    assert "sk-123" not in repr(chat)


def test_whoever_asks_with_a_key_may_read_what_is_public() -> None:
    own = f"{{name: a, sha256: {DIGEST.upper()}, readers: ['group:hr']}}"
    first, second = settings_of(f"serve: {{keys: [{own}, {{name: b, sha256: {DIGEST}}}]}}\n").serve.keys
    assert first.readers == {"public", "group:hr"}
    assert second.readers == {"public", "everyone"}
    assert first.sha256 == second.sha256 == DIGEST


@pytest.mark.parametrize("written", ["2026-12-24T18:00:00Z", "2026-12-24 18:00", "2026-12-24T19:00:00+01:00"])
def test_a_key_expires_at_a_moment_that_is_utc_unless_it_says_otherwise(written: str) -> None:
    (key,) = settings_of(f"serve: {{keys: [{{name: a, sha256: {DIGEST}, expires: {written}}}]}}\n").serve.keys
    assert key.expires == datetime(2026, 12, 24, 18, tzinfo=UTC)


def test_a_platform_is_switched_on_by_its_section_although_that_is_empty() -> None:
    assert settings_of("slack:\n").slack == settings_of("slack: {}\n").slack != settings_of("").slack


def patterns(schema: Any) -> Iterator[str]:
    """Every pattern that a setting must match, wherever it stands in a schema."""
    if isinstance(schema, dict) and isinstance(schema.get("pattern"), str):
        yield schema["pattern"]
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from patterns(inner)


def test_whoever_breaks_a_pattern_is_told_in_words_what_it_asks_for() -> None:
    known = set(patterns(BotSettings.model_json_schema()))
    assert len(known) > 5
    assert known - set(PATTERNS) == set()


def test_the_example_changes_nothing_until_a_line_is_uncommented(folder: Path) -> None:
    example = (ROOT / "souffleur.example.yaml").read_text(encoding="utf-8")
    assert settings_of(example) == BotSettings().placed(folder)


def uncommented() -> str:
    lines = (ROOT / "souffleur.example.yaml").read_text(encoding="utf-8").splitlines()
    return "\n".join(line.removeprefix("#") for line in lines if not re.match(r"# \S", line))


def test_the_example_is_valid_with_every_line_uncommented() -> None:
    settings = settings_of(uncommented())
    assert settings.models.chat
    assert settings.serve.keys


LIKE_CHAT = ("models.reasoning.", "models.code.", "models.judge.")
"""Sections that the example shows to have the chat model's keys."""


def documented(declared: Any, data: Any, path: str = "") -> Iterator[tuple[str, bool]]:
    """Every key that the file may hold, and whether the example shows it."""
    if isclass(declared) and issubclass(declared, BaseModel):
        for name, field in declared.model_fields.items():
            if not field.exclude and path + name not in OTHER_FORMS:
                yield path + name, name in (data or {})
                yield from documented(field.annotation, (data or {}).get(name), f"{path}{name}.")
    elif get_origin(declared) is Annotated:
        yield from documented(get_args(declared)[0], data, path)
    elif get_origin(declared) is dict and path == "sources.":
        for kind in get_args(get_args(get_args(declared)[1])[0]):
            settings = get_args(kind)[0]
            name = settings.model_fields["kind"].annotation.__args__[0]
            shown = next((source for source in data.values() if source["kind"] == name), None)
            yield from documented(settings, shown, f"{path}{name}.")
    elif get_origin(declared) is dict:
        yield from documented(get_args(declared)[1], next(iter(data.values()), None), path)
    elif get_origin(declared) in (list, tuple):
        yield from documented(get_args(declared)[0], data[0] if data else None, path)
    else:
        for kind in get_args(declared):  # of a union
            yield from documented(kind, data, path)


def test_the_example_documents_every_setting() -> None:
    shown = dict(documented(BotSettings, yaml.safe_load(uncommented())))
    assert len(shown) > 50
    assert [path for path, there in shown.items() if not there and not path.startswith(LIKE_CHAT)] == []


def test_the_example_environment_documents_every_variable() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    names = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}
    assert names == {f"SOUFFLEUR_{name.upper()}" for name in BotSecrets.model_fields}


def test_a_model_for_a_task_is_another_alias_of_the_chat_models_gateway_with_its_key() -> None:
    text = "models: {chat: {base_url: http://gateway:4000/v1, model: assistant}, code: {model: coder}}"
    settings = settings_of(text).with_secrets(BotSecrets(chat_api_key=SecretStr("sk-gateway")))
    assert settings.models.code
    assert (settings.models.code.base_url, settings.models.code.model) == ("http://gateway:4000/v1", "coder")
    assert settings.models.code.api_key == SecretStr("sk-gateway")


def test_a_model_elsewhere_is_never_sent_the_chat_models_key() -> None:
    chat = "chat: {base_url: http://gateway:4000/v1, model: assistant}"
    text = f"models: {{{chat}, judge: {{base_url: https://judge.example, model: judge}}}}"
    judge = settings_of(text).with_secrets(BotSecrets(chat_api_key=SecretStr("sk-gateway"))).models.judge
    assert judge
    assert judge.api_key is None
    own = settings_of(text).with_secrets(BotSecrets(judge_api_key=SecretStr("sk-judge"))).models.judge
    assert own
    assert own.api_key == SecretStr("sk-judge")
