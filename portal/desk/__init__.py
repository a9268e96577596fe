"""The desk: what waits for a person, what a second person must decide, and what is done to many rows at once.

worklist     one list of everything that needs somebody: whose it is, for how long it may wait
proposals    acts that a second person decides, and the rules about which those are
bulk         one act on many rows: a dry run with a line each, done in the background, with a report
"""
