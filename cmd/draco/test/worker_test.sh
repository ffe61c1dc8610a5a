#!/usr/bin/env bash
# Proves that four nodes with a worker process each execute transfers with one state, that the workers carry them, that
# one that is killed is missed, comes back and goes on, and what is said to who sets one up wrongly.
# usage: worker_test.sh DRACO SCRATCH_DIR
draco=$1 scratch=$2
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/devnet_fixture.sh"
unset DRACO_HOME

declare -A worker
end_worker() { # NAME SIGNAL; its exit status is in $ended
  local status=0
  { kill "-$2" "${worker[$1]}" && wait "${worker[$1]}"; } 2>/dev/null || status=$?
  unset "worker[$1]"
  ended=$status
}
finish() {
  for name in "${!worker[@]}"; do end_worker "$name" KILL; done
  down
}
trap finish EXIT
start_worker() { # NAME
  "$draco" worker run --home "$net/$1" --quiet 2>>"$1.err" &
  worker[$1]=$!
}
says() { # STATUS TEXT ARGUMENT...: one line on standard error that has TEXT
  local expected=$1 text=$2 status=0
  shift 2
  "$draco" "$@" >out 2>err || status=$?
  [[ $status == "$expected" ]] && grep -qF -- "$text" err || fail "draco $*: status $status, '$text' is not in: $(cat err)"
}
link_port() { awk '/^\[links\]/ { here = 1 } here && /^port/ { print $3; exit }' "$net/node$1/config.toml"; }
node_place() { echo "$(of_node "$1" key)@127.0.0.1:$(link_port "$1")"; }
init_worker() { # NAME NODE ARGUMENT...
  "$draco" worker init --home "$net/$1" --node "$(node_place "$2")" --genesis "$net/genesis.json" --listen 127.0.0.1:0 \
    --light-keys --json "${@:3}"
}
name_workers() { sed -i "s|^workers = .*|workers = [$2]|" "$net/node$1/config.toml"; }
health_of() { curl -s "$("$draco" worker show --home "$net/$1" --json | field health)"; }
is_well() { [[ $(health_of "$1") == OK ]]; }
metric() { curl -s "$("$draco" worker show --home "$net/$1" --json | field health | sed 's|/health|/metrics|')" | awk -v name="$2" '$1 == name { print $2 }'; }
linked() { rpc "$1" | field consensus.workers_linked; }
has_linked() { [[ $(linked "$1") == "$2" ]]; }
is_unwell() { ! "$draco" node health --node "$(of_node "$1" rpc)" >/dev/null 2>health.err && grep -q "$2" health.err; }

# A chain that has run without workers goes over to them: what was in work meanwhile is done later.
up
begin_load --transfers 1000 --rate 200
wait_until "the chain moves" 60 is_above 0 10
"$draco" devnet down --home "$net" >/dev/null
for i in 0 1 2 3; do
  init_worker "worker$i" "$i" >"init$i.json" || fail "worker init: $(cat "init$i.json")"
  name_workers "$i" "\"$(field entry <"init$i.json")\""
done

# What is wrong is said, with what to do.
says 1 "is a worker's home already" worker init --home "$net/worker0" --node "$(node_place 0)" --genesis "$net/genesis.json"
says 1 "is a node's home" worker init --home "$net/node0" --node "$(node_place 0)" --genesis "$net/genesis.json"
says 1 "there is no worker in $net/node0: make one with draco worker init" worker run --home "$net/node0"
says 1 "make one with draco worker init" worker run --home "$net/nowhere"
says 1 "there is no node in $net/worker0" node run --home "$net/worker0"
init_worker worker.one 1 --index 1 >one.json
[[ $(field line <one.json) == "workers = [\"...\", \"$(field entry <one.json)\"]" ]] || fail "the line of index 1: $(cat one.json)"
"$draco" worker show --home "$net/worker2" --json >show.json
[[ $(field key <show.json) == "$(field key <init2.json)" && $(field node <show.json) == "$(node_place 2)" ]] || fail "$(cat show.json)"
"$draco" worker show --home "$net/worker2" | grep -q "^index  *0$" || fail "the table of worker show"

for i in 0 1 2 3; do start_worker "worker$i"; done
"$draco" devnet up --home "$net" --detach >/dev/null || fail "up with workers"
for i in 0 1 2 3; do
  wait_until "node $i has its worker" 30 has_linked "$i" 1
  wait_until "worker $i is well" 30 is_well "worker$i"
done
end_load
wait_until "all are equal" 60 are_equal
says 1 "is locked by process" worker run --home "$net/worker0" --quiet
cp -r "$net/worker0" "$net/copy" && rm -rf "$net/copy/data" "$net/copy/logs"
says 1 "choose another port or end who has it" worker run --home "$net/copy" --quiet

# One that its node does not name is let in as any guest, and does nothing.
start_worker worker.one
wait_until "who is not named says so" 30 eval 'health_of worker.one | grep -q "is this worker in its \[consensus\] workers?"'
[[ $(linked 1) == 1 ]] || fail "a stranger counts as a worker"
end_worker worker.one TERM
[[ $ended == 0 ]] || fail "a worker ends well with SIGTERM: $ended, $(cat worker.one.err)"

begin_load --transfers 2000 --rate 200
wait_until "the chain moves" 60 is_above 0 20
end_worker worker2 KILL
wait_until "node 2 misses its worker" 30 is_unwell 2 "1 of the node's 1 worker processes are not linked"
before=$(height 0)
wait_until "three nodes go on" 60 is_above 0 $((before + 5))
start_worker worker2
wait_until "node 2 has it again" 60 has_linked 2 1
end_load
wait_until "all are equal" 60 are_equal
for i in 0 1 2 3; do
  wait_until "worker $i is well" 30 is_well "worker$i"
  (($(metric "worker$i" draco_worker_peers) == 3)) || fail "worker $i is linked with the three others'"
  (($(metric "worker$i" draco_worker_sent_bytes_total) > 50000)) || fail "worker $i has carried little: $(metric "worker$i" draco_worker_sent_bytes_total)"
done

# In another place than it was set up for it stops, and says what to do.
"$draco" devnet stop-node 3 --home "$net" >/dev/null
name_workers 3 "\"$(field entry <one.json)\", \"$(field entry <init3.json)\""
"$draco" node run --home "$net/node3" --quiet 2>/dev/null &
wrong=$!
status=0; wait "${worker[worker3]}" || status=$?
kill "$wrong"; wait "$wrong" || true
unset "worker[worker3]"
[[ $status == 1 ]] && grep -q "the node has this worker at place 1 of its \[consensus\] workers" worker3.err || fail "$(cat worker3.err)"
no_fork
echo "workers carry a committee's batches, and one comes back after kill -9"
