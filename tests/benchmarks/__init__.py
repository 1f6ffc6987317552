"""How fast satlib trains and scores beside other ways of doing the same, measured on one machine in
one run.

``make bench`` runs it; ``python -m tests.benchmarks --help`` shows the options. Every system works
in a process of its own, so that its memory and its environment are its own; in each round all
systems take their turn, on the same examples in the same order, with the same encoder, batch size,
learning rate and warm-up. ``systems`` says what they are.

Files, all in build/bench: training.json and scoring.json (a row a system, keys ``report.KEYS``),
rounds.json (what each round measured), export.json (size, speed and error of the exported models),
profile.json, growth.json, machine.json (versions, machine, corpus, settings) and logs/ (what the
systems said).
"""
