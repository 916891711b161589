"""The three model clients through a real LiteLLM proxy: `pytest tests/bot/llm/test_litellm.py --litellm PATH`.

The proxy stands between the clients and the gateway of the fixtures, which plays the model server.
"""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import stamina
from pydantic import SecretStr

from bot.llm.interface import BudgetSpent, ChatRefused, ChatSettings, ChatUnavailable, Message, Prompt, Usage
from bot.llm.openai_compatible import OpenAIWriter
from ingest.index.embedder import EndpointEmbedder
from ingest.index.interface import EmbeddingSettings, ModelMisconfigured, RerankerSettings
from ingest.index.reranker import EndpointReranker
from tests.fixtures.gateway import Gateway, hashed, says, status

KEY = "sk-q8w7e6r5t4y3u2i1o0p9"
"""The proxy refuses to start with a weak one."""

PROMPT = Prompt(
    messages=(Message(role="user", content="How many days?"),),
    question="How many days?",
    passages=(),
    language="en",
    max_tokens=50,
)


SPENT = "slack:U042"
"""An end user whose budget is spent."""

AUTH = f"""
from litellm import BudgetExceededError
from litellm.proxy._types import ProxyException, UserAPIKeyAuth

async def user_api_key_auth(request, api_key):
    if api_key != {KEY!r}:
        raise ProxyException("received a wrong key", type="auth_error", param="key", code=401)
    if (await request.json()).get("user") == {SPENT!r}:
        raise BudgetExceededError(2.1, 2.0, message="ExceededBudget: End User={SPENT} over budget")
    return UserAPIKeyAuth(api_key=api_key)
"""
"""What the proxy does where its own budgets, which need a database, are spent."""


