"""A document's text into passages of at most about 512 tokens, along its own structure.

Headings open sections; a section's blocks (paragraphs, lists, tables, code) are packed in order until the budget is
full. A block that is too long alone is cut where it hurts least: a table between rows, its header repeated; a list
between items; code between lines; anything else between sentences, then words, then graphemes. Tiny neighbouring
sections share a chunk under the heading that they have in common.

Every word of the text is in some chunk's text or heading path. Time is linear in the length of the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from itertools import pairwise, takewhile
from math import ceil
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token
from semantic_text_splitter import TextSplitter

from ingest.model import Chunk, ChunkId, Document, chunk_id

MAX_TOKENS = 512
"""Budget of one indexed text, title and heading path included. 256 to 512 tokens served questions for facts best
(NVIDIA's comparison of chunking strategies), and 512 is what most cross-encoders read of a pair."""

MIN_TEXT_TOKENS = 256
"""What a chunk's text may take whatever the length of its heading path."""

TAIL_TOKENS = 48
"""A rest this small joins the chunk before it, which may then exceed the budget by as much."""

TINY_TOKENS = 48
"""A section this small looks for company among its neighbours."""

HEADING_CHARACTERS = 200
"""A longer heading is a paragraph that somebody marked as one."""

WINDOW_CHARACTERS = 4096
"""The splitter's time grows with the square of what it is given; it is given this much at a time."""

JOINED_TOKENS = 128
"""What tiny sections may grow to together."""

WORD = re.compile(r"[^\W_]+")
MARKUP = re.compile(r"[\\`*_\[\]<>&!]")
BLANK_LINES = re.compile(r"(?:[ \t]*\n)+")
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
TABLE_DELIMITER = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
LISTS = {"bullet_list_open", "ordered_list_open"}
CODE = {"fence", "code_block"}

BLOCKS = MarkdownIt("commonmark").disable(["inline", "text_join", "reference"])
"""Blocks only. Without `reference`, definitions of links stay as text; tables are recognised here, see `_kind_of`."""

INLINE = MarkdownIt("commonmark")

TOKEN_COSTS: tuple[tuple[bytes, float], ...] = (
    (bytes(range(128)), 0.25),
    (b"0123456789", 0.75),
    (b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", 0.4),
    (bytes(range(0xC2, 0xCA)), 0.8),
    (bytes(range(0xCA, 0xE0)), 0.45),
    (bytes([0xE0, 0xE1]), 1.1),
    (bytes(range(0xE2, 0xF0)), 1.0),
    (bytes(range(0xF0, 0xF8)), 2.5),
)
"""Tokens that each byte of UTF-8 adds, by what its lead byte says: ASCII; on top of it digits (Qwen2.5 makes each one a
token) and punctuation; accented Latin letters; Greek, Cyrillic, Hebrew, Arabic; Indic scripts, Thai, Georgian and
Vietnamese letters; Han, Kana, Hangul and typographic punctuation; emoji. Continuation bytes add nothing."""


def estimate_tokens(text: str) -> int:
    """About how many tokens a multilingual model makes of `text`, rather too many than too few; 0 for an empty text.

    A third more than MiniLM's tokenizer makes of English prose, 3 % more of Chinese (on XQuAD's paragraphs). MiniLM's
    vocabulary is English and breaks other languages into letters, so they follow what vocabularies of 150,000 and more
    (Qwen2.5, BGE-M3) are reported to need: a token for 3.6 characters of German, 2.4 of Russian or Arabic, 1.2 of
    Hindi or Japanese.
    """
    data = text.encode("utf-8", "surrogatepass")
    return ceil(sum(cost * (len(data) - len(data.translate(None, members))) for members, cost in TOKEN_COSTS))


@dataclass(frozen=True, kw_only=True)
class _Block:
    """Lines of the document that belong together, or a piece of them."""

    kind: Literal["heading", "text", "list", "table", "code"]
    start: int
    """Offset in the document's text, in characters."""
    text: str
    items: tuple[int, ...] = ()
    """Offsets in `text` at which the items of a list start."""
    level: int = 0
    """1 to 6 for a heading."""
    content: str = ""
    """Of a heading, without its `#`."""
    joint: str = "\n\n"
    """What stands between it and the block before, where both are in one passage."""

    @cached_property
    def tokens(self) -> int:
        return estimate_tokens(self.text)


@dataclass(frozen=True, kw_only=True)
class _Section:
    """The blocks under one heading path."""

    path: tuple[str, ...]
    heading: _Block | None
    """The line to put above the blocks where the path does not name it."""
    blocks: tuple[_Block, ...]

    @cached_property
    def tokens(self) -> int:
        return sum(block.tokens for block in (self.heading, *self.blocks) if block is not None)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Passage:
    """A chunk in the making."""

    path: tuple[str, ...]
    start: int
    text: str


def chunk(document: Document) -> list[Chunk]:
    """The document's passages in reading order; none only if it holds nothing but white space and punctuation.

    A chunk's id depends on its own indexed text alone (and, where a text occurs again, on how often it did before), so
    that an edit leaves the ids of all other passages as they are.
    """
    text = document.text.replace("\r\n", " \n").replace("\r", "\n")  # as long as before: offsets of pages stay true
    groups = _groups(_sections(_blocks(text), document.title))
    passages = [passage for group in groups for passage in _passages(group, document.title)]
    if not passages and WORD.search(text):
        passages = [_Passage(path=(), start=0, text=text.strip())]  # it holds its own title and nothing else
    seen: Counter[str] = Counter()
    chunks = []
    for position, passage in enumerate(passages):
        unkeyed = Chunk(
            id=ChunkId(""),
            source=document.source,
            document=document.id,
            position=position,
            title=document.title,
            headings=passage.path,
            page=max(1, bisect_right(document.pages, passage.start)) if document.pages else None,
            text=passage.text,
            language=document.language,
            readers=document.readers,
            url=document.url,
            updated_at=document.updated_at,
        )
        digest = blake2b(unkeyed.indexed_text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        key = f"{digest}#{seen[digest]}"
        seen[digest] += 1
        chunks.append(replace(unkeyed, id=chunk_id(document.source, document.id, key)))
    return chunks


def _blocks(text: str) -> Iterator[_Block]:
    """Every line of `text`, in blocks, in order; blank lines and rules are dropped."""
    lines = [0, *(match.end() for match in re.finditer("\n", text)), len(text)]
    tokens = BLOCKS.parse(text)
    tops = [number for number, token in enumerate(tokens) if token.level == 0 and token.nesting >= 0]
    for top, following in pairwise([*tops, len(tokens)]):
        start = lines[_line(tokens[top])] if top else 0
        end = lines[_line(tokens[following])] if following < len(tokens) else len(text)
        block = _block(tokens[top:following], text[start:end], start, lines)
        if block.text and (tokens[top].type != "hr" or WORD.search(block.text)):
            yield block


def _line(token: Token) -> int:
    return token.map[0] if token.map else 0


def _block(tokens: list[Token], text: str, start: int, lines: list[int]) -> _Block:
    """The block that `tokens` make of `text`."""
    opening = tokens[0]
    blank = BLANK_LINES.match(text)
    skipped = blank.end() if blank else 0
    start, text = start + skipped, text[skipped:].rstrip()
    if opening.type == "heading_open":
        content = tokens[1].content
        if len(content) <= HEADING_CHARACTERS and "\n" not in content:
            return _Block(kind="heading", start=start, text=text, level=int(opening.tag[1:]), content=content)
    if opening.type in LISTS:
        items = [token for token in tokens if token.type == "list_item_open" and token.level == 1]
        return _Block(kind="list", start=start, text=text, items=tuple(lines[_line(item)] - start for item in items))
    if opening.type in CODE:
        return _Block(kind="code", start=start, text=text)
    rows = text.split("\n", 2)
    if len(rows) > 2 and "|" in rows[0] and TABLE_DELIMITER.fullmatch(rows[1]):
        return _Block(kind="table", start=start, text=text)
    return _Block(kind="text", start=start, text=text)


def _sections(blocks: Iterable[_Block], title: str) -> list[_Section]:
    """The blocks under their headings. A heading that repeats the document's title adds nothing to the path."""
    sections: list[_Section] = []
    above: list[_Block] = []
    body: list[_Block] = []
    for block in blocks:
        if block.kind == "heading":
            sections.append(_section(above, body, title))
            above = [*(heading for heading in above if heading.level < block.level), block]
            body = []
        else:
            body.append(block)
    sections.append(_section(above, body, title))
    return _filled_sections(sections)


def _filled_sections(sections: list[_Section]) -> list[_Section]:
    """The sections that hold something; a heading with nothing below it becomes the last line of what is above."""
    following: _Section | None = None
    unnamed: set[int] = set()
    for number, section in reversed(list(enumerate(sections))):
        if section.blocks:
            following = section
        elif not (following and _under(following, section)):
            unnamed.add(number)
    filled: list[_Section] = []
    bodies: list[list[_Block]] = []
    for number, section in enumerate(sections):
        if section.blocks:
            filled.append(section)
            bodies.append(list(section.blocks))
        elif section.heading and number in unnamed:
            if not filled:
                filled.append(replace(section, path=section.path[:-1], heading=None))
                bodies.append([])
            bodies[-1].append(replace(section.heading, kind="text"))
    return [replace(section, blocks=tuple(body)) for section, body in zip(filled, bodies, strict=True)]


def _section(above: list[_Block], body: list[_Block], title: str) -> _Section:
    names = [_name(heading.content) for heading in above]
    path = tuple(name for name in names if name and name.casefold() != title.strip().casefold())
    if not above:
        return _Section(path=path, heading=None, blocks=tuple(body))
    heading = above[-1]
    if not set(WORD.findall(heading.content)) <= set(WORD.findall(names[-1])):
        return _Section(path=path, heading=None, blocks=(replace(heading, kind="text"), *body))  # it holds more: a link
    return _Section(path=path, heading=heading if path and path[-1] == names[-1] else None, blocks=tuple(body))


def _under(section: _Section, other: _Section) -> bool:
    return len(section.path) > len(other.path) and section.path[: len(other.path)] == other.path


def _name(heading: str) -> str:
    """A heading's words without its Markdown."""
    if not MARKUP.search(heading):
        return " ".join(heading.split())
    (inline,) = INLINE.parseInline(heading)
    return " ".join("".join(token.content for token in inline.children or ()).split())


def _groups(sections: Iterable[_Section]) -> Iterator[list[_Section]]:
    """Sections that share chunks: each on its own, but tiny ones with what follows under the same heading."""
    group: list[_Section] = []
    for section in sections:
        if group and not _belongs(section, group):
            yield group
            group = []
        group.append(section)
    if group:
        yield group


def _belongs(section: _Section, group: list[_Section]) -> bool:
    tokens = sum(member.tokens for member in group)
    depth = max(len(member.path) for member in (*group, section))
    return (
        tokens < TINY_TOKENS
        and tokens + section.tokens <= JOINED_TOKENS
        and len(_common([*group, section])) >= depth - 1
    )


def _common(group: list[_Section]) -> tuple[str, ...]:
    """The part of the heading path that all of `group` share."""
    shared = takewhile(lambda names: len(set(names)) == 1, zip(*(section.path for section in group), strict=False))
    return tuple(names[0] for names in shared)


def _passages(group: list[_Section], title: str) -> Iterator[_Passage]:
    """The blocks of `group`, packed in order up to the budget."""
    path = _common(group)
    budget = max(MIN_TEXT_TOKENS, MAX_TOKENS - estimate_tokens(" › ".join((title, *path))))
    packs: list[list[_Block]] = []
    tokens = budget
    for section in group:
        heading = (section.heading,) if section.heading and len(section.path) > len(path) else ()
        for block in (*heading, *section.blocks):
            for piece in _pieces(block, budget):
                if tokens + piece.tokens > budget:
                    packs.append([])
                    tokens = 0
                packs[-1].append(piece)
                tokens += piece.tokens + 1  # the blank line between
    if len(packs) > 1 and tokens <= TAIL_TOKENS:
        tail = packs.pop()
        packs[-1] += tail
    for pack in packs:
        text = "".join(f"{piece.joint}{piece.text}" for piece in pack).removeprefix(pack[0].joint)
        yield _Passage(path=path, start=pack[0].start, text=text)


def _pieces(block: _Block, budget: int) -> Iterator[_Block]:
    """`block` whole if it fits, else cut as its kind allows."""
    if block.tokens <= budget:
        yield block
        return
    before, after = "", ""
    starts = [0]
    if block.kind == "list":
        starts = list(block.items)
    elif block.kind in ("table", "code"):
        starts += [match.end() for match in re.finditer("\n", block.text)]
        before, after, starts = _frame(block, starts)
        if estimate_tokens(before + after) > budget // 4:
            before, after, starts = "", "", [0, *starts]
    end = len(block.text) - len(after) if after and block.text.endswith(after) else len(block.text)
    room = budget - estimate_tokens(before + after)
    reached: int | None = None
    for start, text in _filled(block.text, [*starts, end], room):
        joint = "\n\n" if reached is None or before else block.text[reached:start]
        yield _Block(kind=block.kind, start=block.start + start, text=f"{before}{text}{after}", joint=joint)
        reached = start + len(text)


def _frame(block: _Block, starts: list[int]) -> tuple[str, str, list[int]]:
    """What is repeated around every piece: a table's header, the fences of code; and where the lines between start."""
    if block.kind == "table":
        return block.text[: starts[2]], "", starts[2:]
    fence = FENCE.match(block.text)
    if fence is None or len(starts) == 1:
        return "", "", starts
    return block.text[: starts[1]], f"\n{fence[1]}", starts[1:]


def _filled(text: str, bounds: list[int], budget: int) -> Iterator[tuple[int, str]]:
    """The spans between `bounds`, joined up to the budget, each with its offset; a span that is too long is split."""
    held, tokens = bounds[0], 0
    for start, end in pairwise(bounds):
        cost = estimate_tokens(text[start:end])
        if held < start and tokens + cost > budget:
            yield from _trimmed(held, text[held:start])
            held, tokens = start, 0
        if cost > budget:
            for offset, piece in _split(text[start:end], budget):
                yield from _trimmed(start + offset, piece)
            held, tokens = end, 0
        else:
            tokens += cost
    yield from _trimmed(held, text[held : bounds[-1]])


def _trimmed(start: int, text: str) -> Iterator[tuple[int, str]]:
    stripped = text.strip("\n").rstrip()
    if stripped:
        yield start + text.index(stripped), stripped


def _split(text: str, budget: int) -> Iterator[tuple[int, str]]:
    """`text` in pieces that fit, between sentences if possible, with their offsets."""
    splitter = TextSplitter.from_callback(estimate_tokens, budget, trim=False)
    start = 0
    while start < len(text):
        window = text[start : start + WINDOW_CHARACTERS]
        pieces = splitter.chunks(window)
        if start + len(window) < len(text) and len(pieces) > 1:
            pieces = pieces[:-1]  # cut by the window, not by the text: the next window begins with it
        for piece in pieces:
            yield start, piece
            start += len(piece)
