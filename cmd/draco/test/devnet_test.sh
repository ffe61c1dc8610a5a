#!/usr/bin/env bash
# Proves that a devnet starts on free ports, answers as scripts rely on, moves money, survives the death of one node and
# a restart of all with nothing lost, grows by a node, and that no process is left.
# usage: devnet_test.sh DRACO SCRATCH_DIR
set -euo pipefail
draco=$1 scratch=$2
rm -rf "$scratch" && mkdir -p "$scratch" && cd "$scratch"
export DRACO_HOME=$scratch/net
fail() { echo "FAILED: $*"; exit 1; }
field() { node -e 'let v=JSON.parse(require("fs").readFileSync(0));for(const k of process.argv[1].split("."))v=v[k];console.log(v)' "$1"; }
# Not one that has ended and waits for its parent to notice.
runs() { [[ -r /proc/$1/status ]] && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status"; }
trap '"$draco" devnet down --home net >/dev/null 2>&1 || true' EXIT

"$draco" devnet up --home net --nodes 4 --epoch 5 --port-base 0 --detach >up.out 2>up.err
grep -q "^starting 4 nodes in " up.err || fail "up says what it does where there is no terminal: $(cat up.err)"
grep -q "junk" up.out || fail "up says that the mnemonic is public: $(cat up.out)"
"$draco" devnet status --home net --json >status.json
[[ $(field nodes.length <status.json) == 4 ]] || fail "status: $(cat status.json)"
for i in 0 1 2 3; do
  [[ $(field nodes.$i.rpc <status.json) == http://127.0.0.1:*/rpc/v0 ]] || fail "rpc is a full URL: $(cat status.json)"
  runs "$(field nodes.$i.pid <status.json)" || fail "node $i runs"
  [[ $(field nodes.$i.healthy <status.json) == true && $(field nodes.$i.rss_mb <status.json) != null ]] || fail "node $i: $(cat status.json)"
done
grep -qE '"rss_mb":[0-9]+(\.[0-9])?,' status.json && ! grep -qE ':-?[0-9.]+[eE][+-]?[0-9]' status.json || fail "plain numbers: $(cat status.json)"
[[ $(field supply.usd <status.json) == 10000000 ]] || fail "the supply: $(cat status.json)"
[[ $(field nodes.0.key <status.json) == "$("$draco" node inspect --node "$(field nodes.0.rpc <status.json)" --json | field node_key)" ]] ||
  fail "one notation of a node's key"
"$draco" committee --home net --json | grep -qF "\"$(field nodes.0.key <status.json)\"" || fail "the same in the committee"
"$draco" devnet status --home net | grep -q "^ *0  $(field nodes.0.key <status.json | cut -c1-8)  " || fail "status has a column for it"
for i in 0 1 2 3; do
  "$draco" node inspect --node "$(field nodes.$i.rpc <status.json)" --json >inspect.json
  [[ $(field role <inspect.json) == member && $(field connected <inspect.json) == 3 ]] || fail "up returns when all order: $(cat inspect.json)"
done
# One notation of node keys also where operators look.
url=$(field nodes.0.rpc <status.json)
curl -sf "${url%/rpc/v0}/metrics" >metrics || fail "metrics"
grep -qF "object=\"consensus inbox $(field nodes.1.key <status.json)\"" metrics || fail "objects are named in base58: $(grep -m2 inbox metrics)"
! grep -E '(^|[^0-9a-f])[0-9a-f]{64}([^0-9a-f]|$)' metrics || fail "hex in the metrics"
grep -qhF "$(field nodes.1.key <status.json)" net/node0/logs/*.log || fail "peers are in the log in base58"
! grep -hE '(peer|key)"?[=:] *"?[0-9a-f]{64}' net/node*/logs/*.log || fail "hex keys in the log"
status=0; "$draco" devnet up --home net --detach 2>err || status=$?
[[ $status == 1 ]] && grep -q "running already" err || fail "a second up is refused: $(cat err)"
"$draco" node health --home net >/dev/null || fail "health"
[[ $("$draco" committee --home net --json | field length) == 4 ]] || fail "the committee"
"$draco" committee --home net >committee.out
[[ $(grep -cE '^ *[0-3]  [1-9A-HJ-NP-Za-km-z]+  +127\.0\.0\.1:[0-9]+$' committee.out) == 4 ]] || fail "members with index and host: $(cat committee.out)"
"$draco" epoch --home net | grep -qE '^started +20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8} UTC$' || fail "people read dates: $("$draco" epoch --home net)"
[[ $("$draco" epoch --home net --json | field started_ms) =~ ^[0-9]{13}$ ]] || fail "programs read milliseconds"
# A port that another node has: said at once, before anything is started, and by who looks after the own node.
port=${url%/rpc/v0} port=${port##*:}
status=0; "$draco" devnet up --home other --nodes 1 --port-base $((port - 40)) --detach >out 2>err || status=$?
[[ $status == 1 && ! -s out && $(wc -l <err) == 1 && ! -e other/node0/logs/output.log ]] || fail "a port that is taken: $(cat out err)"
grep -qF "port $port (rpc of node 0) is taken" err || fail "which port is taken: $(cat err)"
status=0; "$draco" node health --home other/node0 >out 2>err || status=$?
[[ $status == 1 ]] && grep -q "another node answers there" err || fail "health of a node that is another: $(cat out err)"

to=0x1111111111111111111111111111111111111111
"$draco" account transfer $to 1.5 --home net --dev-account 0 --json 2>note >receipt.json
grep -q "public" note || fail "a development account says that it is public"
"$draco" tx "$(field hash <receipt.json)" --home net --json >/dev/null || fail "tx finds the receipt"
"$draco" account transfer $to 2 --home net --dev-account 0 --no-wait >sent.out 2>/dev/null
grep -q "^handed to the node, not yet executed: 2 FLK to $to" sent.out || fail "what was sent: $(cat sent.out)"
"$draco" account transfer $to 0.25 --usd --home net --dev-account 0 >sent.out 2>/dev/null
grep -q "^sent 0.25 USD to $to" sent.out || fail "what was sent: $(cat sent.out)"
[[ $("$draco" account balance $to --home net --json | field flk) == 3.5 ]] || fail "two quick transfers both arrive"
[[ $("$draco" account balance $to --home net --json | field usd) == 0.25 ]] || fail "stablecoin arrives"
status=0; "$draco" account transfer $to 1 --home net --dev-account 0 --fee-max 0.000000001 2>err || status=$?
[[ $status == 1 ]] && grep -q "Nothing was signed" err || fail "a fee that is too low is found before signing: $(cat err)"
"$draco" account transfer $to 0.5 --home net --dev-account 0 >/dev/null 2>&1 || fail "the account goes on after that"
nonce=$("$draco" account balance --home net --dev-account 0 --json 2>/dev/null | field nonce)
useless() { # TEXT ARGUMENT...: refused before it is signed
  local text=$1 status=0
  shift
  "$draco" "$@" --home net --json >out 2>err || status=$?
  [[ $status == 1 && ! -s out ]] && grep -qF "$text" err && grep -q "Nothing was signed" err || fail "draco $*: $(cat out err)"
}
useless "give at most" account transfer $to 99999999 --dev-account 0
useless "give at most" account transfer $to 99999999 --usd --dev-account 0
useless "does not know node" stake remove 1 --stake-node 11111111111111111111111111111112 --dev-account 0
useless "belongs to" stake add 1 --stake-node "$("$draco" committee --home net --json | field 0)" --dev-account 9
useless "belongs to" stake withdraw --stake-node "$("$draco" committee --home net --json | field 0)" --dev-account 9
useless "has no open lane" lane close "$("$draco" committee --home net --json | field 0)" --dev-account 0
useless "there is no service" lane open "$("$draco" committee --home net --json | field 0)" 1 --service 77 --dev-account 0 \
  --session-key ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c
[[ $("$draco" account balance --home net --dev-account 0 --json 2>/dev/null | field nonce) == "$nonce" ]] || fail "no fee was paid for nothing"
[[ $("$draco" account pending --home net --dev-account 0 --json 2>/dev/null | field pending.length) == 0 ]] || fail "nothing is pending"
status=0; "$draco" account transfer $to 1 --home net --account nobody 2>err || status=$?
[[ $status == 1 ]] || fail "an account that is not there"

[[ $("$draco" prices --home net --json | field prices.0.usd) == 0.02 ]] || fail "the price of bandwidth"
[[ $("$draco" prices --home net --json | field services.0.name) == cdn ]] || fail "service 0"
node_key=$("$draco" committee --home net --json | field 0)
# The public key of the seed of 32 times 07.
session=ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c
"$draco" lane open "$node_key" 2.5 --session-key $session --home net --dev-account 2 --json >receipt.json 2>/dev/null ||
  fail "a lane opens"
"$draco" lane topup "$node_key" 0.5 --home net --dev-account 2 >/dev/null 2>&1 || fail "a lane grows"
"$draco" lane show "$node_key" --home net --dev-account 2 --json 2>/dev/null >lane.json
[[ $(field reserve <lane.json) == 3 && $(field session_key <lane.json) == "$session" ]] || fail "the lane: $(cat lane.json)"
status=0; "$draco" lane open "$node_key" 1 --session-key $session --home net --dev-account 2 2>err >/dev/null || status=$?
[[ $status == 1 ]] && grep -q "is open" err || fail "a lane in use is refused: $(cat err)"
"$draco" lane close "$node_key" --home net --dev-account 2 >/dev/null 2>&1 || fail "a lane closes"
[[ $("$draco" lane show --home net --dev-account 2 --json 2>/dev/null | field 0.closes_ms) != null ]] || fail "it closes"

[[ $("$draco" devnet kill-node 0 --home net --json) == '{"index":0,"killed":true}' ]] || fail "kill-node says so"
"$draco" account transfer $to 1 --home net --dev-account 1 >/dev/null 2>&1 || fail "three of four nodes go on, and one of them is asked"
[[ $("$draco" devnet stop-node 0 --home net --json) == '{"index":0,"stopped":false}' ]] || fail "what does not run is not stopped"
# Without a quorum nothing is executed, and what is signed waits.
"$draco" devnet kill-node 1 --home net >/dev/null
"$draco" account transfer $to 1 --home net --dev-account 1 --no-wait >/dev/null 2>&1 || fail "a member takes it"
"$draco" account pending --home net --dev-account 1 --json 2>/dev/null >pending.json
[[ $(field pending.length <pending.json) == 1 && $(field pending.0.taken <pending.json) == true ]] || fail "pending: $(cat pending.json)"
"$draco" devnet start-node 0 --home net | grep -q "^node 0 runs as process" || fail "start-node says so"
[[ $("$draco" devnet start-node 1 --home net --json | field index) == 1 ]] || fail "start-node in JSON"
"$draco" account transfer $to 1 --home net --dev-account 1 >/dev/null 2>&1 || fail "and what comes after it"
"$draco" devnet down --home net | grep -q "^stopped nodes 0 1 2 3 of" || fail "down says what it did"
status=0; "$draco" epoch --home net 2>err || status=$?
[[ $status == 1 ]] && grep -q "no node of the devnet .* runs: .*--node URL" err || fail "nobody to ask: $(cat err)"
for i in 0 1 2 3; do
  ! runs "$(field nodes.$i.pid <status.json)" || fail "node $i ended"
done
[[ $("$draco" devnet status --home net --json | field nodes.0.running) == false ]] || fail "status of what is stopped"

"$draco" devnet up --home net --detach >/dev/null
[[ $("$draco" account balance $to --home net --json | field flk) == 7 ]] || fail "nothing is lost by a restart"
status=0; "$draco" devnet up --home net --nodes 5 2>err || status=$?
[[ $status == 1 ]] || fail "another shape is refused"

"$draco" devnet down --home net
# In the foreground: ends with its nodes on SIGTERM.
"$draco" devnet up --home net >foreground.out 2>&1 &
up=$!
for _ in $(seq 600); do grep -q "^epoch" foreground.out && break; sleep 0.1; done
grep -q "^epoch .* committee 0 1 2 3$" foreground.out || fail "a line for the epoch: $(cat foreground.out)"
"$draco" devnet status --home net --json >status.json
kill -TERM $up
wait $up || fail "up ends with 0 on SIGTERM: $(cat foreground.out)"
for i in 0 1 2 3; do
  ! runs "$(field nodes.$i.pid <status.json)" || fail "node $i outlives the devnet"
done
# A node logs to standard error wherever that leads, and with --quiet to its files alone, as those of a devnet do.
[[ ! -s net/node0/logs/output.log ]] || fail "a node of a devnet has said: $(head -3 net/node0/logs/output.log)"
"$draco" node run --home net/node0 >run.out 2>&1 &
run=$!
for _ in $(seq 600); do grep -q "running" run.out && break; sleep 0.1; done
kill -TERM $run
wait $run || fail "node run ends with 0 on SIGTERM: $(cat run.out)"
grep -q "running" run.out && grep -q "stopped" run.out || fail "what node run said: $(cat run.out)"
echo "a devnet starts, works, survives and ends"