@dataclass(frozen=True, kw_only=True)
class Proxy:
    base_url: str
    backend_port: int


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    executable = request.config.getoption("--litellm")
    if executable is None:
        pytest.skip("no LiteLLM proxy: name its executable with --litellm")
    backend, port = free_port(), free_port()
    served = {"model": "hosted_vllm/assistant", "api_base": f"http://127.0.0.1:{backend}/v1"}
    config = {
        "model_list": [
            {"model_name": "chat", "litellm_params": served},
            {"model_name": "embedding", "litellm_params": served},
            {"model_name": "reranker", "litellm_params": served, "model_info": {"mode": "rerank"}},
        ],
        "litellm_settings": {"num_retries": 0},
        "general_settings": {"master_key": KEY, "custom_auth": "auth.user_api_key_auth"},
    }
    path = tmp_path_factory.mktemp("litellm") / "config.yaml"
    path.write_text(json.dumps(config))
    (path.parent / "auth.py").write_text(AUTH)
    process = subprocess.Popen(
        [executable, "--config", str(path), "--host", "127.0.0.1", "--port", str(port)],
        env={"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PATH": str(Path(executable).parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        assert process.stdout is not None
        started = any("Uvicorn running" in line for line in process.stdout)
        try:
            assert started, f"{executable} ended before it served"
            # It writes a traceback for every refusal, and stands still once nobody reads them.
            threading.Thread(target=process.stdout.read).start()
            yield Proxy(base_url=f"http://127.0.0.1:{port}", backend_port=backend)
        finally:
            process.kill()


@pytest.fixture
async def backend(proxy: Proxy) -> AsyncIterator[Gateway]:
    gateway = Gateway()
    with stamina.set_testing(True, attempts=10, cap=True):
        async with gateway.served(proxy.backend_port):
            yield gateway


def writer(proxy: Proxy, model: str = "chat", key: str = KEY) -> OpenAIWriter:
    return OpenAIWriter(ChatSettings(base_url=proxy.base_url, model=model, api_key=SecretStr(key)))


async def written(writer: OpenAIWriter) -> str:
    try:
        return "".join([piece async for piece in writer.write(PROMPT)])
    finally:
        await writer.close()


async def test_a_chat_model_streams_through_the_proxy(proxy: Proxy, backend: Gateway) -> None:
    assert await written(writer(proxy)) == backend.reply


async def test_the_proxy_counts_tokens_and_passes_a_schema_on(proxy: Proxy, backend: Gateway) -> None:
    schema = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
    chat, prompt = writer(proxy), replace(PROMPT, schema=schema, usage=Usage())
    assert "".join([piece async for piece in chat.write(prompt)]) == backend.reply
    assert prompt.usage == Usage(prompt_tokens=21, reply_tokens=len(backend.reply.split()))
    assert backend.requests[-1].body["response_format"]["json_schema"]["schema"] == schema
    await chat.close()


async def test_a_model_behind_the_proxy_that_refuses_a_schema_is_asked_without_it(
    proxy: Proxy, backend: Gateway
) -> None:
    backend.refuses = frozenset({"response_format"})
    chat, prompt = writer(proxy), replace(PROMPT, schema={"type": "object", "properties": {}}, usage=Usage())
    assert "".join([piece async for piece in chat.write(prompt)]) == backend.reply
    assert ["response_format" in request.body for request in backend.requests] == [True, False]
    await chat.close()


async def test_the_proxy_is_told_whose_question_it_is_and_says_when_their_budget_is_spent(
    proxy: Proxy, backend: Gateway
) -> None:
    chat = writer(proxy)
    assert [piece async for piece in chat.write(replace(PROMPT, user="slack:U007"))]
    with pytest.raises(BudgetSpent, match=f"End User={SPENT} over budget"):
        await anext(chat.write(replace(PROMPT, user=SPENT)))
    assert len(backend.requests) == 1
    await chat.close()


async def test_a_thought_is_left_out_behind_the_proxy_too(proxy: Proxy, backend: Gateway) -> None:
    backend.script(says("<think>", "leave", "</think>", "\n\nThirty."))
    assert await written(writer(proxy)) == "Thirty."


async def test_a_busy_model_behind_the_proxy_is_unavailable(proxy: Proxy, backend: Gateway) -> None:
    backend.always(status(429, "slow down"))
    with pytest.raises(ChatUnavailable, match="slow down"):
        await written(writer(proxy))


@pytest.mark.parametrize(("model", "key"), [("nobody", KEY), ("chat", "sk-wrong")])
async def test_a_wrong_model_or_key_is_refused(proxy: Proxy, backend: Gateway, model: str, key: str) -> None:
    with pytest.raises(ChatRefused, match="SOUFFLEUR_CHAT_API_KEY"):
        await written(writer(proxy, model, key))


async def test_texts_are_embedded_through_the_proxy(proxy: Proxy, backend: Gateway) -> None:
    settings = EmbeddingSettings(base_url=proxy.base_url, model="embedding", api_key=SecretStr(KEY), batch_size=2)
    embedder = EndpointEmbedder(settings)
    texts = ["leave", "office", "train"]
    assert await embedder.embed_documents(texts) == [pytest.approx(hashed(text, 16)) for text in texts]
    await embedder.close()


async def test_texts_are_reranked_through_the_proxy(proxy: Proxy, backend: Gateway) -> None:
    reranker = EndpointReranker(RerankerSettings(base_url=proxy.base_url, model="reranker", api_key=SecretStr(KEY)))
    assert await reranker.scores("leave days", ["train", "leave days a year", "days"]) == [0.0, 1.0, 0.5]
    await reranker.close()


async def test_a_wrong_key_misconfigures_the_embedding_model(proxy: Proxy, backend: Gateway) -> None:
    settings = EmbeddingSettings(base_url=proxy.base_url, model="embedding", api_key=SecretStr("sk-wrong"))
    embedder = EndpointEmbedder(settings)
    with pytest.raises(ModelMisconfigured, match="SOUFFLEUR_EMBEDDING_API_KEY"):
        await embedder.embed_query("leave")
    await embedder.close()
