"""Model texts and claims: tokens, frozen nodes, and the parsers between them."""
