#!/usr/bin/env bash
# The example neighbourhood, alive: private brokers, tided, gateways, and either a day played at
# high speed (demo) or real time until Ctrl-C (run). Called by `make demo` and `make run`.
#
#   deploy/demo/run.sh demo|run
#
# Environment: BUILD, PYTHON, SEED, SCALE, FROM, UNTIL, TRACE, OFFICE, DATE, DIR ($BUILD/demo).
# Everything lies in DIR; ports are free ones of 127.0.0.1; what is started here is stopped here.
set -euo pipefail
cd "$(dirname "$0")/../.."

mode=${1:-}
case $mode in demo | run) ;; *)
    echo "usage: $0 demo|run" >&2
    exit 64
    ;;
esac

build=${BUILD:-build}
python=${PYTHON:-/usr/bin/python3}
dir=${DIR:-$build/$mode}
scale=${SCALE:-720}
from=${FROM:-05:00}
until=${UNTIL:-24:00}
date=${DATE:-2019-05-20}
[ "$mode" = demo ] || {
    scale=1
    date=$(TZ=Asia/Shanghai date +%F)
}
zone=+08:00
tided=$build/tided ctl=$build/tidectl gateway=$build/tide-gateway demo=$build/tide-demo
community=潮汐社区

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

say() { printf '%s\n' "$*"; }
fail() {
    say "failed: $*" >&2
    exit 1
}

# ---- one at a time, and nothing left behind ---------------------------------------------------
exec 9>"$dir.lock"
flock -n 9 || fail "somebody plays in $dir already"

