"""A passage opens where it stands; its address is made of what was stored, whatever headings and files are called."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.places import gitea_slug, github_slug, gitlab_slug, place_of, text_fragment
from tests.fixtures.passages import chunk

GITHUB = "https://github.com/acme/handbook/blob/main/people/leave.md"
GITLAB = "https://gitlab.example.org/acme/handbook/-/blob/main/leave.md"
GITEA = "https://git.example.org/acme/handbook/src/branch/main/leave.md"
PAGE = "https://docs.example.org/leave"


def place(url: str | None, *headings: str, page: int | None = None) -> str:
    return place_of(chunk("Five days.", url=url, headings=headings, page=page))


@pytest.mark.parametrize(
    ("url", "headings", "page", "opened"),
    [
        ("https://x.org/a.pdf", ("Leave",), 3, "https://x.org/a.pdf#page=3"),
        ("https://x.org/A.PDF?v=2", (), 1, "https://x.org/A.PDF?v=2#page=1"),
        ("https://x.org/a.pdf", ("Leave",), None, "https://x.org/a.pdf"),
        (GITHUB, ("Leave", "Carrying over"), None, f"{GITHUB}#carrying-over"),
        (GITLAB, ("Carrying - over",), None, f"{GITLAB}#carrying-over"),
        (GITEA, ("Übertrag 2026",), None, f"{GITEA}#%C3%BCbertrag-2026"),
        (GITHUB, (), None, GITHUB),
        (GITHUB, ("?!",), None, GITHUB),
        (GITHUB.replace(".md", ".pdf"), ("Leave",), 3, GITHUB.replace(".md", ".pdf")),
        (GITLAB.replace(".md", ".rst"), ("Leave",), None, GITLAB.replace(".md", ".rst")),
        ("https://x.org/blob/a.md", ("Leave",), None, "https://x.org/blob/a.md#:~:text=Leave"),
        (PAGE, ("Leave", "Carry-over, R&D"), None, f"{PAGE}#:~:text=Carry%2Dover%2C%20R%26D"),
        (PAGE, ("سياسة",), None, f"{PAGE}#:~:text=%D8%B3%D9%8A%D8%A7%D8%B3%D8%A9"),
        (PAGE, (), 3, PAGE),
        (PAGE, ("—",), None, PAGE),
        (f"{PAGE}#s2", ("Leave",), None, f"{PAGE}#s2"),
        (f"{PAGE}#", ("Leave",), None, f"{PAGE}#"),
        (
            "https://acme.atlassian.net/wiki/spaces/HR/pages/1/Leave",
            ("Carrying over",),
            None,
            "https://acme.atlassian.net/wiki/spaces/HR/pages/1/Leave#:~:text=Carrying%20over",
        ),
        *(
            (message, ("Leave",), None, message)
            for message in (
                "https://acme.slack.com/archives/C042/p1699999999123456?thread_ts=1699999999.123456&cid=C042",
                "https://acme.slack.com/files/U1/F1/a.pdf",
                "https://chat.example.org/acme/pl/abcdefghijklmnopqrstuvwxyz",
                "https://example.org/chat/acme/pl/abcdefghijklmnopqrstuvwxyz",
            )
        ),
        *(
            (bad, ("Leave",), 3, "")
            for bad in (None, "", "javascript:alert(1)", "file:///a.pdf", "//x", "https://[::1", "x")
        ),
    ],
)
def test_a_passage_opens_at_its_page_or_heading(
    url: str | None, headings: tuple[str, ...], page: int | None, opened: str
) -> None:
    assert place(url, *headings, page=page) == opened


@pytest.mark.parametrize(
    ("heading", "github", "gitlab", "gitea"),
    [
        ("Carrying over", *["carrying-over"] * 3),
        ("What's new in 2.0?", *["whats-new-in-20"] * 3),
        ("R&D / Ops", "rd--ops", "rd-ops", "rd--ops"),
        ("a -- b", "a----b", "a-b", "a----b"),
        ("snake_case", *["snake_case"] * 3),
        ("2026", "2026", "anchor-2026", "2026"),
        ("Größe ²", "größe-", "größe-", "größe-²"),
        ("假期 政策", *["假期-政策"] * 3),
        ("हिन्दी", "हिन्दी", "हिन्दी", "हनद"),
        ("🎉 Party", *["-party"] * 3),
    ],
)
def test_a_heading_has_the_id_that_its_forge_gives_it(heading: str, github: str, gitlab: str, gitea: str) -> None:
    assert (github_slug(heading), gitlab_slug(heading), gitea_slug(heading)) == (github, gitlab, gitea)


wild = st.lists(
    st.text(max_size=10)
    | st.sampled_from(["#", "&text=x", "-,", ":~:", "%20", "](http://evil.example)", "\u202e", "\ud800", "\n", "?a=b"]),
    max_size=6,
).map("".join)


@given(wild, st.sampled_from([GITHUB, GITLAB, GITEA, PAGE, "https://x.org/a.pdf"]))
def test_no_heading_leaves_its_fragment(heading: str, url: str) -> None:
    opened = place(url, heading, page=2)
    base, _, fragment = opened.partition("#")
    assert base == url
    assert urlsplit(opened).fragment == fragment
    assert re.fullmatch(r"(:~:text=)?[\w.~%=-]*", fragment, re.ASCII)
    assert opened.isascii()


@given(wild)
def test_a_text_directive_is_one_text(heading: str) -> None:
    directive = text_fragment(heading)
    if directive:
        text = directive.removeprefix(":~:text=")
        assert not re.search(r"[&,#\s-]", text)
        assert unquote(text).strip()
