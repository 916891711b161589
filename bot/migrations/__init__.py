"""The bot's tables, revision by revision."""
