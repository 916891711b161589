"""A branch of a git repository as a source: `settings`, `source`, and what talks to git in `client` and `process`."""
