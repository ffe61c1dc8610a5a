#!/usr/bin/env bash
# Proves that a load ends well although one node is killed and started again meanwhile.
# usage: kill_one_test.sh DRACO SCRATCH_DIR
draco=$1 scratch=$2
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/devnet_fixture.sh"

up
begin_load --transfers 4000 --rate 400
wait_until "the chain moves" 60 is_above 0 20
"$draco" devnet kill-node 2 --home "$net"
before=$(height 0)
wait_until "three nodes go on" 60 is_above 0 $((before + 5))
"$draco" devnet start-node 2 --home "$net"
end_load
wait_until "all are equal" 60 are_equal
no_fork
echo "one node died and came back"
