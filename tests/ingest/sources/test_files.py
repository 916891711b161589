from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ingest.model import DocumentId, Entry, Skipped
from ingest.settings import IngestSettings
from ingest.sources.files import AccessRule, Files, FilesSettings
from ingest.sources.interface import DocumentGone, SourceRefused, SourceUnavailable


def write(path: Path, text: str = "text") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def source(root: Path, **settings: Any) -> Files:
    return Files("docs", FilesSettings(root=root, **settings), max_file_mb=1)


@contextmanager
def nested(root: Path, name: str, depth: int) -> Iterator[None]:
    """`depth` folders of that name in each other, the last with a file; removed again, because pytest cannot."""
    with chdir(root):
        for _ in range(depth):
            Path(name).mkdir()
            os.chdir(name)
        write(Path("deep.md"))
    try:
        yield
    finally:
        subprocess.run(["rm", "-rf", str(root / name)], check=True, timeout=60)


async def listing(files: Files) -> tuple[dict[str, Entry], dict[str, Skipped]]:
    items = [item async for item in files.list(None)]
    assert len({item.id for item in items}) == len(items)
    entries = {item.id: item for item in items if isinstance(item, Entry)}
    return dict(entries), {item.id: item for item in items if isinstance(item, Skipped)}


async def test_every_file_below_the_root_is_listed_with_size_and_time(tmp_path: Path) -> None:
    path = write(tmp_path / "a" / "b" / "Größe 1.md", "twelve bytes")
    os.utime(path, ns=(5, 1_700_000_000_123_456_789))
    write(tmp_path / "top.txt")

    entries, skipped = await listing(source(tmp_path))

    assert set(entries) == {"a/b/Größe 1.md", "top.txt"}
    assert entries["a/b/Größe 1.md"].version == "12:1700000000123456789"
    assert skipped == {}


async def test_hidden_files_and_litter_are_left_out_silently(tmp_path: Path) -> None:
    for name in (".git/config", ".DS_Store", "a/~$plan.docx", "a/.~lock.plan.odt#", "Thumbs.db", "__MACOSX/x.md"):
        write(tmp_path / name)
    write(tmp_path / "a" / "plan.docx")

    assert [set(found) for found in await listing(source(tmp_path))] == [{"a/plan.docx"}, set()]


async def test_what_is_no_readable_document_is_named_with_its_reason(tmp_path: Path) -> None:
    write(tmp_path / "empty.txt", "")
    write(tmp_path / "huge.txt", "x" * (1024 * 1024 + 1))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "itself").symlink_to("itself")
    (tmp_path / "outside").symlink_to("/etc/hostname")
    write(tmp_path / "good.txt")

    entries, skipped = await listing(source(tmp_path))

    assert set(entries) == {"good.txt"}
    assert {id: item.reason for id, item in skipped.items()} == {
        "empty.txt": "the file is empty",
        "huge.txt": "1.1 MiB, larger than 1 MiB (`parsing.max_file_mb`)",
        "pipe": "not a file: a pipe, a socket or a device",
        "broken": "a link that leads nowhere, or to itself",
        "itself": "a link that leads nowhere, or to itself",
        "outside": "a link to a place outside the source's folder",
    }
    assert not any(item.unseen for item in skipped.values())


async def test_a_socket_is_skipped() -> None:
    # Its path must be short, which that of `tmp_path` is not.
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/socket")
        assert set((await listing(source(Path(folder))))[1]) == {"socket"}


async def test_names_with_line_breaks_are_documents_and_names_without_encoding_are_not(tmp_path: Path) -> None:
    write(tmp_path / "two\nlines.md")
    with open(os.fsencode(tmp_path) + b"/caf\xe9.md", "w") as file:  # noqa: ASYNC230, PTH123 - a name in bytes
        file.write("x")

    entries, skipped = await listing(source(tmp_path))

    assert set(entries) == {"two\nlines.md"}
    assert {id: item.unseen for id, item in skipped.items()} == {"caf\\xe9.md": True}


async def test_a_link_inside_the_root_is_followed_and_a_loop_is_not(tmp_path: Path) -> None:
    write(tmp_path / "a" / "page.md")
    (tmp_path / "linked.md").symlink_to("a/page.md")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "again").symlink_to("../a")
    (tmp_path / "a" / "loop").symlink_to("..")
    (tmp_path / "c").symlink_to("a")

    entries, skipped = await listing(source(tmp_path))

    documents = {"a/page.md", "linked.md"}
    assert documents < set(entries)
    assert len(entries) == 3
    assert all("link" in item.reason for item in skipped.values())
    async with source(tmp_path).fetch(entries["linked.md"]) as original:
        assert (original.name, original.path) == ("linked.md", tmp_path / "a" / "page.md")


async def test_folders_deeper_than_the_interpreter_recurses_are_listed(tmp_path: Path) -> None:
    with nested(tmp_path, "d", 1200):
        entries, _ = await listing(source(tmp_path))

    assert set(entries) == {"d/" * 1200 + "deep.md"}


