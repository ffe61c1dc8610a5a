#!/usr/bin/env bash
# Puts a file of so many MiB (2048) on node 0 of a new devnet, reads it over HTTP from node 1, which has to fetch it first,
# and in a session from node 2, and prints times and each node's peak memory: that of the start, when the keystore is opened,
# and then, counted anew, that of the delivery. Needs about seven times as much disk.
# usage: big_file.sh DRACO SCRATCH_DIR [MIB]
draco=$1 scratch=$2 mib=${3:-2048}
# shellcheck source=devnet_fixture.sh
source "$(dirname "$0")/devnet_fixture.sh"
export DRACO_HOME=$net
seconds() { local from; from=$(date +%s.%N); "$@"; node -e 'console.log((process.argv[2]-process.argv[1]).toFixed(1))' "$from" "$(date +%s.%N)"; }
peak() { awk '/^VmHWM/ {printf "%d", $2 / 1024}' "/proc/$(of_node "$1" pid)/status"; }
forget_peak() { echo 5 >"/proc/$(of_node "$1" pid)/clear_refs"; }
"$draco" devnet up --nodes 4 --epoch 30 --port-base 0 --detach >/dev/null
for i in 0 1 2 3; do
  sed -i 's/^bytes_per_s = .*/bytes_per_s = 0/' "$net/node$i/config.toml"
done
down
"$draco" devnet up --detach >/dev/null
head -c "${mib}M" /dev/urandom >big
echo "peak memory of the start: $(for i in 0 1 2 3; do printf '%s ' "$(peak $i)"; done)MiB"
for i in 0 1 2 3; do forget_peak $i; done
echo "put: $(seconds "$draco" put big 2>/dev/null | tail -n1) s"
hash=$("$draco" hash big | cut -c1-64)
echo "GET from node 1, which fetches it: $(seconds curl -sf -o got "$(of_node 1 http)/b3/$hash") s"
cmp got big || fail "node 1 serves another file"
echo "GET from node 1 again: $(seconds curl -sf -o got "$(of_node 1 http)/b3/$hash") s"
rm got
echo "paid, from node 2, which fetches it: $(seconds "$draco" get "$hash" -o got --pay --dev-account 5 --node "$(of_node 2 rpc)") s" 2>/dev/null
cmp got big || fail "node 2 delivers another file"
echo "peak memory of the delivery: $(for i in 0 1 2 3; do printf '%s ' "$(peak $i)"; done)MiB"
