"""A streamed text cut into the pieces that are shown or left out as a whole: sentences, list items, table lines, code.

A unit is given out as soon as no later text can change where it ends, so the units do not depend on where the stream's
pieces were cut. Where it is doubtful whether a full stop ends a sentence, it does not: two sentences in one unit do no
harm, half a sentence does.
"""

from __future__ import annotations

import re
from typing import Final

from bot.writing.citations import CITATION
from bot.writing.interface import Unit, UnitKind

LONGEST_PENDING: Final = 2000
"""Characters held back at most, where no sentence or line ends; more than a sentence has."""

LONGEST_CODE: Final = 8000
"""The same within a fenced block, which holds a private key of 4096 bits in PEM form whole."""

LOOKS: Final = 32
"""Share of a text without an end that must come before it is looked at again: of 32 characters or more, a 32nd."""

LONGEST_GROUP: Final = 300
"""Characters between two brackets or quotation marks; a longer one is no group."""

LONGEST_ADDRESS: Final = 1500
"""Characters between `(` and `)` of a link."""

LONGEST_CITATION: Final = 120
"""Characters that are waited for behind a full stop and an opening bracket."""

ITEM: Final = r"(?:[^\S\n]*(?:[-*+•◦]|\d{1,3}[.)、])[^\S\n]+)?"
FENCE: Final = re.compile(rf"{ITEM}[^\S\n]*(?P<marks>`{{3,}}|~{{3,}})[^`\n]*\n")
"""Of a block of code, also on the line of a list item's marker."""

FENCE_BEGUN: Final = re.compile(rf"{ITEM}[^\S\n]*(?:`{{1,2}}|~{{1,2}}|(?P<marks>`{{3,}}|~{{3,}})[^`\n]*)\Z")
LINE_START: Final = re.compile(
    r"[^\S\n]*(?:(?P<heading>#{1,6}[^\S\n])|(?P<quote>>)|(?P<row>\|)|(?P<item>(?:[-*+•◦]|\d{1,3}[.)、])[^\S\n]+))?"
)
MARKER_BEGUN: Final = re.compile(r"[^\S\n]*(?:#{1,6}|[-*+•◦][^\S\n]*|\d{1,3}(?:[.)、][^\S\n]*)?)?\Z")
"""The beginning of a line that does not yet tell what kind of line it is, or where its text begins."""

LINE_ENDS: Final = re.compile(r"(?:[^\S\n]*\n)+")

CITATIONS: Final = re.compile(rf"(?:{CITATION.pattern}[.。]?)*", re.IGNORECASE)
CITATION_BEGUN: Final = re.compile(rf"[^\S\n]?[\[【［〔〖(（,;、][^\n]{{0,{LONGEST_CITATION}}}\Z")

FULL_STOPS: Final = "。！？｡"
"""End a sentence whatever follows; the scripts that have them put no space behind."""

STOPS: Final = ".!?…؟۔।॥" + FULL_STOPS
AFTER_STOP: Final = re.compile(rf"[{STOPS}]*[\"'”’»›)\]*_」』）】]*")

CARRIED_ON: Final = re.compile("[」』”][ぁ-ん]")
"""A quotation within a Japanese sentence, and the particle that carries the sentence on."""

PAIRS: Final = {
    **{"`": "`", "[": "]", "【": "】", "(": ")", "（": "）"},
    **{'"': '"', "“": "”", "„": "“”", "«": "»", "「": "」", "『": "』"},
}
"""What opens a group, and what may close it: within code, brackets and quotations no sentence ends."""

INTERESTING: Final = re.compile(rf"[{STOPS}{re.escape(''.join(PAIRS))}]")
MAY_END: Final = re.compile(rf"[\n{STOPS}]")

SHORTENED: Final = """
    e.g i.e cf vs fig no nos pp approx dept est inc ltd mr mrs ms dr prof st sr jr art sec vol ed eds al etc resp max
    min tel z.b d.h u.a u.u o.ä i.d.r v.a s.o s.u bzw ca nr abs vgl ggf evtl inkl exkl zzgl str std usf mind hr fr ing
    dipl p.ex par.ex ex env mme mlle mm mgr n.b c.-à-d av bd tél réf chap p.ej ej sra srta ud uds pág págs núm aprox
    avda dpto ecc es ad.es sig dott dott.ssa pag cap nº pags exmo bijv d.w.z m.b.t o.a nl blz evt incl excl np tzn tj
    m.in godz ul pkt poz zł tys mln mld bkz vb vd örn sn doç yy т.е т.д т.п т.к т.н г гг ул д кв стр рис им см руб тыс
    млн напр др пр डॉ श्री सं पृ
"""
ABBREVIATIONS: Final = frozenset(SHORTENED.split())
"""Lower case, without their last full stop; most of them stand before a number or a name."""

