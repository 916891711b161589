"""Numbers, dates and times of a text, so that two texts can be compared that write them differently.

A figure of a statement has several readings, as `1.000` is a thousand in Berlin and one in London; each reading is a
set of atoms, and it is supported when a text has them all. Atoms are `n:18.5` (a number), `x:18.5` (a number that no
word multiplies or makes a time), `d:3` and `m:11` (day and month of a date) and `t:17:30`. What a text says is read
generously: all readings, number words, both ends of a range.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from bot.writing.grounding.numerals import COUNTED, HAN_DIGITS, MAGNITUDES, MONTHS, NUMBER_WORDS, SHORT_MONTHS
from ingest.index.lexical import fold

_FRACTIONS = {ord("½"): ".5", ord("¼"): ".25", ord("¾"): ".75"}
_FRACTION = re.compile("(?<=\\d)[½¼¾]")
_SPACES = re.compile("[\u00a0\u2009\u202f]")

ORDINAL = re.compile(
    r"^[ \t>]*(?:[-*+•][ \t]+)?(?:\d{1,3}[.)、][ \t]+|#{1,6}[ \t]+(?:\d{1,3}[.)][ \t]+)?)", re.MULTILINE
)
"""The number of a list's item, or of a heading."""

FIGURE = re.compile(
    r"(?<![\w])(?P<number>\d{1,3}(?: \d{3})+(?![\d.,:/-]*\d)(?:[.,]\d+)?|\d+(?:[.,'’:/-]\d+)*)"
    r"|(?<=[^\W\d_])(?P<inner>\d+(?:[.,:]\d+)*)",
    re.ASCII,
)
"""A number that begins a word, or one within a word (`ISO27001`); of a text whose digits are ASCII ones."""

LONGEST = 40
"""Characters beyond which a number is a code that must stand as it is."""

GROUPED = re.compile(r"\d{1,3}(?:(?P<sign>[., '’])\d{3})(?:(?P=sign)\d{3})*", re.ASCII)
TIME = re.compile(r"([01]?\d|2[0-4])[:.h]([0-5]\d)(?::[0-5]\d)?", re.ASCII)
CLOCK = re.compile(r"[ ]?(?P<half>[ap])\.?[ ]?m\b", re.IGNORECASE)
HOURS = re.compile(r"[ ]?(?:h(?P<minutes>[0-5]\d)?\b|uhr\b|ч\b|点|時|时)", re.IGNORECASE)
NEXT_WORD = re.compile(r"[ ]?([^\W\d_]+(?:[\u0900-\u0963\u0966-\u097f]+[^\W\d_]*)*|[万萬亿億千百十]+)")
AROUND = 24
"""Characters before and behind a number among which the name of its month stands."""

WORD = re.compile(r"[^\W\d_]+(?:[\u0900-\u0963]+[^\W\d_]*)*")
DECADE_BEHIND = re.compile(r"['’]?s\b|er\b|-?(?:ger|х|е|ых)\b|-?x\b|[ ]?年代|['’]?l[aeı]r", re.IGNORECASE)
DECADE_BEFORE = re.compile(
    r"(?:años|anni|années|anos|lata(?:ch)?|jaren|years|годы|годов|عقد)\W+(?:los |las |as )?$", re.IGNORECASE
)

JOINED = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)+")
"""Such as `dix-sept`."""

BETWEEN_NUMBERS = re.compile(r"\W+(?:(?:and|und|et|y|e|en) )?")
"""What may stand between the words of one number."""

ALWAYS = re.compile(
    r"round[ -]the[ -]clock|day and night|rund um die uhr|tag und nacht|jour et nuit|24 ?h(?:eures)? sur 24|24h/24"
    r"|las 24 horas|d[ií]a y noche|giorno e notte|dia e noite|dag en nacht",
    re.IGNORECASE,
)
"""What others write as `24/7`."""

DECIMAL = re.compile(r"\d+[.,]\d+", re.ASCII)
HAN_NUMBER = re.compile("[零〇一二三四五六七八九十百两兩]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A number, date or time that a statement gives."""

    written: str
    readings: tuple[frozenset[str], ...]


def plain(text: str) -> str:
    """The text with ASCII digits, simple spaces and no list numbers."""
    text = _FRACTION.sub(lambda match: _FRACTIONS[ord(match[0])], text)
    if not text.isascii():
        text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() and not c.isascii() else c for c in text)
        text = _SPACES.sub(" ", text.replace("٫", ".").replace("٬", ",").replace("−", "-").replace("–", "-"))
    return ORDINAL.sub(lambda found: found[0] if _begins_month(text, found.end()) else "", text)


def _begins_month(text: str, at: int) -> bool:
    word = WORD.match(text, at)
    return word is not None and fold(word[0]) in MONTHS


