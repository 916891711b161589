from __future__ import annotations
import pytest, json, asyncio, re
from tests.contract.office import Office, office
from tests.contract.workplace import Upload
from tests.contract.slack import SlackWorkplace
from tests.contract.mattermost import MattermostWorkplace
@pytest.fixture(params=["slack","mattermost"])
async def of(request,tmp_path):
    w = SlackWorkplace() if request.param=="slack" else MattermostWorkplace()
    async with office(w,tmp_path) as o: yield o

TEXTS={'nul':"How many days of leave\x00 do I have?",'surr':"How many days of leave \ud83d do I have?",'zw':"\u200b\u200b",'emoji':"🎉🎉",'empty':"",'long':"leave "*6600,'rtl':"\u202eHow many days of leave",'fence':"```\n"*300+"leave", 'at':"@all @here leave days <!channel>",'sp':" "*3000+"leave"}
@pytest.mark.parametrize("name",TEXTS)
async def test_text(of,name,caplog):
    await of.bot()
    c=await of.workplace.direct("ada")
    t=TEXTS[name]
    if of.workplace.name=="mattermost": t=t[:16000]
    m=await of.workplace.say(c,t,by="ada")
    async def look():
        a=await of.answers(c,m)
        if a and not any(x.streaming or 'stop' in x.buttons for x in a): return a
        p=[x for x in await of.workplace.seen(c,by="ada") if x.private]
        return p
    a=await of.until(look)
    print(name,of.workplace.name,repr(a[-1].text[:150]),a[-1].buttons,a[-1].links)
    print([r.getMessage()[:200] for r in caplog.records if r.levelname in("ERROR","WARNING")])
