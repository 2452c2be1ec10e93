#!/usr/bin/env bash
# What a scrape of a replica costs once every user route was called and each request left an exemplar: at most 2 ms and
# 64 KiB, as shipped. The time is the median of what curl waits on one connection; the CPU time of the replica, which
# other work on the machine hardly touches, is printed beside it and held to the same bound.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
scrapes=${SCRAPES:-500} lab=${LAB:-target/dist/lab}
replica=127.0.0.1:8296 collector_port=8297
folder=$(mktemp -d)
server='' collector=''
finish() {
    for process in $server $collector; do
        kill "$process" 2>/dev/null || :
        wait "$process" 2>/dev/null || :
    done
    rm -r "$folder"
}
trap finish EXIT

# Takes whatever is posted, and says yes: without somebody who takes spans nothing is sampled.
python3 -c '
import http.server, sys
class Yes(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Yes).serve_forever()' $collector_port &
collector=$!
OTEL_TRACES_SAMPLER=always_on "$lab" webapp --listen $replica --service-distribution exponential --log-level error \
    --otlp-endpoint http://127.0.0.1:$collector_port >/dev/null &
server=$!
until curl -fsS -o /dev/null http://$replica/ready 2>/dev/null; do
    kill -0 $server
    read -rt 0.05 <> <(:) || :
done

# Answers of all lengths on every route that users call, refusals among them, so that as many buckets as can be have an
# exemplar.
call() { seq 60 | xargs -P 20 -I{} curl -sS -o /dev/null "$@" || :; }
call http://$replica/
call http://$replica/api/dashboard
for route in api/events order buy; do call -X POST -H 'content-type: application/json' -d '{}' http://$replica/$route; done
seq 250 | xargs -P 250 -I{} curl -sS -o /dev/null http://$replica/ || :
for route in load load/increase load/decrease load/reset; do curl -fsS -o /dev/null http://$replica/$route; done

metrics=http://$replica/metrics
curl -fsS $metrics >"$folder/text"
bytes=$(wc -c <"$folder/text")
exemplars=$(grep -c ' # {trace_id=' "$folder/text")
cpu_seconds() { curl -fsS $metrics | awk '$1 == "process_cpu_seconds_total" {print $2}'; }
for _ in $(seq "$scrapes"); do printf 'url = %s\noutput = /dev/null\n' $metrics; done >"$folder/scrapes"
before=$(cpu_seconds)
curl -fsS -K "$folder/scrapes" -w '%{time_total}\n' | sort -g >"$folder/times"
after=$(cpu_seconds)
awk -v bytes="$bytes" -v exemplars="$exemplars" -v cpu="$(awk -v a="$after" -v b="$before" 'BEGIN {print a - b}')" '
    {ms[NR] = $1 * 1000}
    END {
        median = ms[int((NR + 1) / 2)]
        p99 = ms[int(NR * 0.99)]
        each = cpu / NR * 1000
        printf "scrape of a replica: %d bytes (at most 65536) with %d exemplars\n", bytes, exemplars
        printf "median %.3f ms, p99 %.3f ms; %.3f ms of CPU time each, its own load included (at most 2)\n", median, p99, each
        exit !(exemplars > 0 && bytes <= 65536 && median <= 2 && each <= 2)
    }' "$folder/times"
