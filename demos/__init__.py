"""Demos: the three tutorials worked through, networks that are trained, and what the engine can do.

`README.md` beside this file finds a demo by section, by formula and by purpose. Every demo is a script. Two lines at
its beginning let Python find this package when the file is run, so that it can import what the demos share.
"""
