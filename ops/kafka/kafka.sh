#!/usr/bin/env bash
# Brokers of Apache Kafka of one's own, on loopback, each with its port, folder and process id: for
# tests, demos and benchmarks. Nothing outside the given folder is touched.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

usage() {
  cat <<'TXT'
usage: ops/dev kafka <command> [flags]

  up       fetch Kafka if need be, start the brokers, wait until they serve, print their addresses
  down     stop them; their data stays
  status   a line each: port, process id, whether it serves
  kill N   kill -9 of broker N
  wipe     down, and their data goes

  --brokers N     1 (default) or 3; 3 replicate every record twice more
  --version V     of Kafka; default 4.1.1
  --dir DIR       where all of it lies; default build/kafka
  --port P        of the first broker; each takes two ports from here on; default 19092
TXT
}

command=${1:-}
shift || true
node_to_kill=
if [ "$command" = kill ]; then
  node_to_kill=${1:-}
  shift || true
fi
brokers= version= dir=$root/build/kafka port=
while [ $# -gt 0 ]; do
  [ $# -gt 1 ] || { usage >&2; exit 2; }
  case "$1" in
    --brokers) brokers=$2 ;;
    --version) version=$2 ;;
    --dir) dir=$2 ;;
    --port) port=$2 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift 2
done

fail() { echo "kafka: $*" >&2; exit 1; }
case "$dir" in /*) ;; *) dir=$PWD/$dir ;; esac

# What `up` was told stands in the folder, so that the others need not be told again.
settings=$dir/settings
if [ -f "$settings" ]; then
  # shellcheck disable=SC1090
  . "$settings"
fi
brokers=${brokers:-${kept_brokers:-1}}
version=${version:-${kept_version:-4.1.1}}
port=${port:-${kept_port:-19092}}
case "$brokers" in 1 | 3) ;; *) fail "--brokers is 1 or 3" ;; esac

jars=$root/build/kafka-jars/$version
broker_port() { echo $((port + 2 * ($1 - 1))); }
controller_port() { echo $((port + 2 * ($1 - 1) + 1)); }
running() {
  local pid
  pid=$(cat "$dir/$1/pid" 2>/dev/null) || return 1
  # Its command line: a process id is used again, and one that ended may not be collected yet.
  [ -n "$pid" ] && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$dir/$1/server.properties"
}
addresses() {
  local node list=
  for node in $(seq "$brokers"); do list+=,127.0.0.1:$(broker_port "$node"); done
  echo "${list#,}"
}
java_here() {
  [ -d "$jars" ] || fail "no jars of Kafka $version; run ops/dev kafka up"
  java -Xms64m -Xmx256m -XX:+UseSerialGC -Dlog4j2.configurationFile="$here/log4j2.properties" -cp "$jars/*" "$@"
}

fetch() {
  [ -f "$jars/complete" ] && return
  command -v mvn >/dev/null 2>&1 && command -v java >/dev/null 2>&1 ||
    fail "needs java 17 and mvn; ops/dev setup kafka installs them"
  echo "Fetching Kafka $version from Maven Central" >&2
  rm -rf "$jars"
  mvn -q -B -f "$here/pom.xml" -Dkafka.version="$version" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$jars" >&2 || fail "Maven could not fetch Kafka $version"
  touch "$jars/complete"
}

configure() {
  local node=$1 voters= other
  for other in $(seq "$brokers"); do voters+=,$other@127.0.0.1:$(controller_port "$other"); done
  mkdir -p "$dir/$node"
  cat >"$dir/$node/server.properties" <<TXT
process.roles=broker,controller
node.id=$node
controller.quorum.voters=${voters#,}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$(broker_port "$node"),CONTROLLER://127.0.0.1:$(controller_port "$node")
log.dirs=$dir/$node/data
auto.create.topics.enable=false
unclean.leader.election.enable=false
default.replication.factor=$brokers
min.insync.replicas=$(((brokers + 1) / 2))
offsets.topic.replication.factor=$brokers
transaction.state.log.replication.factor=$brokers
transaction.state.log.min.isr=$(((brokers + 1) / 2))
offsets.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controlled.shutdown.enable=true
num.network.threads=2
num.io.threads=2
log.cleaner.dedupe.buffer.size=4194304
TXT
  [ -f "$dir/$node/data/meta.properties" ] && return
  java_here kafka.tools.StorageTool format --cluster-id "$(cat "$dir/cluster")" \
    --config "$dir/$node/server.properties" >"$dir/$node/format.log" 2>&1 ||
    fail "could not format broker $node; see $dir/$node/format.log"
}

start() {
  local node=$1
  running "$node" && return
  : >"$dir/$node/server.log"
  java -Xms128m -Xmx512m -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -Dlog4j2.configurationFile="$here/log4j2.properties" \
    -cp "$jars/*" kafka.Kafka "$dir/$node/server.properties" >>"$dir/$node/server.log" 2>&1 </dev/null &
  echo $! >"$dir/$node/pid"
  disown
}

serves() { grep -q 'Kafka Server started' "$dir/$1/server.log" 2>/dev/null; }

wait_until_serving() {
  local node=$1 tries
  for tries in $(seq 600); do
    serves "$node" && return
    running "$node" || fail "broker $node ended; the end of $dir/$node/server.log: $(tail -3 "$dir/$node/server.log")"
    read -rt 0.1 <> <(:) || true
  done
  fail "broker $node does not serve after a minute; see $dir/$node/server.log"
}

up() {
  fetch
  mkdir -p "$dir"
  if [ -f "$settings" ] && [ "${kept_brokers:-$brokers}" != "$brokers" ]; then
    fail "the data in $dir is of ${kept_brokers} broker(s); ops/dev kafka wipe, or another --dir"
  fi
  printf 'kept_brokers=%s\nkept_version=%s\nkept_port=%s\n' "$brokers" "$version" "$port" >"$settings"
  [ -f "$dir/cluster" ] || head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=' >"$dir/cluster"
  local node
  for node in $(seq "$brokers"); do configure "$node"; done
  for node in $(seq "$brokers"); do start "$node"; done
  for node in $(seq "$brokers"); do wait_until_serving "$node"; done
  addresses
}

down() {
  local node tries
  for node in $(seq "$brokers"); do
    running "$node" && kill "$(cat "$dir/$node/pid")"
  done
  for node in $(seq "$brokers"); do
    for tries in $(seq 300); do
      running "$node" || break
      read -rt 0.1 <> <(:) || true
    done
    if running "$node"; then
      echo "kafka: broker $node does not stop; killing it" >&2
      kill -9 "$(cat "$dir/$node/pid")"
    fi
    rm -f "$dir/$node/pid"
  done
}

case "$command" in
  up) up ;;
  down) down ;;
  status)
    for node in $(seq "$brokers"); do
      if running "$node"; then
        serves "$node" && state=serves || state=starting
        echo "broker $node  127.0.0.1:$(broker_port "$node")  pid $(cat "$dir/$node/pid")  $state"
      else
        echo "broker $node  127.0.0.1:$(broker_port "$node")  stopped"
      fi
    done
    ;;
  kill)
    running "$node_to_kill" || fail "broker '$node_to_kill' does not run"
    kill -9 "$(cat "$dir/$node_to_kill/pid")"
    while running "$node_to_kill"; do read -rt 0.02 <> <(:) || true; done
    ;;
  wipe)
    down
    rm -rf "$dir"
    ;;
  *) usage >&2; exit 2 ;;
esac
