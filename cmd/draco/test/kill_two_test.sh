#!/usr/bin/env bash
# Proves that without a quorum nothing is executed and the survivors rest, and that all goes on once it is back.
# usage: kill_two_test.sh DRACO SCRATCH_DIR
draco=$1 scratch=$2
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/devnet_fixture.sh"

up
begin_load --transfers 3000 --rate 300
wait_until "the chain moves" 60 is_above 0 20
"$draco" devnet kill-node 2 --home "$net"
"$draco" devnet kill-node 3 --home "$net"
sleep 3 # what was committed before is executed
stopped=$(height 0)
"$draco" node health --home "$net" >health.txt 2>&1 && fail "a chain without quorum is not healthy"
grep -qF "no progress: 2 of the committee's 4 members" health.txt || fail "health says why: $(cat health.txt)"
cpu=$(of_node 0 cpu_s)
sleep 10 # the time over which nothing may happen
[[ $(height 0) == "$stopped" ]] || fail "two of four nodes made blocks: $stopped, $(height 0)"
echo "cores used by a survivor in 10 s without quorum: $(node -p "(($(of_node 0 cpu_s))-($cpu))/10")"
"$draco" devnet start-node 2 --home "$net"
"$draco" devnet start-node 3 --home "$net"
wait_until "the chain moves again" 90 is_above 0 "$stopped"
end_load
wait_until "all are equal" 60 are_equal
no_fork
echo "progress stopped and resumed"
