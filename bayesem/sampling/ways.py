"""The ways to integrate a casewise likelihood, by the names that a fit takes."""

__all__ = ["FORMS"]

FORMS = ("auto", "quadrature", "cover", "scores")
