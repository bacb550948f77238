"""Pictures of graphs and networks: `draw(v)`, `v.graph()`, `draw(model)`.

`value_graph.py` draws a graph: `scene.py` decides which values have a card, `collapse.py`, `layers.py` and
`named_steps.py` make it smaller, `dot.py` and `mermaid.py` write it. `network.py` draws a network. `graphviz.py` lays
out, `theme.py` has the colours, `labels.py` the texts, `picture.py` the result and its files. Begin reading in
`show.py`.
"""

from micrograd_bp.drawing.network import draw_network
from micrograd_bp.drawing.picture import Graph
from micrograd_bp.drawing.show import draw, notebook
from micrograd_bp.drawing.value_graph import draw_graph

__all__ = ["Graph", "draw", "draw_graph", "draw_network", "notebook"]
