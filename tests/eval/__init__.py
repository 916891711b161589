"""What the checks of answers are worth, measured over the assistant as it is composed, with models that misbehave.

`python -m tests.eval [NAME…] [--data FOLDER…]` prints tables; `language`, `citations`, `written` and `cost` are there.
"""
