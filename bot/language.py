"""Which language a question is written in, among the languages that the assistant is configured for.

Questions are short and full of product names, so the evidence is taken in order of its worth: an explicit wish ("answer
in German"), the script, function words, then a classifier; what stays doubtful is settled by the conversation's
language, then by the profile's. Weights and thresholds were measured on first words, last words and whole questions in
twelve languages; `tests/bot/test_language.py` holds the questions that must not go wrong.

The candidates may include languages that `bot.phrases` has no phrases for; those are spoken to in English phrases.
"""

from __future__ import annotations

import math
import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from bot.language_evidence import LANGUAGES_OF_SCRIPT, ONLY_WRITTEN_IN, VOTING_WORDS, fold
from bot.language_wish import wished_language
from ingest.errors import ConfigurationError

DETECTABLE: Final = frozenset[str]().union(*LANGUAGES_OF_SCRIPT.values())
"""Every language that can be a candidate, ISO 639-1."""

HEAD, TAIL = 1000, 300
"""Characters looked at, from either end of a text: a language shows in a sentence, and a wish stands first or last."""

FOREIGN_SHARE = 0.2
"""Share of letters above which a script other than Latin decides: product names are Latin everywhere."""

HAN_WEIGHT = 2.5
"""Latin letters that one Han, Hiragana or Katakana character stands for in that share."""

WORD_WEIGHT = 2.0
"""What a function word of one language alone adds to its log-probability, beside the classifier's."""

LONE_WORD_WEIGHT = 3.0
"""The same where the words speak alone: a lead of two words was right in 99.8 of 100 texts, one of one word in 98.6."""

SURE_FROM_WORDS = 0.95
"""Posterior from words alone above which the classifier is not asked."""

HOME_PRIOR, ENGLISH_PRIOR, OTHER_PRIOR = 0.7, 0.12, 0.03
"""Prior of the conversation's (or profile's) language, of English, of any other language."""

DOUBT_BELOW = 0.8
"""Posterior below which the conversation's language, or else the profile's, is kept."""

CODE_AND_ADDRESSES = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|<[^<>\s]{1,300}>|(?:https?://|www\.)\S+|(?<![\w.+-])[\w.+-]+@[\w-]+\.\w[\w.-]*"
    r"|(?<!\w)[@#][\w.-]+",
    re.DOTALL,
)
"""Fenced and inline code, chat mark-up (`<@U123>`), URLs, e-mail addresses, mentions and channel names."""

SMALLEST_PROBABILITY: Final = 1e-9
"""Added to each probability, so that the classifier alone never rules a language out."""

NAMES = re.compile(r"(?<![^\s'’/-])[^\s'’/-]*(?:\d|[A-ZÀ-ÖØ-Þ][^\s'’/-]*[A-ZÀ-ÖØ-Þ])[^\s'’/-]*")
"""Parts of words with a digit or two capitals: product names, ticket numbers, versions."""

SHOUTED = re.compile(r"[^\W\d_]{5}")
"""A word too long for an abbreviation; with it, a text all in capitals is one typed so, not a row of names."""

WORD = re.compile(r"[^\W\d_]+'?")