async def test_a_folder_that_cannot_be_read_is_unseen_not_empty(tmp_path: Path) -> None:
    write(tmp_path / "good.md")
    with nested(tmp_path, "d" * 200, 30):  # a path longer than the kernel takes
        entries, skipped = await listing(source(tmp_path))

    assert set(entries) == {"good.md"}
    [item] = skipped.values()
    assert item.unseen
    assert item.id.startswith("d" * 200)


@pytest.mark.parametrize(
    ("make", "cause"), [(lambda root: None, "it is not there"), (lambda root: root.write_text("x"), "it is a file")]
)
async def test_a_root_that_cannot_be_listed_makes_the_source_unavailable(tmp_path: Path, make: Any, cause: str) -> None:
    make(tmp_path / "root")
    with pytest.raises(SourceUnavailable, match=f"root.*'docs' cannot be listed: {cause}"):
        await listing(source(tmp_path / "root"))


async def test_include_and_exclude_take_patterns_as_in_gitignore(tmp_path: Path) -> None:
    for name in ("a.md", "b/c.md", "b/d.pdf", "drafts/e.md", "b/drafts/f.md"):
        write(tmp_path / name)

    assert set((await listing(source(tmp_path, include=["*.md"])))[0]) == {
        "a.md",
        "b/c.md",
        "drafts/e.md",
        "b/drafts/f.md",
    }
    assert set((await listing(source(tmp_path, exclude=["drafts/", "/b/*.pdf"])))[0]) == {"a.md", "b/c.md"}
    assert set((await listing(source(tmp_path, exclude=["/drafts"])))[0]) == {
        "a.md",
        "b/c.md",
        "b/d.pdf",
        "b/drafts/f.md",
    }


async def test_the_first_access_rule_that_names_a_file_decides(tmp_path: Path) -> None:
    for name in ("finance/a.md", "finance/public/b.md", "c.md"):
        write(tmp_path / name)
    rules = [
        AccessRule(paths="finance/public/", readers=["public"]),
        AccessRule(paths="finance/", readers=["group:finance"]),
    ]

    entries, _ = await listing(source(tmp_path, access=rules))

    assert {id: entry.readers for id, entry in entries.items()} == {
        "finance/a.md": {"group:finance"},
        "finance/public/b.md": {"public"},
        "c.md": None,
    }


async def test_a_link_does_not_lead_around_the_access_rule_of_its_target(tmp_path: Path) -> None:
    write(tmp_path / "finance" / "secret.md")
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "copy.md").symlink_to("../finance/secret.md")
    (tmp_path / "open" / "folder").symlink_to("../finance")
    rules = [
        AccessRule(paths="finance/", readers=["group:finance", "group:board"]),
        AccessRule(paths="open/folder/", readers=["group:board", "public"]),
    ]

    entries, _ = await listing(source(tmp_path, access=rules))

    assert entries["open/copy.md"].readers == {"group:finance", "group:board"}
    assert entries["open/folder/secret.md"].readers == {"group:board"}


async def test_an_access_rule_holds_however_the_file_system_spells_an_accent(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "Gehälter.md")
    write(tmp_path / name)
    typed = unicodedata.normalize("NFC", "Gehälter.md")

    entries, _ = await listing(source(tmp_path, access=[AccessRule(paths=typed, readers=["group:finance"])]))

    assert entries[name].readers == {"group:finance"}


@pytest.mark.parametrize("pattern", ["", "# comment", "!not-this"])
def test_a_rule_that_can_name_no_file_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match="names no file"):
        AccessRule(paths=pattern, readers=["group:finance"])


async def test_the_parser_is_chosen_by_media_type_or_pattern(tmp_path: Path) -> None:
    files = source(
        tmp_path, parsers={"application/pdf": "unstructured", "scans/": "unstructured", "image/*": "unstructured"}
    )

    def chosen(id: str) -> str:
        return files.parser_for(Entry(id=DocumentId(id), version=""))

    assert [chosen(id) for id in ("a.pdf", "scans/a.md", "b/c.png")] == ["unstructured"] * 3
    assert [chosen(id) for id in ("a.md", "a", "b/scan.docx")] == ["kreuzberg"] * 3


async def test_a_file_that_became_a_link_to_elsewhere_is_not_handed_out(tmp_path: Path) -> None:
    path = write(tmp_path / "root" / "a.md")
    outside = write(tmp_path / "outside.md")
    files = source(tmp_path / "root")
    entries, _ = await listing(files)
    path.unlink()
    path.symlink_to(outside)

    with pytest.raises(DocumentGone):
        async with files.fetch(entries["a.md"]):
            pass


async def test_a_file_that_went_away_is_gone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.md")
    files = source(tmp_path)
    entries, _ = await listing(files)
    path.unlink()

    with pytest.raises(DocumentGone, match="cannot be opened"):
        async with files.fetch(entries["a.md"]):
            pass


