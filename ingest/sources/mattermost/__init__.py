"""Mattermost's channels as a source.

`settings` is what the configuration says, `client` the REST API, `convert` what becomes of posts, `cursor` what a later
listing has to know, and `source` brings them together.
"""
