from __future__ import annotations

import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.index.lexical import STEMMERS, Averages, encode_document, encode_query, fold, lengths

AVERAGES = Averages(words=100, grams=400)
LANGUAGES = st.sampled_from([*STEMMERS, "zh", "ja", "th", "vi", "und"])


def score(document: str, question: str, *, language: str = "und", asked_in: str | None = None) -> float:
    """What BM25 gives, with every term equally rare."""
    stored = encode_document(document, language, AVERAGES)
    weights = dict(zip(stored.indices, stored.values, strict=True))
    asked = encode_query(question, asked_in or language)
    return sum(weights.get(term, 0.0) * value for term, value in zip(asked.indices, asked.values, strict=True))


@pytest.mark.parametrize(
    ("language", "document", "question"),
    [
        ("en", "Expenses are reimbursed", "reimbursing an expense"),
        ("fr", "Les congés payés", "CONGES PAYES"),
        ("fr", "au cœur de l’œuvre", "coeur oeuvre"),
        ("de", "Die Straße in Köln", "strasse koln"),
        ("de", "über die Prüfung", "ueber die Pruefung"),
        ("de", "Groß", "GROSS"),
        ("tr", "ISPARTA'da kırmızı İzin", "isparta kirmizi izin"),
        ("tr", "ısı", "isi"),
        ("pl", "urlop w Łodzi", "lodzi"),
        ("ru", "ещё один счёт", "еще счет"),
        ("vi", "nghỉ phép năm", "nghi phep nam"),
        ("ar", "الإِجَازَة السَّنَوِيَّة", "الاجازة السنوية"),
        ("el", "Άδεια μητρότητας", "αδεια μητροτητας"),
        ("en", "the ﬁnance oﬃce", "finance office"),
        ("ja", "ＡＰＩキー", "api"),
        ("zh", "年假政策由人力资源部制定", "年假"),
        ("ja", "有給休暇の申請", "休暇"),
        ("th", "นโยบายการลาพักร้อน", "ลาพักร้อน"),
        ("ko", "연차휴가를 신청", "휴가"),
        ("en", "set max_connections", "connections"),
    ],
)
def test_a_question_meets_the_text_however_it_is_spelled(language: str, document: str, question: str) -> None:
    asked = encode_query(question, language)
    stored = set(encode_document(document, language, AVERAGES).indices)
    words = [term for term, value in zip(asked.indices, asked.values, strict=True) if value == 1.0]
    assert words
    assert sum(term in stored for term in words) >= len(words) / 2
    assert score(document, question, language=language) > 0


@pytest.mark.parametrize(("language", "one", "other"), [("ru", "мой", "мои"), ("th", "ป่า", "ปา"), ("hi", "दिन", "दीन")])
def test_marks_that_make_another_word_are_kept(language: str, one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_a_word_of_an_indic_script_stays_whole() -> None:
    assert lengths("छुट्टी की नीति", "hi")[0] == 3


def test_a_compound_is_found_by_its_part() -> None:
    assert score("Reisekostenabrechnung", "Kostenabrechnung", language="de") > score(
        "Mitarbeitergespräch", "Kostenabrechnung", language="de"
    )


def test_a_question_in_another_language_meets_shared_roots() -> None:
    assert score("vacation policy", "política de vacaciones", language="en", asked_in="es") > 0


def test_a_longer_text_weighs_each_of_its_words_less() -> None:
    assert score("badge", "badge") > score("badge " + "filler " * 300, "badge") > 0


def test_repeating_a_word_helps_less_and_less() -> None:
    once, twice, often = (score("leave " * times + "x " * (50 - times), "leave") for times in (1, 2, 40))
    assert once < twice < often < 2 * once


def test_what_stands_in_the_heading_counts_more() -> None:
    plain = encode_document("Leave\nsixteen weeks", "en", AVERAGES)
    headed = encode_document("Leave\nsixteen weeks", "en", AVERAGES, heading="Leave")
    assert set(plain.indices) < set(headed.indices)
    assert set(encode_query("leave", "en").indices) & (set(headed.indices) - set(plain.indices))


@pytest.mark.parametrize(
    ("language", "function_word"),
    [("en", "Which"), ("fr", "OU"), ("fr", "qu’"), ("de", "für"), ("es", "cuantos"), ("tr", "nın")],
)
def test_a_function_word_counts_half_in_its_own_language(language: str, function_word: str) -> None:
    assert max(encode_query(function_word, language).values) == 0.5
    assert max(encode_query(function_word, "zh").values) == max(encode_query(function_word, None).values) == 1.0


@pytest.mark.parametrize("question", ["where sphere", "sphere where"])
def test_a_piece_that_a_function_word_shares_with_another_counts_whole(question: str) -> None:
    alone = encode_query("sphere", "en")
    both = encode_query(question, "en")
    weights = dict(zip(both.indices, both.values, strict=True))
    assert [weights[term] for term in alone.indices] == list(alone.values)


def test_term_ids_never_change() -> None:
    """Every index on disk depends on them: a change is a new `PIPELINE`."""
    vector = encode_query("a leave 年假", "en")
    weights = dict(zip(vector.indices, vector.values, strict=True))
    assert weights == {
        454208512: 0.5,
        2008810589: 1.0,
        2206246272: 1.0,
        1734832040: 0.2,
        497860572: 0.4,
        391943135: 0.4,
        3965759937: 0.4,
        3716680515: 0.4,
        2233849273: 0.25,
        3918233060: 0.5,
        498588729: 0.5,
        4182775313: 0.1,
        2208024165: 0.2,
        2305550950: 0.2,
        1918355576: 0.2,
        1136620282: 0.2,
    }


@given(st.text(), LANGUAGES)
def test_any_text_gives_a_valid_vector(text: str, language: str) -> None:
    for vector in (encode_document(text, language, AVERAGES, heading=text), encode_query(text, language)):
        assert len(set(vector.indices)) == len(vector.indices) == len(vector.values)
        assert all(0 <= term < 2**32 for term in vector.indices)
        assert all(value > 0 for value in vector.values)


@given(st.text())
@example("ℋ𝐁")
def test_folding_a_folded_text_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(), LANGUAGES)
def test_a_text_finds_itself(text: str, language: str) -> None:
    if any(unicodedata.category(character) in {"Lu", "Ll", "Lo", "Nd"} for character in fold(text)):
        assert score(text, text, language=language) > 0


@pytest.mark.parametrize("text", ["", " ", "?!", "\0", "—…", "🙂"])
def test_a_text_without_words_gives_an_empty_vector(text: str) -> None:
    assert encode_query(text, "en").indices == ()


def test_a_blob_without_spaces_counts_as_one_short_word() -> None:
    assert lengths("A0" * 100_000, "en") == (1, 63)


def test_threads_do_not_share_a_stemmer() -> None:
    words = [f"nationalisation{'s' * (number % 3)} {number}" for number in range(400)]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda word: encode_query(word, "en"), words))
    assert together == [encode_query(word, "en") for word in words]
