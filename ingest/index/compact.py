"""`python -m ingest.index.compact SHARD`: rebuilds the finished parts of an index into the form that opens fast.

A program of its own, because the engine takes hundreds of megabytes for it and stops every thread meanwhile; whoever
starts it holds the folder's locks.
"""

from __future__ import annotations

import sys

import qdrant_edge as edge


def main() -> None:
    """Compact the shard named on the command line."""
    shard = edge.EdgeShard.load(sys.argv[1])
    shard.optimize()
    shard.flush()
    shard.close()


if __name__ == "__main__":
    main()
