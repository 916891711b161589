from __future__ import annotations

import errno
import os
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from pydantic import SecretStr

from ingest.errors import Transient
from ingest.model import DocumentId, Entry, Skipped
from ingest.sources.files import AccessRule, Files, FilesSettings
from ingest.sources.interface import (
    DocumentGone,
    DocumentTooLarge,
    DocumentUnavailable,
    SourceRefused,
    SourceUnavailable,
)

pytest.importorskip("moto", reason="no S3 server to test against: install the extra `dev`")
pytest.importorskip("s3fs", reason="no S3 client: install the extra `dev`")
pytest.importorskip("asyncssh", reason="no SFTP server to test against: install the extra `dev`")
pytest.importorskip("paramiko", reason="no SFTP client: install the extra `dev`")

from tests.fixtures.s3 import S3, TOKEN
from tests.fixtures.sftp import PASSWORD, SftpServer, served


async def listing(files: Files) -> tuple[dict[str, Entry], dict[str, Skipped]]:
    items = [item async for item in files.list(None)]
    assert len({item.id for item in items}) == len(items)
    entries = {item.id: item for item in items if isinstance(item, Entry)}
    return dict(entries), {item.id: item for item in items if isinstance(item, Skipped)}


async def content(files: Files, entry: Entry) -> bytes:
    async with files.fetch(entry) as original:
        return original.path.read_bytes()


@pytest.fixture
async def s3() -> AsyncIterator[S3]:
    server = S3()
    async with server.served():
        yield server


def bucket(s3: S3, folder: str = "handbook", *, token: str = TOKEN, **settings: Any) -> Files:
    storage = s3.storage | settings.pop("storage", {})
    root = f"s3://{s3.bucket}/{folder}"
    return Files("docs", FilesSettings(root=root, storage=storage, token=SecretStr(token), **settings), max_file_mb=1)


def own_session(s3: S3) -> dict[str, Any]:
    """Options with which the driver makes its session itself, from its environment."""
    return {name: value for name, value in s3.storage.items() if name != "session"}


async def test_every_object_below_a_prefix_is_listed_page_by_page_as_a_folder_would_be(s3: S3) -> None:
    for key in (
        "a.md",
        "b/c.md",
        "b/d/Größe 1.md",
        "finance/e.md",
        ".git/f.md",
        "b/~$g.docx",
        "drafts/h.md",
        "b/i.tmp",
    ):
        await s3.put(f"handbook/{key}", b"text")
    for key in ("handbook-old/z.md", "z.md"):
        await s3.put(key, b"text")
    for key in ("handbook/", "handbook/b/", "handbook/empty.md"):
        await s3.put(key, b"")
    rules = [AccessRule(paths="finance/", readers=["group:finance"])]

    entries, skipped = await listing(
        bucket(s3, exclude=["drafts/", "*.tmp"], access=rules, url="https://docs.example.org")
    )

    assert {id: entry.readers for id, entry in entries.items()} == {
        "a.md": None,
        "b/c.md": None,
        "b/d/Größe 1.md": None,
        "finance/e.md": {"group:finance"},
    }
    assert entries["b/d/Größe 1.md"].url == "https://docs.example.org/b/d/Gr%C3%B6%C3%9Fe%201.md"
    assert {id: item.reason for id, item in skipped.items()} == {"empty.md": "the file is empty"}
    assert sum("continuation-token" in request for request in s3.requests) > 3


async def test_a_whole_bucket_can_be_a_source(s3: S3) -> None:
    await s3.put("a.md", b"text")
    await s3.put("b/c.md", b"text")

    assert set((await listing(bucket(s3, "")))[0]) == {"a.md", "b/c.md"}


