"""What the parsers share about text: its encoding, its titles, and what must not reach an index."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

import charset_normalizer

from ingest.model import Original
from ingest.parsers.interface import FileUnreadable

BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)

WESTERN = frozenset("àâäáãåæçéèêëíìîïñóòôöõøœúùûüßÀÂÄÁÃÅÆÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØŒÚÙÛÜ‘’“”„«»–—…€°§¿¡ª º·©®™\u00a0")
"""Of code page 1252, what Western European prose uses; in its other places, other code pages have their letters."""

GUESSES = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
]

CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""What texts have by accident only; other content has one in nine bytes and more."""

SAMPLE = 64 * 1024
"""Bytes that an encoding is guessed from."""

FENCE = re.compile(r" {0,3}(```+|~~~+)")
ATX_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]")
SETEXT_UNDERLINE = re.compile(r" {0,3}=+[ \t]*$")
IMAGE = re.compile(r"\\?!\[([^\[\]\n]*)\]\([^()\s]*(?:[ \t]+\"[^\"\n]{0,300}\")?\)")
DATA_URL = re.compile(r"data:[\w.+-]{1,60}/[\w.+-]{1,60};base64,[A-Za-z0-9+/=]+")
RULE = re.compile(r"-{2,}")
RULE_ROW = re.compile(r"\|[-:| ]+")
EMPTY_ROW = re.compile(r"^\|(?: \|)+\n(?!\| ?-)", re.M)
SINGLE_CELL = re.compile(r"^\| ([^|\n]*) \|\n\| --- \|$(?!\n\|)", re.M)
"""A table of one cell is layout, not data."""
INVISIBLE = re.compile("[\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f\x00-\x08\x0b\x0e-\x1f\x7f]")
"""Control, zero-width, direction-overriding and tag characters: nobody sees them. Joiners stay: scripts need them."""
FILE_NAME = re.compile(
    r"[^\s/\\]+\.(?:docx?|xlsx?|pptx?|pdf|html?|indd|qxd|odt|rtf|txt|md|jpe?g|png|tiff?|gif|bmp|emf|wmf|svg)", re.I
)
JUNK_TITLE = re.compile(
    r"(?:untitled|unbenannt|sans titre|sin título|document|presentation|powerpoint presentation|présentation powerpoint"
    r"|powerpoint-präsentation|workbook|sheet|tabelle|feuil|hoja|slide|folie|word document|microsoft \w+"
    r"|\(?(?:anonymous|unspecified)\)?)"
    r"(?: (?:document|spreadsheet|presentation|page))?[ -]*\d*",
    re.I,
)
"""What programs write into the title field by themselves."""
TITLE_CHARACTERS = 300


def content(original: Original) -> bytes:
    """All of the file. Raises `FileUnreadable`."""
    try:
        return original.path.read_bytes()
    except OSError as error:
        raise FileUnreadable(f"the file cannot be read: {error.strerror}") from error


def decode(data: bytes) -> str:
    """Text in whatever encoding it has. Never fails: what belongs to no encoding becomes U+FFFD."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    if (wide := _wide(data[:SAMPLE])) is not None:
        return data.decode(wide, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode(_guess(data), "replace")


def is_text(sample: bytes) -> bool:
    """Whether the first bytes of a file can be those of a text, in whatever encoding."""
    text = decode(sample)
    return len(CONTROL.findall(text)) * 50 <= len(text)


def _wide(sample: bytes) -> str | None:
    """UTF-16 without a mark, of a text in mostly Latin letters: every second byte of it is zero, and no other."""
    half = len(sample) // 2
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if min(even, odd) * 20 > half or max(even, odd) * 4 < half * 3 or half < 2:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _guess(data: bytes) -> str:
    sample = data[:SAMPLE]
    damage = sample.decode("utf-8", "replace").count("�")
    special = sum(byte > 127 for byte in sample)
    if damage * 20 < special:
        return "utf-8"
    western = sample.decode("cp1252", "replace")
    if all(c in WESTERN for c in western if c > "\x7f") and special * 5 < sum(c.isalpha() for c in western) + 5:
        return "cp1252"
    match = charset_normalizer.from_bytes(sample, cp_isolation=GUESSES).best()
    return "cp1252" if match is None else match.encoding


def tidy(text: str) -> str:
    """Markdown without invisible characters, embedded or named images, trailing blanks and runs of empty lines."""
    text = INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = DATA_URL.sub("", IMAGE.sub(_alternative, text))
    text = "\n".join(map(_tidy_line, text.split("\n")))
    text = SINGLE_CELL.sub(r"\1", EMPTY_ROW.sub("", text))
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


def _tidy_line(line: str) -> str:
    """Without trailing blanks; a table's row without padding."""
    line = line.rstrip()
    if not (line.startswith("|") and line.endswith("|")):
        return line
    return RULE.sub("---", " ".join(line.split())) if RULE_ROW.fullmatch(line) else " ".join(line.split())


def _alternative(image: re.Match[str]) -> str:
    described = image[1].strip()
    return "" if FILE_NAME.fullmatch(described) else described


def first_heading(markdown: str, *, level: int = 6) -> str | None:
    """Text of the first heading of at most `level`, outside code."""
    fence = ""
    previous = ""
    for line in markdown.splitlines():
        if fence:
            fence = "" if line.strip().startswith(fence) else fence
        elif opened := FENCE.match(line):
            fence = opened[1]
        elif (marks := ATX_HEADING.match(line)) and len(marks[1]) <= level and (text := plain(line[marks.end() :])):
            return text
        elif SETEXT_UNDERLINE.match(line) and previous.strip():
            return plain(previous)
        previous = line
    return None


def plain(inline: str) -> str:
    """Inline Markdown without its marks, as a title."""
    inline = inline[:TITLE_CHARACTERS].strip().rstrip("#")
    inline = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", inline)
    inline = re.sub(r"\{:?[#.][^}]*\}", "", inline)
    inline = re.sub(r"(?<!\\)(?:\*\*|__|`)", "", inline)
    return " ".join(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", inline).split()).strip("*_ ")


def title(candidate: object, name: str) -> str | None:
    """`candidate` as a title, or None when it is junk: empty, a program's own words, or a file's name."""
    if not isinstance(candidate, str):
        return None
    text = re.sub(r"^Microsoft (?:Word|PowerPoint|Excel) *- *", "", INVISIBLE.sub("", " ".join(candidate.split())))
    stem = name.rpartition(".")[0] or name
    junk = JUNK_TITLE.fullmatch(text) or FILE_NAME.fullmatch(text) or text in (name, stem)
    return None if junk or sum(c.isalpha() for c in text) < 2 else text[:TITLE_CHARACTERS]


def moment(value: object) -> datetime | None:
    """A date as documents write it (a date, ISO 8601, RFC 5322), with a time zone; UTC where it names none."""
    if isinstance(value, str):
        value = _parse_moment(value.strip())
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, date) else None


def _parse_moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        try:
            return parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