async def test_a_link_to_what_is_excluded_is_excluded(tmp_path: Path) -> None:
    for name in (
        "drafts/plan.md",
        "drafts/old/plan.md",
        "teams/sales/drafts/offer.md",
        "teams/sales/prices.md",
        "a.key",
    ):
        write(tmp_path / name)
    for link, target in {
        "plan.md": "drafts/plan.md",
        "key.md": "a.key",
        "open": "drafts",
        "older": "drafts/old",
        "sales": "teams/sales",
    }.items():
        (tmp_path / link).symlink_to(target)

    entries, skipped = await listing(source(tmp_path, exclude=["drafts/", "*.key"]))

    assert set(entries) == {"teams/sales/prices.md", "sales/prices.md"}
    assert skipped == {}


async def test_what_is_included_is_named_by_the_path_of_the_link(tmp_path: Path) -> None:
    write(tmp_path / ".data" / "page.md")
    (tmp_path / "page.md").symlink_to(".data/page.md")

    entries, _ = await listing(source(tmp_path, include=["/page.md"]))

    assert set(entries) == {"page.md"}


async def test_a_file_that_became_a_link_to_what_others_may_read_is_not_handed_out(tmp_path: Path) -> None:
    write(tmp_path / "finance" / "secret.md")
    write(tmp_path / "drafts" / "plan.md")
    write(tmp_path / "same.md")
    path = write(tmp_path / "a.md")
    rules = [AccessRule(paths="finance/", readers=["group:finance"])]
    files = source(tmp_path, access=rules, exclude=["drafts/"])
    entries, _ = await listing(files)

    for target in ("finance/secret.md", "drafts/plan.md"):
        path.unlink()
        path.symlink_to(target)
        with pytest.raises(DocumentGone, match="link to a file with other readers"):
            async with files.fetch(entries["a.md"]):
                pass

    path.unlink()
    path.symlink_to("same.md")
    async with files.fetch(entries["a.md"]) as original:
        assert original.path == tmp_path / "same.md"


async def test_a_folder_that_may_not_be_listed_is_refused_with_the_way_out(tmp_path: Path) -> None:
    def closed(path: str) -> Any:
        raise PermissionError(13, "Permission denied")

    files = Files("docs", FilesSettings(root=tmp_path), scan=closed)

    with pytest.raises(
        SourceRefused, match=f"{tmp_path.name}' of source 'docs' may not be read by the user .*allow it"
    ):
        await listing(files)


async def test_a_listing_of_many_batches_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.sources.files.source.BATCH", 2)
    for count in range(1, 6):
        write(tmp_path / f"{count}.md")
        entries, _ = await listing(source(tmp_path))
        assert len(entries) == count


async def test_documents_open_where_people_open_the_folder(tmp_path: Path) -> None:
    write(tmp_path / "Größe & Maß.md")

    for url in ("https://files.example.org/handbook", "https://files.example.org/handbook/"):
        entries, _ = await listing(source(tmp_path, url=url))
        assert entries["Größe & Maß.md"].url == "https://files.example.org/handbook/Gr%C3%B6%C3%9Fe%20%26%20Ma%C3%9F.md"


def test_a_relative_folder_begins_where_the_configuration_is_and_an_address_stays(tmp_path: Path) -> None:
    settings = IngestSettings.model_validate(
        {
            "sources": {
                "here": {"kind": "files", "root": "docs/handbook"},
                "there": {"kind": "files", "root": "s3://bucket/folder"},
            }
        }
    ).placed(tmp_path)

    assert [source.location for source in settings.sources.values()] == [
        str(tmp_path / "docs" / "handbook"),
        "s3://bucket/folder",
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"root": ""}, "a folder, or an address"),
        ({"root": 3}, "a folder, or an address"),
        ({"root": "file:///srv/docs"}, "write the folder's path"),
        ({"root": "https://docs.example.org/"}, "kind: website"),
        ({"root": "simplecache::s3://bucket"}, "chains two addresses"),
        ({"root": "zip://docs::s3://bucket/docs.zip"}, "chains two addresses"),
        ({"root": "sftp://ada:secret@host/docs"}, "holds a password"),
        ({"root": "s3://bucket", "storage": {"key": "AKIA"}}, "'key' is a secret"),
        ({"root": "s3://bucket", "storage": {"client_kwargs": {"aws_secret_access_key": "x"}}}, "is a secret"),
        ({"root": "abfs://docs", "storage": {"connection_string": "x"}}, "is a secret"),
        ({"root": "docs", "storage": {"endpoint_url": "http://minio:9000"}}, "for a `root` that is an address"),
        ({"root": "docs", "url": "ftp://x"}, "pattern"),
    ],
)
def test_what_cannot_be_is_refused_with_the_way_out(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        FilesSettings(**settings)
