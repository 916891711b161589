"""How documents are read: `sandbox` decides where, and everything that is not plain text is read in a limited worker.

`interface` is the contract. Parsers: `kreuzberg` (the default) and `unstructured` (the extra), chosen by the
configuration; `markup` (Markdown, plain text) and `html`, which serve both, because they alone read front matter.
Below them, `pdf`, `pdf_tables` and `mail` know a format each; `text` and `front_matter` are shared. `worker` is the
program that the sandbox starts, `seccomp` what keeps it off the network.
"""
