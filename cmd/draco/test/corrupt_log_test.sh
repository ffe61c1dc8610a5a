#!/usr/bin/env bash
# Proves that a member whose consensus log is damaged signs nothing until the epoch ends, and takes part in the next.
# usage: corrupt_log_test.sh DRACO SCRATCH_DIR
draco=$1 scratch=$2
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/devnet_fixture.sh"

up 30
begin_load --transfers 500 --rate 200
end_load
epoch=$(of_node 1 epoch)
"$draco" devnet stop-node 1 --home "$net"
segment=$(ls "$net/node1/data/consensus/epoch-$epoch"/*.segment | head -1)
# In the middle of what is written: behind it are zeros, which carry nothing.
node -e '
  const fs = require("fs"), file = process.argv[1], bytes = fs.readFileSync(file);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) --end;
  let at = end >> 1;
  while (bytes[at] === 0) ++at;
  bytes[at] ^= 0x40;
  fs.writeFileSync(file, bytes);' "$segment"
"$draco" devnet start-node 1 --home "$net"
rpc 1 >inspect.json
if [[ $(field epoch <inspect.json) == "$epoch" ]]; then
  [[ $(field role <inspect.json) == observer ]] || fail "a damaged log goes unnoticed: $(cat inspect.json)"
  reason=$(field reason <inspect.json)
  [[ -n $reason && $reason != null ]] || fail "an observer says why: $(cat inspect.json)"
  echo "observer: $reason"
else
  echo "the epoch ended while the node was down"
fi
ls -d "$net"/node1/data/consensus/epoch-"$epoch".aside-* >/dev/null 2>&1 || echo "note: nothing set aside"
wait_until "it is a member again" 90 has_role 1 member
begin_load --transfers 200
end_load
no_fork
echo "a damaged log silenced its node for the epoch"
