"""The virtual meter as a program, which obeys commands: script/linky, and a part of the house."""
