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
# A command that needs the chain says that it waits for it, and ends.
status=0; timeout 100 "$draco" get "$(printf '0%.0s' $(seq 64))" -o none --pay --dev-account 5 --home "$net" 2>pay.err || status=$?
[[ $status == 1 ]] && grep -q "waiting for the chain" pay.err && grep -q "has not opened the lane in time.*draco node health" pay.err ||
  fail "get --pay without a quorum, status $status: $(cat pay.err)"
"$draco" devnet start-node 2 --home "$net"
"$draco" devnet start-node 3 --home "$net"
wait_until "the chain moves again" 90 is_above 0 "$stopped"
end_load
wait_until "all are equal" 60 are_equal
no_fork
echo "progress stopped and resumed"
