"""Keys and passwords go out of sight; ids, hashes and words stay."""

from __future__ import annotations

import base64
import json
import logging
import random
import string
import sys
from collections.abc import Iterator
from contextvars import copy_context

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.masking import MASK, masked
from ingest.telemetry import QUIET, STATEMENTS, new_trace_id, start_logging

LETTERS = string.ascii_letters + string.digits


def made(characters: str, length: int) -> str:
    """The same random signs in every run; at least one digit, one small and one capital letter where there are any."""
    source = random.Random(f"{characters}{length}")
    signs = [source.choice(characters) for _ in range(length)]
    for place, kind in enumerate((string.digits, string.ascii_lowercase, string.ascii_uppercase)):
        if allowed := set(kind) & set(characters):
            signs[place * 2 + 1] = sorted(allowed)[0]
    return "".join(signs)


HEX = "0123456789abcdef"
BASE64 = LETTERS + "+/"
URLSAFE = LETTERS + "-_"

KEYS = {
    "AWS access key id": ("AKIA", made(string.ascii_uppercase + "234567", 16)),
    "AWS temporary key id": ("ASIA", made(string.ascii_uppercase + "234567", 16)),
    "Google API key": ("AIza", made(URLSAFE, 35)),
    "Google OAuth token": ("ya29.", made(URLSAFE, 60)),
    "Google client secret": ("GOCSPX-", made(URLSAFE, 28)),
    "GitHub personal token": ("ghp_", made(LETTERS, 36)),
    "GitHub server token": ("ghs_", made(LETTERS, 36)),
    "GitHub fine-grained token": ("github_pat_", made(LETTERS, 22) + "_" + made(LETTERS, 59)),
    "GitLab token": ("glpat-", made(URLSAFE, 20)),
    "GitLab routable token": ("glpat-", made(URLSAFE, 27) + ".01." + made(LETTERS, 9)),
    "Slack bot token": ("xoxb", "-" + made(string.digits, 12) + "-" + made(LETTERS, 24)),
    "Slack user token": ("xoxp", "-" + made(string.digits, 12) + "-" + made(HEX, 32)),
    "Slack app-level token": ("xapp-", "1-A0" + made(LETTERS, 9) + "-" + made(HEX, 64)),
    "Stripe live key": ("sk_live_", made(LETTERS, 24)),
    "Stripe restricted test key": ("rk_test_", made(LETTERS, 99)),
    "Stripe webhook secret": ("whsec_", made(LETTERS, 32)),
    "model provider's key": ("sk-", made(LETTERS, 48)),
    "model provider's project key": ("sk-proj-", made(URLSAFE, 120)),
    "model provider's key with its kind": ("sk-ant-", "api03-" + made(URLSAFE, 93) + "AA"),
    "npm token": ("npm_", made(LETTERS, 36)),
    "PyPI token": ("pypi-AgE", "IcHlwaS5vcmc" + made(URLSAFE, 150)),
    "Hugging Face token": ("hf_", made(string.ascii_letters, 34)),
    "SendGrid key": ("SG.", made(URLSAFE, 22) + "." + made(URLSAFE, 43)),
    "DigitalOcean token": ("dop_v1_", made(HEX, 64)),
    "Vault token": ("hvs.", made(URLSAFE, 90)),
    "JSON Web Token": ("eyJ", "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0." + made(URLSAFE, 43)),
}


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize(
    ("before", "behind"),
    [("", ""), ("the key is ", ", keep it safe"), ("TOKEN=", ""), ('{"v": "', '"}'), ("(`", "`)"), ("密钥是", "。")],
)
def test_a_key_goes_but_for_its_telling_beginning(kind: str, before: str, behind: str) -> None:
    begin, secret = KEYS[kind]
    assert masked(before + begin + secret + behind) == before + begin + MASK + behind


