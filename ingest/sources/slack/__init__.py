"""Slack's channels as a source.

`settings` is what the configuration says, `model` what Slack sends, `client` the protocol, `directory` whose id is
whose name, `convert` messages to Markdown, `bookmark` what one listing leaves to the next, `scratch` what a listing has
read; `source` puts them together.
"""
