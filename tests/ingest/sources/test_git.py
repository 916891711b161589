from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.model import Cursor, DocumentId, Entry, Gone, Listed, Original, Skipped
from ingest.sources.git.settings import GitSettings
from ingest.sources.git.source import Git
from ingest.sources.interface import (
    CursorExpired,
    DocumentGone,
    DocumentTooLarge,
    SourceRefused,
    SourceUnavailable,
)
from tests.conformance.worlds.git import ENVIRONMENT, Workshop, git

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "ab" * 32 + "\nsize 123456789\n"


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path / "workshop").make()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def source(workshop: Workshop, cache: Path, *, environment: Mapping[str, str] = ENVIRONMENT, **settings: Any) -> Git:
    checked = GitSettings.model_validate({"url": f"file://{workshop.folder}", **settings})
    return Git("handbook", checked, cache=cache, max_file_mb=1, environment=environment)


async def listed(source: Git, since: str | None = None) -> list[Listed]:
    items = [item async for item in source.list(since)]
    ids = [item.id for item in items if not isinstance(item, Cursor)]
    assert len(set(ids)) == len(ids)
    return items


async def cursor(source: Git) -> str:
    last = (await listed(source))[-1]
    assert isinstance(last, Cursor)
    return last.value


def entries(items: list[Listed]) -> dict[str, Entry]:
    return {item.id: item for item in items if isinstance(item, Entry)}


def skipped(items: list[Listed]) -> dict[str, str]:
    return {item.id: item.reason for item in items if isinstance(item, Skipped)}


def gone(items: list[Listed]) -> set[str]:
    return {item.id for item in items if isinstance(item, Gone)}


async def fetched(source: Git, entry: Entry) -> tuple[bytes, Original]:
    async with source.fetch(entry) as original:
        return original.path.read_bytes(), original


def in_copy(cache: Path) -> set[str]:
    """The contents that the copy has."""
    printed = git(cache / "repository.git", "cat-file", "--batch-all-objects", "--batch-check")
    return {line.split()[0] for line in printed.splitlines() if line.split()[1] == "blob"}


async def test_every_file_is_listed_with_the_id_of_its_content_as_version(workshop: Workshop, cache: Path) -> None:
    workshop.commit({"handbook/Größe 1.md": "# Sizes", "top.txt": "text"})

    items = await listed(source(workshop, cache))

    assert {id: entry.version for id, entry in entries(items).items()} == {
        "handbook/Größe 1.md": git(workshop.folder, "rev-parse", "HEAD:handbook/Größe 1.md").strip(),
        "top.txt": git(workshop.folder, "rev-parse", "HEAD:top.txt").strip(),
    }
    assert isinstance(items[-1], Cursor)


async def test_a_document_has_the_content_that_was_listed_and_the_author_and_date_of_its_last_commit(
    workshop: Workshop, cache: Path
) -> None:
    workshop.commit({"a.md": "old", "b.md": "b"}, GIT_COMMITTER_DATE="2020-01-01T00:00:00Z")
    workshop.commit({"a.md": "new"}, GIT_AUTHOR_NAME="Grace\tHopper", GIT_COMMITTER_DATE="2021-02-03T04:05:06+02:00")
    repository = source(workshop, cache)
    found = entries(await listed(repository))
    workshop.commit({"a.md": "newest"})

    content, original = await fetched(repository, found["a.md"])

    assert content == b"new"
    assert (original.name, original.author) == ("a.md", "Grace Hopper")
    assert original.updated_at == datetime(2021, 2, 3, 2, 5, 6, tzinfo=UTC)
    assert not original.path.exists()
    _, other = await fetched(repository, found["b.md"])
    assert (other.author, other.updated_at) == ("Ada", datetime(2020, 1, 1, tzinfo=UTC))


async def test_what_a_merge_itself_changed_has_the_date_of_the_merge(workshop: Workshop, cache: Path) -> None:
    workshop.commit({"a.md": "a"})
    git(workshop.folder, "checkout", "--quiet", "-b", "side")
    workshop.commit({"side.md": "side"}, GIT_COMMITTER_DATE="2026-03-02T00:00:00Z")
    git(workshop.folder, "checkout", "--quiet", "main")
    git(workshop.folder, "merge", "--quiet", "--no-ff", "--no-commit", "side")
    workshop.commit({"merged.md": "by hand"}, GIT_COMMITTER_DATE="2026-03-03T00:00:00Z")
    repository = source(workshop, cache)
    found = entries(await listed(repository))

    days = {id: (await fetched(repository, entry))[1].updated_at for id, entry in found.items()}

    assert {id: day and day.day for id, day in days.items()} == {"a.md": 1, "side.md": 2, "merged.md": 3}


