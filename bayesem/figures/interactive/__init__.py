"""Figures to open in a browser, drawn by plotly: a figure a file, `page` writes them."""
