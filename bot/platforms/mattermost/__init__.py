"""Mattermost, without a library of its own.

settings   the section of the configuration
platform   the adapter
listening  the websocket, resumed; what was missed, by REST
hearing    from posts, reactions and frames to what somebody did
callbacks  slash command, buttons and forms, as the server posts them
draft      an answer that is being written
directory  who is who and what is where
membership who is in which channel, team or group
emails     whose address is theirs
kept       what was looked up, as long as it is young and nothing has changed
changes    which events say that something has
client     the REST API: what is asked
wire       one call of it, its waits and refusals
payloads   what the server sends
convert    pure: mentions, texts, buttons
setup      `bot setup mattermost`
probe      what `bot doctor` says
"""
