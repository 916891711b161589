"""`souffleur.yaml` and the environment, through `read`, the only door to them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingest.errors import ConfigurationError
from ingest.settings import IngestSettings, Secrets, read, secrets

EXAMPLE = Path(__file__).parents[2] / "souffleur.example.yaml"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory and an environment without any of our variables."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SOUFFLEUR_")]:  # noqa: TID251 - to empty it
        monkeypatch.delenv(name)
    return tmp_path


def settings_of(text: str) -> IngestSettings:
    Path("souffleur.yaml").write_text(text, encoding="utf-8")
    return read(None, IngestSettings, Secrets())


def complaint(text: str | bytes) -> str:
    Path("souffleur.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigurationError) as caught:
        read(None, IngestSettings, Secrets())
    return str(caught.value)


BAD = {
    "unknown section": (
        "sorces: {}\n",
        "souffleur.yaml:1: sorces: unknown key; did you mean 'sources'?",
    ),
    "unknown section unlike any": (
        "# ours\n\nplugins: []\n",
        "souffleur.yaml:3: plugins: unknown key; known here: home, models, index, state, parsing, languages, sources, "
        "guard, log, serve, answer, slack, mattermost, channels, conversation, access, retention, quotas",
    ),
    "unknown key in a section": (
        "parsing:\n  workers: 2\n  memory: 512\n",
        "souffleur.yaml:3: parsing.memory: unknown key; did you mean 'memory_mb'?",
    ),
    "unknown key in a source": (
        "sources:\n  handbook:\n    root: docs\n    readrs: [everyone]\n",
        "souffleur.yaml:4: sources.handbook.readrs: unknown key; did you mean 'readers'?",
    ),
    "unknown key in an item of a list": (
        "sources:\n  a:\n    root: b\n    access:\n      - {paths: x, readers: []}\n      - {path: y, readers: []}\n",
        "souffleur.yaml:6: sources.a.access[1].paths: is missing; add `paths: …`\n"
        "souffleur.yaml:6: sources.a.access[1].path: unknown key; did you mean 'paths'?",
    ),
    "readers without a kind": (
        "sources:\n  books:\n    root: b\n    readers: [everyone, finance]\n",
        "souffleur.yaml:4: sources.books.readers: `finance` is no reader token; did you mean `group:finance`? "
        "(public, everyone, group:…, user:…)",
    ),
    "readers of a rule without a kind": (
        "sources:\n  books:\n    root: b\n    access:\n      - {paths: x, readers: [ada@example.org]}\n",
        "souffleur.yaml:5: sources.books.access[0].readers: `ada@example.org` is no reader token; did you mean "
        "`user:ada@example.org`? (public, everyone, group:…, user:…)",
    ),
    "missing key": (
        "sources:\n  handbook: {kind: files}\n",
        "souffleur.yaml:2: sources.handbook.root: is missing; add `root: …`",
    ),
    "text for a number": (
        "parsing: {workers: many}\n",
        "souffleur.yaml:1: parsing.workers: expected a whole number, got 'many'; for example 2",
    ),
    "a fraction for a whole number": (
        "parsing: {workers: 1.5}\n",
        "souffleur.yaml:1: parsing.workers: expected a whole number, got 1.5; for example 2",
    ),
    "nothing for a number": (
        "parsing:\n  workers:\n",
        "souffleur.yaml:2: parsing.workers: expected a whole number, got nothing; for example 2",
    ),
    "a list for a number": (
        "parsing:\n  workers: [1]\n",
        "souffleur.yaml:2: parsing.workers: expected a whole number, got a list; for example 2",
    ),
    "too small": (
        "parsing:\n  memory_mb: 10\n",
        "souffleur.yaml:2: parsing.memory_mb: must be at least 256, got 10",
    ),
    "too large": (
        "models:\n  embedding: {local: ./m, weight: 3}\n",
        "souffleur.yaml:2: models.embedding.weight: must be at most 1, got 3",
    ),
    "not more than nothing": (
        "models:\n  reranker: {local: ./m, timeout_seconds: 0}\n",
        "souffleur.yaml:2: models.reranker.timeout_seconds: must be more than 0, got 0",
    ),
    "text for a list": (
        "sources:\n  a:\n    root: b\n    readers: everyone\n",
        "souffleur.yaml:4: sources.a.readers: expected a list, got 'everyone'; write [everyone]",
    ),
    "text for a section": (
        "index: qdrant\n",
        "souffleur.yaml:1: index: expected a section of `name: value` lines, got 'qdrant'; its keys: path, "
        "url, collection, golden",
    ),
    "a list for a section": (
        "sources:\n  - root: docs\n",
        "souffleur.yaml:1: sources: expected a section of `name: value` lines, got a list",
    ),
    "a number for text": (
        "index: {collection: 7}\n",
        'souffleur.yaml:1: index.collection: expected text, got 7; put it in quotes: "7"',
    ),
    "Norwegian, a truth value in YAML": (
        "languages: [en, no]\n",
        'souffleur.yaml:1: languages[1]: expected text, got no; put it in quotes: "no"',
    ),
    "a language by its name": (
        "languages:\n- en\n- german\n",
        "souffleur.yaml:3: languages[1]: not two small letters such as en (ISO 639-1)",
    ),
    "no language at all": (
        "languages: []\n",
        "souffleur.yaml:1: languages: empty; name at least one, or take the line out for the default",
    ),
    "a word that is not allowed, close to one that is": (
        "log: {level: warn}\n",
        "souffleur.yaml:1: log.level: 'warn' is not allowed; did you mean 'warning'?",
    ),
    "a word that is not allowed": (
        "sources: {a: {root: b, parser: tika}}\n",
        "souffleur.yaml:1: sources.a.parser: 'tika' is not allowed; allowed: kreuzberg, unstructured",
    ),
    "two places for one thing": (
        "index:\n  path: a\n  url: http://qdrant:6333\n",
        "souffleur.yaml:1: index: give either `path` (embedded) or `url` (a Qdrant server), not both",
    ),
    "half an endpoint": (
        "models:\n  embedding:\n    base_url: http://gateway:4000/v1\n",
        "souffleur.yaml:2: models.embedding: `base_url` needs `model`: the endpoint's name for the model",
    ),
    "an address without its scheme": (
        "models:\n  embedding:\n    base_url: gateway:4000/v1\n    model: bge-m3\n",
        "souffleur.yaml:3: models.embedding.base_url: not an address; it starts with http:// or https://",
    ),
    "an address in a section that only the bot reads": (
        "models: {chat: {base_url: gateway, model: m}}\n",
        "souffleur.yaml:1: models.chat.base_url: not an address; it starts with http:// or https://",
    ),
    "another database": (
        "state:\n  url: mysql://db/souffleur\n",
        "souffleur.yaml:1: state: `url` must start with sqlite:/// or postgresql://",
    ),
    "a database with a port that is none": (
        "state:\n  url: postgresql://db:port/souffleur\n",
        "souffleur.yaml:1: state: `url` is no address; write it as postgresql://user@host:5432/database",
    ),
    "a secret behind an address": (
        "models:\n  reranker: {base_url: 'http://g/v1?key=sk-123', model: m}\n",
        "souffleur.yaml:2: models.reranker.base_url: an address with a `?`, where secrets hide; take out what follows "
        "and set SOUFFLEUR_RERANKER_API_KEY in the environment or in .env",
    ),
    "a number with too many digits": (
        "parsing:\n  workers: " + "9" * 5000 + "\n",
        "souffleur.yaml:2: parsing.workers: neither a number nor a date that can be; put it in quotes if it is text",
    ),
    "a number that is none": (
        "answer:\n  company: !!float Example\n",
        "souffleur.yaml:2: answer.company: neither a number nor a date that can be; put it in quotes if it is text",
    ),
    "a character that no path has": (
        'home: "a\\0b"\n',
        "souffleur.yaml:1: home: holds a character that no setting can have; take it out",
    ),
    "half a character": (
        'answer: {company: "\\ud800"}\n',
        "souffleur.yaml:1: answer.company: holds a character that no setting can have; take it out",
    ),
    "a section without a name": ("~: x\n", "souffleur.yaml:1: None: not a name; put it in quotes"),
    "a source with a capital": (
        "sources:\n  Hand Book: {root: docs}\n",
        "souffleur.yaml:2: sources.Hand Book: not a name of small letters, digits, `-`, `_` and `.`",
    ),
    "a source named by a number": (
        "sources:\n  2024: {root: docs}\n",
        "souffleur.yaml:2: sources[2024]: not a name; put it in quotes",
    ),
    "a key given twice": (
        "sources:\n  a: {root: b}\n  c: {root: d}\n  a: {root: e}\n",
        "souffleur.yaml:4: sources.a: given twice, first on line 2; keep one",
    ),
    "a key that is a list": (
        "? [a, b]\n: 1\n",
        "souffleur.yaml:1: a key must be a plain name, not a list",
    ),
    "an API key": (
        "models:\n  embedding: {base_url: http://g/v1, model: m, api_key: sk-123}\n",
        "souffleur.yaml:2: models.embedding.api_key: a secret does not belong in this file; take the line out and set "
        "SOUFFLEUR_EMBEDDING_API_KEY in the environment or in .env",
    ),
    "an API key in a section that only the bot reads": (
        "models: {chat: {base_url: http://g/v1, model: m, api_key: sk-123}}\n",
        "souffleur.yaml:1: models.chat.api_key: a secret does not belong in this file; take the line out and set "
        "SOUFFLEUR_CHAT_API_KEY in the environment or in .env",
    ),
    "a secret of nothing in particular": (
        "parsing: {password: hunter2}\n",
        "souffleur.yaml:1: parsing.password: a secret does not belong in this file; take the line out",
    ),
    "a password in an address": (
        "state: {url: 'postgresql://ada:hunter2@db/souffleur'}\n",
        "souffleur.yaml:1: state.url: holds a password; take it out of the address and set SOUFFLEUR_STATE_PASSWORD in "
        "the environment or in .env",
    ),
    "everything at once, in the order of the file": (
        "log: {level: loud}\nparsing: {workers: none}\nlanguages: [en]\nindxe: {}\n",
        "souffleur.yaml:1: log.level: 'loud' is not allowed; allowed: debug, info, warning, error\n"
        "souffleur.yaml:2: parsing.workers: expected a whole number, got 'none'; for example 2\n"
        "souffleur.yaml:4: indxe: unknown key; did you mean 'index'?",
    ),
    "a list at the top": ("- a\n- b\n", "souffleur.yaml:1: expected `section: …` lines, got a list"),
    "text at the top": ("sources\n", "souffleur.yaml:1: expected `section: …` lines, got text"),
    "a tab": (
        "index:\n\tpath: a\n",
        "souffleur.yaml:2: not valid YAML: a tab; YAML is indented with spaces",
    ),
    "a colon too many": (
        "home: a: b\n",
        "souffleur.yaml:1: not valid YAML: a second `: ` on this line, or a line indented further than the one above; "
        "put a value that holds `: ` in quotes",
    ),
    "a line without a colon": (
        "home: a\nindex\nstate: {}\n",
        "souffleur.yaml:3: not valid YAML: a line without `: ` after its key",
    ),
    "a line indented too little": (
        "index:\n    path: a\n  collection: b\n",
        "souffleur.yaml:3: not valid YAML: indented differently from the lines above",
    ),
    "a bracket left open": (
        "languages: [en, fr\n",
        "souffleur.yaml:2: not valid YAML: a `[` that is never closed",
    ),
    "a quote left open": (
        "home: 'a\n",
        "souffleur.yaml:2: not valid YAML: a quote that is never closed",
    ),
    "a tag": (
        "home: !!python/object:os.system x\n",
        "souffleur.yaml:1: not valid YAML: a tag (`!…`) that means nothing here; take it out",
    ),
    "a control character": (b"home: a\nindex: \x07\n", "souffleur.yaml:2: a control character; take it out"),
    "Latin-1": ("home: büro\n".encode("latin-1"), "souffleur.yaml: is not UTF-8 text; save it as UTF-8"),
    "sections merged into sections, without end": (
        "a: &a0 {k: v}\n" + "".join(f"b{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 9)),
        "souffleur.yaml: holds more than 50,000 values; take out aliases (`*…`) of aliases",
    ),
    "a file that is none of ours": (
        "# x" * 400_000,
        "souffleur.yaml: longer than a configuration can be; name another file",
    ),
    "nested without end": ("[" * 5000, "souffleur.yaml: nested too deeply to read"),
    "dates, which are text here": (
        "home: 2024-13-45\nlog: 2024-01-01\n",
        "souffleur.yaml:2: log: expected a section of `name: value` lines, got '2024-01-01'; its keys: level, format",
    ),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_told_by_line_with_the_way_out(text: str | bytes, message: str) -> None:
    assert complaint(text) == message


def test_no_more_is_told_than_can_be_read() -> None:
    assert len(complaint("".join(f"key{number}: x\n" for number in range(5000))).splitlines()) == 20


def test_no_message_repeats_a_secret() -> None:
    told = complaint(
        "models: {embedding: {api_key: sk-123, password: hunter2}}\nstate: {url: 'postgresql://a:hunter2@db/s'}\n"
        "serve: {keys: [{key: sk-123}]}\nindex: {token: sk-123}\n"
    )
    assert len(told.splitlines()) >= 5
    assert "sk-123" not in told
    assert "hunter2" not in told


def test_aliases_and_merged_sections_are_read() -> None:
    settings = settings_of("sources:\n  a: &a {root: x, readers: [public]}\n  b: {<<: *a, root: y}\n")
    assert settings.sources["b"].readers == ["public"]


def test_a_section_that_holds_itself_is_told() -> None:
    assert "souffleur.yaml:1: sources.a" in complaint("sources: &s {a: *s}\n")


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# nothing yet\n", "---\n", "{}\n", "sources:\nlog:\n", "\ufeffhome: .souffleur"]
)
def test_an_empty_file_and_empty_sections_are_the_defaults(text: str, folder: Path) -> None:
    assert settings_of(text) == read(None, IngestSettings, Secrets()) == IngestSettings().placed(folder)


def test_without_a_file_everything_is_kept_below_the_working_directory(folder: Path) -> None:
    settings = read(None, IngestSettings, Secrets())
    assert settings.home == folder / ".souffleur"
    assert settings.index.path == folder / ".souffleur" / "index"
    assert settings.state.url == f"sqlite+aiosqlite:///{folder}/.souffleur/state.db"
    assert settings.languages == ("en", "fr", "de", "es", "it", "pt", "nl", "pl", "tr", "ru", "ar", "zh", "ja", "hi")


def test_paths_in_the_file_start_at_the_file(folder: Path) -> None:
    (folder / "etc" / "models" / "bge").mkdir(parents=True)
    (folder / "etc" / "mine.yaml").write_text(
        "home: data\nsources: {a: {root: ../docs}, b: {root: /srv/b}}\n"
        "models: {embedding: {local: models/bge}, reranker: {local: BAAI/bge-reranker-v2-m3}}\n"
    )
    settings = read(Path("etc/mine.yaml"), IngestSettings, Secrets())
    etc = folder / "etc"
    assert settings.home == etc / "data"
    assert settings.index.path == etc / "data" / "index"
    assert settings.sources["a"].root == etc / "../docs"
    assert settings.sources["b"].root == Path("/srv/b")
    assert settings.models.embedding
    assert settings.models.embedding.local == str(etc / "models" / "bge")
    assert settings.models.reranker
    assert settings.models.reranker.local == "BAAI/bge-reranker-v2-m3"  # no such folder: a name on the hub


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert settings_of("home: ~/souffleur\n").home == Path("/home/ada/souffleur")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///state.db", "sqlite+aiosqlite:///{folder}/state.db"),
        ("sqlite:////var/lib/state.db", "sqlite+aiosqlite:////var/lib/state.db"),
        ("sqlite:///:memory:", "sqlite+aiosqlite:///:memory:"),
        ("sqlite+aiosqlite:///state.db", "sqlite+aiosqlite:///{folder}/state.db"),
        ("postgres://ada@db/s", "postgresql+psycopg://ada@db/s"),
        ("postgresql://db:5433/s?sslmode=require", "postgresql+psycopg://db:5433/s?sslmode=require"),
    ],
)
def test_a_database_gets_its_async_driver(url: str, expected: str, folder: Path) -> None:
    assert settings_of(f"state: {{url: '{url}'}}\n").state.url == expected.format(folder=folder)


def test_a_server_leaves_no_folder_for_the_index() -> None:
    index = settings_of("index: {url: http://qdrant:6333}\n").index
    assert (index.url, index.path) == ("http://qdrant:6333", None)


def test_ingest_leaves_the_sections_of_the_bot_unread() -> None:
    settings = settings_of("models: {chat: {base_url: http://g/v1, anything: 1}}\nserve: {port: x}\nanswer: {y: z}\n")
    assert settings.models.embedding is None


def test_secrets_come_from_the_environment_and_do_not_print(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EMBEDDING_API_KEY", "RERANKER_API_KEY", "QDRANT_API_KEY", "STATE_PASSWORD"):
        monkeypatch.setenv(f"SOUFFLEUR_{name}", f"the {name}")
    settings = settings_of(
        "models: {embedding: {base_url: http://g/v1, model: m}, reranker: {base_url: http://g/v1, model: m}}\n"
    )
    assert settings.models.embedding
    assert settings.models.reranker
    secrets = (
        settings.models.embedding.api_key,
        settings.models.reranker.api_key,
        settings.index.api_key,
        settings.state.password,
    )
    assert [secret and secret.get_secret_value() for secret in secrets] == [
        "the EMBEDDING_API_KEY",
        "the RERANKER_API_KEY",
        "the QDRANT_API_KEY",
        "the STATE_PASSWORD",
    ]
    assert "the " not in repr(settings) + settings.model_dump_json()


def test_dot_env_is_read_and_the_environment_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("SOUFFLEUR_QDRANT_API_KEY=from-file\nSOUFFLEUR_STATE_PASSWORD=from-file\nOTHER=1\n")
    monkeypatch.setenv("SOUFFLEUR_STATE_PASSWORD", "from-environment")
    settings = read(None, IngestSettings, Secrets())
    assert settings.index.api_key
    assert settings.index.api_key.get_secret_value() == "from-file"
    assert settings.state.password
    assert settings.state.password.get_secret_value() == "from-environment"


def test_a_dot_env_that_is_no_text_is_told(folder: Path) -> None:
    (folder / ".env").write_bytes("SOUFFLEUR_CHAT_API_KEY=clé".encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"^\.env: is not UTF-8 text"):
        secrets()


def test_an_empty_variable_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUFFLEUR_QDRANT_API_KEY", "")
    assert read(None, IngestSettings, Secrets()).index.api_key is None


def test_the_file_is_the_named_one_then_the_variable_s_then_the_usual_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("named", "variable", "souffleur"):
        (folder / f"{name}.yaml").write_text(f"home: {name}\n")
    assert read(None, IngestSettings, Secrets()).home.name == "souffleur"
    monkeypatch.setenv("SOUFFLEUR_CONFIG", "variable.yaml")
    assert read(None, IngestSettings, Secrets()).home.name == "variable"
    assert read(Path("named.yaml"), IngestSettings, Secrets()).home.name == "named"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.yaml", "nowhere.yaml: is not there, and {by} names it; name a souffleur.yaml, or leave {by} out"),
        (".", ".: is a folder, and {by} names it; name a souffleur.yaml, or leave {by} out"),
    ],
)
def test_a_named_file_that_is_none_is_told(name: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError) as by_option:
        read(Path(name), IngestSettings, Secrets())
    assert str(by_option.value) == message.format(by="--config")
    monkeypatch.setenv("SOUFFLEUR_CONFIG", name)
    with pytest.raises(ConfigurationError) as by_variable:
        read(None, IngestSettings, Secrets())
    assert str(by_variable.value) == message.format(by="SOUFFLEUR_CONFIG")


def test_the_example_changes_nothing_until_a_line_is_uncommented(folder: Path) -> None:
    example = EXAMPLE.read_text(encoding="utf-8")
    assert settings_of(example) == IngestSettings().placed(folder)


KINDS = {
    "an unknown kind": (
        "sources:\n  wiki: {kind: confluense, base_url: https://x.example}\n",
        "souffleur.yaml:2: sources.wiki.kind: 'confluense' is no kind of source; did you mean 'confluence'?",
    ),
    "a wrong key of a kind": (
        "sources:\n  wiki:\n    kind: confluence\n    base_url: https://wiki.example.org\n    space: [HR]\n",
        "souffleur.yaml:5: sources.wiki.space: unknown key; did you mean 'spaces'?",
    ),
    "a missing key of a kind": (
        "sources:\n  wiki:\n    kind: confluence\n",
        "souffleur.yaml:2: sources.wiki.base_url: is missing; add `base_url: …`",
    ),
    "a wrong value of a kind": (
        "sources:\n  site:\n    kind: website\n    start: [https://x.example/]\n    max_pages: many\n",
        "souffleur.yaml:5: sources.site.max_pages: expected a whole number, got 'many'; for example 10000",
    ),
    "a token in the file": (
        "sources:\n  hr-wiki: {kind: confluence, base_url: https://wiki.example.org, token: abc}\n",
        "souffleur.yaml:2: sources.hr-wiki.token: a secret does not belong in this file; take the line out and set"
        " SOUFFLEUR_SOURCE_HR_WIKI_TOKEN in the environment or in .env",
    ),
    "two sources with one token": (
        "sources:\n  hr-wiki: {kind: slack}\n  hr_wiki: {kind: slack}\n",
        "souffleur.yaml:1: sources: 'hr-wiki' and 'hr_wiki' would have the same SOUFFLEUR_SOURCE_HR_WIKI_TOKEN;"
        " rename one",
    ),
    "a guard that is none": (
        "guard: {share: 20}\n",
        "souffleur.yaml:1: guard.share: must be at most 1, got 20",
    ),
}


@pytest.mark.parametrize(("text", "message"), KINDS.values(), ids=KINDS.keys())
def test_what_is_wrong_with_a_source_is_told_by_line_whatever_its_kind(text: str, message: str) -> None:
    assert complaint(text) == message


def test_each_source_has_a_token_of_its_own_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUFFLEUR_SOURCE_HR_WIKI_TOKEN", "first")
    Path(".env").write_text("SOUFFLEUR_SOURCE_CHAT_TOKEN=second\n", encoding="utf-8")
    sources = settings_of(
        "sources:\n  hr-wiki: {kind: confluence, base_url: https://wiki.example.org}\n"
        "  chat: {kind: slack}\n  docs: {root: docs}\n"
    ).sources
    found = {name: source.token and source.token.get_secret_value() for name, source in sources.items()}
    assert found == {"hr-wiki": "first", "chat": "second", "docs": None}
    assert "first" not in repr(sources)
    assert "first" not in str(sources["hr-wiki"].model_dump())


def test_a_source_without_a_kind_is_a_folder(folder: Path) -> None:
    [source] = settings_of("sources:\n  docs: {root: docs}\n").sources.values()
    assert (source.kind, source.location) == ("files", str(folder / "docs"))