How = Literal["wish", "script", "words", "classifier", "thread", "locale", "guess"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The language to answer in."""

    language: str
    confidence: float
    """Probability of the language that the evidence favours most, from 0 (no evidence at all) to 1."""
    how: How
    """What settled it; `thread` and `locale` when the evidence was too weak, `guess` when there was neither."""


class LanguageDecider:
    """Decides among fixed candidate languages; the same text, thread and locale give the same decision.

    Safe to call from several threads. The classifier's model is loaded by the first question that needs it (about half
    a second), or ahead of that by `warm`.
    """

    def __init__(self, candidates: Sequence[str]) -> None:
        """Take the candidates, the operator's preferred one first.

        Raises:
            ConfigurationError: there are none, or one that cannot be detected.
        """
        if not candidates:
            raise ConfigurationError("`languages` is empty: name at least one, such as `languages: [en]`")
        for candidate in candidates:
            if candidate not in DETECTABLE:
                known = ", ".join(sorted(DETECTABLE))
                raise ConfigurationError(
                    f"`languages` names {candidate!r}, which cannot be detected; choose from: {known}"
                )
        self.candidates = tuple(dict.fromkeys(candidates))
        self._languages_of_word = _languages_of_word(self.candidates)

    def warm(self) -> None:
        """Load the classifier's model now. Blocks for half a second, most of it outside the interpreter lock."""
        _classifier(self.candidates)

    def decide(self, text: str, *, thread: str | None = None, locale: str | None = None) -> Decision:
        """The language to answer `text` in.

        Args:
            text: the question as it was typed.
            thread: language of the conversation so far.
            locale: language of the asker's profile; `de`, `de-AT` and `de_AT` are the same.
        """
        thread, locale = self._candidate(thread), self._candidate(locale)
        prose = CODE_AND_ADDRESSES.sub(" ", unicodedata.normalize("NFKC", _ends(text)))
        wish = wished_language(prose)
        if wish in self.candidates:
            return Decision(language=wish, confidence=1.0, how="wish")
        script = _script(prose)
        if script == "LATIN":
            prose = NAMES.sub(" ", prose.lower() if SHOUTED.search(prose) and prose.isupper() else prose)
            script = _script(prose)
        possible = self._in_script(script, prose)
        if len(possible) == 1:
            return Decision(language=possible[0], confidence=1.0, how="script")
        return self._weigh(prose, possible, thread=thread, locale=locale)

    def evidence(self, prose: str) -> dict[str, float]:
        """How probable each candidate is that may have written `prose`, by its letters, words and the classifier.

        No wish and no prior are weighed. Empty where no candidate writes its script.
        """
        possible = self._in_script(_script(prose), prose)
        if len(possible) < 2:
            return dict.fromkeys(possible, 1.0)
        votes = self._votes(prose, possible)
        log_probabilities = _log_probabilities(prose, self.candidates)
        weights = {c: log_probabilities[c] + WORD_WEIGHT * votes[c] for c in possible}
        heaviest = max(weights.values())
        shares = {c: math.exp(weight - heaviest) for c, weight in weights.items()}
        total = sum(shares.values())
        return {c: share / total for c, share in shares.items()}

    def _candidate(self, code: str | None) -> str | None:
        language = re.split("[-_]", code)[0].lower() if code else None
        return language if language in self.candidates else None

    def _in_script(self, script: str | None, text: str) -> tuple[str, ...]:
        """The candidates that write `script`, of them those that lack the fewest letters of `text`."""
        possible = [c for c in self.candidates if c in LANGUAGES_OF_SCRIPT.get(script or "", ())]
        writers = [w for w in map(_writers, text.lower()) if w] if len(possible) > 1 else []
        lacking = {c: sum(c not in w for w in writers) for c in possible}
        return tuple(c for c in possible if lacking[c] == min(lacking.values()))

    def _weigh(self, text: str, possible: Sequence[str], *, thread: str | None, locale: str | None) -> Decision:
        """Words, then words and classifier; `thread`, `locale` or a guess where both leave a doubt."""
        best, posterior = None, 0.0
        if possible:
            votes = self._votes(text, possible)
            best, posterior = _best(dict.fromkeys(possible, 0.0), votes, LONE_WORD_WEIGHT)
            if posterior >= SURE_FROM_WORDS:
                return Decision(language=best, confidence=posterior, how="words")
            log_probabilities = _log_probabilities(text, self.candidates)
            prior = {c: log_probabilities[c] + _log_prior(c, thread or locale) for c in possible}
            best, posterior = _best(prior, votes, WORD_WEIGHT)
            if posterior >= DOUBT_BELOW:
                return Decision(language=best, confidence=posterior, how="classifier")
        if thread:
            return Decision(language=thread, confidence=posterior, how="thread")
        if locale:
            return Decision(language=locale, confidence=posterior, how="locale")
        guess = best or ("en" if "en" in self.candidates else self.candidates[0])
        return Decision(language=guess, confidence=posterior, how="guess")

    def _votes(self, text: str, possible: Sequence[str]) -> dict[str, float]:
        """For each language, how many of its function words stand in `text`, a word shared by n languages as 1/n.

        None for anybody where one has no list: the others would win by their lists alone.
        """
        votes = dict.fromkeys(possible, 0.0)
        if not VOTING_WORDS.keys() >= votes.keys():
            return votes
        for token in set(WORD.findall(text.lower().replace("’", "'"))):
            index = self._languages_of_word
            languages = index.get(token) or index.get(token.rstrip("'"), frozenset())
            for language in languages & votes.keys():
                votes[language] += 1 / len(languages)
        return votes


