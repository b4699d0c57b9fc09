"""A fit and its propositions as an executed notebook, one HTML page and a Word document.

The notebook's cells (`cells.py`) call public functions and hand what these return to `shown.py` and
its neighbours, which make it into blocks (`blocks.py`): plain values that travel in the notebook's
outputs. `page.py` and `document.py` read the blocks back and write HTML and Word. No text of a user
is ever code or markup: it goes into cells through `repr`, and every character of it is escaped
where HTML is written.
"""
