#!/usr/bin/env bash
# Starts the hub on the embedded log with simulated customers, and says where to look. Ctrl-C ends it.
# HILO_DEMO_DIR keeps the data between runs; HILO_DEMO_HTTP_PORT and HILO_DEMO_GRPC_PORT choose ports.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${HILO_DEMO_BUILD:-build/release}
root=${HILO_DEMO_DIR:-$(mktemp -d -t hilo-demo.XXXXXX)}
mkdir -p "$root"
chmod 700 "$root"

free_port() {
  local port=$1
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 10)); done
  echo "$port"
}
http=${HILO_DEMO_HTTP_PORT:-$(free_port 8080)}
grpc=${HILO_DEMO_GRPC_PORT:-$(free_port 8081)}
smtp=${HILO_DEMO_SMTP_PORT:-$(free_port 8025)}
mails=${HILO_DEMO_MAIL_PORT:-$(free_port 8026)}

token() {
  local file="$root/$1.token"
  [ -s "$file" ] || (umask 077 && head -c 24 /dev/urandom | base64 | tr '+/' '-_' >"$file")
  cat "$file"
}
marta=$(token marta); luis=$(token luis); admin=$(token admin)

(umask 077 && cat >"$root/principals.yaml" <<YAML
principals:
  - {name: marta, display_name: Marta, role: agent, agent: marta, token_file: "$root/marta.token"}
  - {name: luis, display_name: Luis, role: agent, agent: luis, token_file: "$root/luis.token"}
  - {name: admin, display_name: Admin, role: admin, token_file: "$root/admin.token"}
YAML
cat >"$root/hilo.yaml" <<YAML
data_directory: "$root/data"
principals_file: "$root/principals.yaml"
desk_directory: "$PWD/$build/desk"
default_region: ES
http: {port: $http}
grpc: {address: "127.0.0.1:$grpc", reflection: true}
public_url: "http://127.0.0.1:$http"
email: {host: 127.0.0.1, port: $smtp, tls: none, from_address: shop@shop.example, from_name: The shop}
sources:
  - {name: shop, write_key: wk-shop, default_region: ES}
  - {name: switch, write_key: wk-switch, default_region: ES}
YAML
)

node ops/demo/mail_sink.mjs "$smtp" "$mails" "$root/mail" &
sink=$!
"$build/bin/hilod" --config "$root/hilo.yaml" >"$root/hilod.log" 2>&1 &
hub=$!
customers=
stop() {
  [ -z "$customers" ] || kill "$customers" 2>/dev/null || true
  kill "$hub" "$sink" 2>/dev/null || true
  wait 2>/dev/null || true
}
trap stop EXIT
trap 'exit 0' INT TERM

for _ in $(seq 1 300); do
  curl -fsS "http://127.0.0.1:$http/readyz" >/dev/null 2>&1 && break
  kill -0 "$hub" 2>/dev/null || { echo "hilod did not start:" >&2; tail -20 "$root/hilod.log" >&2; exit 1; }
  sleep 0.1
done

# The built-in catalogue, with shorter waits than a shop would have, and no quiet hours: nobody is woken here.
mkdir -p "$root/catalogue"
cp state/catalogue/default/*.yaml "$root/catalogue/"
sed -i 's/^  wait: 30m$/  wait: 20s/' "$root/catalogue/journeys.yaml"
sed -i 's/from: "21:00", to: "09:00"/from: "04:00", to: "04:01"/' "$root/catalogue/policies.yaml"
HILO_SERVER=127.0.0.1:$grpc HILO_TOKEN_FILE="$root/admin.token" \
  "$build/bin/hilo" catalogue apply "$root/catalogue" >"$root/catalogue.log" 2>&1 ||
  { echo "the demo's catalogue was not taken:" >&2; cat "$root/catalogue.log" >&2; exit 1; }

[ -d ops/demo/node_modules ] || (cd ops/demo && npm ci --silent --no-audit --no-fund)
HILO_URL="http://127.0.0.1:$http" node ops/demo/customers.mjs &
customers=$!

cat <<TXT

  Hilo is running.

  The agent's desk      http://127.0.0.1:$http/
      sign in as Marta  $marta
      and, in a second window, as Luis
                        $luis
  Ana has filled in a return form on the web. She rings Marta in a few seconds, and again every two minutes.

  Ana left shoes in her basket: half a minute later the reminder is among the mails, once. Beto did the same, but complained:
  nothing is sent to him. Carmen does not want such mail.

  Mails sent            http://127.0.0.1:$mails/
  Operations            http://127.0.0.1:$http/operations
  Figures               http://127.0.0.1:$http/metrics
  Health                http://127.0.0.1:$http/readyz?verbose
  Command line          export HILO_SERVER=127.0.0.1:$grpc HILO_TOKEN_FILE=$root/admin.token
                        $build/bin/hilo customer find --phone +34600111222
                        $build/bin/hilo partitions list
  Log of the hub        $root/hilod.log

  Ctrl-C ends it.

TXT
wait "$hub"
