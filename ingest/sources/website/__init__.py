"""A website as a source, read as a search engine reads it.

`settings`, then from the outside in: `source` (the contract), `crawl` (which addresses, a `visit` to each), `reader`
(one address, with what the `cache` knows of it), `client` and `robots` (HTTP, politely); and what is pure: `urls`,
`sitemap`, `page`.
"""
