"""The gallery writes one picture of each kind, as SVG and as a mermaid flowchart."""

import xml.etree.ElementTree as ET

from demos.engine import gallery as demo


def test_the_gallery(tmp_path, capsys):
    demo.main(["--out", str(tmp_path)])
    assert capsys.readouterr().out.count("wrote") == 30
    pictures = sorted(tmp_path.glob("*.svg"))
    assert len(pictures) == 15
    for path in pictures:
        assert ET.fromstring(path.read_bytes()).tag.endswith("svg")
        assert path.with_suffix(".mmd").read_text(encoding="utf-8").startswith("flowchart LR\n") or "flow" in path.stem
    assert ">XNOR of 1 and 1<" in (tmp_path / "network-xnor-11.svg").read_text(encoding="utf-8")
