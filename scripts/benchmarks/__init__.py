"""The figures of this service beside those of other ways to do the same work, as ratios measured in one run.

`__main__.py` runs the sections, one file each; `workshop.py` starts and stops servers and makes databases; `load.py` is
the client that asks; `rivals.py` and `statements.py` are what we are measured against; `report.py` holds what was found
beside what was promised. A machine is never as quiet as one thinks: rivals take turns in short rounds, and a ratio is
the median of the rounds' own.
"""
