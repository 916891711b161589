"""The crash harness: a sync is killed, or loses its disk or a server, at any write; then a plain sync must mend it all.

    python -m tests.crash [--runs 200] [--backend edge-sqlite|edge-postgres|server] [--seed N]

`documents` is a source that changes at random, and what ledger and index must hold of it. `task` is what a child
process is told to do and `child` does it, with the hooks of `boundaries` at every write. `places` are the backends.
`chain` goes from one random state to the next: change, disturb, look, sync, compare. `table` counts and prints.

The same for answers, with two replicas of `bot serve` and a fake platform: `python -m tests.crash.chat`. `talk` is what
people ask, what the model writes and what must be on the screens. `replica` is the program with hooks at its writes,
`replicas` how its parent handles it and the wire to the platform, `strikes` what befalls it, `company` the runs.
"""
