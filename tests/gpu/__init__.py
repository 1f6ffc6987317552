"""What only a GPU can show, checked and measured by one prepared script in at most eight minutes.

``make gpu`` runs it; ``python -m tests.gpu --help`` shows the options. Every part works in a
process of its own with a limit of time: one that fails or hangs leaves its error, and the others go
on. ``parts`` says what they are. What a machine cannot show is in the file too, with the reason, as
a row that was not measured: without a GPU that is nearly all, and only ``--tiny`` runs there.

Files, all in build/gpu: gpu.json (machine, versions, and the rows of every part, written as soon as
they are there), records/ (a run record a seed of the headline model, apart from those of a
processor), log.txt (what the parts said).

A GPU machine that can fetch nothing gets what it lacks from ``python -m tests.gpu.prepare``.
"""