async def test_an_object_is_another_version_when_its_content_is_another(s3: S3) -> None:
    await s3.put("handbook/a.md", b"one")
    files = bucket(s3)
    first = (await listing(files))[0]["a.md"]
    assert (await listing(files))[0]["a.md"] == first
    await s3.put("handbook/a.md", b"two")

    second = (await listing(files))[0]["a.md"]

    assert second.version != first.version
    assert '"' not in second.version
    async with files.fetch(second) as original:
        assert (original.name, original.path.read_bytes()) == ("a.md", b"two")
        assert original.updated_at is not None
        assert abs(datetime.now(UTC) - original.updated_at) < timedelta(days=1)
        path = original.path
    assert not path.exists()


async def test_an_archived_object_is_unseen_and_another_is_not(s3: S3) -> None:
    await s3.put("handbook/old.md", b"text", StorageClass="GLACIER")
    await s3.put("handbook/rare.md", b"text", StorageClass="STANDARD_IA")

    entries, skipped = await listing(bucket(s3))

    assert set(entries) == {"rare.md"}
    assert skipped["old.md"].unseen
    assert "restore it first" in skipped["old.md"].reason


async def test_a_bucket_without_objects_is_an_empty_listing(s3: S3) -> None:
    assert await listing(bucket(s3)) == ({}, {})


async def test_what_went_away_or_may_not_be_read_is_gone_and_says_nothing_of_the_others(s3: S3) -> None:
    for key in ("a.md", "b.md", "c.md"):
        await s3.put(f"handbook/{key}", b"text")
    files = bucket(s3)
    entries, _ = await listing(files)
    await s3.delete("handbook/a.md")
    s3.denied = {"handbook/b.md"}

    with pytest.raises(DocumentGone, match="no longer there"):
        await content(files, entries["a.md"])
    with pytest.raises(DocumentGone, match="may not be read"):
        await content(files, entries["b.md"])
    assert await content(files, entries["c.md"]) == b"text"


async def test_an_object_that_has_grown_since_it_was_listed_is_too_large(s3: S3) -> None:
    await s3.put("handbook/a.md", b"text")
    files = bucket(s3)
    entries, _ = await listing(files)
    await s3.put("handbook/a.md", b"x" * (3 << 20))

    with pytest.raises(DocumentTooLarge, match=r"3.0 MiB, larger than 1 MiB \(`parsing.max_file_mb`\)"):
        await content(files, entries["a.md"])


async def test_a_listing_that_breaks_off_makes_the_source_unavailable_and_the_next_is_whole(s3: S3) -> None:
    for number in range(5):
        await s3.put(f"handbook/{number}.md", b"text")
    files = bucket(s3)
    s3.broken = True
    with pytest.raises(SourceUnavailable, match=r"source 'docs': 's3://.* cannot be reached: .*try again later"):
        await listing(files)
    s3.broken = False

    assert len((await listing(files))[0]) == 5


async def test_a_server_that_does_not_answer_makes_the_source_unavailable() -> None:
    settings = FilesSettings(
        root="s3://docs",
        storage={"endpoint_url": "http://127.0.0.1:1", "config_kwargs": {"retries": {"max_attempts": 0}}},
        token=SecretStr(TOKEN),
    )
    with pytest.raises(SourceUnavailable, match="cannot be reached: Could not connect"):
        await listing(Files("docs", settings))


async def test_a_key_that_is_not_accepted_is_refused_with_the_variable_to_set(s3: S3) -> None:
    s3.revoked = True

    with pytest.raises(SourceRefused, match=r"may not be listed: .*SOUFFLEUR_SOURCE_DOCS_TOKEN"):
        await listing(bucket(s3))