LONGEST_ABBREVIATED: Final = 40
"""Characters before a full stop by which it is told from that of a sentence."""

SPACES: Final = re.compile(r"[^\S\n]*")
LAST_WORD: Final = re.compile(r"[^\s()\[\]„“”\"'«»/]*\Z")
SHORT_FORM: Final = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]|\d{1,2}")
"""`U.S`, `z.B`, and a number that may be an ordinal one."""


class Units:
    """Cuts one text. `feed` returns the units that are settled by a piece, `close` those of the rest."""

    def __init__(self) -> None:
        self._pending = ""
        self._ripe = False
        """Whether a unit may end within what is pending."""
        self._enough = 0
        """Characters pending from which on it is looked at again, so that a long text is not at each piece."""
        self._line: UnitKind | None = None
        """Kind of the line of which a part was given out already; None at the start of a line."""
        self._fence = ""
        """The marks that opened the code block of which a part was given out already."""

    def feed(self, piece: str) -> list[Unit]:
        self._pending += piece
        self._ripe = self._ripe or len(self._pending) >= LONGEST_PENDING or MAY_END.search(piece) is not None
        return self._take(final=False) if self._ripe and len(self._pending) >= self._enough else []

    def close(self) -> list[Unit]:
        units = self._take(final=True)
        self._line, self._fence = None, ""
        return units

    def _take(self, *, final: bool) -> list[Unit]:
        units = []
        while self._pending and (unit := self._next(final=final)):
            units.append(unit)
            self._pending = self._pending[len(unit.text) :]
        self._ripe = MAY_END.search(self._pending) is not None
        pending = len(self._pending)
        self._enough = min(pending + pending // LOOKS, LONGEST_PENDING if pending < LONGEST_PENDING else LONGEST_CODE)
        return units

    def _next(self, *, final: bool) -> Unit | None:
        if self._fence or (self._line is None and _fenced(self._pending, final=final)):
            return self._code(final=final)
        window = self._pending[:LONGEST_PENDING]
        final = final and len(window) == len(self._pending)
        full = len(window) == LONGEST_PENDING
        kind, body = self._line, 0
        if kind is None and (blank := LINE_ENDS.match(window)):
            settled = final or full or window[blank.end() :].strip()
            return Unit(text=blank[0], kind="blank") if settled else None
        if kind is None:
            if not final and not full and MARKER_BEGUN.fullmatch(window):
                return None
            kind, body = _line_kind(window)
        find = _sentence_end if kind == "prose" else _line_end
        end = find(window, body, final=final) or (_parting(window) if full else 0)
        if not end:
            return None
        self._line = None if window[:end].endswith("\n") else kind
        return Unit(text=window[:end], kind=kind if window[:end].strip() else "blank")

    def _code(self, *, final: bool) -> Unit | None:
        """A fenced block, through its last fence or as far as it is too long; None while it goes on."""
        window = self._pending[:LONGEST_CODE]
        final = final and len(window) == len(self._pending)
        full = len(window) == LONGEST_CODE
        opened = None if self._fence else FENCE.match(window)
        marks = self._fence or (opened["marks"] if opened else "")
        end = 0
        if marks:
            pattern = rf"^[^\S\n]*{marks[0]}{{{len(marks)},}}[^\S\n]*(?:\n|\Z)"
            closing = re.compile(pattern, re.MULTILINE).search(window, opened.end() if opened else 0)
            if closing and (closing[0].endswith("\n") or final):
                blank = LINE_ENDS.match(window, closing.end())
                end = blank.end() if blank else closing.end()
                if not (final or full or window[end:].strip()):
                    return None
        if end or final:
            self._fence = ""
            return Unit(text=window[: end or len(window)], kind="code")
        if not full:
            return None
        self._fence = marks
        return Unit(text=window[: window.rfind("\n") + 1 or len(window)], kind="code")


def _fenced(text: str, *, final: bool) -> bool:
    """Whether a code block begins `text`, or may begin it once more has come."""
    if FENCE.match(text):
        return True
    begun = FENCE_BEGUN.match(text) if len(text) < LONGEST_PENDING else None
    return begun is not None and (begun["marks"] is not None or not final)


def _line_kind(text: str) -> tuple[UnitKind, int]:
    """What kind of line begins `text`, and where its words begin."""
    start = LINE_START.match(text)
    if start is None or start["item"]:
        return "prose", start.end() if start else 0
    kinds: dict[str, UnitKind] = {"heading": "heading", "quote": "quote", "row": "row"}
    return kinds.get(start.lastgroup or "", "prose"), start.end()


def _line_end(text: str, body: int, *, final: bool) -> int:
    """Where the line ends, the empty lines behind it included; 0 when that is not settled."""
    newline = text.find("\n", body)
    if newline < 0:
        return len(text) if final else 0
    ends = LINE_ENDS.match(text, newline)
    end = ends.end() if ends else newline + 1
    return end if final or text[end:].strip() else 0


def _sentence_end(text: str, body: int, *, final: bool) -> int:
    """Where the first sentence from `body` on ends, with the white space behind it; 0 when that is not settled."""
    newline = text.find("\n", body)
    line, whole = (text[:newline], True) if newline >= 0 else (text, final)
    at = body
    while found := INTERESTING.search(line, at):
        stop = found.start()
        if line[stop] in PAIRS:
            behind = _group_end(line, stop, whole=whole)
            if behind is None:
                return 0
            at = behind
            if behind - stop < 3 or line[stop] in "`[【" or line[behind - 2] not in STOPS:
                continue
            stop = behind - 2
        after = AFTER_STOP.match(line, stop)
        at = max(at, after.end()) if after else stop + 1
        end = _end(line, body, stop, at, whole=whole)
        if end is None:
            return 0
        if end:
            return end
    return _line_end(text, body, final=final)


def _group_end(line: str, at: int, *, whole: bool) -> int | None:
    """The position behind the group that opens at `at`: behind its opening alone where nothing closes it.

    None while it may still be closed, or may be the beginning of a link.
    """
    ends = [line.find(mark, at + 1, at + LONGEST_GROUP + 2) for mark in PAIRS[line[at]]]
    end = min((end + 1 for end in ends if end >= 0), default=0)
    if not end:
        return at + 1 if whole or len(line) > at + LONGEST_GROUP + 1 else None
    if line[at] != "[":
        return end
    if end == len(line):
        return end if whole else None
    if line[end] != "(":
        return end
    closed = line.find(")", end, end + LONGEST_ADDRESS)
    if closed >= 0:
        return closed + 1
    return end if whole or len(line) > end + LONGEST_ADDRESS else None


def _end(line: str, body: int, stop: int, behind: int, *, whole: bool) -> int | None:
    """Where the next sentence begins if the stop at `stop` ends one, else 0; None while that is not settled.

    `behind` is the position behind the stop and the marks that close with it.
    """
    cited = CITATIONS.match(line, behind)
    begins = cited.end() if cited else behind
    if not whole and CITATION_BEGUN.match(line, begins):
        return None
    spaces = SPACES.match(line, begins)
    next_word = spaces.end() if spaces else begins
    if next_word == len(line):
        return 0 if whole else None
    if line[stop] in FULL_STOPS:
        return 0 if CARRIED_ON.match(line, next_word - 1) else next_word
    if next_word == behind or line[next_word].islower() or line[next_word] in ",;、":
        return 0
    if line[stop] == "." and begins == behind and _abbreviated(line[max(body, stop - LONGEST_ABBREVIATED) : stop]):
        return 0
    return next_word


def _abbreviated(text: str) -> bool:
    """Whether a full stop behind `text` is that of an abbreviation, an initial or an ordinal number."""
    found = LAST_WORD.search(text)
    word = found[0] if found else ""
    if len(word) == 1 and word.lower() != word.upper():
        return True
    return word.lower() in ABBREVIATIONS or SHORT_FORM.fullmatch(word) is not None


def _parting(window: str) -> int:
    """Where a text without any end is parted: behind a space, and before a bracket that is still open."""
    opened = max(window.rfind("["), window.rfind("【"))
    end = opened if opened > 0 and not re.search(r"[\]】]", window[opened:]) else len(window)
    return max(window.rfind(" ", 0, end), window.rfind("\n", 0, end)) + 1 or end
