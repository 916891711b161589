"""A document's life: listed by a source, parsed, chunked, indexed, and known to the ledger until it is gone."""