async def test_a_client_without_any_key_is_refused(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    with pytest.raises(SourceRefused, match=r"refuses: Unable to locate credentials.*SOUFFLEUR_SOURCE_DOCS_TOKEN"):
        await listing(Files("docs", FilesSettings(root=f"s3://{s3.bucket}", storage=own_session(s3))))


@pytest.mark.parametrize(
    ("address", "token", "storage", "said"),
    [
        ("s3://no-such-bucket", TOKEN, {}, "is not there: The specified bucket does not exist; correct `root`"),
        ("s3://{bucket}/handbook/a.md", TOKEN, {}, "is a file; name the folder it is in"),
        ("s3://", TOKEN, {}, "Cannot traverse all of S3; correct `root`"),
        ("s3://Not a bucket", TOKEN, {}, "Invalid bucket name"),
        ("s3://{bucket}", "half", {}, "SOUFFLEUR_SOURCE_DOCS_TOKEN must hold ACCESS_KEY_ID:SECRET_ACCESS_KEY"),
        ("s3://{bucket}", TOKEN, {"unheard_of": 1}, "unheard_of.*correct `root` or `storage`"),
        ("gs://{bucket}", "", {}, r"what reads gs:// is not installed; .*pip install -e '\.\[gcs\]'"),
        ("abfs://{bucket}", "key", {}, r"what reads abfs:// is not installed; .*'\.\[azure\]'"),
        ("gs://{bucket}", "half", {}, "must hold the JSON of a service account's key"),
        ("teapot://{bucket}", "", {}, "Protocol not known: teapot; correct `root`"),
        ("memory://{bucket}", "key", {}, "memory:// takes no token; unset SOUFFLEUR_SOURCE_DOCS_TOKEN"),
    ],
)
async def test_an_address_that_cannot_be_is_refused_with_the_way_out(
    s3: S3, monkeypatch: pytest.MonkeyPatch, address: str, token: str, storage: dict[str, Any], said: str
) -> None:
    for driver in ("gcsfs", "adlfs"):
        monkeypatch.setitem(sys.modules, driver, None)
    await s3.put("handbook/a.md", b"text")
    settings = FilesSettings(
        root=address.replace("{bucket}", s3.bucket),
        storage=(own_session(s3) if address.startswith("s3") else {}) | storage,
        token=SecretStr(token) if token else None,
    )

    with pytest.raises(SourceRefused, match=said) as refused:
        await listing(Files("docs", settings))

    assert "source 'docs'" in str(refused.value)
    assert "\n" not in str(refused.value)


class Faulty(MemoryFileSystem):
    """Files in memory, of a driver that fails where it is told to, and tells of a file what it is told to."""

    protocol = "faulty"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    faults: ClassVar[dict[str, Exception]] = {}
    told: ClassVar[dict[str, Any]] = {}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.listed: dict[str, Any] = {}

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.replace("faulty://", "memory://")))

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> Any:
        self.fail(path)
        if path not in self.listed:  # as most drivers do
            self.listed[path] = super().ls(path, detail=True, **kwargs)
        return [self.retold(info) for info in self.listed[path]]

    def invalidate_cache(self, path: str | None = None) -> None:
        self.listed.clear()

    def info(self, path: str, **kwargs: Any) -> Any:
        self.fail(path)
        return self.retold(super().info(path, **kwargs))

    def open(self, path: str, *args: Any, **kwargs: Any) -> Any:
        self.fail(path)
        return super().open(path, *args, **kwargs)

    def fail(self, path: str) -> None:
        if fault := self.faults.get(path.rstrip("/").rpartition("/")[2]):
            raise fault

    def retold(self, info: dict[str, Any]) -> dict[str, Any]:
        return {key: info[key] for key in ("name", "size", "type")} | self.told


@pytest.fixture
def faulty() -> Iterator[type[Faulty]]:
    fsspec.register_implementation("faulty", Faulty, clobber=True)
    files = Faulty(skip_instance_cache=True)
    for name in ("a.md", "open/b.md", "closed/c.md"):
        files.pipe(f"/docs/{name}", b"text")
    Faulty.told = {"etag": "1"}
    yield Faulty
    Faulty.store.clear()
    Faulty.pseudo_dirs[:] = [""]
    Faulty.faults, Faulty.told = {}, {}


def remembered() -> Files:
    return Files("docs", FilesSettings(root="faulty://docs"), max_file_mb=1)


