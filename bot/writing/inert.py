"""What a model writes as text that does nothing: no links, no images, no HTML, no addresses of its own making.

Addresses come from stored metadata alone, as models can be talked into writing links that carry data out (EchoLeak,
CVE-2025-32711). A link keeps its words; an image and an HTML element's tags go; what is left of the signs that make a
link in Markdown, `](` and `]:`, is parted by a space, and `<` before a letter becomes `‹`. An address that stands in no
passage becomes `…`; one that does stays, as code that nobody can click by accident.

Code stays as it is written, but for addresses. It is code only where every reader of Markdown sees code, whatever
stands in the units before and behind: backticks without a partner on their line go.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from bot.model import Passage

LONGEST_LABEL = 300
"""Characters between `[` and `]`; a longer bracket is plain text."""

LONGEST_ADDRESS = 2000
"""Characters between `(` and `)` of a link, beyond what browsers agree to open."""

MARK = "\U000f0000-\U000ffffd"
"""Private characters, each of which stands for a piece of code while the rest is read."""

MARKS = re.compile(f"[{MARK}]")

UNSEEN = re.compile(
    "[\x00-\x08\r\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
    "|(?<=[\x00-\x7f])[\u200c-\u200f\u061c\ufe00-\ufe0d]|[\u200c-\u200f\u061c](?=[\x00-\x7f])"
)
"""Commands of terminals, what turns the direction of a text, and what takes no room: it parts words and hides others.

Joiners stay between letters that are no Latin ones, as Hindi, Persian and emoji need them."""

LINE_ENDS = re.compile("\r(?!\n)|[\x0b\x0c\x85\u2028\u2029]")
"""What ends a line for some readers and not for others."""

FENCED = re.compile(
    r"^(?P<indent>[ \t]*)(?P<marks>(?P<sign>[`~])(?P=sign){2,})(?P<info>[^`\n]*)"
    r"(?:\n.*?(?:(?P<end>^[ \t]*(?P=marks)(?P=sign)*[ \t]*$)|\Z)|\Z)",
    re.MULTILINE | re.DOTALL,
)
INFO = re.compile(r"[ \t]*[\w+#.-]{0,40}")
"""The language of a block; what some write behind it is for no reader."""

SPAN = re.compile(r"(?<!\\)\\*+(?<!`)(`+)(?!`)([^\n]*?[^`\n])\1(?!`)")

LINK = re.compile(rf"!?\[([^\[\]\n]{{0,{LONGEST_LABEL}}})\]\([^()\n]{{0,{LONGEST_ADDRESS}}}\)")
REFERENCE = re.compile(rf"!?\[([^\[\]\n]{{0,{LONGEST_LABEL}}}[^\[\]\n\d])\](?=\[)")
LINKING = re.compile(r"\](?=[(:])")
NUMERIC = re.compile(r"[\s^\d,;、–-]+")

AMPERSANDS = re.compile(r"&(?:(?:amp|#0*38|#[xX]0*26);)+")
ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
ESCAPED = re.compile(r"(?<!\\)\\++(?=[:/.])")
"""A backslash that readers of Markdown leave out, and that would hide an address from this one."""

_ELEMENTS = """
    a abbr acronym address applet area article aside audio b base basefont bdi bdo big blink blockquote body br
    button canvas caption center cite code col colgroup data datalist dd del details dfn dialog dir div dl dt em
    embed fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i
    iframe image img input ins kbd label legend li link main map mark marquee math menu meta meter nav noframes
    noscript object ol optgroup option output p param picture plaintext pre progress q rp rt ruby s samp script
    section select slot small source span strike strong style sub summary sup svg table tbody td template textarea
    tfoot th thead time title tr track tt u ul var video wbr xmp
