"""Words that hold a sentence together and name nothing in it.

They tell in which language a question is (`bot.language`), and what of it to search for (`ingest.index.lexical`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FUNCTION_WORDS: Final[Mapping[str, frozenset[str]]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": """
            the a an of to in on at for from with by about as is are am was were be do does did can could should would
            will has have how what where when which who why whom whose i me my we us our you your they their it this
            that these there and or not no if any many much get need please
            """,
        "fr": """
            le la les l' un une des du de d' au aux à en dans sur pour par avec sans est sont être ai a as ont j' je me
            moi tu il nous vous ils on c' n' s' m' qu' que qui quoi quel quelle quels quelles où quand comment combien
            pourquoi mon ma mes notre nos votre vos son ses ce cet cette ces puis peut peux dois doit faut et ou ne pas
            si y
            """,
        "de": """
            der die das den dem des ein eine einen einem einer und oder nicht ist sind war wird werden wurde kann können
            muss darf soll hat haben habe wie was wo wann wer wen wem warum welche welcher welches welchen woher wohin
            ich mich wir uns ihr sie mein meine meinen unser unsere es in im am an auf aus bei für mit nach von vom zu
            zum zur über gibt viele wenn als man nie nun
            """,
        "es": """
            el la los las un una unos unas de del al a en con por para sin sobre es son está están fue ser hay ha he
            puedo puede debo tengo tiene qué cuál cuáles cómo dónde cuándo quién quiénes cuánto cuánta cuántos cuántas
            que y o no si mi mis nuestro nuestra su sus me te se lo le yo este esta era
            """,
        "it": """
            il lo la i gli le l' un uno una un' di del dello della dei degli delle dell' a al allo alla ai all' da dal
            dalla in nel nella nei nell' con su sul sulla per è c' sono ho ha hanno era posso può devo che chi cosa cos'
            come dove dov' quando quale quali quanto quanti quanta quante perché e o non no se si mi mio mia miei nostro
            nostra
            """,
        "pt": """
            o a os as um uma uns umas de do da dos das no na nos nas em ao à aos às com por para sobre pelo pela sem é
            são está foi era ser há tem tenho posso pode devo que qual quais como onde quando quem quanto quantos quanta
            quantas porque e ou não se meu minha meus minhas nosso nossa eu me isso este esta
            """,
        "nl": """
            de het een en of niet is zijn was wordt worden kan kunnen moet mag heeft hebben heb hoe wat waar wanneer wie
            welke welk waarom hoeveel ik je jij u hij zij we wij ons onze me mijn jouw uw dit dat deze die er in op aan
            bij met naar van voor uit over om te tot als dan
            """,
        "pl": """
            w we z ze na do od po dla o u za przez przy nie no i a jest są był była było być mam ma mamy można mogę może
            muszę trzeba jak jaki jaka jakie jakiej jakim co kto kogo komu kiedy gdzie skąd dlaczego czy ile który która
            które którym ja mój moja moje nasz nasza się to ten ta te tego tej by lub oraz
            """,
        "tr": """
            ve veya ya da de ta te dan den nın nin nun nün için ile bir bu şu o ne nasıl nerede nereye nereden neden
            niçin kim kimi kime kimin hangi hangisi kaç mi mı mu mü miyim mıyım muyum müyüm misin var yok ben biz benim
            bizim gibi kadar daha çok en olan olarak olur oldu değil lazım gerek edilir yapılır alınır
            """,
    }.items()
}
"""By ISO 639-1 code, in lower case, with accents. A final apostrophe marks an elided word (`qu'`)."""
