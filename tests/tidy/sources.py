"""sources.py - the files of the repository, and C as far as the rules need it.

Findings are strings "path:line: words". A rule is a function of a root folder, so that its
self-test can run it on a copy with a violation planted.
"""
import os
import re

SKIPPED = re.compile(r"^(\.git|build|build-.*|__pycache__|node_modules|debian|\.cache)$")
BINARY = re.compile(r"\.(png|jpg|svgz|gz|db|golden|o|a|woff2?|ico|bin)$")


def walk(root):
    """All files of the tree, relative to root, sorted; build folders and git's own left out."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if not SKIPPED.match(f))
        for name in files:
            found.append(os.path.relpath(os.path.join(folder, name), root))
    return sorted(found)


def c_files(root, *ends):
    """The C sources (and headers), or those with these ends."""
    return [path for path in walk(root) if path.endswith(ends or (".c", ".h"))]


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def is_text(root, path):
    if BINARY.search(path):
        return False
    with open(os.path.join(root, path), "rb") as file:
        return b"\0" not in file.read(4096)


TOKEN = re.compile(
    r"""//[^\n]* | /\*.*?\*/ | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""", re.S | re.X)


def code_only(text):
    """C with comments and the insides of literals blanked; every line keeps its number."""

    def blank(match):
        token = match.group(0)
        if token[0] in "\"'":
            return token[0] + token[0]
        return re.sub(r"[^\n]", " ", token)

    return TOKEN.sub(blank, text)


INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(<[^>]+>|"[^"]+")', re.M)


def includes(text):
    """(line number, what, whether in angle brackets) of each include."""
    for match in INCLUDE.finditer(text):
        name = match.group(1)
        yield text.count("\n", 0, match.start()) + 1, name[1:-1], name[0] == "<"


def functions(text):
    """(first line, last line, name) of each function: clang-format puts its braces in column 0."""
    lines = code_only(text).split("\n")
    opened = None
    for number, line in enumerate(lines):
        if line == "{":
            opened = number
        elif line == "}" and opened is not None:
            first = opened
            while first > 0 and lines[first - 1].strip() and lines[first - 1][:1] not in "#}":
                if lines[first - 1].rstrip().endswith(";"):
                    break
                first -= 1
            head = " ".join(lines[first:opened])
            name = re.search(r"(\w+)\s*\(", head)
            if name:
                yield first + 1, number + 1, name.group(1)
            opened = None
