"""The one door to Qdrant, for the writer (`ingest`) and the reader (`bot`).

`hybrid.Index` is what both use. Behind it: `lexical` and an embedder turn text into vectors, `schema` says what is
stored, a store (`edge` in a folder, `server` at an address) keeps and ranks, `fusion` makes one ranking of two.
`interface` holds the contracts, the settings and the errors.
"""
