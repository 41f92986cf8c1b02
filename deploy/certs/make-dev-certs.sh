#!/bin/sh
# make-dev-certs.sh FOLDER [NAME...]: an authority and a server certificate to try TLS with.
#
#   ca.crt        give it to clients: broker_ca_file, tidectl --ca-file, mosquitto_sub --cafile
#   server.crt    certfile of the broker      server.key    keyfile
#
# Good for localhost, 127.0.0.1, ::1, this machine's name and each NAME (a host name or an address).
# Valid for a year. Not for a community: whoever has ca.key can be any server. What is there is
# kept, so running it twice changes nothing.
set -eu

folder=${1:?usage: make-dev-certs.sh FOLDER [NAME...]}
shift
umask 077
mkdir -p "$folder"
cd "$folder"

alternatives="DNS:localhost,IP:127.0.0.1,IP:::1,DNS:$(uname -n)"
for name in "$@"; do
    case $name in
    *:*) alternatives="$alternatives,IP:$name" ;;
    *[!0-9.]*) alternatives="$alternatives,DNS:$name" ;;
    *) alternatives="$alternatives,IP:$name" ;;
    esac
done

if ! [ -e ca.crt ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 \
        -subj '/CN=Tide development authority' -keyout ca.key -out ca.crt \
        -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' \
        -addext 'keyUsage=critical,keyCertSign,cRLSign' 2>/dev/null
fi
if ! [ -e server.crt ]; then
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=Tide broker' \
        -keyout server.key -out server.csr 2>/dev/null
    cat >server.ext <<EXT
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=$alternatives
EXT
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 \
        -extfile server.ext -out server.crt 2>/dev/null
    rm -f server.csr server.ext ca.srl
fi
chmod 644 ca.crt server.crt
openssl verify -CAfile ca.crt server.crt >/dev/null
echo "$PWD"
