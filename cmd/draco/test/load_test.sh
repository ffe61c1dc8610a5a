#!/usr/bin/env bash
# Proves that 10,000 transfers between 100 accounts, sent to all four nodes, are executed to the last unit, over ends of epochs.
# usage: load_test.sh DRACO SCRATCH_DIR
draco=$1 scratch=$2
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/devnet_fixture.sh"

up 10
begin_load --transfers 10000 --accounts 100
end_load
[[ $(field executed <load.json) == 10000 ]] || fail "$(cat load.json)"
no_fork
status | node -e 'for (const n of JSON.parse(require("fs").readFileSync(0)).nodes) console.log(`node ${n.index}: cpu_s ${n.cpu_s}, rss_mb ${n.rss_mb}`)'
echo "10,000 transfers add up"