async def test_a_folder_that_may_not_be_read_is_unseen_and_one_that_went_away_is_not_there(
    faulty: type[Faulty],
) -> None:
    faulty.faults = {"closed": PermissionError("no entry"), "open": FileNotFoundError("open")}

    entries, skipped = await listing(remembered())

    assert set(entries) == {"a.md"}
    assert {id: (item.reason, item.unseen) for id, item in skipped.items()} == {
        "closed/": ("the folder cannot be read: no entry", True)
    }


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        (PermissionError("no entry"), SourceRefused, "may not be listed: no entry; give the driver credentials"),
        (FileNotFoundError("docs"), SourceRefused, "is not there: docs; correct `root`"),
        (TimeoutError(), SourceUnavailable, "cannot be reached: TimeoutError; try again later"),
        (OSError(errno.EIO, "Input/output error"), SourceUnavailable, "cannot be reached: Input/output error"),
        (OSError(errno.EINVAL, "a strange\nrequest"), SourceRefused, "a strange request; correct `root` or `storage`"),
    ],
)
async def test_what_stands_in_the_way_of_a_listing_is_told_with_the_way_out(
    faulty: type[Faulty], fault: Exception, error: type[Exception], said: str
) -> None:
    faulty.faults = {"docs": fault}
    files = remembered()
    with pytest.raises(error, match=said):
        await listing(files)

    faulty.faults = {}
    assert len((await listing(files))[0]) == 3


async def test_every_listing_asks_the_server_anew(faulty: type[Faulty]) -> None:
    files = remembered()
    await listing(files)
    faulty(skip_instance_cache=True).pipe("/docs/new.md", b"text")

    assert "new.md" in (await listing(files))[0]


async def test_a_file_that_is_being_changed_is_one_document_s_trouble(faulty: type[Faulty]) -> None:
    files = remembered()
    entries, _ = await listing(files)
    faulty.faults = {"a.md": OSError(errno.EBUSY, "The file has been modified")}

    with pytest.raises(Transient, match="has been modified") as raised:
        await content(files, entries["a.md"])

    assert not isinstance(raised.value, SourceUnavailable)
    assert await content(files, entries["open/b.md"]) == b"text"


@pytest.mark.parametrize("fault", [OSError("Failure"), ValueError("a strange name"), OSError(errno.EIO, "bad block")])
async def test_a_driver_that_fails_at_one_file_is_asked_about_the_root(faulty: type[Faulty], fault: Exception) -> None:
    files = remembered()
    entries, _ = await listing(files)
    faulty.faults = {"a.md": fault}
    with pytest.raises(DocumentUnavailable, match=str(fault).rpartition("] ")[2]):
        await content(files, entries["a.md"])
    assert await content(files, entries["open/b.md"]) == b"text"

    faulty.faults |= {"docs": TimeoutError()}
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        await content(files, entries["a.md"])


@pytest.mark.parametrize(
    ("told", "version", "changed"),
    [
        ({"ETag": '"abc"', "LastModified": datetime(2024, 5, 1, tzinfo=UTC)}, "abc", datetime(2024, 5, 1, tzinfo=UTC)),
        ({"generation": 17, "etag": "CJ", "md5Hash": "x", "updated": "2024-05-01T08:00:00Z"}, "17", None),
        ({"etag": "0x8D", "last_modified": datetime(2024, 5, 1)}, "0x8D", datetime(2024, 5, 1, tzinfo=UTC)),  # noqa: DTZ001
        ({"mtime": 1_714_550_400.5}, "4:2024-05-01T08:00:00.500000+00:00", None),
        (
            {"modified": datetime(2024, 5, 1, 10, tzinfo=timezone(timedelta(hours=2)))},
            "4:2024-05-01T08:00:00+00:00",
            datetime(2024, 5, 1, 8, tzinfo=UTC),
        ),
    ],
)
async def test_what_a_driver_tells_says_whether_a_file_changed_and_when(
    faulty: type[Faulty], told: dict[str, Any], version: str, changed: datetime | None
) -> None:
    faulty.told = told
    files = remembered()

    entries, _ = await listing(files)

    assert entries["a.md"].version == version
    async with files.fetch(entries["a.md"]) as original:
        assert original.updated_at is not None
        assert original.updated_at.tzinfo is not None
        if changed is not None:
            assert original.updated_at == changed


