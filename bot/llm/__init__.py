"""Who writes the answer: a chat model behind a gateway, or the passages themselves."""
