#!/usr/bin/env bash
# Run inside a network namespace of its own: brings loopback up, starts the product, sends a hit, reads it back.
set -euo pipefail
ip link set lo up
test -z "$(ip -o route show default)"

dir=$(mktemp -d)
trap 'kill -9 $pid 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"' EXIT
export TALLYHOUSE_DATA_DIR=$dir
"$TALLYHOUSE" site add alone.example >/dev/null
"$TALLYHOUSE" serve --listen 127.0.0.1:18080 --metrics-listen 127.0.0.1:18081 >"$dir/log" 2>&1 &
pid=$!
for _ in $(seq 300); do
  curl -fsS -o /dev/null http://127.0.0.1:18080/readyz 2>/dev/null && break
  sleep 0.1
done
status=$(curl -sS -o /dev/null -w '%{http_code}' http://127.0.0.1:18080/api/event \
  -A 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' \
  -d '{"n":"pageview","d":"alone.example","u":"https://alone.example/"}')
test "$status" = 202 || { echo "the hit was answered $status"; cat "$dir/log"; exit 1; }
for _ in $(seq 300); do
  count=$("$TALLYHOUSE" sql 'SELECT count() FROM tallyhouse.events WHERE site_id > 0' --format TSV 2>/dev/null || echo 0)
  [ "$count" = 1 ] && exit 0
  sleep 0.1
done
echo "the hit did not reach ClickHouse"; cat "$dir/log"; exit 1
