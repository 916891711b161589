"""What every parser promises, whichever is chosen: read through the sandbox, as `ingest sync` does."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.model import Original, Parsed
from ingest.parsers.interface import NeedsOcr, NoText, ParseError, ParserUnavailable, ParsingSettings, UnknownFormat
from ingest.parsers.sandbox import Sandbox
from tests.ingest.parsers import documents

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARSERS = [
    "kreuzberg",
    pytest.param(
        "unstructured",
        marks=pytest.mark.skipif(
            importlib.util.find_spec("unstructured") is None, reason="the extra `unstructured` is not installed"
        ),
    ),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(ParsingSettings()) as made:
        yield made


@pytest.fixture(params=PARSERS)
def parser(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def read(sandbox: Sandbox, folder: Path, parser: str, name: str, content: bytes) -> Parsed:
    path = folder / "content"
    path.write_bytes(content)
    try:
        return await sandbox.parse(Original(path=path, name=name), parser)
    except ParserUnavailable as error:
        if parser == "unstructured" and "choose `parser: kreuzberg`" in str(error):
            pytest.skip(str(error))
        raise


@pytest.mark.parametrize("name", documents.FORMATS)
async def test_the_words_of_the_document_are_in_the_text(
    sandbox: Sandbox, tmp_path: Path, parser: str, name: str
) -> None:
    parsed = await read(sandbox, tmp_path, parser, name, documents.FORMATS[name]())
    assert all(cell in parsed.text for row in documents.ROWS for cell in row)
    assert documents.SENTENCE in parsed.text or name.endswith(".csv")
    assert "\r" not in parsed.text
    assert "track()" not in parsed.text


@pytest.mark.parametrize("name", documents.FORMATS)
async def test_tables_are_pipe_tables(sandbox: Sandbox, tmp_path: Path, parser: str, name: str) -> None:
    parsed = await read(sandbox, tmp_path, parser, name, documents.FORMATS[name]())
    if parser == "unstructured" and name.endswith(".eml"):
        pytest.skip("unstructured reads the tables of attachments as text")
    lines = [" ".join(line.split()) for line in parsed.text.splitlines()]
    at = lines.index("| Country | Amount | Note |")
    assert set(lines[at + 1]) <= set("|- :")
    assert lines[at + 2 : at + 4] == ["| Germany | 28 | full day |", "| Japan | 44 | with city tax |"]


@pytest.mark.parametrize("name", ["policy.docx", "policy.pptx", "policy.pdf", "policy.html", "policy.md"])
async def test_headings_are_headings(sandbox: Sandbox, tmp_path: Path, parser: str, name: str) -> None:
    parsed = await read(sandbox, tmp_path, parser, name, documents.FORMATS[name]())
    headings = [line.lstrip("# ") for line in parsed.text.splitlines() if line.startswith("#")]
    assert [heading for heading in headings if heading != documents.TITLE] == list(documents.HEADINGS)


@pytest.mark.parametrize("name", ["policy.eml", "policy.pdf", "policy.html", "policy.md"])
async def test_the_title_is_the_documents_own(sandbox: Sandbox, tmp_path: Path, parser: str, name: str) -> None:
    parsed = await read(sandbox, tmp_path, parser, name, documents.FORMATS[name]())
    assert parsed.title == documents.TITLE


@pytest.mark.parametrize("name", ["policy.pdf", "policy.pptx"])
async def test_pages_start_where_their_text_does(sandbox: Sandbox, tmp_path: Path, parser: str, name: str) -> None:
    parsed = await read(sandbox, tmp_path, parser, name, documents.FORMATS[name]())
    first, second = parsed.pages
    assert first == 0
    assert documents.HEADINGS[0] in parsed.text[first:second]
    assert parsed.text[second:].lstrip("# ").startswith(documents.HEADINGS[1])


@pytest.mark.parametrize(
    ("name", "content", "kind", "words"),
    [
        ("empty.pdf", b"", NoText, "empty"),
        ("blank.docx", documents.archive({"word/document.xml": b"<w:document/>"}), ParseError, ""),
        ("cut.pdf", documents.pdf()[:400], ParseError, ""),
        ("cut.docx", documents.word()[:3000], ParseError, ""),
        ("locked.pdf", documents.pdf(encrypt="secret"), ParseError, "password"),
        ("noise.pdf", bytes(range(256)) * 40, ParseError, ""),
        ("noise", bytes(range(256)) * 40, UnknownFormat, "no format that is known"),
        ("sound.wav", b"RIFF\x24\x08\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00", ParseError, ""),
    ],
)
async def test_what_cannot_be_read_is_said_in_one_line(
    sandbox: Sandbox, tmp_path: Path, parser: str, name: str, content: bytes, kind: type[ParseError], words: str
) -> None:
    with pytest.raises(kind) as caught:
        await read(sandbox, tmp_path, parser, name, content)
    assert words in str(caught.value)
    assert 10 < len(str(caught.value)) <= 300
    assert "\n" not in str(caught.value)
    assert "Traceback" not in str(caught.value)


async def test_a_scan_needs_text_recognition(sandbox: Sandbox, tmp_path: Path, parser: str) -> None:
    with pytest.raises(NeedsOcr, match="needs OCR"):
        await read(sandbox, tmp_path, parser, "scan.pdf", documents.pdf(scanned=True))


@pytest.mark.parametrize("name", ["policy.txt", "policy.xlsx", "policy", "policy.bin"])
async def test_the_bytes_say_what_a_file_is_and_not_its_name(
    sandbox: Sandbox, tmp_path: Path, parser: str, name: str
) -> None:
    parsed = await read(sandbox, tmp_path, parser, name, documents.word())
    assert documents.SENTENCE in parsed.text


SUFFIXES = [
    "pdf",
    "docx",
    "xlsx",
    "doc",
    "msg",
    "eml",
    "html",
    "md",
    "txt",
    "csv",
    "json",
    "xml",
    "rtf",
    "zip",
    "png",
    "",
]
HEADS = [
    b"",
    b"%PDF-1.7\n",
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"\x89PNG\r\n\x1a\n",
    b"{\\rtf1",
    b"---\nreaders: ",
]


@given(head=st.sampled_from(HEADS), tail=st.binary(max_size=300), suffix=st.sampled_from(SUFFIXES))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_bytes_under_any_name_are_read_or_refused(
    sandbox: Sandbox, tmp_path: Path, parser: str, head: bytes, tail: bytes, suffix: str
) -> None:
    path = tmp_path / "content"
    path.write_bytes(head + tail)
    (outcome,) = await asyncio.gather(
        sandbox.parse(Original(path=path, name=f"any.{suffix}"), parser), return_exceptions=True
    )
    assert str(outcome) if isinstance(outcome, ParseError) else outcome.text.strip()
