"""Words for numbers, months and magnitudes in the languages of the phrases, folded as texts are compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingest.index.lexical import fold

_COUNTED: Final = (*range(21), *range(30, 100, 10), 100)
"""What the lists below count: zero to twenty, the tens, a hundred. `-` stands where there is no word of its own."""

_COUNTS: Final[Mapping[str, str]] = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred",
    "de": "null ein|eins|eine|einen|einem|einer zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn "
    "vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig dreißig|dreissig vierzig fünfzig sechzig siebzig "
    "achtzig neunzig hundert",
    "fr": "zéro un|une deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept "
    "dix-huit dix-neuf vingt trente quarante cinquante soixante soixante-dix quatre-vingts|quatre-vingt "
    "quatre-vingt-dix cent",
    "es": "cero uno|un|una dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis "
    "diecisiete dieciocho diecinueve veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa cien|ciento",
    "it": "zero uno|un|una due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici "
    "sedici diciassette diciotto diciannove venti trenta quaranta cinquanta sessanta settanta ottanta novanta cento",
    "pt": "zero um|uma dois|duas três quatro cinco seis sete oito nove dez onze doze treze catorze|quatorze quinze "
    "dezasseis|dezesseis dezassete|dezessete dezoito dezanove|dezenove vinte trinta quarenta cinquenta sessenta "
    "setenta oitenta noventa cem|cento",
    "nl": "nul een|één twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien "
    "zeventien achttien negentien twintig dertig veertig vijftig zestig zeventig tachtig negentig honderd",
    "pl": "zero jeden|jedna|jedno|jednego dwa|dwie|dwóch trzy|trzech cztery|czterech pięć|pięciu sześć|sześciu "
    "siedem|siedmiu osiem|ośmiu dziewięć|dziewięciu dziesięć|dziesięciu jedenaście dwanaście trzynaście czternaście "
    "piętnaście szesnaście siedemnaście osiemnaście dziewiętnaście dwadzieścia trzydzieści czterdzieści pięćdziesiąt "
    "sześćdziesiąt siedemdziesiąt osiemdziesiąt dziewięćdziesiąt sto",
    "tr": "sıfır bir iki üç dört beş altı yedi sekiz dokuz on - - - - - - - - - yirmi otuz kırk elli altmış yetmiş "
    "seksen doksan yüz",
    "ru": "ноль один|одна|одно|одного два|две|двух три|трех четыре|четырех пять|пяти шесть|шести семь|семи "
    "восемь|восьми девять|девяти десять|десяти одиннадцать двенадцать тринадцать четырнадцать пятнадцать шестнадцать "
    "семнадцать восемнадцать девятнадцать двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто "
    "сто",
    "ar": "صفر واحد|واحدة اثنان|اثنين ثلاثة|ثلاث أربعة|أربع خمسة|خمس ستة|ست سبعة|سبع ثمانية|ثماني تسعة|تسع "
    "عشرة|عشر - - - - - - - - - عشرون|عشرين ثلاثون|ثلاثين أربعون|أربعين خمسون|خمسين ستون|ستين سبعون|سبعين "
    "ثمانون|ثمانين تسعون|تسعين مئة|مائة",
    "hi": "शून्य एक दो तीन चार पांच|पाँच छह|छः सात आठ नौ दस ग्यारह बारह तेरह चौदह पंद्रह सोलह सत्रह अठारह उन्नीस बीस तीस चालीस "
    "पचास साठ सत्तर अस्सी नब्बे सौ",
}

_ORDINALS: Final = """
    first|erste|ersten|erster|erstes|premier|première|primer|primero|primera|primo|prima|primeiro|primeira|eerste
    second|zweite|zweiten|zweiter|zweites|deuxième|segundo|segunda|secondo|seconda|tweede
    third|dritte|dritten|dritter|drittes|troisième|tercer|tercero|tercera|terzo|terza|terceiro|terceira|derde
    fourth|vierte|vierten|vierter|viertes|quatrième|cuarto|cuarta|quarto|quarta|vierde
    fifth|fünfte|fünften|fünfter|fünftes|cinquième|quinto|quinta|vijfde
    sixth|sechste|sechsten|sechster|sechstes|sixième|sexto|sexta|sesto|sesta|zesde
    seventh|siebte|siebten|siebter|siebtes|septième|séptimo|séptima|settimo|settima|sétimo|sétima|zevende
    eighth|achte|achten|achter|achtes|huitième|octavo|octava|ottavo|ottava|oitavo|oitava|achtste
    ninth|neunte|neunten|neunter|neuntes|neuvième|noveno|novena|nono|nona|negende
    tenth|zehnte|zehnten|zehnter|zehntes|dixième|décimo|décima|decimo|decima|tiende