_LOADING = threading.Lock()


def _classifier(languages: tuple[str, ...]) -> Any:
    """py3langid restricted to `languages`, one for all deciders of the process; calls from other threads wait."""
    with _LOADING:
        return _load_classifier(languages)


@lru_cache(maxsize=2)
def _load_classifier(languages: tuple[str, ...]) -> Any:
    # Imported here because numpy and the model take half a second that many runs never need.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]

    whole = LanguageIdentifier.from_model_file(MODEL_FILE)
    whole.set_languages(languages)
    # A second identifier, so that the 28 MB table of all languages is not kept beside the restricted one.
    return LanguageIdentifier(
        whole.nb_ptc,
        whole.nb_pc,
        whole.nb_classes,
        whole.tk_nextmove,
        whole.tk_output,
        norm_probs=True,
        tk_row=whole.tk_row,
    )


def _log_probabilities(text: str, languages: tuple[str, ...]) -> dict[str, float]:
    """The classifier's natural logarithms for each of `languages`; the probabilities sum to 1 over them."""
    return {language: math.log(p + SMALLEST_PROBABILITY) for language, p in _classifier(languages).rank(text)}


def _languages_of_word(candidates: Iterable[str]) -> dict[str, frozenset[str]]:
    """Every listed word of the candidates, with and without accents, and the candidates it belongs to."""
    index: dict[str, set[str]] = {}
    for language in candidates:
        for word in VOTING_WORDS.get(language, ()):
            for spelling in (word, fold(word)):
                index.setdefault(spelling, set()).add(language)
    return {word: frozenset(languages) for word, languages in index.items()}


def _ends(text: str) -> str:
    return text if len(text) <= HEAD + TAIL else f"{text[:HEAD]}\n{text[-TAIL:]}"


def _script(text: str) -> str | None:
    """The script that `text` is written in, by the first word of its letters' Unicode names; None without letters."""
    letters = Counter(script for script in map(_script_of, text) if script)
    latin = letters.pop("LATIN", 0)
    foreign = sum(n * HAN_WEIGHT if script == "CJK" else n for script, n in letters.items())
    if letters and foreign >= FOREIGN_SHARE * (latin + foreign):
        return letters.most_common(1)[0][0]
    return "LATIN" if latin else None


@lru_cache(maxsize=8192)
def _script_of(character: str) -> str | None:
    # Indic vowel signs are marks, not letters; without them Hindi would count for half.
    if not (character.isalpha() or unicodedata.category(character) in {"Mc", "Mn"}):
        return None
    script = re.split("[ -]", unicodedata.name(character, "UNNAMED"))[0]
    script = "CJK" if script in {"HIRAGANA", "KATAKANA"} else script
    return script if script in LANGUAGES_OF_SCRIPT else None


@lru_cache(maxsize=8192)
def _writers(letter: str) -> frozenset[str]:
    """The languages that alone write `letter`; empty when it tells nothing."""
    kana = unicodedata.name(letter, "").startswith(("HIRAGANA", "KATAKANA"))
    return frozenset({"ja"}) if kana else ONLY_WRITTEN_IN.get(letter, frozenset())


def _log_prior(language: str, home: str | None) -> float:
    if home is None:
        return 0.0
    return math.log(HOME_PRIOR if language == home else ENGLISH_PRIOR if language == "en" else OTHER_PRIOR)


def _best(log_weights: Mapping[str, float], votes: Mapping[str, float], word_weight: float) -> tuple[str, float]:
    """The likeliest language and its posterior, from log-weights and votes; the first one of equals."""
    total = {language: weight + word_weight * votes[language] for language, weight in log_weights.items()}
    best = max(total, key=total.__getitem__)
    return best, 1 / sum(math.exp(weight - total[best]) for weight in total.values())
