"""Models of other programs: their texts read to statements, and statements written for them.

Each reader gives the same `Parsed` that lavaan's language gives, with spans in the user's own text;
what a program knows and this package does not is refused by its name.
"""
