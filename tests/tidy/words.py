"""words.py - words that have no place here.

Promises to do something later; paths of the machine on which something was built; hosts of package
registries; lines that tell who or what typed. The words are written in pieces, so that this file
does not find itself.
"""
import re

from sources import is_text, read, walk

LATER = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
PLACES = re.compile(
    r"/wo" r"rk/|/ro" r"ot/|\.py" r"env|/tmp/(?!tide)[a-z0-9]|"
    r"deb\.deb" r"ian\.org|registry\.n" r"pmjs|pypi\.o" r"rg|pythonho" r"sted|crates\.i" r"o\b|"
    r"proxy\.gol" r"ang|repo1?\.mav" r"en", re.I)
TYPIST = re.compile(
    r"co-auth" r"ored-by|generated (by|with) (an? )?(ai|llm|claude|gpt|copilot)\b|"
    r"\bas an ai\b|\b(anthro" r"pic|open" r"ai|chatg" r"pt)\b", re.I)


def grep(root, pattern, words):
    found = []
    for path in walk(root):
        if not is_text(root, path):
            continue
        for number, line in enumerate(read(root, path).split("\n"), 1):
            match = pattern.search(line)
            if match:
                found.append("%s:%d: %s: %s" % (path, number, match.group(0), words))
    return found


def check_later(root):
    return grep(root, LATER, "do it now, or write down in plain words what is not done")


def check_places(root):
    return grep(root, PLACES, "belongs to one machine or one network")


def check_typist(root):
    return grep(root, TYPIST, "says nothing about the thing itself")
