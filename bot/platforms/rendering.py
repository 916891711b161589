"""Markdown of answers made fit for a chat platform: what may stand in it, and what surfaces lack.

Everything here is pure. `pieces` is in `splitting`; what a text needs is done in this order: `tables_as_lists` where
the surface has none, `quiet`, `pieces`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from urllib.parse import quote, urlsplit, urlunsplit

from markdown_it.token import Token

from bot.phrases import direction
from bot.platforms.interface import Post, Source
from bot.platforms.splitting import JOINER, SENTENCE_END, SPAN, lines_of, pieces, prefix_of, reader

__all__ = [
    "first_sentence",
    "literal",
    "pieces",
    "plain",
    "quiet",
    "settled",
    "sources_markdown",
    "tables_as_lists",
    "words",
]

AT = r"(?:[@＠﹫]|&(?:#0*64|#[xX]0*40|commat|#0*65312|#[xX]0*[fF]{2}20|#0*65131|#[xX]0*[fF][eE]6[bB]);)"
"""The sign before a name, also full-width and small, and as an entity that Markdown puts the sign in place of."""

ANGLE = r"(?:<|&(?:lt|LT|#0*60|#[xX]0*3[cC]);)(?=[@!#]|&)"
"""What begins a mention of a person, a group or a channel in Slack's own notation."""

ADDRESS = r"(?<=[A-Za-z0-9])@(?=[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)+)"
"""The sign within an e-mail address. What stands before it must be a letter or a digit: Mattermost takes full stops and
hyphens for ends of words, and so `a.@all.com` for a mention of everybody."""

MENTION = re.compile(rf"{ADDRESS}|({ANGLE}|{AT}(?=[^\s{JOINER}]))")

SIGN = re.compile(rf"(?:{ANGLE}|{AT})(?!{JOINER})")

SLACKS = re.compile(r"<(?:@[UWB][A-Z0-9]{2}|!(?:here|channel|everyone|subteam)\b|#[CDG][A-Z0-9]{2})")
"""A mention in Slack's notation beyond doubt. No code needs one, and a block of code is open while it is written."""

COMMAND = re.compile(rf"\A[\s{JOINER}]*/(?=[^\W\d_])")
"""How a message begins that is a command, where somebody sends it who copied it."""

CITATION = re.compile(r"[ \t]?\[\d{1,3}\]")

LONGEST_OPEN_SPAN = 500
"""Characters for which an opened code span is waited for to be closed."""

LONGEST_LABEL = 150
"""Characters of a title, or of one part of a place, that are shown."""

LOCK = "🔒"
"""Beside a source that not everybody may open; never without the words for it."""

UNSEEN = re.compile(r"[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]+")
"""Control characters, and those that turn the direction of what follows."""

LINK_START = re.compile(r"(?<=/)(?=/)|(?<=www)(?=\.)|(?<=[^\W_]\.)(?=[^\W\d_]{2})|(?<=mailto:)", re.IGNORECASE)
"""Where a joiner keeps a surface from making a link of an address that is written out."""

FORMATTING = re.compile(r"([\\*_~\[\]<>|&])")


def quiet(markdown: str) -> str:
    """The text, mentioning nobody and commanding nothing: a word joiner follows the sign that would make a mention, and
    the slash that a text begins with.

    That goes for `@name` as Mattermost reads it, and for `<@…>`, `<!…>` and `<#…>` as Slack does. E-mail addresses stay
    as they are, and so does code: what stands between fences of backticks, and code spans, unless one platform could
    see something else in them (they go over a line's end, follow an open one, or stand behind a `<`). In code, too, a
    mention in Slack's notation is none: while a block is being written nothing closes it.

    Quiet text stays as it is. What is quiet up to a white space stays so when more is written, but for a code span that
    is still open there: see `settled`.
    """
    code = list(_code(markdown))

    def silenced(match: re.Match[str]) -> str:
        in_code = any(start <= match.start() < end for start, end in code)
        if match[1] is None or (in_code and not SLACKS.match(markdown, match.start())):
            return match[0]
        return match[0] + JOINER

    return COMMAND.sub(lambda match: match[0] + JOINER, MENTION.sub(silenced, markdown))


