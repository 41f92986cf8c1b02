"""includes.py - who may include what (design: the core is pure, the layers meet in the pump).

    include/         itself, <stdint.h> <stdbool.h> <stddef.h>
    daemon/core/     include/ and its own, <string.h> and the three above
    daemon/store/    include/ and its own; SQLite, pthreads; no MQTT, no libuv, no JSON
    daemon/net/      include/ and its own; no SQLite, no JSON
    daemon/ops/      include/ and its own
    protocol/        include/ and its own; the one place of the daemon that knows cJSON
    clients/         include/, protocol/, daemon/net/broker.h and daemon/ops/ (log's mask), cJSON;
                     and how a draw is decided, for who decides it anew
    tests/sim/audit* the auditor: nothing of the core
    daemon/server*.c and daemon/pump*.c alone see all layers
"""
import re

from sources import c_files, includes, read

BARE = {"stdint.h", "stdbool.h", "stddef.h"}
CORE = BARE | {"string.h"}
# folder -> (own and foreign headers allowed, system headers allowed or None for any, refused)
RULES = [
    ("include/", r"tide/", BARE, None),
    ("daemon/core/", r"tide/(?!client\.h)|daemon/core/", CORE, None),
    ("daemon/store/", r"tide/(?!client\.h)|daemon/store/", None, r"uv\.h|MQTT|cjson/|microhttpd"),
    ("daemon/net/", r"tide/(?!client\.h)|daemon/net/", None, r"sqlite3|cjson/"),
    ("daemon/ops/", r"tide/(?!client\.h)|daemon/ops/", None,
     r"sqlite3|cjson/|uv\.h|MQTT"),
    ("protocol/", r"tide/(?!client\.h)|protocol/", None, r"sqlite3|uv\.h|MQTT|microhttpd"),
    ("clients/", r"tide/|protocol/|clients/|daemon/net/broker\.h|daemon/ops/"
     r"|daemon/core/parking/draw_proof\.h", None, r"uv\.h"),
]
ALL_LAYERS = re.compile(r"^daemon/(server|pump)\w*\.[ch]$")
CJSON_AT = re.compile(r"^(protocol|clients|tests|deploy/demo)/")
LAYER = re.compile(r"^(daemon/(?:store|net)|protocol)/")


def check(root):
    found = []
    for path in c_files(root, ".c", ".h", ".def"):
        named = list(includes(read(root, path)))
        found += ["%s:%d: may not include %s" % (path, line, name)
                  for line, name, angled in named if not allowed(path, name, angled)]
        layers = {match.group(1) for match in (LAYER.match(name) for _, name, _ in named) if match}
        if path.startswith("daemon/") and len(layers) > 2 and not ALL_LAYERS.match(path):
            found.append("%s:1: only server and pump see all layers, this sees %s"
                         % (path, ", ".join(sorted(layers))))
    return found


def allowed(path, name, angled):
    if "cjson/" in name and not CJSON_AT.match(path):
        return False
    if path.startswith("tests/sim/audit") and name.startswith("daemon/core/"):
        return False
    for folder, own, system, refused in RULES:
        if not path.startswith(folder):
            continue
        if angled:
            if system is not None:
                return name in system
            return refused is None or not re.match(refused, name)
        if "/" not in name:
            return False  # headers are named from the root, so that the rules can see them
        return re.match(own, name) is not None
    return True
