"""The tutorials run as they stand, and what they show is what is printed."""

import pytest
from doc_blocks import blocks, run, words

PAGES = ("ten-minute-start.md", "own-csv.md")


@pytest.mark.parametrize("page", PAGES)
def test_every_block_runs_and_prints_what_the_page_shows(page, tmp_path):
    shown = 0
    for printed, text in run(page, tmp_path):
        if text is not None:
            missing = words(text) - words(printed)
            assert not missing, f"the page shows {missing}; printed was\n{printed}"
            shown += 1
    assert shown == sum(language == "text" for language, _ in blocks(page))
    assert shown >= 3