def settled(markdown: str) -> int:
    """How many characters of a text that is still being written can be shown for good, `quiet` being what it is.

    Up to the last white space, and not beyond a code span that is still open, unless it has become very long.
    """
    line = markdown[markdown.rfind("\n") + 1 :]
    start = len(markdown) - len(line)
    line = SPAN.sub(lambda span: "-" * len(span[0]), line)
    opened = line.find("`")
    if opened >= 0 and len(line) - opened <= LONGEST_OPEN_SPAN:
        line = line[:opened]
    return start + len(line) - len(re.split(r"\s", line)[-1])


def tables_as_lists(markdown: str) -> str:
    """The text with each row of a table as an item of a list: `**Header**: value; **Header**: value`."""
    tokens = reader.parse(markdown)
    if not any(token.type == "table_open" for token in tokens):
        return markdown
    lines = [line.rstrip("\r\n") for line in lines_of(markdown)]
    for opening in reversed([index for index, token in enumerate(tokens) if token.type == "table_open"]):
        span = tokens[opening].map
        if span is None:
            continue
        before, within = prefix_of(lines[span[0]])
        items = list(_items(tokens[opening + 1 :]))
        lines[span[0] : span[1]] = [(within if number else before) + item for number, item in enumerate(items)]
    return "\n".join(lines)


def plain(markdown: str) -> str:
    """The words without their markup, a block a line. No mention in it notifies anybody, not even one from code."""
    return _silenced("\n".join(_words(_parsed(markdown))))


def first_sentence(markdown: str, *, limit: int) -> str:
    """How a text begins, in at most `limit` characters, for a notification: no headings, no numbers of sources."""
    tokens = _parsed(CITATION.sub("", markdown))
    text = next(_words(tokens, headings=False), None) or next(_words(tokens), "")
    text = " ".join(text.split())
    end = SENTENCE_END.search(text)
    sentence = text[: end.end()].rstrip() if end else text
    # An address that is cut off is none any more; so it is silenced as it is shown, which may make it longer.
    return next((said for size in range(limit, 0, -1) if len(said := _silenced(_short(sentence, size))) <= limit), "")


def sources_markdown(post: Post) -> str:
    """The sources of a post as a list under its label, empty if there are none.

    A title links to the document where it can be opened. Nothing in titles and places is more than words.
    """
    if not post.sources:
        return ""
    numbers = [source.number for source in post.sources]
    counted = numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    lines = [
        (f"{source.number}. " if counted else f"- ({source.number}) ") + _source(source, post.language)
        for source in post.sources
    ]
    label = [f"**{_label(post.sources_label, post.language)}**", ""] if post.sources_label else []
    return "\n".join([*label, *lines])


def words(text: str, *, limit: int) -> str:
    """Somebody's words (a name, a title) on one line, without what cannot be seen, in at most `limit` characters."""
    return _short(" ".join(UNSEEN.sub(" ", text).split()), limit)


def literal(line: str) -> str:
    """A line as Markdown that shows its signs and does nothing: no link, no mention, no formatting."""
    shown = LINK_START.sub(JOINER, SIGN.sub(rf"\g<0>{JOINER}", line.replace("`", "'")))
    return FORMATTING.sub(r"\\\1", shown).replace("](", f"]{JOINER}(")


def _silenced(text: str) -> str:
    return MENTION.sub(lambda match: match[0] + (JOINER if match[1] else ""), text)


def _parsed(markdown: str) -> list[Token]:
    return reader.parse(tables_as_lists(markdown))