def figures(text: str) -> list[Figure]:
    """What a statement must prove: its figures in digits, and the months it names."""
    text = plain(text)
    found = [_figure(text, match) for match in FIGURE.finditer(text) if match["number"]]
    for match, month, dated in _months(text):
        if dated:
            found.append(Figure(written=match[0], readings=(frozenset({f"m:{month}"}),)))
    return found


def counted(text: str, language: str) -> list[Figure]:
    """The numbers from three on that a statement writes as words of its language, but for those of compounds.

    A count that begins the statement, or stands before a colon, may be of what the statement itself enumerates.
    """
    words = COUNTED.get(language, {})
    matches = list(WORD.finditer(text))
    found = []
    for at, match in enumerate(matches):
        number = words.get(fold(match[0]))
        enumerates = at == 0 or re.search("[:：]", text[match.end() :])
        if number is None or enumerates or any(_one_number(text, *pair) for pair in pairwise(matches[at - 1 : at + 2])):
            continue
        found.append(Figure(written=match[0], readings=(frozenset({f"n:{number}"}),)))
    return found


def _one_number(text: str, first: re.Match[str], second: re.Match[str]) -> bool:
    """Whether two words stand side by side in one number."""
    if (first.end() < second.start()) and text[first.end() : second.start()] == "-":
        return True
    return all(
        fold(word[0]) in NUMBER_WORDS or MAGNITUDES.get(fold(word[0]), 0) > 1 for word in (first, second)
    ) and bool(BETWEEN_NUMBERS.fullmatch(text[first.end() : second.start()]))


def atoms(text: str, updated_at: datetime | None = None) -> frozenset[str]:
    """All that a passage says in figures and number words; its date of change too, which writers are told."""
    text = plain(text)
    said: set[str] = set()
    for match in FIGURE.finditer(text):
        readings = _figure(text, match).readings
        said |= {atom for reading in readings for atom in reading if not atom.startswith("x:")}
        if len(match[0]) <= LONGEST:
            bare = frozenset({f"x:{value}" for value in _values(match[0])})
            said |= {f"n:{value}" for value in _values(match[0])}
            said |= bare if not any(reading <= bare for reading in readings) else frozenset()
        if len(match[0]) <= LONGEST and not DECIMAL.fullmatch(match[0]):
            said |= {f"n:{part}" for part in _parts(match[0])}
    said |= {f"m:{month}" for _, month, _ in _months(text)}
    words = (*WORD.findall(text), *JOINED.findall(text))
    said |= {f"n:{NUMBER_WORDS[word]}" for word in map(fold, words) if word in NUMBER_WORDS}
    said |= {
        f"n:{_written(NUMBER_WORDS[fold(number)] * MAGNITUDES[fold(power)])}"
        for number, power in pairwise(words)
        if fold(number) in NUMBER_WORDS and fold(power) in MAGNITUDES
    }
    said |= {f"n:{_han(match[0])}" for match in HAN_NUMBER.finditer(text)}
    if ALWAYS.search(text):
        said |= {"n:24", "n:7"}
    if updated_at is not None:
        said |= {f"n:{updated_at.year}", f"m:{updated_at.month}", f"d:{updated_at.day}"}
    return frozenset(said)


def supported(figure: Figure, said: frozenset[str]) -> bool:
    return any(reading <= said for reading in figure.readings)


def _figure(text: str, match: re.Match[str]) -> Figure:
    written = match[0]
    if len(written) > LONGEST:
        return Figure(written=written, readings=(frozenset({f"n:{written}"}),))
    readings: list[set[str]] = [{f"n:{value}"} for value in _values(written)]
    behind = text[match.end() : match.end() + AROUND]
    power, half = _power(behind), CLOCK.match(behind) if written.isdigit() else None
    if power or half:
        # Where a text does not say a million, or which half of the day, the bare number will do.
        readings = [{f"x:{value}"} for value in _values(written)]
        readings += [{f"n:{_written(float(value) * power)}"} for value in _values(written)] if power else []
    else:
        readings += _dates(written)
    if time := TIME.fullmatch(written):
        readings.append({f"t:{int(time[1])}:{time[2]}"})
        if time[2] == "00":
            readings.append({f"n:{int(time[1])}"})
    if written.isdigit() and int(written) <= 24:
        readings += _hours(int(written), behind)
    elif (time := TIME.fullmatch(written)) and (clock := CLOCK.match(behind)):
        readings.append({f"t:{_hour(int(time[1]), clock['half'])}:{time[2]}"})
    if written.isdigit() and int(written) <= 31 and _beside_month(text, match):
        readings.append({f"d:{int(written)}"})
    if written.isdigit() and behind.lstrip().startswith("月"):
        readings.append({f"m:{int(written)}"})
    if written.isdigit() and written.endswith("0") and _decade(text, match):
        readings += [
            {f"n:{int(written) % 100}"},
            {f"n:{1900 + int(written) % 100}"},
            {f"n:{2000 + int(written) % 100}"},
        ]
    if " " in written or not readings:
        readings.append({f"n:{part}" for part in _parts(written)})
    return Figure(written=written, readings=tuple(map(frozenset, readings)))


