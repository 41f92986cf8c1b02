#!/usr/bin/python3
"""What lies in deploy/: the units are as tight as they claim, the sample configuration is good, and
TLS works with the development certificates for the daemon, for stock clients and for tidectl."""
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile

from harness import (BUILD, FOLDERS, ROOT, Client, Failed, Skip, Tide, check, equal, expect,
                     free_port, run_tests, test)


def folder(name):
    path = tempfile.mkdtemp(prefix="tide-%s-" % name)
    FOLDERS.append(path)
    return path


@test
def the_sample_configuration_is_good():
    path = os.path.join(ROOT, "deploy/tided.conf")
    subprocess.run([os.path.join(BUILD, "tided"), "-c", path, "--check-config"], check=True)


@test
def the_units_are_hardened():
    if shutil.which("systemd-analyze") is None:
        raise Skip("no systemd-analyze")
    for unit, most in (("tided.service", 1.5), ("tide-gateway.service", 2.5)):
        done = subprocess.run(["systemd-analyze", "security", "--offline=true",
                               os.path.join(ROOT, "deploy", unit)], text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        found = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
        check(found, "%s: %s", unit, done.stdout[-300:])
        check(float(found.group(1)) <= most, "%s: exposure %s, at most %s", unit, found.group(1),
              most)


@test
def the_people_broker_takes_tls_with_development_certificates():
    certs = folder("certs")
    subprocess.run([os.path.join(ROOT, "deploy/certs/make-dev-certs.sh"), certs], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    tide = Tide(up=False)
    port = free_port()
    tide.broker.more = ["listener %d 127.0.0.1" % port, "certfile %s/server.crt" % certs,
                        "keyfile %s/server.key" % certs]
    tide.conf["broker_uri"] = "ssl://127.0.0.1:%d" % port
    tide.conf["broker_ca_file"] = certs + "/ca.crt"
    tide.write_conf()
    tide.broker.start()
    tide.start()
    expect(tide.client("admin").ask("whoami"), "ok")
    client = Client(tide, "admin", tide.secrets["admin"])
    client.paho.tls_set(certs + "/ca.crt", tls_version=ssl.PROTOCOL_TLS_CLIENT)
    plain, tide.broker.port = tide.broker.port, port
    client.connect()
    expect(client.ask("whoami"), "ok")
    client.close()
    stranger = Client(tide, "admin", tide.secrets["admin"])
    stranger.paho.tls_set(tls_version=ssl.PROTOCOL_TLS_CLIENT)  # the system's authorities
    try:
        stranger.connect(2)
        seen = "taken"
    except (ssl.SSLError, Failed):
        seen = "refused"
    equal(seen, "refused", "a certificate that nobody vouches for")
    tide.broker.port = plain
    secret = os.path.join(tide.folder, "admin.secret")
    with open(secret, "w", encoding="utf-8") as file:
        file.write(tide.secrets["admin"] + "\n")
    done = subprocess.run([os.path.join(BUILD, "tidectl"), "--uri", "ssl://127.0.0.1:%d" % port,
                           "--ca-file", certs + "/ca.crt", "--user", "admin", "--secret-file",
                           secret, "--json", "whoami"], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=30, check=False)
    check(done.returncode == 0 and '"code":"ok"' in done.stdout, "tidectl: %s", done.stdout)
    equal(tide.stop(), 0, "exit code")
    tide.close()


if __name__ == "__main__":
    sys.exit(run_tests())
