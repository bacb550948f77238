"""The gallery writes what it says, and helps."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "demos" / "gallery.py"


def test_the_gallery(tmp_path):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--out", "pictures"], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    written = [tmp_path / line for line in done.stdout.splitlines()]
    assert len(written) == 15
    for path in written:
        assert ET.fromstring(path.read_bytes()).tag.endswith("svg")
        assert path.with_suffix(".mmd").read_text(encoding="utf-8").startswith("flowchart LR\n") or "flow" in path.stem
    assert ">XNOR of 1 and 1<" in (tmp_path / "pictures" / "network-xnor-11.svg").read_text(encoding="utf-8")


def test_the_gallery_helps():
    done = subprocess.run([sys.executable, str(SCRIPT), "--help"], capture_output=True, text=True, check=True)
    assert "--out" in done.stdout
