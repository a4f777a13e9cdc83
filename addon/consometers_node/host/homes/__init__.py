"""Many homes in one process: asleep, a home is a row and a folder.

register   which homes there are, what each is due for, and whom it knows
waking     opens a home when somebody needs it, and closes it again
due        wakes homes in time
"""