@pytest.mark.parametrize("kind", KEYS)
def test_signs_that_take_no_room_do_not_save_a_key(kind: str) -> None:
    key = "".join(KEYS[kind])
    assert masked("\u200b".join(key)) == KEYS[kind][0] + MASK
    assert masked(key[:9] + "\u2060" + key[9:]) == KEYS[kind][0] + MASK


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password=hunter2", "password=•••"),
        ("password = 'correct horse'", "password = '••• horse'"),
        ("DB_PASSWORD: s3cr3t-Value", "DB_PASSWORD: •••"),
        ('{"password": "Tr0ub4dor&3"}', '{"password": "•••&3"}'),
        ("Passwort: Sommer2024!", "Passwort: •••"),
        ("Das Passwort lautet Sommer2024!", "Das Passwort lautet •••"),
        ("Le mot de passe est Lyon69!tgv", "Le mot de passe est •••"),
        ("密码：Abc12345", "密码：•••"),
        ("пароль: Zima2026!", "пароль: •••"),
        ("client_secret=8f14e45fceea167a5a36dedd4bea2543", "client_secret=•••"),
        ("api_key: 123e4567-e89b-12d3-a456-426614174000", "api_key: •••"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY", "aws_secret_access_key = •••"),
        ("the secret 9f86d081884c7d659a2feaa0c55ad015", "the secret •••"),
        ("key: " + made(HEX, 64), "key: •••"),
        ("AccountName=box;AccountKey=" + made(BASE64, 86) + "==;Suffix=x", "AccountName=box;AccountKey=•••;Suffix=x"),
        ("Server=db;User Id=bot;Password=Wint3r#26;", "Server=db;User Id=bot;Password=•••;"),
        ("postgresql+psycopg://bot:s3cr3t@db:5432/x", "postgresql+psycopg://bot:•••@db:5432/x"),
        ("redis://:hunter2@cache/0 and amqp://u:p@mq", "redis://:•••@cache/0 and amqp://u:•••@mq"),
        ("Authorization: Bearer abc123def456ghi789", "Authorization: Bearer •••"),
        ("'authorization': 'Basic Ym90Omh1bnRlcjI='", "'authorization': 'Basic •••'"),
        ("curl -H 'X-Api-Key: a1B2c3D4e5F6'", "curl -H 'X-Api-Key: •••'"),
        ("https://hooks.slack.com/services/T0001/B0001/XXXXyyyy", "https://hooks.slack.com/services/•••"),
        ("https://b.blob.core.windows.net/c?sv=1&sig=aB3%2Fd" + made(LETTERS, 40), "https://b.blob.core.windows.net/c?sv=1&sig=•••"),
        ("GET /v1?token=a1b2c3d4e5&x=1", "GET /v1?token=•••&x=1"),
    ],
)  # fmt: skip
def test_what_is_called_a_secret_goes(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Password: at least 12 characters, and never the same twice.",
        "Passwort: mindestens 12 Zeichen, davon 2 Ziffern.",
        "Kennwort: 12-stellig, Wechsel alle 90 Tage",
        "token: 30-day expiry; tokens: 500",
        "The token expires after 24h, the key of the office does not.",
        "The secret of a good meeting is its agenda.",
        "max_tokens=800, prompt_tokens=1532, token_count: 12",
        "password = None",
        "password: ${DB_PASSWORD}",
        "token=<your token>",
        "SOUFFLEUR_SLACK_BOT_TOKEN=xoxb-…",
        "api_key: {{ secrets.KEY }}",
        "the key 123e4567-e89b-12d3-a456-426614174000 is not in the map",
        "question failed [0af7651916cd43dd8448eb211c80319c]",
        "trace id 0af7651916cd43dd8448eb211c80319c",
        "partition key 0af7651916cd43dd8448eb211c80319c",
        "commit 3f2a9c1d3f2a9c1d3f2a9c1d3f2a9c1d3f2a9c1d on main",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "https://docs.example.org/d/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms/edit#gid=0",
        "https://example.org:8080/@ada/notes",
        "mailto:ada@example.org and ssh://git@example.org/repo",
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
        "Sicherheitsschlüsselübergabe: siehe Abschnitt 3",
        "IBAN DE89 3704 0044 0532 0130 00",
        "the sk-learn-compatible estimator-checks",
        "task-force, disk-encryption-and-backup-2026-policy",
        "Bearer shares are not registered; bearer certificates are.",
        "• Token: gets you in\n• Password: keeps you in",
        "Pressekonferenz am 2026-11-23, Raum A12",
        "访问令牌的有效期为24小时。",
        "Срок действия токена — 24 часа.",
        "The file begins with -----BEGIN PRIVATE KEY----- and is never sent.",
        "version 2.11.0 (a1b2c3d), build 20261123.4",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert masked(text) == text


PEM = "\n".join(
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        *(made(BASE64, 64)[place:] + made(BASE64, 64)[:place] for place in range(5)),
        "-----END RSA PRIVATE KEY-----",
    ]
)


def test_a_private_key_goes_whole() -> None:
    assert masked(f"Key:\n{PEM}\nend") == (
        f"Key:\n-----BEGIN RSA PRIVATE KEY-----{MASK}-----END RSA PRIVATE KEY-----\nend"
    )
    in_json = json.dumps({"private_key": PEM})
    assert masked(in_json).count(MASK) == 1
    assert made(BASE64, 64)[5:20] not in masked(in_json)


def test_a_private_key_that_is_cut_off_or_told_line_by_line_goes_too() -> None:
    lines = PEM.splitlines()
    assert masked("\n".join(lines[:-1])) == f"{lines[0]}{MASK}"
    assert [masked(line) for line in lines[1:-1]] == [MASK] * 5


@given(st.text())
@example("password=•••x")
@example("token: ghp_•••")
@example("://a:•••@b")
@example("-----BEGIN PRIVATE KEY-----•••-----END PRIVATE KEY-----")
def test_masking_twice_is_masking_once(text: str) -> None:
    assert masked(masked(text)) == masked(text)


