#!/usr/bin/env bash
# compare.sh OLD NEW ROUNDS PORT FLAGS...: scans the bucket demo at a port of this machine by two builds of headcount in
# turn, and prints for each scan: CPU in µs per object, objects listed and emitted, most memory in MiB, seconds.
# The store: OLD bench serve --objects N --addr 127.0.0.1:PORT
set -euo pipefail
old=$1 new=$2 rounds=$3 port=$4
shift 4
stats=$(mktemp)
for _ in $(seq "$rounds"); do
  for build in "$old" "$new"; do
    "$build" scan --no-sign-request --quiet --endpoint-url "http://127.0.0.1:$port" --stats "$stats" "$@" s3://demo >/dev/null
    echo "$build $(jq -c '[.cpu_us_per_object, .listed, .emitted, .max_rss_bytes / 1048576, .duration_seconds]' "$stats")"
  done
done
