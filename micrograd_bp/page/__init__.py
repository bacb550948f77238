"""The page: `page(loss)` returns one HTML file that shows a graph and its backward pass step by step, without network.

`document.py` assembles the file, `javascript.py` translates the operations into JavaScript, `positions.py` lays out the
cards, `chain.py` prepares the formulas of the chain rule, and `static/` has the scripts and the style of the page. The
room uses `drawing`, `symbolic` and what they use. Begin reading in `document.py`.
"""

from micrograd_bp.page.document import page as page
