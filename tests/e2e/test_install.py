#!/usr/bin/python3
"""What `make install` lays down works from there; the units are as tight as they claim; TLS with the
development certificates; the archive of `make dist`."""
import os
import re
import shutil
import ssl
import subprocess
import sys
import tarfile
import tempfile

from harness import (BUILD, FOLDERS, ROOT, Client, Failed, Skip, Tide, check, equal, expect,
                     free_port, run_tests, shared, test, wait_for)


def folder(name):
    path = tempfile.mkdtemp(prefix="tide-%s-" % name)
    FOLDERS.append(path)
    return path


def make(*words):
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "MFLAGS"}
    done = subprocess.run(["make", "--no-print-directory", "BUILD=" + BUILD] + list(words),
                          cwd=ROOT, text=True, env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    check(done.returncode == 0, "make %s: %s", words, done.stdout[-500:])
    return done.stdout


def install():
    top = folder("install")
    make("install", "DESTDIR=" + top, "PREFIX=/usr")
    return top


installed = shared(install)


@test
def programs_pages_and_units_are_there():
    for path in ("usr/bin/tided", "usr/bin/tidectl", "usr/bin/tide-gateway", "etc/tide/tided.conf",
                 "usr/share/man/man8/tided.8", "usr/share/man/man1/tidectl.1",
                 "usr/lib/systemd/system/tided.service", "usr/include/tide/client.h",
                 "usr/lib/libtide.a"):
        check(os.path.exists(os.path.join(installed(), path)), "%s is not installed", path)
    for name in ("tided", "tidectl", "tide-gateway"):
        done = subprocess.run([os.path.join(installed(), "usr/bin", name), "--version"], text=True,
                              stdout=subprocess.PIPE, check=True)
        check(re.search(r"\d+\.\d+\.\d+", done.stdout), "%s --version: %r", name, done.stdout)


@test
def the_installed_configuration_is_good():
    subprocess.run([os.path.join(installed(), "usr/bin/tided"), "-c",
                    os.path.join(installed(), "etc/tide/tided.conf"), "--check-config"], check=True)


@test
def a_second_install_keeps_the_configuration():
    path = os.path.join(installed(), "etc/tide/tided.conf")
    with open(path, "a", encoding="utf-8") as file:
        file.write("# mine\n")
    make("install", "DESTDIR=" + installed(), "PREFIX=/usr")
    with open(path, encoding="utf-8") as file:
        check(file.read().endswith("# mine\n"), "the configuration was overwritten")


@test
def a_program_of_others_builds_against_libtide():
    top = installed()
    source = os.path.join(folder("client"), "try.c")
    with open(source, "w", encoding="utf-8") as file:
        file.write("#include <stdio.h>\n#include <tide/client.h>\n"
                   "int main(void) { return puts(tide_client_strerror(-1)) < 0; }\n")
    flags = subprocess.run(["pkg-config", "--static", "--cflags", "--libs", "tide"], text=True,
                           env=dict(os.environ, PKG_CONFIG_PATH=top + "/usr/lib/pkgconfig",
                                    PKG_CONFIG_SYSROOT_DIR=top), stdout=subprocess.PIPE, check=True)
    words = [word for word in flags.stdout.split() if not word.startswith("-I" + top + top)]
    subprocess.run(["gcc", "-o", source + ".x", source, "-I" + top + "/usr/include",
                    "-L" + top + "/usr/lib"] + words, check=True)
    subprocess.run([source + ".x"], stdout=subprocess.DEVNULL, check=True)


@test
def the_units_are_hardened():
    if shutil.which("systemd-analyze") is None:
        raise Skip("no systemd-analyze")
    units = os.path.join(installed(), "usr/lib/systemd/system")
    for unit, most in (("tided.service", 1.5), ("tide-gateway.service", 2.5)):
        done = subprocess.run(["systemd-analyze", "security", "--offline=true",
                               os.path.join(units, unit)], text=True, stdout=subprocess.PIPE,
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


@test
def the_archive_has_the_sources_and_nothing_built():
    if not os.path.isdir(os.path.join(ROOT, ".git")):
        raise Skip("not a clone")
    out = make("dist")
    path = os.path.join(ROOT, out.strip().splitlines()[-1])
    with tarfile.open(path) as archive:
        names = archive.getnames()
    top = names[0].split("/")[0]
    for name in ("Makefile", "LICENSE", "include/tide/engine.h", "tests/run", "deploy/tided.conf"):
        check("%s/%s" % (top, name) in names, "%s is not in the archive", name)
    strange = [name for name in names if re.search(r"/build(-|/)|\.o$|/\.git/|__pycache__", name)]
    equal(strange, [], "built files in the archive")
    wait_for(lambda: os.path.getsize(path) > 10000, "an archive of some size")


if __name__ == "__main__":
    sys.exit(run_tests())