"""
ELEMENTS = frozenset(_ELEMENTS.split())
"""Of HTML (https://html.spec.whatwg.org, obsolete ones too). Any other name in angle brackets is a placeholder."""

TAG = re.compile(rf"</?([A-Za-z][A-Za-z0-9]*)(?=[\s/>])[^<>{MARK}]{{0,{LONGEST_ADDRESS}}}>|<!--.*?-->", re.DOTALL)
OPENING = re.compile(r"<(?=[A-Za-z/!?])([^<>\n]{0,80}>)?")

TAIL = rf"[^\s<>\]`{MARK}。，、；：！？」』】）]"
ADDRESS = re.compile(
    r"<?((?:[a-z][a-z0-9+.-]{0,20}://|(?<![a-z0-9])(?:www\.|(?:mailto|xmpp|tel|sms|callto|javascript|vbscript):)"
    r"|(?:(?<![\w/])|(?<=[⁰¹²³⁴-⁹]))//(?=[^\s/()<>.%。．｡]*+[.%。．｡][^\s/()<>]*+(?!\()))"
    rf"{TAIL}+)>?",
    re.IGNORECASE,
)
"""With a scheme, wherever it begins (no space stands before it in Chinese); `www.`; or a host after `//` alone."""

DOMAINS = (
    "com|org|net|info|biz|io|ai|app|dev|cloud|site|online|xyz|top|link|click|page|shop|example|invalid|test"
    "|eu|de|at|ch|fr|es|it|pt|br|nl|be|pl|tr|ru|cn|jp|in|uk|ie|us|ca|au|mx|ae|sa|eg|me|co|cc|to|ly"
)
"""Ends of host names that a chat program makes links of, but for those that are common ends of file names too."""

MORE_DOMAINS = (
    "tk|ml|ga|cf|gq|icu|pw|ninja|club|live|store|tech|space|fun|vip|work|website|host|press|news|blog|wiki|tv|sh|gg|su"
    "|ws|zip|mov|kr|tw|hk|sg|se|no|fi|dk|cz|gr|ro|hu|ua|za|nz|ar|cl|la|im|is|fm|st|vg|nu|name|pro|mobi|asia|edu|gov|one"
    "|world|today|life|email|network|digital|zone|id|il|ir|my|ph|th|vn|ee|lt|lv|si|sk|hr|rs|bg|pe|ng|ke"
)
"""Others, believed only with a path behind them."""

LABEL = r"[a-z0-9][a-z0-9-]{0,62}"
HOST = re.compile(
    rf"(?:(?<![\w@./-])|(?<=[⁰¹²³⁴-⁹]))(?:(?:{LABEL}\.){{1,8}}(?:{DOMAINS}|{MORE_DOMAINS})(?::\d{{1,5}})?[/?#]{TAIL}*"
    rf"|(?:{LABEL}\.){{2,8}}(?:{DOMAINS})(?![\w@-]|\.\w)"
    rf"|(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?::\d{{1,5}})?/[a-z?]{TAIL}*)",
    re.IGNORECASE,
)
"""A host without a scheme: one with a path, or one of three labels or more, which can carry data in the first."""

TRAILING = ".,;:!?)\"'"


class Code:
    """The code of one text, put aside: `text` is the rest, with a mark wherever code stands.

    A fence is one only at the start of a line; `begins_line` says whether the text stands there.
    """

    def __init__(self, text: str, *, begins_line: bool = True) -> None:
        self.pieces: list[str] = []
        text = MARKS.sub("", text)
        begin = 0 if begins_line else text.find("\n") + 1 or len(text)
        text = text[:begin] + FENCED.sub(lambda fence: self.put(fence[0]), text[begin:])
        self.text = SPAN.sub(lambda span: self.put(span[0].lstrip("\\")), text)

    def put(self, piece: str) -> str:
        """The mark that stands for `piece` from now on."""
        self.pieces.append(piece)
        return chr(0xF0000 + (len(self.pieces) - 1) % 0xFFFE)

    def back(self, text: str) -> str:
        """`text` with its code in place. Two spans in a row are kept apart, else they would be read as one."""
        apart = re.sub(f"(?<=[{MARK}])(?=[{MARK}])", " ", text) if len(self.pieces) > 1 else text
        return MARKS.sub(lambda mark: self.pieces[ord(mark[0]) - 0xF0000], apart)


def visible(text: str) -> str:
    """The text as it is seen: without what is not, and with lines that end for everybody."""
    return text if text.isascii() and text.isprintable() else UNSEEN.sub("", LINE_ENDS.sub(" ", text))


class Inert:
    """Takes the life out of texts. An address is known when it stands in one of the `passages`."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._written = "\n".join(passage.text for passage in passages)

    def read(self, code: Code) -> str:
        """The text without its code, inert; the code, too, loses the addresses that are not known."""
        code.pieces[:] = [self._code(piece) for piece in code.pieces]
        text = TAG.sub(_tag, _plain(code.text))
        for pattern in (LINK, REFERENCE):
            text = pattern.sub(_words, text)
        text = ADDRESS.sub(lambda match: self._address(match[1], code), LINKING.sub("] ", text))
        text = HOST.sub(lambda match: self._address(match[0], None), text)
        return OPENING.sub(lambda match: f"‹{match[1][:-1]}›" if match[1] else "‹", text)

    def _address(self, written: str, code: Code | None) -> str:
        """What is shown of an address: itself when it is known, within code where it could be clicked otherwise."""
        end = len(written.rstrip(TRAILING))
        address, tail = written[:end], written[end:]
        if not self._known(address):
            return "…" + tail
        return (code.put(f"`{address}`") if code else address) + tail

    def _known(self, address: str) -> bool:
        """Whether it stands in a passage by itself or with a path behind it, not as a part of a longer name."""
        return (
            address in self._written
            and re.search(rf"(?<![\w.-]){re.escape(address)}(?![\w-])", self._written) is not None
        )

    def _code(self, piece: str) -> str:
        quiet = ADDRESS.sub(lambda match: self._address(match[1], None), piece)
        quiet = HOST.sub(lambda match: self._address(match[0], None), quiet)
        if fence := FENCED.match(quiet):
            # An end that is indented more than its beginning is none to readers of Markdown. With a `|` behind its
            # marks, markdown-it takes the first line for the head of a table.
            if fence["end"] is not None:
                quiet = quiet[: fence.start("end")] + fence["indent"] + fence["marks"]
            info = INFO.match(fence["info"])
            quiet = quiet[: fence.start("info")] + (info[0] if info else "") + quiet[fence.end("info") :]
            return _lines_kept(quiet, len(fence["indent"].expandtabs(4)))
        return _defused(quiet) if "|" in quiet else quiet


def _lines_kept(block: str, indent: int) -> str:
    """A fenced block in which lines that leave it (they are indented less than its fence) are defused."""
    if not indent:
        return block
    lines = block.splitlines(keepends=True)
    return "".join(
        line if not line.strip() or _indent(line) >= indent else _defused(line, backticks=number not in (0,))
        for number, line in enumerate(lines)
    )


def _indent(line: str) -> int:
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip(" "))


def _defused(code: str, *, backticks: bool = False) -> str:
    """Code that readers of Markdown might take for text: a table's cell ends within it, or its block ended before."""
    if backticks and not FENCED.match(code):
        code = code.replace("`", "")
    return re.sub(r"<(?=[A-Za-z/!?])", "< ", LINKING.sub("] ", code))


def _plain(text: str) -> str:
    """The text with its entities and escapes as readers of Markdown see them, and nothing that begins code."""
    while ENTITY.search(text):
        decoded = ENTITY.sub(lambda match: _decoded(match[0]), AMPERSANDS.sub("&", text))
        if decoded == text:
            break
        text = decoded
    text = re.sub(r"\\*`+", "", text)
    return re.sub("~{3,}", "~~", ESCAPED.sub("", text))


def _decoded(entity: str) -> str:
    character = html.unescape(entity)
    if character == entity:
        return entity
    return " " if MARKS.search(character) or not character.isprintable() else character


def _tag(match: re.Match[str]) -> str:
    if match[1] is None:
        return ""
    if match[1].lower() not in ELEMENTS:
        return match[0]
    return " " if match[1].lower() in ("br", "hr") else ""


def _words(link: re.Match[str]) -> str:
    if link[0].startswith("!"):
        return ""
    return f"[{link[1]}]" if NUMERIC.fullmatch(link[1]) and link.re is LINK else link[1]
