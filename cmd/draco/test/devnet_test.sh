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

"$draco" devnet up --home net --nodes 4 --epoch 5 --port-base 0 --detach >up.out
grep -q "junk" up.out || fail "up says that the mnemonic is public: $(cat up.out)"
"$draco" devnet status --home net --json >status.json
[[ $(field nodes.length <status.json) == 4 ]] || fail "status: $(cat status.json)"
for i in 0 1 2 3; do
  [[ $(field nodes.$i.rpc <status.json) == http://127.0.0.1:*/rpc/v0 ]] || fail "rpc is a full URL: $(cat status.json)"
  runs "$(field nodes.$i.pid <status.json)" || fail "node $i runs"
  [[ $(field nodes.$i.healthy <status.json) == true && $(field nodes.$i.rss_mb <status.json) != null ]] || fail "node $i: $(cat status.json)"
done
[[ $(field supply.usd <status.json) == 10000000 ]] || fail "the supply: $(cat status.json)"
status=0; "$draco" devnet up --home net --detach 2>err || status=$?
[[ $status == 1 ]] && grep -q "running already" err || fail "a second up is refused: $(cat err)"
"$draco" node health --home net >/dev/null || fail "health"
[[ $("$draco" committee --home net --json | field length) == 4 ]] || fail "the committee"

to=0x1111111111111111111111111111111111111111
"$draco" account transfer $to 1.5 --home net --dev-account 0 --json 2>note >receipt.json
grep -q "public" note || fail "a development account says that it is public"
"$draco" tx "$(field hash <receipt.json)" --home net --json >/dev/null || fail "tx finds the receipt"
"$draco" account transfer $to 2 --home net --dev-account 0 --no-wait >/dev/null 2>&1
"$draco" account transfer $to 0.25 --usd --home net --dev-account 0 >/dev/null 2>&1
[[ $("$draco" account balance $to --home net --json | field flk) == 3.5 ]] || fail "two quick transfers both arrive"
[[ $("$draco" account balance $to --home net --json | field usd) == 0.25 ]] || fail "stablecoin arrives"
status=0; "$draco" account transfer $to 1 --home net --dev-account 0 --fee-max 0.000000001 2>err || status=$?
[[ $status == 1 ]] && grep -q "Nothing was signed" err || fail "a fee that is too low is found before signing: $(cat err)"
"$draco" account transfer $to 0.5 --home net --dev-account 0 >/dev/null 2>&1 || fail "the account goes on after that"
status=0; "$draco" account transfer $to 1 --home net --account nobody 2>err || status=$?
[[ $status == 1 ]] || fail "an account that is not there"

"$draco" devnet kill-node 3 --home net
"$draco" account transfer $to 1 --home net --dev-account 1 >/dev/null 2>&1 || fail "three of four nodes go on"
"$draco" devnet start-node 3 --home net
"$draco" devnet down --home net
for i in 0 1 2 3; do
  ! runs "$(field nodes.$i.pid <status.json)" || fail "node $i ended"
done
[[ $("$draco" devnet status --home net --json | field nodes.0.running) == false ]] || fail "status of what is stopped"

"$draco" devnet up --home net --detach >/dev/null
[[ $("$draco" account balance $to --home net --json | field flk) == 5 ]] || fail "nothing is lost by a restart"
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
echo "a devnet starts, works, survives and ends"
