"""Who reaches whom: a model of the applied network, held against a list that knows nothing of the code that made it.

topology.py   the network as AWS's API describes it, in plain values
read.py       reads it through boto3
verdict.py    decides whether a request passes and its reply comes back, and by which rule; pure
expected.py   what must pass and what must never, written by hand from the requirements
check.py      holds a topology against that list
removals.py   each rule taken away and widened in turn: the list has to notice, and name it
prove.py      the proof, and answers in words
"""
