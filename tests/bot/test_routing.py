"""A route away from the documents needs a message whose own words support it, in every language of the phrases."""

from __future__ import annotations

import pytest

from bot.model import Route
from bot.routing import carries_text, supports

FACTS = (
    "How many days of leave do I have?",
    "Wie viele Urlaubstage habe ich?",
    "wie beantrage ich eine Dienstreise",
    "Combien de jours de congé à Lyon ?",
    "¿Cuántos días de vacaciones tengo?",
    "Quanti giorni di ferie ho?",
    "Quantos dias de férias tenho?",
    "Hoeveel vakantiedagen heb ik?",
    "Ile dni urlopu mam w Lyonie?",
    "Kaç gün iznim var?",
    "Сколько дней отпуска?",
    "كم يوم إجازة لدي؟",
    "年假有几天？",
    "有給休暇は何日ですか",
    "मेरे पास कितनी छुट्टियाँ हैं?",
)
WORK_ON_CONVERSATION = (
    "Can you summarise?",
    "What are the open points?",
    "Kannst du das zusammenfassen?",
    "Peux-tu résumer ?",
    "¿Puedes resumir el hilo?",
    "Puoi riassumere?",
    "Pode resumir isto?",
    "Kun je dit samenvatten?",
    "Możesz to streścić?",
    "Bunu özetler misin?",
    "Можешь перевести это на английский?",
    "هل يمكنك تلخيص هذا؟",
    "能总结一下上面的讨论吗？",
    "これを要約してくれますか？",
    "क्या आप इसका सारांश दे सकते हैं?",
    "Now in French, please",
)
WORK_ALONE = (
    "Can you write me a polite email declining a meeting?",
    "Give me three ideas for a team event",
    "Come up with a name for our new chatbot",
    "Schreib mir eine höfliche Absage",
    "Hilf mir, eine Agenda für ein Kick-off zu erstellen",
    "Peux-tu m'aider à formuler une relance polie pour un fournisseur ?",
    "Dame tres ideas para un evento de equipo",
    "Предложи три идеи для корпоратива",
    "给我三个团建活动的点子",
    "Rédige un courriel pour refuser une invitation",
    "Escribe un correo para rechazar una invitación",
    "Scrivi una mail di rifiuto gentile",
    "Escreva um poema sobre o outono",
    "Schrijf een kort gedicht over de herfst",
    "Napisz krótki wiersz o jesieni",
    "Kısa bir şiir yaz",
    "Напиши вежливое письмо с отказом",
    "اكتب رسالة اعتذار قصيرة",
    "帮我写一封邮件拒绝会议邀请",
    "会議の招待を断るメールを書いてください",
    "एक छोटी कविता लिखो",
)


@pytest.mark.parametrize("message", FACTS)
@pytest.mark.parametrize("route", [Route.CONVERSATION, Route.GENERAL])
def test_a_question_of_fact_is_for_the_documents_whatever_a_model_says(route: Route, message: str) -> None:
    assert not supports(route, message, at_hand=True)


@pytest.mark.parametrize(
    "message",
    [
        "Tell me how many days of leave I have",
        "Explain our leave policy",
        "how do I come up to speed",
        "Nenne mir die Frist für Spesen",
        "Donne-moi la procédure de remboursement",
        "Dime cuántos días de vacaciones tengo",
        "Расскажи про отпуск",
        "帮我查一下年假",
        "leave policy Dublin",
    ],
)
def test_an_order_to_look_something_up_is_not_for_what_the_model_knows(message: str) -> None:
    assert not supports(Route.GENERAL, message, at_hand=True)


@pytest.mark.parametrize("message", WORK_ON_CONVERSATION)
def test_work_on_the_conversation_needs_one(message: str) -> None:
    assert supports(Route.CONVERSATION, message, at_hand=True)
    assert not supports(Route.CONVERSATION, message, at_hand=False)


@pytest.mark.parametrize("message", WORK_ALONE)
def test_what_is_to_be_written_needs_no_text_at_hand(message: str) -> None:
    assert supports(Route.GENERAL, message, at_hand=False)


@pytest.mark.parametrize("message", [*FACTS, "vpn", ""])
def test_everything_may_be_asked_of_the_documents(message: str) -> None:
    assert supports(Route.DOCUMENTS, message, at_hand=False)


@pytest.mark.parametrize(
    ("message", "carries"),
    [
        ("What does this do?\n```\nprint(1)\n```", True),
        ("Is `SELECT * FROM staff` slow?", True),
        ("Fix the grammar: me and him goes home", True),
        ("这句话通顺吗：今天的会议改到明天上午举行", True),
        ("Is “Employees must wear helmets on site” correct?", True),
        ("What does it say?\n\nThe office opens at eight on Mondays.", True),
        ("word " * 40, True),
        ("Opening hours: Lyon?", False),
        ("A question: how many days of leave do we get?", False),
        ("Hello,\nwie viele Urlaubstage haben wir im Jahr", False),
        ('What is "annual leave"?', False),
        ("Who is the boss's deputy's assistant?", False),
        ("How long is leave?", False),
    ],
)
def test_a_text_at_hand_is_told_from_a_question(message: str, carries: bool) -> None:
    assert carries_text(message) == carries