async def test_only_what_changed_since_is_listed_and_what_is_gone_is_named(workshop: Workshop, cache: Path) -> None:
    workshop.commit({"same.md": "same", "changed.md": "old", "gone.md": "x", "old name.md": "moved", "link.md": "file"})
    since = await cursor(source(workshop, cache))
    workshop.commit(
        {"changed.md": "new", "gone.md": None, "old name.md": None, "new name.md": "moved", "link.md": None}
    )
    (workshop.folder / "link.md").symlink_to("same.md")
    workshop.commit()

    items = await listed(source(workshop, cache), since)

    assert set(entries(items)) == {"changed.md", "new name.md"}
    assert gone(items) == {"gone.md", "old name.md"}
    assert skipped(items) == {"link.md": "a symbolic link; what it leads to is listed where it is"}


async def test_nothing_but_the_cursor_is_listed_when_nothing_changed(workshop: Workshop, cache: Path) -> None:
    workshop.commit({"a.md": "a"})
    since = await cursor(source(workshop, cache))

    assert await listed(source(workshop, cache), since) == [Cursor(value=since)]
    workshop.commit()  # a commit without a change
    assert [type(item) for item in await listed(source(workshop, cache), since)] == [Cursor]


@pytest.mark.parametrize(
    "changed",
    [{"include": ["/docs/"]}, {"exclude": ["*.txt"]}, {"access": [{"paths": "*.md", "readers": ["group:a"]}]},
     {"link": "https://x.example/{path}"}, {"branch": "other"}],
    ids=str,
)  # fmt: skip
async def test_other_settings_need_a_listing_from_the_beginning(
    workshop: Workshop, cache: Path, changed: dict[str, Any]
) -> None:
    workshop.commit({"a.md": "a"})
    git(workshop.folder, "branch", "other")
    since = await cursor(source(workshop, cache))

    with pytest.raises(CursorExpired, match="settings have changed"):
        await listed(source(workshop, cache, **changed), since)


@pytest.mark.parametrize("since", ["", "HEAD", "--all abc", "0" * 40, "\x00 \x00"])
async def test_a_cursor_that_is_not_understood_has_expired(workshop: Workshop, cache: Path, since: str) -> None:
    workshop.commit({"a.md": "a"})
    depends = (await cursor(source(workshop, cache))).split()[1]

    for value in (since, f"{since} {depends}"):
        with pytest.raises(CursorExpired):
            await listed(source(workshop, cache), value)


async def test_a_rewritten_history_whose_old_commit_is_unknown_needs_a_listing_from_the_beginning(
    workshop: Workshop, cache: Path
) -> None:
    workshop.commit({"a.md": "a"})
    since = await cursor(source(workshop, cache))
    git(workshop.folder, "update-ref", "-d", "HEAD")
    git(workshop.folder, "reflog", "expire", "--expire=now", "--all")
    git(workshop.folder, "gc", "--quiet", "--prune=now")
    workshop.commit({"a.md": "rewritten", "b.md": "b"})
    shutil.rmtree(cache)

    with pytest.raises(CursorExpired, match="has no commit"):
        await listed(source(workshop, cache), since)
    assert set(entries(await listed(source(workshop, cache)))) == {"a.md", "b.md"}


async def test_a_branch_set_back_by_force_is_compared_with_what_was_listed(workshop: Workshop, cache: Path) -> None:
    first = workshop.commit({"a.md": "old", "b.md": "b"}, GIT_COMMITTER_DATE="2020-01-01T00:00:00Z")
    workshop.commit({"a.md": "new", "b.md": None, "c.md": "c"})
    since = await cursor(source(workshop, cache))
    git(workshop.folder, "reset", "--quiet", "--hard", first)
    repository = source(workshop, cache)

    items = await listed(repository, since)

    assert (set(entries(items)), gone(items)) == ({"a.md", "b.md"}, {"c.md"})
    content, original = await fetched(repository, entries(items)["a.md"])
    assert (content, original.updated_at) == (b"old", datetime(2020, 1, 1, tzinfo=UTC))