def _source(source: Source, language: str) -> str:
    title = _label(source.title, language) or str(source.number)
    address = _address(source.url)
    name = f"[{title}]({address})" if address else re.sub(r"^(\d+)(?=[.)])|^(?=[#+=-])", r"\1\\", title)
    parts = [f"*{part}*" for place in source.place if (part := _label(place, language))]
    if source.restricted:
        parts.append(f"{LOCK} *{_label(source.restricted, language)}*")
    return " · ".join([name, *parts])


def _label(text: str, language: str) -> str:
    """Words of a document as Markdown that shows them, on one line, and does nothing."""
    shown = literal(words(text, limit=LONGEST_LABEL))
    mixed = direction(language) == "rtl" or any(unicodedata.bidirectional(sign) in {"R", "AL"} for sign in shown)
    return f"\u2068{shown}\u2069" if mixed and shown else shown


def _address(url: str) -> str:
    """The address as it may stand between the parentheses of a link; empty for one that no browser should open."""
    try:
        parts = urlsplit(UNSEEN.sub("", url.strip()))
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not re.fullmatch(r"[\w.:\[\]-]+", parts.netloc):
        return ""
    path, query, fragment = (quote(part, safe="/%:;=,+$!'~?&") for part in parts[2:])
    return urlunsplit((parts.scheme, parts.netloc, path, query, fragment))


def _short(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return re.sub(r"\s\S*$", "", text[:limit])[: limit - 1].rstrip() + "…"


def _items(tokens: Sequence[Token]) -> Iterator[str]:
    """One line for each row of the table that `tokens` begin in; the header alone where it has no rows."""
    headers: list[str] = []
    cells: list[str] = []
    rows = 0
    for token in tokens:
        if token.type == "table_close":
            break
        if token.type == "inline":
            cells.append(re.sub(r"<br\s*/?>", ", ", token.content.strip()))
        elif token.type == "tr_close" and not headers:
            headers, cells = [_strong(cell) for cell in cells], []
        elif token.type == "tr_close":
            pairs = zip(headers, cells, strict=False)
            yield "- " + "; ".join(f"{header}: {cell}" if header else cell for header, cell in pairs if cell)
            cells = []
            rows += 1
    if not rows:
        yield "- " + "; ".join(header for header in headers if header)


def _strong(header: str) -> str:
    return f"**{header}**" if header and not re.search(r"[*_`\\]", header) else header


def _words(tokens: Sequence[Token], *, headings: bool = True) -> Iterator[str]:
    """The words of each block that has any."""
    for index, token in enumerate(tokens):
        if token.type in {"fence", "code_block"}:
            text = token.content.strip("\n")
        elif token.type == "inline" and (headings or tokens[index - 1].type != "heading_open"):
            text = "".join(_word(child) for child in token.children or []).strip()
        else:
            continue
        if text.strip():
            yield text


def _word(token: Token) -> str:
    if token.type == "softbreak":
        return " "
    return "\n" if token.type == "hardbreak" else token.content


def _code(markdown: str) -> Iterator[tuple[int, int]]:
    """Where code is that every platform takes for code: first and last character's index, as of a slice."""
    fenced = {
        number
        for token in reader.parse(markdown)
        if token.type == "fence" and token.map is not None and token.markup.startswith("`")
        for number in range(token.map[0] + 1, token.map[1])
    }
    start = 0
    tidy = True
    for number, line in enumerate(lines_of(markdown)):
        if number in fenced:
            yield start, start + len(line)
            tidy = True
        else:
            tidy = tidy or not line.strip()
            end = 0
            for span in SPAN.finditer(line):
                between = line[end : span.start()]
                tidy = tidy and not re.search(r"[`<]|\\$", between) and not re.search(r"\||\\$", span[2])
                if tidy:
                    yield start + span.start(), start + span.end()
                end = span.end()
            tidy = tidy and not re.search("[`<]", line[end:])
        start += len(line)
