"""Pictures of graphs and networks: `draw(v)`, `v.graph()` and `draw(model)` return a `Graph`.

`value_graph.py` draws the graph of a value: `scene.py` decides which values have a card; `collapse.py`, `layers.py` and
`named_steps.py` make large graphs smaller; `dot.py` and `mermaid.py` write the result. `network.py` draws a network.
`graphviz.py` runs Graphviz, `theme.py` has the colours, `labels.py` the texts, `picture.py` the `Graph` and its files.
The room uses `nn`, `symbolic` and what they use. Begin reading in `show.py`.
"""

from micrograd_bp.drawing.network import draw_network
from micrograd_bp.drawing.picture import Graph
from micrograd_bp.drawing.show import draw, notebook
from micrograd_bp.drawing.value_graph import draw_graph

__all__ = ["Graph", "draw", "draw_graph", "draw_network", "notebook"]