async def test_what_is_no_readable_document_is_named_with_its_reason(workshop: Workshop, cache: Path) -> None:
    workshop.commit({"good.md": "text", "empty.md": "", "large.md": "x" * (1 << 20) + "y", "video.mp4": POINTER})
    (workshop.folder / "link.md").symlink_to("good.md")
    (workshop.folder / "away.md").symlink_to("/etc/passwd")
    workshop.write(os.fsdecode(b"caf\xe9.md"), "latin-1")
    workshop.write("two\nlines.md", "a name")
    git(workshop.folder, "add", "--all")
    git(workshop.folder, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},library")
    git(workshop.folder, "commit", "--quiet", "--message", "more")

    items = await listed(source(workshop, cache))

    link = "a symbolic link; what it leads to is listed where it is"
    name = "its name is not UTF-8 or has control characters; rename it"
    assert set(entries(items)) == {"good.md"}
    assert skipped(items) == {
        "empty.md": "the file is empty",
        "large.md": "1.1 MiB, larger than 1 MiB (`parsing.max_file_mb`)",
        "video.mp4": "its content is in Git LFS, which is not read; the repository has a pointer to it",
        "link.md": link,
        "away.md": link,
        "caf\\xe9.md": name,
        "two\\nlines.md": name,
        "library": "a submodule: another repository, which can be a source of its own",
    }


async def test_a_file_that_becomes_a_pointer_is_withdrawn(workshop: Workshop, cache: Path) -> None:
    workshop.commit({"film.md": "# Film\n\nA text."})
    since = await cursor(source(workshop, cache))
    workshop.commit({"film.md": POINTER})

    assert set(skipped(await listed(source(workshop, cache), since))) == {"film.md"}


async def test_patterns_choose_the_files_and_hidden_ones_are_left_out_silently(workshop: Workshop, cache: Path) -> None:
    names = (".github/workflow.yml", ".gitignore", "docs/a.md", "docs/drafts/b.md", "docs/~$plan.docx", "src/main.py")
    workshop.commit(dict.fromkeys(names, "text"))
    only = {"include": ["/docs/"], "exclude": ["drafts/"]}
    since = await cursor(source(workshop, cache, **only))

    first = await listed(source(workshop, cache, **only))
    workshop.commit(dict.fromkeys(names))
    second = await listed(source(workshop, cache, **only), since)

    assert [set(entries(first)), skipped(first)] == [{"docs/a.md"}, {}]
    assert gone(second) == {"docs/a.md"}


async def test_only_the_contents_that_are_wanted_are_fetched(workshop: Workshop, cache: Path) -> None:
    workshop.commit({"docs/a.md": "an old text", "src/huge.bin": "machine"})
    workshop.commit({"docs/a.md": "the new text"})

    await listed(source(workshop, cache, include=["/docs/"]))

    assert in_copy(cache) == {git(workshop.folder, "rev-parse", "HEAD:docs/a.md").strip()}
    # What reads the copy knows of no place to fetch the rest from.
    assert "remote" not in (cache / "repository.git" / "config").read_text()


async def test_a_server_that_cannot_leave_contents_out_is_read_all_the_same(workshop: Workshop, cache: Path) -> None:
    git(workshop.folder, "config", "uploadpack.allowFilter", "false")
    workshop.commit({"a.md": "a", "b.md": "b"})

    assert set(entries(await listed(source(workshop, cache, include=["a.md"])))) == {"a.md"}
    assert len(in_copy(cache)) == 2


async def test_rules_say_who_may_read_a_path(workshop: Workshop, cache: Path) -> None:
    workshop.commit({"finance/pay.md": "pay", "finance/menu.md": "menu", "open.md": "open"})
    access = [{"paths": "menu.md", "readers": ["everyone"]}, {"paths": "finance/", "readers": ["group:finance"]}]

    items = entries(await listed(source(workshop, cache, access=access)))

    assert {id: entry.readers for id, entry in items.items()} == {
        "finance/pay.md": frozenset({"group:finance"}),
        "finance/menu.md": frozenset({"everyone"}),
        "open.md": None,
    }


async def test_links_name_the_branch_and_quote_the_path(workshop: Workshop, cache: Path) -> None:
    commit = workshop.commit({"docs/a b#1?.md": "a"})
    git(workshop.folder, "branch", "--move", "main", "release/1")
    link = "https://git.example.org/{path}?branch={branch}&at={commit}"

    items = entries(await listed(source(workshop, cache, link=link)))

    wanted = f"https://git.example.org/docs/a%20b%231%3F.md?branch=release/1&at={commit}"
    assert items["docs/a b#1?.md"].url == wanted
    assert entries(await listed(source(workshop, cache)))["docs/a b#1?.md"].url is None


