from __future__ import annotations

from itertools import permutations

import pytest

from bot.language import LanguageDecider
from bot.phrases import PHRASE_LANGUAGES
from bot.writing.spoken import Spoken
from tests.bot.writing.answers import ANSWERS, answer

SPOKEN = Spoken(LanguageDecider(PHRASE_LANGUAGES))
OWN_SCRIPT = ("zh", "ja")
"""Languages in whose answers a Chinese word is not out of place by its script alone."""


@pytest.mark.parametrize("language", PHRASE_LANGUAGES)
def test_sentences_of_the_asked_language_are_right(language: str) -> None:
    for text in (*ANSWERS[language], answer(language)):
        assert SPOKEN.wrong(text, language, given="") is None
    assert SPOKEN.judge(answer(language), language, given="").says == "right"


@pytest.mark.parametrize(("written", "asked"), list(permutations(PHRASE_LANGUAGES, 2)))
def test_an_answer_in_any_other_language_is_wrong(written: str, asked: str) -> None:
    assert SPOKEN.wrong(answer(written), asked, given="")


@pytest.mark.parametrize("language", [language for language in PHRASE_LANGUAGES if language not in OWN_SCRIPT])
@pytest.mark.parametrize("stray", ["政策", "的", "ください", "정책", "ｶﾅ", "々", "ㄋㄧㄢ", "ꀀꀁ"])
def test_one_stray_word_of_an_east_asian_script_is_wrong_wherever_it_stands(language: str, stray: str) -> None:
    words = ANSWERS[language][1].split()
    for place in range(len(words) + 1):
        text = " ".join((*words[:place], stray, *words[place:]))
        assert SPOKEN.wrong(text, language, given=""), text
    assert SPOKEN.wrong(f'{ANSWERS[language][0]} "{stray}"', language, given="")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("您每周最多可以在家ください工作三天。", "zh"),
        ("经費の申請はポータルで行ってください。们", "ja"),
        ("申请应至少提前五个工作日在员工门户网站提出。", "ja"),
        ("申請は少なくとも五営業日前までに提出。円", "zh"),
        ("재택근무는 주 3일까지 政策 가능합니다.", "ko"),
        ("Sie dürfen политика zu Hause arbeiten.", "de"),
        ("You may السياسة work from home.", "en"),
        ("Вы можете work from home up to three days in the week.", "ru"),
        ("يمكنك العمل. Please make the request in the portal.", "ar"),
        ("请注意。Please make the request in the portal.", "zh"),
        ("Open portal, click request, wait, then print form, sign form, return form", "hi"),
    ],
)
def test_words_of_another_language_within_an_answer_are_wrong(text: str, language: str) -> None:
    assert SPOKEN.wrong(text, language, given="")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Klicken Sie in der Oberfläche auf `Submit your request for the next week` und warten Sie.", "de"),
        ("Führen Sie das aus:\n```sh\n# 安装 the package and run it in the background\n```\n", "de"),
        ("Die Seite https://example.org/how-to-ask-for-a-day-off hilft Ihnen weiter.", "de"),
        ("Öffnen Sie Google Cloud Platform Console und dann Identity and Access Management.", "de"),
        ('Der Knopf heißt "Ask for it".', "de"),
        ("На портале Tunnelblick (macOS) или OpenVPN Connect (Windows) нажмите Connect.", "ru"),
        ("Infrastructure as a Service (IaaS) はクラウドのモデルです。", "ja"),
        ("The delay is 5 μs and the angle α is small.", "en"),
        ("Der Wert ² und die Größe № 5 stehen daneben.", "de"),
        ("3 [1]", "de"),
        ("VPN", "zh"),
        ("", "fr"),
    ],
)
def test_code_addresses_names_and_short_labels_may_be_in_any_language(text: str, language: str) -> None:
    assert SPOKEN.wrong(text, language, given="") is None


def test_names_that_stand_in_what_was_given_may_be_in_any_script() -> None:
    given = "王小明 leads the team in Санкт-Петербург."
    text = "Bitte fragen Sie 王小明 in Санкт-Петербург, er leitet das Team."
    assert SPOKEN.wrong(text, "de", given=given) is None
    assert SPOKEN.wrong(text, "de", given="")


def test_what_is_too_long_for_a_name_is_no_name() -> None:
    sentence = "申请应至少提前五个工作日在员工门户网站提出，并由直属主管书面批准。"
    assert SPOKEN.wrong(f"{answer('de')} {sentence}", "de", given=sentence)
    names = "- 王小明\n- 李四光 und 张三丰\n- 赵六一\n- 钱学森\n- 孙中山\n- 周伯通\n- 吴承恩\n- 郑成功\n- 冯友兰"
    assert SPOKEN.wrong(names, "de", given=names)
    assert SPOKEN.wrong(f"{answer('de')}\n{names}", "de", given=names) is None


def test_quotations_of_what_was_given_stay_in_their_language_and_other_ones_do_not() -> None:
    passage = "The team lead must agree in writing, and the request is made at least five working days ahead."
    chinese = "申请应至少提前五个工作日在员工门户网站提出，并由直属主管书面批准。"
    given = f"{passage}\n{chinese}"
    for text in (f"Dort steht: „{passage}“ [1].", f"> {passage}", f"In der Richtlinie heißt es: “{chinese}” Das gilt."):
        assert SPOKEN.wrong(text, "de", given=given) is None
        assert SPOKEN.wrong(text, "de", given="")


def test_what_was_given_is_no_excuse_for_an_answer_in_its_language() -> None:
    for language in PHRASE_LANGUAGES:
        for asked in ("de", "ar", "ja"):
            if language != asked:
                assert SPOKEN.wrong(answer(language), asked, given=answer(language))


def test_languages_that_are_no_candidates_are_told_too() -> None:
    spoken = Spoken(LanguageDecider(["en", "sv"]))
    assert spoken.wrong(answer("nl"), "en", given="")
    assert (
        spoken.wrong("Du får arbeta hemifrån högst tre dagar i veckan, om din chef har godkänt det.", "sv", given="")
        is None
    )
    assert spoken.wrong(answer("de"), "sv", given="")


def test_the_reason_names_the_text_and_the_language() -> None:
    assert SPOKEN.wrong(ANSWERS["en"][0], "de", given="") == (
        "'You may work from home up to three days a week .' is in `en`, not in `de`"
    )
    assert SPOKEN.wrong("Es gilt 政策.", "de", given="") == "'政策' is not in the script of `de`"
