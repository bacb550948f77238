"""The page: one HTML file, without network, in which the chain rule is walked step by step.

`document.py` puts it together, `javascript.py` writes the operations as JavaScript, `positions.py` lays the cards out,
`chain.py` has the chain rule's formulas; `static/` holds what runs in the browser. Begin reading in `document.py`.
"""

from micrograd_bp.page.document import page as page
