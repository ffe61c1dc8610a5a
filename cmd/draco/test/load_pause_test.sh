#!/usr/bin/env bash
# Proves that a pause of all nodes under load makes the load send nothing again as lost, and that all of it is executed.
# usage: load_pause_test.sh DRACO SCRATCH_DIR
draco=$1 scratch=$2
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/devnet_fixture.sh"

up 20
mapfile -t pids < <(for i in 0 1 2 3; do of_node "$i" pid; done)
begin_load --transfers 6000 --accounts 60 --rate 500
before=$(height 0)
wait_until "the load is under way" 60 is_above 0 $((before + 5))
kill -STOP "${pids[@]}"
sleep 13 # longer than a request and than what counts as lost
kill -CONT "${pids[@]}"
end_load
[[ $(field executed <load.json) == 6000 && $(field lost_and_resent <load.json) == 0 ]] || fail "$(cat load.json)"
no_fork
echo "a pause of the chain counts against no account"