def _power(behind: str) -> float:
    """What the word behind a number multiplies it by; 0 where there is none."""
    word = NEXT_WORD.match(behind)
    return MAGNITUDES.get(fold(word[1]), 0) or MAGNITUDES.get(word[1][:1], 0) if word else 0


def _values(written: str) -> list[str]:
    """What a number in digits may mean, as it is compared: no zeros that say nothing."""
    if written.isdigit():
        return [_written(int(written))]
    bare = written.replace(" ", "").replace("'", "").replace("’", "")
    if not re.fullmatch(r"\d+(?:[.,]\d+)*", bare, re.ASCII):
        return []
    signs = re.findall("[.,]", bare)
    values = []
    thousands = len(signs) == 1 and GROUPED.fullmatch(bare) is not None and bare.endswith("000")
    if not thousands and (len(signs) <= 1 or len(set(signs)) > 1):
        whole, _, decimals = bare.rpartition(signs[-1]) if signs else (bare, "", "")
        values.append(_written(float(f"{re.sub('[.,]', '', whole) or 0}.{decimals or 0}")))
    if GROUPED.fullmatch(written) or GROUPED.fullmatch(bare):
        values.append(_written(int(re.sub("[.,]", "", bare))))
    return values


def _written(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 6))


def _parts(written: str) -> list[str]:
    return [str(int(part)) for part in re.findall(r"\d+", written)]


def _dates(written: str) -> list[set[str]]:
    """The readings of `3.11.2025`, `2025-11-03`, `11/3` as dates, and of `5-7` or `24/7` as two numbers."""
    parts = [int(part) for part in re.findall(r"\d+", written)]
    signs = set(re.findall(r"\D", written))
    if len(signs) != 1 or signs <= {",", "'", "’", " ", ":"} or not 2 <= len(parts) <= 3:
        return [{f"n:{part}" for part in parts}] if len(parts) > 1 and not signs <= {",", ".", "'", "’", " "} else []
    readings = [] if signs == {"."} and len(parts) == 2 else [{f"n:{part}" for part in parts}]
    if len(parts) == 3 and parts[0] > 31:
        orders = [(parts[2], parts[1], parts[0])]
    elif len(parts) == 3:
        year = parts[2] + (2000 if parts[2] < 100 else 0)
        orders = [(parts[0], parts[1], year), (parts[1], parts[0], year)]
    else:
        orders = [(parts[0], parts[1], 0), (parts[1], parts[0], 0)]
    for day, month, year in orders:
        if 1 <= day <= 31 and 1 <= month <= 12:
            readings.append({f"d:{day}", f"m:{month}"} | ({f"n:{year}"} if year else set()))
    return readings


def _decade(text: str, match: re.Match[str]) -> bool:
    """Whether a number names ten years: `1990s`, `90er`, `les années 90`."""
    return bool(
        DECADE_BEHIND.match(text, match.end()) or DECADE_BEFORE.search(text[max(0, match.start() - 16) : match.start()])
    )


def _hours(hour: int, behind: str) -> list[set[str]]:
    if clock := CLOCK.match(behind):
        return [{f"t:{_hour(hour, clock['half'])}:00"}]
    if hours := HOURS.match(behind):
        return [{f"t:{hour}:{hours['minutes'] or '00'}"}]
    return []


def _hour(hour: int, half: str) -> int:
    return hour % 12 + (12 if half.lower() == "p" else 0)


def _months(text: str) -> Iterator[tuple[re.Match[str], int, bool]]:
    """The names of months, and whether each is beyond doubt one."""
    for match in WORD.finditer(text):
        word = fold(match[0])
        if (month := MONTHS.get(word)) is None or len(word) < 3:
            continue
        near = re.search(r"\d\W{0,3}(?:\w{1,3}\W{1,2})?$", text[max(0, match.start() - 10) : match.start()])
        near = near or re.match(r"\W{0,3}\d", text[match.end() : match.end() + 5])
        yield match, month, bool(near) or (len(word) > 3 and word not in SHORT_MONTHS)
    for match in re.finditer(r"(?<!\d)(1[0-2]|[1-9])[ ]?月", text):
        yield match, int(match[1]), True


def _beside_month(text: str, match: re.Match[str]) -> bool:
    if text[match.end() : match.end() + 2].lstrip().startswith("日"):
        return True
    near = text[max(0, match.start() - AROUND) : match.end() + AROUND]
    return any(fold(word) in MONTHS for word in WORD.findall(near))


def _han(written: str) -> int:
    """The number that Han numerals write, up to hundreds."""
    total = digit = 0
    for character in written:
        if character in "十百":
            total += (digit or 1) * (10 if character == "十" else 100)
            digit = 0
        else:
            digit = digit * 10 + HAN_DIGITS[character]
    return total + digit