async def test_the_named_branch_is_listed_and_else_the_default_one(workshop: Workshop, cache: Path) -> None:
    workshop.commit({"a.md": "on main"})
    git(workshop.folder, "checkout", "--quiet", "-b", "next/big-thing")
    workshop.commit({"b.md": "on next"})

    assert set(entries(await listed(source(workshop, cache)))) == {"a.md", "b.md"}
    assert set(entries(await listed(source(workshop, cache, branch="main")))) == {"a.md"}
    git(workshop.folder, "checkout", "--quiet", "--detach", "main")
    assert set(entries(await listed(source(workshop, cache)))) == {"a.md"}


async def test_a_branch_that_is_not_there_is_refused_with_those_that_are(workshop: Workshop, cache: Path) -> None:
    workshop.commit({"a.md": "a"})

    with pytest.raises(SourceRefused, match=r"has no branch 'master'; correct `branch` \(there are: main\)"):
        await listed(source(workshop, cache, branch="master"))
    git(workshop.folder, "symbolic-ref", "HEAD", "refs/heads/none")
    with pytest.raises(SourceRefused, match=r"has no default branch; set `branch` \(there are: main\)"):
        await listed(source(workshop, cache))


async def test_an_empty_repository_lists_nothing_and_cannot_say_what_changed(workshop: Workshop, cache: Path) -> None:
    assert await listed(source(workshop, cache)) == []
    with pytest.raises(CursorExpired):
        await listed(source(workshop, cache), f"{'1' * 40} x")


async def test_a_repository_that_is_not_there_is_refused(workshop: Workshop, cache: Path) -> None:
    shutil.rmtree(workshop.folder)

    with pytest.raises(SourceRefused, match="is not there; correct `url`"):
        await listed(source(workshop, cache))


async def test_a_shallow_clone_and_one_with_sha256_ids_can_be_sources(tmp_path: Path, workshop: Workshop) -> None:
    workshop.commit({"a.md": "old"})
    workshop.commit({"a.md": "new"})
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{workshop.folder}", "shallow")
    (tmp_path / "sha256").mkdir()
    git(tmp_path / "sha256", "init", "--quiet", "--object-format=sha256")
    Workshop(tmp_path / "sha256").commit({"a.md": "new"})

    for name in ("shallow", "sha256"):
        repository = source(Workshop(tmp_path / name), tmp_path / "cache" / name)
        content, original = await fetched(repository, entries(await listed(repository))["a.md"])
        assert (content, original.author) == (b"new", "Ada")


async def test_a_lost_cache_costs_time_alone(workshop: Workshop, cache: Path) -> None:
    workshop.commit({"a.md": "a", "b.md": "b"})
    since = await cursor(source(workshop, cache))
    workshop.commit({"b.md": "changed"})

    shutil.rmtree(cache)
    repository = source(workshop, cache)
    items = entries(await listed(repository, since))
    shutil.rmtree(cache)
    content, original = await fetched(repository, items["b.md"])

    assert set(items) == {"b.md"}
    assert (content, original.author) == (b"changed", "Ada")


