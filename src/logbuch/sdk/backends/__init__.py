"""The places where runs go, behind one Protocol: a tracking server, or a store in this process."""