pids=()
started() { pids+=("$1"); }
stop_pid() { # ends one process of ours: asked first, then made
    local pid=$1
    kill -TERM "$pid" 2>/dev/null || return 0
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}
stop_all() {
    local i
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
        stop_pid "${pids[i]}"
    done
    pids=()
}
finish() {
    local code=$?
    trap - EXIT INT TERM HUP
    stop_all
    [ -t 1 ] && printf '\033[?25h'
    [ "$mode" = demo ] || say "the neighbourhood is closed, nothing is left running"
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# A child that dies with us, even if we are killed in a way that no trap sees.
tied=()
if command -v setpriv >/dev/null && setpriv --pdeathsig TERM true 2>/dev/null; then
    tied=(setpriv --pdeathsig TERM)
fi
launch() { # launch NAME COMMAND...: in the background, its output in DIR/NAME.log
    local name=$1
    shift
    "${tied[@]}" "$@" >>"$dir/$name.log" 2>&1 9>&- &
    started $!
}
explain() { # the end of a log, when something did not come up
    [ ! -s "$dir/$1.log" ] || tail -n 15 "$dir/$1.log" >&2
    fail "$2 (see $dir/$1.log)"
}

# ---- brokers ------------------------------------------------------------------------------------
free_port() {
    "$python" -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# start_broker NAME: writes DIR/NAME.conf for a free port and starts it; if another program takes
# the port in between, the next one. Sets $port.
start_broker() {
    local name=$1 pid
    for _ in 1 2 3 4 5; do
        port=$(free_port)
        "broker_conf_$name" "$port" >"$dir/$name.conf"
        : >"$dir/$name.log"
        launch "$name" mosquitto -c "$dir/$name.conf"
        pid=${pids[-1]}
        for _ in $(seq 50); do
            kill -0 "$pid" 2>/dev/null || break
            listens "$port" && return 0
            sleep 0.1
        done
        unset 'pids[-1]'
        stop_pid "$pid"
    done
    explain "$name" "the broker $name does not start"
}
# The brokers' files are the ones that are installed (deploy/mosquitto), with other paths and ports.
broker_conf() { # broker_conf TEMPLATE PORT PASSWORD_FILE ACL_FILE
    sed -e "s|^listener .*|listener $2 127.0.0.1|" -e "s|^password_file .*|password_file $3|" \
        -e "s|^acl_file .*|acl_file $4|" -e '/^pid_file\|^log_dest\|^persistence/d' \
        "deploy/mosquitto/$1.conf"
    printf 'user %s\npersistence false\nlog_dest stderr\npid_file %s\n' "$(id -un)" "$dir/$1.pid"
}
broker_conf_people() {
    broker_conf people "$1" "$dir/broker/password_file" "$dir/broker/acl_file"
}
broker_conf_field() {
    broker_conf field "$1" "$dir/field.password_file" "$dir/field.acl"
}

# ---- the neighbourhood ----------------------------------------------------------------------
prepare() {
    rm -rf "${dir:?}"/*
    umask 077
    mkdir -p "$dir/broker" "$dir/gw-yard" "$dir/gw-park"
    "$python" deploy/example/generate.py "$dir/example"
    "$demo" users "$dir/example" "$dir"
    local pair
    pair=$("$demo" account)
    printf '%s\n' "${pair%% *}" >"$dir/admin.secret"
    admin_hash=${pair#* }
    # At the devices' broker one account speaks for all of the demo's devices.
    local user
    for user in devices gw-yard gw-park; do
        pair=$("$demo" account)
        printf '%s\n' "${pair%% *}" >"$dir/$user.field.secret"
        printf '%s:%s\n' "$user" "${pair#* }" >>"$dir/field.password_file"
        printf 'user %s\ntopic readwrite #\n' "$user" >>"$dir/field.acl"
    done
}
write_tided_conf() {
    cat >"$dir/tided.conf" <<CONF
node = $mode
database = $dir/tide.db
domains = home
broker_uri = tcp://127.0.0.1:$people_port
broker_folder = $dir/broker
broker_pid_file = $dir/people.pid
http_port = 0
log_level = info
CONF
    # In a demo a minute lasts a twelfth of a second: people seem to type that much faster.
    [ "$mode" = run ] || printf 'user_rate_per_s = 1000\nuser_burst = 2000\n' >>"$dir/tided.conf"
}
tided_pid=
start_tided() { # start_tided OPTIONS...
    launch tided "$tided" -c "$dir/tided.conf" "$@"
    tided_pid=${pids[-1]}
    for _ in $(seq 100); do
        kill -0 "$tided_pid" 2>/dev/null || explain tided "tided does not start"
        admin status >/dev/null 2>&1 && return 0
        sleep 0.2
    done
    explain tided "tided does not answer"
}
stop_tided() {
    local i
    stop_pid "$tided_pid"
    for i in "${!pids[@]}"; do
        [ "${pids[i]}" != "$tided_pid" ] || unset "pids[i]"
    done
    pids=("${pids[@]}")
}
admin() {
    "$ctl" --uri "tcp://127.0.0.1:$people_port" --user admin \
        --secret-file "$dir/admin.secret" --timeout 10 "$@"
}

import_all() {
    local files=()
    for name in places people roles vehicles zones slots windows settings users lanes; do
        files+=("$dir/example/$name.csv")
    done
    admin import --yes "${files[@]}" >"$dir/import.log" 2>&1 ||
        explain import "the import was refused"
    local calendar=deploy/example/calendar-${date%%-*}.json
    if [ -e "$calendar" ]; then
        admin calendar put "$calendar" >>"$dir/import.log" 2>&1 ||
            explain import "the calendar was refused"
    else
        say "no holiday file for ${date%%-*}: weekdays decide what a workday is"
    fi
}
start_gateways() {
    local name
    for name in gw-yard gw-park; do
        "$demo" gateway "$dir/example" "$dir" "$name" "tcp://127.0.0.1:$people_port" \
            "tcp://127.0.0.1:$field_port" || fail "no configuration for $name"
        launch "$name" "$gateway" -c "$dir/$name.conf"
    done
    for name in gw-yard gw-park; do
        wait_gateway "$name"
    done
}
# Until a gateway has both brokers and hears tided: what it decides before that, it decides alone.
wait_gateway() {
    for _ in $(seq 100); do
        if grep -q '"what":"field","line":true' "$dir/$1.log" &&
            grep '"what":"daemon"' "$dir/$1.log" | tail -n 1 | grep -q '"answers":true'; then
            return 0
        fi
        sleep 0.1
    done
    explain "$1" "the gateway $1 does not find its brokers and tided"
}

# ---- the two plays --------------------------------------------------------------------------
verdict() { # verdict NAME COMMAND...: a line that says how it went
    local name=$1 log=$dir/${1##*--}.log code=0
    shift
    "$@" >"$log" 2>&1 || code=$?
    if [ "$code" -eq 0 ]; then
        printf ' %-16s %s\n' "$name" "$(tail -n 1 "$log" | sed 's/^[a-z]*: //' | fold -s -w 62 |
            sed '2,$s/^/                  /')"
    else
        printf ' %-16s FAILED (exit %d)\n' "$name" "$code"
        tail -n 10 "$log"
        result=1
    fi
}

run_demo() {
    local extra=() code=0
    [ -z "${TRACE:-}" ] || extra+=(--trace "$TRACE")
    [ -z "${OFFICE:-}" ] || extra+=(--office "$OFFICE")
    is_workday || extra+=(--day-off)
    say "the neighbourhood moves in: 500 households, 450 slots, an office park across the road"
    # Civil time barely moves while people move in; then five seconds for the cars to come home.
    start_tided --time-scale 2 --start "${date}T$(minutes_before "$from" 90)$zone"
    import_all
    start_gateways
    stop_tided
    start_tided --time-scale "$scale" \
        --start "${date}T$(minutes_before "$from" $((scale / 12)))$zone"
    wait_gateway gw-yard
    wait_gateway gw-park
    # In the background, so that whoever ends this script is heard at once.
    "${tied[@]}" "$demo" play --people-uri "tcp://127.0.0.1:$people_port" \
        --field-uri "tcp://127.0.0.1:$field_port" --field-user devices --example "$dir/example" \
        --dir "$dir" --seed "${SEED:-1}" --date "$date" --from "$from" --until "$until" \
        "${extra[@]}" 9>&- &
    started $!
    wait "${pids[-1]}" || code=$?
    unset 'pids[-1]'
    [ "$code" -eq 0 ] || {
        tail -n 5 "$dir/tided.log" >&2
        fail "the day was not played to its end (exit $code)"
    }
    stop_all
    result=0
    "$demo" table "$dir/tide.db" "$dir/tally" || result=1
    verdict 'tided --verify' "$tided" -c "$dir/tided.conf" --verify
    verdict 'auditor' "$build/tide-sim" --audit "$dir/tide.db"
    say " everything of this day is in ${dir#"$PWD"/}"
    return "$result"
}

# minutes_before HH:MM N: the time of day N minutes earlier, not before midnight.
minutes_before() {
    local at=$((10#${1%%:*} * 60 + 10#${1##*:} - $2))
    [ "$at" -ge 0 ] || at=0
    printf '%02d:%02d' $((at / 60)) $((at % 60))
}

# The days that the holiday file turns round count first, then Saturday and Sunday.
is_workday() {
    local file=deploy/example/calendar-${date%%-*}.json line
    if [ -e "$file" ] && line=$(grep -F "\"$date\"" "$file"); then
        [[ $line == *'"isOffDay": false'* ]]
        return
    fi
    [ "$(date -d "$date" +%u)" -le 5 ]
}

secret_of() { awk -v user="$1" '$1 == user { print $2 }' "$dir/secrets"; }
tell_how() {
    local owner resident plate slot uri=tcp://127.0.0.1:$people_port shown=${dir#"$PWD"/}
    # An owner with an app and a slot; a resident with an app and none.
    owner=$(awk -F, 'NR == FNR { slot[$5] = $1; next }
        { split($2, door, "/"); if ($3 == "app" && door[1] in slot) { print $1; exit } }' \
        "$dir/example/slots.csv" "$dir/example/accounts.csv")
    slot=$(awk -F, -v door="${owner#app-}" '$5 == door { print $1 }' "$dir/example/slots.csv")
    resident=$(awk -F, 'NR == FNR { slot[$5] = 1; next }
        { split($2, door, "/"); if ($3 == "app" && !(door[1] in slot)) { print $1; exit } }' \
        "$dir/example/slots.csv" "$dir/example/accounts.csv")
    plate=$(awk -F, -v door="${resident#app-}" '$2 == door { print $1; exit }' \
        "$dir/example/vehicles.csv")
    local who user
    while read -r who user; do
        (umask 077 && secret_of "$user" >"$dir/$who.secret" && printf '%s\n' "uri = $uri" \
            "domain = home" "user = $user" "secret_file = $who.secret" >"$dir/$who.conf")
    done <<WHO
resident $resident
owner $owner
clerk desk-1
guard guard-south
WHO
    cat <<TEXT

The neighbourhood is open, in real time. People's broker $uri, domain home;
devices' broker tcp://127.0.0.1:$field_port. Ctrl-C ends it; everything lies in $shown.

  who       user            secret
  resident  $(printf '%-15s' "$resident") $(secret_of "$resident")  drives $plate, has no slot
  owner     $(printf '%-15s' "$owner") $(secret_of "$owner")  of slot $slot
  clerk     $(printf '%-15s' desk-1) $(secret_of desk-1)  the committee's desk
  guard     $(printf '%-15s' guard-south) $(secret_of guard-south)  the south gate
  gateway   $(printf '%-15s' gw-yard) $(secret_of gw-yard)  runs here, see gw-yard.conf
  devices   $(printf '%-15s' devices) $(cat "$dir/devices.field.secret")  on the devices' broker

Three lines to try, in another terminal (resident.conf names broker, user and secret; so do
owner.conf, clerk.conf and guard.conf beside it):

  $ctl --conf-file $shown/resident.conf tide A
  $ctl --conf-file $shown/resident.conf book $plate --zone B --from +10m --until +2h
  $ctl --conf-file $shown/clerk.conf status
TEXT
}
run_real() {
    say "the neighbourhood moves in"
    start_tided
    import_all
    start_gateways
    tell_how
    while kill -0 "$tided_pid" 2>/dev/null; do
        sleep 1 &
        wait $! || true
    done
    explain tided "tided ended"
}

for program in "$tided" "$ctl" "$gateway" "$demo" "$(command -v mosquitto || echo mosquitto)"; do
    [ -x "$program" ] || fail "$program is missing: run make first"
done
prepare
people_port=1 # not yet known
# tided writes the broker's files; they must be there before the broker starts.
write_tided_conf
init_options=()
[ "$mode" = run ] ||
    init_options=(--time-scale 2 --start "${date}T$(minutes_before "$from" 95)$zone")
"$tided" -c "$dir/tided.conf" "${init_options[@]}" --init --domain home --community "$community" \
    --admin admin --admin-hash "$admin_hash" >"$dir/init.log" 2>&1 || explain init "tided --init"
start_broker people
people_port=$port
start_broker field
field_port=$port
write_tided_conf
if [ "$mode" = demo ]; then
    run_demo
else
    run_real
fi