"""

NUMBER_WORDS: Final[Mapping[str, int]] = {
    fold(word): number
    for words in _COUNTS.values()
    for number, forms in zip(_COUNTED, words.split(), strict=True)
    for word in forms.split("|")
    if word != "-"
} | {fold(word): number for number, line in enumerate(_ORDINALS.split(), start=1) for word in line.split("|")}
"""Of all languages together: what a passage may mean."""

_OTHER_WORDS: Final = frozenset(("acht", "neuf", "sei", "on", "yedi", "altı", "yüz", "once"))
"""Words for numbers that are other words too in their language, or as often an article."""

COUNTED: Final[Mapping[str, Mapping[str, int]]] = {
    language: {
        fold(word): number
        for number, forms in zip(_COUNTED, words.split(), strict=True)
        for word in forms.split("|")
        if 3 <= number < 100 and word not in _OTHER_WORDS and word != "-"
    }
    for language, words in _COUNTS.items()
}
"""What a statement must prove, by its language: from three on, as `two` and `one` count what is told."""

HAN_DIGITS: Final[Mapping[str, int]] = {character: at for at, character in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
    "兩": 2,
}

_MONTHS: Final = """
    january|jan|januar|jän|jänner|janvier|janv|enero|ene|gennaio|gen|janeiro|januari|stycznia|styczeń|ocak|января|январь|يناير|जनवरी
    february|feb|februar|février|févr|fév|febrero|febbraio|febb|fevereiro|fev|februari|lutego|luty|şubat|февраля|февраль|فبراير|फरवरी|फ़रवरी
    march|mar|märz|mär|mars|marzo|março|maart|mrt|marca|marzec|mart|марта|март|مارس|मार्च
    april|apr|avril|avr|abril|abr|aprile|kwietnia|kwiecień|nisan|апреля|апрель|أبريل|ابريل|अप्रैल
    may|mai|mayo|maggio|mag|maio|mei|maja|maj|mayıs|мая|май|مايو|मई
    june|jun|juni|juin|junio|giugno|giu|junho|czerwca|czerwiec|haziran|июня|июнь|يونيو|जून
    july|jul|juli|juillet|juil|julio|luglio|lug|julho|lipca|lipiec|temmuz|июля|июль|يوليو|जुलाई
    august|aug|août|agosto|ago|ağustos|augustus|sierpnia|sierpień|августа|август|أغسطس|अगस्त
    september|sep|sept|septembre|septiembre|settembre|sett|setembro|set|września|wrzesień|eylül|сентября|сентябрь|سبتمبر|सितंबर|सितम्बर
    october|oct|oktober|okt|octobre|octubre|ottobre|ott|outubro|out|października|październik|ekim|октября|октябрь|أكتوبر|अक्टूबर|अक्तूबर
    november|nov|novembre|noviembre|novembro|listopada|listopad|kasım|ноября|ноябрь|نوفمبر|नवंबर|नवम्बर
    december|dec|dezember|dez|décembre|déc|diciembre|dic|dicembre|dezembro|grudnia|grudzień|aralık|декабря|декабрь|ديسمبر|दिसंबर|दिसम्बर
"""

MONTHS: Final[Mapping[str, int]] = {
    fold(name): number for number, line in enumerate(_MONTHS.split(), start=1) for name in line.split("|")
}
"""Number of a month by its name in any of the languages."""

SHORT_MONTHS: Final = frozenset(
    {
        "mar",
        "marco",
        "mars",
        "sept",
        "may",
        "mai",
        "mart",
        "maj",
        "out",
        "set",
        "ago",
        "gen",
        "mag",
        "jan",
        "ene",
        "lug",
        "mei",
        "march",
    }
)
"""Names of months that are other words too: they name one only beside a number."""

MAGNITUDES: Final[Mapping[str, float]] = {
    fold(word): 10**power
    for power, words in {
        -2: "cent cents ct centime centimes céntimo céntimos centesimi cêntimos cêntimo kuruş",
        3: "thousand tausend tsd mille mila mil duizend tysięcy tysiące tys bin тысяч тысячи тыс ألف آلاف "
        "हजार हज़ार k 千",
        4: "万 萬",
        5: "लाख",
        6: "million millions mio millionen million millones millón milioni milione milhões milhão miljoen milionów "
        "miliony mln milyon миллионов миллиона миллион млн مليون ملايين मिलियन 百万",
        7: "करोड़ 千万",
        8: "亿 億",
        9: "billion billions mrd milliarden milliarde milliard milliards miliardi miliardo bilhões miljard miliardów "
        "miliardy mld milyar миллиардов миллиарда миллиард млрд مليار अरब 十亿 十億",
    }.items()
    for word in words.split()
}
