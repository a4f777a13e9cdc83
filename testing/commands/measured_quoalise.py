"""Saves what coverage measured of loading the program, so that no fork of it saves that again."""

from coverage import Coverage

if measured := Coverage.current():
    measured.save()