@pytest.mark.parametrize("harm", ["no head", "cut pack", "empty ref", "lock", "config"])
async def test_a_damaged_copy_is_made_anew(
    workshop: Workshop, cache: Path, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    workshop.commit({"a.md": "a"})
    before = await listed(source(workshop, cache))
    copy = cache / "repository.git"
    match harm:
        case "no head":
            (copy / "HEAD").unlink()
        case "cut pack":
            for pack in (copy / "objects" / "pack").glob("*.pack"):
                pack.chmod(0o600)
                pack.write_bytes(pack.read_bytes()[:20])
        case "empty ref":
            (copy / "refs" / "souffleur" / "head").write_text("")
        case "lock":
            (copy / "refs" / "souffleur" / "head.lock").touch()
            workshop.commit()
        case "config":
            (copy / "config").write_text("[core")
    repository = source(workshop, cache)

    items = await listed(repository)

    assert items[:-1] == before[:-1]
    assert (await fetched(repository, entries(items)["a.md"]))[0] == b"a"
    assert harm in ("no head", "empty ref") or "the copy is made anew" in caplog.text


async def test_damage_that_is_met_while_reading_a_document_is_repaired(workshop: Workshop, cache: Path) -> None:
    workshop.commit({"a.md": "text " * 500})
    repository = source(workshop, cache)
    entry = entries(await listed(repository))["a.md"]
    for pack in (cache / "repository.git" / "objects" / "pack").glob("*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(b"PACK" + b"\0" * (pack.stat().st_size - 4))

    assert (await fetched(repository, entry))[0] == b"text " * 500


async def test_programs_that_share_a_cache_do_not_disturb_each_other(workshop: Workshop, cache: Path) -> None:
    workshop.commit({"a.md": "a", "b.md": "b"})

    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(listed(source(workshop, cache))) for _ in range(4)]

    assert all(run.result() == runs[0].result() for run in runs)


async def test_an_entry_of_an_earlier_run_can_be_read(workshop: Workshop, cache: Path) -> None:
    workshop.commit({"a.md": "a", "b.md": "b"}, GIT_COMMITTER_DATE="2020-01-01T00:00:00Z")
    before = entries(await listed(source(workshop, cache)))
    workshop.commit({"a.md": "changed"})
    await listed(source(workshop, cache))

    repository = source(workshop, cache)
    content, original = await fetched(repository, before["b.md"])

    assert (content, original.updated_at) == (b"b", datetime(2020, 1, 1, tzinfo=UTC))
    assert (await fetched(repository, before["a.md"]))[0] == b"a"


@pytest.mark.parametrize("version", ["1" * 40, "HEAD", "--batch-all-objects", ""])
async def test_a_version_that_is_in_no_repository_is_gone(workshop: Workshop, cache: Path, version: str) -> None:
    workshop.commit({"a.md": "a"})
    repository = source(workshop, cache)
    await listed(repository)

    with pytest.raises(DocumentGone):
        await fetched(repository, Entry(id=DocumentId("a.md"), version=version))


async def test_a_content_that_has_grown_too_large_for_the_settings_is_not_handed_out(
    workshop: Workshop, cache: Path
) -> None:
    workshop.commit({"a.md": "x" * (2 << 20)})
    settings = GitSettings(url=f"file://{workshop.folder}")
    before = entries(await listed(Git("handbook", settings, cache=cache, max_file_mb=3, environment=ENVIRONMENT)))

    with pytest.raises(DocumentTooLarge, match="larger than 1 MiB"):
        await fetched(source(workshop, cache), before["a.md"])


def lose(workshop: Workshop, path: str) -> bytes:
    """Take the content of `path` from the repository, which still names it."""
    blob = git(workshop.folder, "rev-parse", f"HEAD:{path}").strip()
    file = workshop.folder / ".git" / "objects" / blob[:2] / blob[2:]
    content = file.read_bytes()
    file.unlink()
    return content


async def test_a_content_that_the_repository_has_lost_is_one_document_s_trouble(
    workshop: Workshop, cache: Path
) -> None:
    workshop.commit({name: name for name in ("a.md", "b.md", "c.md")})
    lose(workshop, "a.md")
    lose(workshop, "b.md")
    repository = source(workshop, cache)

    found = entries(await listed(repository))

    assert set(found) == {"a.md", "b.md", "c.md"}
    for name in ("a.md", "b.md"):
        with pytest.raises(DocumentGone, match="no longer in the repository"):
            await fetched(repository, found[name])
    assert (await fetched(repository, found["c.md"]))[0] == b"c.md"


async def test_a_repository_that_has_lost_many_contents_is_told_as_a_whole(workshop: Workshop, cache: Path) -> None:
    names = [f"{number}.md" for number in range(12)]
    workshop.commit({name: name for name in names})
    for name in names:
        lose(workshop, name)

    with pytest.raises(SourceRefused, match="not our ref"):
        await listed(source(workshop, cache))


async def test_the_parser_is_chosen_by_type_or_pattern(workshop: Workshop, cache: Path) -> None:
    repository = source(workshop, cache, parsers={"scans/**": "unstructured"})

    assert repository.parser_for(Entry(id=DocumentId("scans/a.pdf"), version="1")) == "unstructured"
    assert repository.parser_for(Entry(id=DocumentId("a.pdf"), version="1")) == "kreuzberg"


async def test_a_copy_that_cannot_be_kept_leaves_the_source_away(workshop: Workshop, tmp_path: Path) -> None:
    workshop.commit({"a.md": "a"})
    (tmp_path / "cache").write_text("a file where the folder should be")

    with pytest.raises(SourceUnavailable, match="cache"):
        await listed(source(workshop, tmp_path / "cache"))
