"""The applied network, built of namespaces, carries real packets: what arrives has to be what the model decides.

probes.py    opens real connections between namespaces, thousands at a time
worlds.py    the same network with its groups, or its ACLs, let through everything: what the other does by itself
trials.py    what is tried: who with whom, on which ports; and each rule taken away
prove.py     the proof
"""
