"""Slack, by its Events API over Socket Mode or HTTP (https://docs.slack.dev).

settings    the `slack` section
platform    the adapter: what `ChatPlatform` promises, put together from the others
client      the wire, nothing else: methods within their rates, errors in the contract's terms
socket      Socket Mode: connections kept up, envelopes acknowledged once they are kept
hearing     what is delivered, by either mode: kept as an event, answered at once, acknowledged
catchup     what was said while nobody listened
convert     payloads to events and messages (pure)
markup      Slack's own markup to Markdown (pure)
blocks      posts to Block Kit (pure)
draft       an answer that its readers watch being written
pages       one message of that answer: streamed, or posted and edited
posting     finished posts: shown, whispered, changed, removed
directory   people, and who can read a channel
holdings    reader tokens: who is in which user group and channel
changes     what is heard of all these, and dropped from what is kept
kept        how long anything of it is kept
manifest    the app's manifest, with the least it needs
probe       what `bot doctor` finds
"""
