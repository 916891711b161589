"""Whether two sentences that are otherwise alike say the opposite: one of them negates, the other does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ingest.index.lexical import fold

NEGATIONS: Final[Mapping[str, frozenset[str]]] = {
    language: frozenset(fold(word) for word in words.split())
    for language, words in {
        "en": "not no never none nobody nothing neither nor cannot without isn aren wasn weren don doesn didn won "
        "can't couldn shouldn wouldn hasn haven hadn mustn",
        "de": "nicht kein keine keinen keinem keiner keines nie niemals nichts niemand weder ohne",
        "fr": "pas jamais aucun aucune rien personne sans ni",
        "es": "no nunca jamás ningún ninguna ninguno nada nadie sin tampoco ni",
        "it": "non mai nessun nessuno nessuna niente nulla senza né neanche",
        "pt": "não nunca jamais nenhum nenhuma nada ninguém sem nem",
        "nl": "niet geen nooit niets niemand zonder noch",
        "pl": "nie nigdy żaden żadna żadne nikt nic bez ani",
        "tr": "değil yok hiç hiçbir asla",
        "ru": "не нет никогда никто ничего ни без нельзя",
        "ar": "لا لم لن ليس ليست غير بدون",
        "hi": "नहीं न मत कभी बिना",
    }.items()
}
"""Words that turn a sentence into its opposite, as sentences that are cut at apostrophes have them."""

HAN_NEGATION: Final = re.compile("不(?!同|仅|僅|但|断|斷|管|论|論)|没|沒|无|無|非(?!常)|未(?!来|來)|ません|ない|なし")


def negations(text: str, language: str) -> int:
    """How often the text negates."""
    if language in ("zh", "ja"):
        return len(HAN_NEGATION.findall(text))
    words = NEGATIONS.get(language, frozenset())
    return sum(word in words for word in re.findall(r"[^\W\d_]+(?:[\u0900-\u0963]+[^\W\d_]*)*", fold(text)))
