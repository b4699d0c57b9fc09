"""Theme counts of qualitative coding as a model: a Dirichlet tree with multinomial counts."""
