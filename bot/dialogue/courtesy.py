"""Thanks and nods: nothing is asked, and nothing is to be answered."""

from __future__ import annotations

import re
import unicodedata

KNOWN = frozenset(
    word.strip()
    for word in """
    thanks|thank you|thank you very much|many thanks|thanks a lot|thx|ty|cheers|ok|okay|great|perfect|got it|cool|nice
    danke|danke schön|dankeschön|danke dir|danke sehr|vielen dank|besten dank|super|prima|alles klar|perfekt
    merci|merci beaucoup|merci bien|d accord|parfait|génial
    gracias|muchas gracias|mil gracias|vale|perfecto|de acuerdo
    grazie|grazie mille|molte grazie|perfetto|va bene
    obrigado|obrigada|muito obrigado|muito obrigada|perfeito|valeu
    dank je|dank je wel|dankjewel|dank u|dank u wel|bedankt|top|prima
    dziękuję|dziękuję bardzo|dzięki|dzięki wielkie|super|jasne
    teşekkürler|teşekkür ederim|çok teşekkürler|sağ ol|sağ olun|tamam
    спасибо|спасибо большое|большое спасибо|благодарю|хорошо|понятно|отлично
    شكرا|شكرًا|شكرا جزيلا|شكرًا جزيلًا|شكراً|شكراً جزيلاً|تمام|حسنا|حسنًا
    谢谢|谢谢你|谢谢您|多谢|謝謝|感谢|好的|收到|明白了
    ありがとう|ありがとうございます|ありがとうございました|どうも|了解|了解です|承知しました
    धन्यवाद|बहुत धन्यवाद|शुक्रिया|बहुत शुक्रिया|ठीक है
    """.strip()
    .replace("\n", "|")
    .split("|")
)
"""Whole messages, without their punctuation."""

EMOJI_NAME = re.compile(r":[a-z0-9_+'-]+:")
"""As both platforms write them, where they are not signs already."""


def only_polite(text: str) -> bool:
    """Whether it holds thanks, agreement or emoji, and not a word more."""
    bare = EMOJI_NAME.sub(" ", text.casefold())
    words = "".join(sign if unicodedata.category(sign)[0] in "LMN" else " " for sign in bare).split()
    return bool(text.strip()) and "?" not in text and (not words or " ".join(words) in KNOWN)
