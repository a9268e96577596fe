"""Files that people send us: made harmless in a process of its own, kept encrypted, shown by short-lived links.

upload.py       what arrives in a form stays in memory, and is bounded
cleaner.py      bytes in, harmless bytes out; runs alone, without Django, under hard limits of memory and time
quarantine.py   starts the cleaner and turns what it says into words for people
vault.py        encrypted files under the media root
links.py        addresses bound to one person and one file for five minutes
"""