async def test_a_driver_that_cannot_tell_a_change_is_refused(faulty: type[Faulty]) -> None:
    faulty.told = {}

    with pytest.raises(SourceRefused, match="tells neither a tag nor a time of change"):
        await listing(remembered())


@pytest.fixture
async def sftp(tmp_path: Path) -> AsyncIterator[SftpServer]:
    (tmp_path / "server" / "docs").mkdir(parents=True)
    async with served(tmp_path / "server", known_hosts=tmp_path / "known_hosts") as server:
        yield server


def on_server(server: SftpServer, *, token: str = PASSWORD, folder: str = "docs", **storage: Any) -> Files:
    options = {"known_hosts": str(server.known_hosts), "look_for_keys": False, "allow_agent": False} | storage
    root = f"{server.address}/{folder}"
    return Files("docs", FilesSettings(root=root, storage=options, token=SecretStr(token)), max_file_mb=1)


def write(path: Path, text: str = "text") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (1_714_550_400, 1_714_550_400))


async def test_files_of_an_sftp_server_are_listed_and_read_and_its_links_are_not_followed(
    sftp: SftpServer, tmp_path: Path
) -> None:
    docs = tmp_path / "server" / "docs"
    for name in ("a.md", "b/Größe.md", ".hidden/c.md"):
        write(docs / name)
    write(docs / "large.md", "x" * (2 << 20))
    (docs / "link.md").symlink_to("a.md")
    (docs / "folder").symlink_to("b")
    files = on_server(sftp)

    entries, skipped = await listing(files)

    assert {id: entry.version for id, entry in entries.items()} == {
        "a.md": "4:2024-05-01T08:00:00+00:00",
        "b/Größe.md": "4:2024-05-01T08:00:00+00:00",
    }
    assert skipped["large.md"].reason == "2.0 MiB, larger than 1 MiB (`parsing.max_file_mb`)"
    assert skipped["link.md"].reason == skipped["folder"].reason == "a link, which is not followed on a server"
    async with files.fetch(entries["b/Größe.md"]) as original:
        assert original.path.read_text() == "text"
        assert original.updated_at == datetime(2024, 5, 1, 8, tzinfo=UTC)
    with pytest.raises(DocumentGone):
        await content(files, Entry(id=DocumentId("gone.md"), version=""))
    await files.close()


async def test_a_server_whose_key_nobody_knows_is_not_handed_the_password(sftp: SftpServer, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()

    with pytest.raises(SourceRefused, match=rf"no list of known hosts has.*ssh-keyscan -p {sftp.port} 127.0.0.1 >>"):
        await listing(on_server(sftp, known_hosts=str(tmp_path / "empty")))


async def test_a_wrong_password_and_a_missing_folder_are_refused(sftp: SftpServer) -> None:
    with pytest.raises(SourceRefused, match=r"Authentication failed.*SOUFFLEUR_SOURCE_DOCS_TOKEN"):
        await listing(on_server(sftp, token="guess"))
    files = on_server(sftp, folder="nowhere")
    with pytest.raises(SourceRefused, match=r"is not there: No such file.*correct `root`"):
        await listing(files)
    await files.close()


async def test_a_connection_that_breaks_is_made_anew_by_the_next_run(sftp: SftpServer, tmp_path: Path) -> None:
    write(tmp_path / "server" / "docs" / "a.md")
    files = on_server(sftp)
    await listing(files)
    sftp.drop()
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        await listing(files)

    assert set((await listing(files))[0]) == {"a.md"}
    await files.close()