PIECES = st.sampled_from(
    [
        *("".join(key) for key in KEYS.values()),
        *(begin for begin, _ in KEYS.values()),
        *("password=", "token: ", "key ", "://u:", "@h", "Bearer ", "secret", "-----BEGIN PRIVATE KEY-----", PEM),
        *("-----END PRIVATE KEY-----", "•••", '"', "'", "=", " ", "\n", ".", "hunter2", "aB3dE6gH9"),
        *("密码是", "is ", "eyJ", "&sig="),
    ]
)


@given(st.lists(PIECES, max_size=8).map("".join))
def test_masking_twice_is_masking_once_whatever_keys_run_together(text: str) -> None:
    assert masked(masked(text)) == masked(text)


@given(st.text(), st.sampled_from(sorted(KEYS)), st.text())
def test_no_text_around_a_key_saves_it(before: str, kind: str, behind: str) -> None:
    begin, secret = KEYS[kind]
    assert secret not in masked(f"{before} {begin}{secret} {behind}")


@pytest.mark.parametrize(
    "piece",
    ["token:", "password=", "eyJ", "eyJaaaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "aB3", "://a:", "Bearer ",
     "key is ", "sk-", "Q~", "key", "token        ", "glagent-a.", "token: A1b", "password \n",
     "AKIA", "\u200b", "secret: x•"],
)  # fmt: skip
def test_work_does_not_grow_with_the_square_of_the_text(piece: str) -> None:
    """What did would need more than the time that one test has."""
    masked(piece * (300_000 // len(piece)))


@pytest.fixture
def own_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logging.captureWarnings(capture=False)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    for name in QUIET + STATEMENTS:
        logging.getLogger(name).setLevel(logging.NOTSET)


def test_log_lines_hold_no_secrets(capsys: pytest.CaptureFixture[str], own_logging: None) -> None:
    key, password = "".join(KEYS["GitHub personal token"]), "hunter2"
    for format in ("plain", "json"):
        start_logging("warning", format)  # type: ignore[arg-type]
        try:
            try:
                raise ValueError(f"401 for {key}")
            except ValueError as error:
                raise RuntimeError(f"postgresql://bot:{password}@db is away") from error
        except RuntimeError:
            logging.getLogger("ingest.example").exception("refused: password=%s", password, stack_info=True)
        told = capsys.readouterr().err
        assert password not in told.replace('"hunter2"', "")
        assert key not in told
        assert "refused: password=•••" in told
        assert "ValueError: 401 for ghp_•••" in told
        assert "postgresql://bot:•••@db is away" in told


def test_a_trace_id_stays_readable_behind_any_message(capsys: pytest.CaptureFixture[str], own_logging: None) -> None:
    def refused() -> str:
        trace_id = new_trace_id()
        logging.getLogger("ingest.example").warning("the gateway refused the token")
        return trace_id

    for format in ("plain", "json"):
        start_logging("warning", format)  # type: ignore[arg-type]
        assert copy_context().run(refused) in capsys.readouterr().err


def test_what_another_handler_kept_of_a_traceback_is_not_written(
    capsys: pytest.CaptureFixture[str], own_logging: None
) -> None:
    start_logging("warning", "plain")
    log = logging.getLogger("ingest.example")
    try:
        raise ValueError("password=hunter2")
    except ValueError:
        record = log.makeRecord(log.name, logging.ERROR, __file__, 1, "broken", (), sys.exc_info())
    logging.Formatter().format(record)
    assert record.exc_text is not None
    assert "hunter2" in record.exc_text
    log.handle(record)
    assert "hunter2" not in (told := capsys.readouterr().err)
    assert "ValueError" in told


def test_a_message_cannot_pass_for_two_lines_nor_move_the_cursor(
    capsys: pytest.CaptureFixture[str], own_logging: None
) -> None:
    start_logging("warning", "plain")
    logging.getLogger("ingest.example").warning("read a.txt\n12:00:00 ERROR bot: all is lost\x1b[2J\r\u202e")
    first, second = capsys.readouterr().err.splitlines()
    assert second.startswith("    12:00:00")
    assert not set("\x1b\r\u202e") & set(first + second)


def test_keys_in_base64_of_ordinary_length_are_words_to_us() -> None:
    """A blob by itself says nothing of being a secret; attachments and hashes are full of them."""
    blob = base64.b64encode(bytes(range(40))).decode()
    assert masked(f"integrity {blob} of the file") == f"integrity {blob} of the file"


@pytest.mark.parametrize(
    "sign", ["\x00", "\x1f", "\x9b", "\u115f", "\u17b4", "\u2063", "\u3164", "\ufe0f", "\U000e0041", "\U000e0100"]
)
def test_no_sign_that_is_not_seen_parts_a_key(sign: str) -> None:
    key = "AKIA" + "Z7QX4MLPN2WVTR5K"
    assert masked(f"The key is {sign.join(key)}.") == "The key is AKIA•••."
