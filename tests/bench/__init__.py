"""Speed and memory, measured through the commands that people run: `make bench`, or `python -m tests.bench [NAME…]`.

`prose`, `vocabulary` and `formats` make what is measured on, `process` runs and watches a command, `table` prints.
Each other module is one bench: its `measure` yields tables. No test asserts a clock.
"""
