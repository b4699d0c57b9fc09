"""Evidence of one study carried over to another's model, by a declared relevance."""
