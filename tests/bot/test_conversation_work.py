"""Requests for work on the conversation, told apart from questions by their words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.conversation_work import asks_for_work

QUESTIONS = Path(__file__).parents[2] / "deploy" / "demo" / "questions" / "queries.jsonl"


@pytest.mark.parametrize(
    "request_for_work",
    [
        "Summarise this thread",
        "please summarize the thread",
        "Can you translate this into French?",
        "Draft a reply to Ada",
        "tl;dr",
        "fasse diesen Thread zusammen",
        "Bitte fassen Sie das zusammen",
        "Übersetze das ins Englische",
        "Schreib bitte eine Antwort an Ada",
        "Entwirf eine Antwort",
        "Résume ce fil",
        "Peux-tu traduire ce message en allemand ?",
        "Rédige une réponse à Ada",
        "resume este hilo",
        "Traduce esto al inglés",
        "Redacta una respuesta",
        "Riassumi questa conversazione",
        "traduci questo in tedesco",
        "Scrivi una risposta",
        "Resume esta conversa",
        "Traduza isto para inglês",
        "Escreva uma resposta",
        "Vat deze thread samen",
        "Vertaal dit naar het Engels",
        "Schrijf een antwoord",
        "Podsumuj ten wątek",
        "Przetłumacz to na angielski",
        "Napisz odpowiedź",
        "Bu konuşmayı özetle",
        "Bunu İngilizceye çevir",
        "Bir yanıt taslağı hazırla",
        "Обобщи эту переписку",
        "Переведите это на английский",
        "Напиши черновик ответа",
        "لخص هذه المحادثة",
        "ترجم هذا إلى الإنجليزية",
        "اكتب مسودة رد",
        "总结这个讨论",
        "请把以上内容翻译成英文",
        "起草一份回复",
        "このスレッドを要約して",
        "これを英語に翻訳してください",
        "返信の下書きを作って",
        "इस चर्चा का सारांश दो",
        "इसका अंग्रेज़ी में अनुवाद करो",
        "उत्तर का मसौदा लिखो",
    ],
)
def test_an_order_to_work_on_what_was_said_is_recognised_in_every_language(request_for_work: str) -> None:
    assert asks_for_work(request_for_work)


@pytest.mark.parametrize(
    "question",
    [
        "Who translates contracts?",
        "How do I summarise my expenses in Obol?",
        "Is there a summary of the leave policy?",
        "What must a reply to a customer contain?",
        "Wer übersetzt Verträge?",
        "Wie fasse ich meine Reisekosten zusammen?",
        "Wo finde ich die Zusammenfassung der Betriebsversammlung?",
        "Qui traduit les contrats ?",
        "¿Dónde está el resumen de vacaciones?",
        "Кто переводит договоры?",
        "谁负责翻译合同？",
        "契約書の翻訳は誰に頼みますか",
        "Summarise this" + " and that" * 40,
    ],
)
def test_a_question_about_such_work_stays_a_question(question: str) -> None:
    assert not asks_for_work(question)


def test_none_of_the_demos_questions_is_taken_for_an_order() -> None:
    questions = [json.loads(line)["text"] for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    assert len(questions) > 50
    assert [question for question in questions if asks_for_work(question)] == []
