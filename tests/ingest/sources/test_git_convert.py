"""What is told of a repository, and what git prints, without git."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ingest.sources.git.convert import History, Touch, forge_link, linked
from ingest.sources.git.settings import NOT_A_BRANCH, GitSettings

URLS = (
    "https://github.com/team/handbook.git",
    "https://git.example.org:8443/team/handbook",
    "http://127.0.0.1:3000/team/handbook.git",
    "https://[2001:db8::1]/handbook.git",
    "ssh://git@git.example.org:7999/team/handbook.git",
    "ssh://git.example.org/~ada/handbook.git",
    "git@github.com:team/handbook.git",
    "work-host:handbook.git",
    "file:///srv/git/hand book.git",
    "/srv/git/handbook.git",
)

NOT_URLS = (
    "",
    "-oProxyCommand=touch /tmp/x",
    "--upload-pack=touch",
    "ext::sh -c touch% /tmp/x",
    "ssh://-oProxyCommand=x/repository",
    "git@-oProxyCommand=x:repository",
    "-u@host:path",
    "host:-path",
    "fd::17/x",
    "git://example.org/x.git",
    "ftp://example.org/x.git",
    "https://",
    "https://host",
    "https://host/x?private_token=abc",
    "https://host:99999/x",
    "https://host{0.url}/x",
    "handbook.git",
    "./handbook.git",
    "https://host/a b",
    "https://host/a\nb",
    "/srv/\x1b[2J",
)


@pytest.mark.parametrize("url", URLS)
def test_addresses_that_git_can_fetch_from_are_taken(url: str) -> None:
    assert GitSettings(url=url).url == url


@pytest.mark.parametrize("url", NOT_URLS)
def test_what_git_could_take_for_an_option_or_a_command_is_no_address(url: str) -> None:
    with pytest.raises(ValidationError, match="is no address of a repository"):
        GitSettings(url=url)


@pytest.mark.parametrize(
    "url", ["https://ada:hunter2@host/x.git", "https://hunter2@host/x", "ssh://git:hunter2@host/x"]
)
def test_an_address_with_a_secret_in_it_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        GitSettings(url=url)
    assert "leave them out" in refused.value.errors()[0]["msg"]
    assert "hunter2" not in refused.value.errors()[0]["msg"]


pieces = st.sampled_from([*"ab/.@{~^:?*[\\- \x01\x7f", ".lock"])


@given(st.lists(pieces, min_size=1, max_size=8).map("".join))
def test_branch_names_are_those_that_git_itself_accepts(name: str) -> None:
    done = subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=False, timeout=60)

    # Git takes `-x` and `@` in a ref, and as the name of a branch it does not.
    assert (NOT_A_BRANCH.search(name) is None) == (done.returncode == 0 and not name.startswith("-") and name != "@")


@pytest.mark.parametrize(
    "branch", ["", "-x", "a..b", "a b", "a:b", "refs/heads/*", "a.lock", "@{u}", "/a", "a/", "a\n"]
)
def test_a_branch_that_could_mean_something_else_to_git_is_refused(branch: str) -> None:
    with pytest.raises(ValidationError, match="is no name of a branch"):
        GitSettings(url="/srv/x", branch=branch)


@pytest.mark.parametrize(
    "link", ["https://x/", "ftp://x/{path}", "https://x/{path}/{secret}", "https://x/{path!r}", "https://x/{path:9}",
             "https://x/{path.real}", "https://x/{path", "https://x/{}{path}"],
)  # fmt: skip
def test_a_link_that_cannot_be_filled_in_is_refused(link: str) -> None:
    with pytest.raises(ValidationError, match="link"):
        GitSettings(url="/srv/x", link=link)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://github.com/team/handbook.git", "https://github.com/team/handbook/blob/main/docs/a%20b.md"),
        ("git@github.com:team/handbook.git", "https://github.com/team/handbook/blob/main/docs/a%20b.md"),
        ("ssh://git@ssh.github.com:443/team/handbook", "https://github.com/team/handbook/blob/main/docs/a%20b.md"),
        ("https://github.example.org:8443/t/h/", "https://github.example.org:8443/t/h/blob/main/docs/a%20b.md"),
        ("git@gitlab.com:a/b/c.git", "https://gitlab.com/a/b/c/-/blob/main/docs/a%20b.md"),
        ("http://gitlab.lan/a/b.git", "http://gitlab.lan/a/b/-/blob/main/docs/a%20b.md"),
        ("https://codeberg.org/t/h.git", "https://codeberg.org/t/h/src/branch/main/docs/a%20b.md"),
        ("ssh://git@gitea.example.org:2222/t/h.git", "https://gitea.example.org/t/h/src/branch/main/docs/a%20b.md"),
        ("git@bitbucket.org:t/h.git", "https://bitbucket.org/t/h/src/c0ffee/docs/a%20b.md?at=main"),
        ("https://github.com/a{b}/c.git", "https://github.com/a%7Bb%7D/c/blob/main/docs/a%20b.md"),
        ("https://git.example.org/t/h.git", None),
        ("https://notgithub.com/t/h.git", None),
        ("file:///srv/github.com/h.git", None),
        ("/srv/github.com/h.git", None),
    ],
)  # fmt: skip
def test_the_forge_is_known_by_its_host(url: str, address: str | None) -> None:
    template = forge_link(url)

    found = template and linked(template, path="docs/a b.md", branch="main", commit="c0ffee")
    assert found == address


@pytest.mark.parametrize("url", URLS)
def test_every_address_has_a_link_or_none(url: str) -> None:
    template = forge_link(url)
    assert template is None or linked(template, path="a", branch="b", commit="c").startswith("http")


paths = st.binary(min_size=1).filter(lambda path: b"\0" not in path and path[:1] not in (b"\x01", b"\n"))


@given(st.lists(st.lists(paths, max_size=4), max_size=6), st.lists(st.integers(0, 200)), st.data())
def test_a_history_reads_the_same_in_whatever_pieces_it_comes(
    commits: list[list[bytes]], cuts: list[int], data: st.DataObject
) -> None:
    everything = [path for commit in commits for path in commit]
    wanted = set(data.draw(st.lists(st.sampled_from(everything)))) if everything else set()
    printed = b""
    for number, commit in enumerate(commits):
        printed += b"\x01%d\0author %d\0" % (number, number)
        if commit:  # git sets names off from a commit by a line end, from a merge by an empty name
            printed += (b"\n" if number % 2 else b"\0") + b"".join(path + b"\0" for path in commit)
    history = History(wanted)

    start = 0
    for cut in [*sorted(cuts), len(printed)]:
        history.read(printed[start : max(start, cut)])
        start = max(start, cut)

    first = {path: number for number, commit in reversed(list(enumerate(commits))) for path in commit}
    assert history.touched == {
        path: Touch(author=f"author {first[path]}", at=datetime.fromtimestamp(first[path], UTC)) for path in wanted
    }
    assert history.complete


@given(st.binary())
def test_no_history_is_too_strange_to_be_read(printed: bytes) -> None:
    history = History({b"a", b""})
    history.read(b"\x01" + printed)
    history.read(b"\x0199999999999999999999\0\xff\0a\0")

    assert all(isinstance(touch, Touch) for touch in history.touched.values())
