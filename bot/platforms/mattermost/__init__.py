"""Mattermost: `settings`, `platform` (the adapter), `client` (the wire, nothing else), `convert` (pure)."""
