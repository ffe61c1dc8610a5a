#!/usr/bin/env bash
# Proves that a fifth node joins a chain under load: it follows, is staked for, opts in, signs so that the chain cannot do
# without it, and opts out; that no money appears or vanishes; and that all nodes agree on the state throughout.
# usage: fifth_node_test.sh DRACO SCRATCH_DIR; EPOCH_S=20 for longer epochs
set -euo pipefail
draco=$1 scratch=$2 epoch_s=${EPOCH_S:-7}
checks=$(dirname "$(readlink -f "$0")")/chain_checks.js
rm -rf "$scratch" && mkdir -p "$scratch" && cd "$scratch"
unset DRACO_HOME
net=$scratch/net home4=$scratch/net/node4 sink=0x2222222222222222222222222222222222222222
fail() { echo "FAILED: $*"; exit 1; }
say() { echo "$(date +%T) $*"; }
field() { node -e 'let v=JSON.parse(require("fs").readFileSync(0));for(const k of process.argv[1].split("."))v=v[k];console.log(v)' "$1"; }
ask() { node "$checks" call "$@"; }
in_committee() { "$draco" committee --home "$net" --json | grep -qF "\"$1\""; }
load=
finish() {
  touch load.stop
  [[ -z $load ]] || wait "$load" || true
  "$draco" devnet down --home "$net" >/dev/null 2>&1 || true
}
trap finish EXIT

"$draco" devnet up --home "$net" --nodes 4 --epoch "$epoch_s" --port-base 0 --detach >up.out
"$draco" devnet status --home "$net" --json >status.json
urls=(); for i in 0 1 2 3; do urls+=("$(field nodes.$i.rpc <status.json)"); done
people=(); for i in 0 1 2 3 4 5 6 7 8 9; do
  people+=("$("$draco" account balance --home "$net" --dev-account $i --json 2>/dev/null | field address)")
done
node "$checks" money "${urls[0]}" "${people[@]}" "$sink" >money.begin
genesis_supply=$(field supply <money.begin)
[[ $(field sum <money.begin) == "$genesis_supply" ]] || fail "the money before: $(cat money.begin)"

say "a committee of the fewest members keeps one that opts out"
"$draco" opt out --home "$net/node3" --wait --json >kept.json || fail "opt out of four"
[[ $(field participation <kept.json) == none && $(field in_committee <kept.json) == true && $(field note <kept.json) == *committee_size_min* ]] ||
  fail "it says that it is kept: $(cat kept.json)"
"$draco" opt in --home "$net/node3" --wait >/dev/null || fail "opt in again"

# A light load; each line is a receipt.
: >load.receipts
(
  while [[ ! -e load.stop ]]; do
    "$draco" account transfer $sink 0.5 --home "$net" --node "${urls[1]}" --dev-account 1 --json >>load.receipts 2>>load.errors || true
    sleep 0.2
  done
) &
load=$!

say "a node without stake follows"
"$draco" devnet add-node --home "$net" --json >added.json
key=$(field key <added.json) url=$(field rpc <added.json)
status=0; "$draco" opt in --home "$home4" 2>err || status=$?
[[ $status == 1 ]] && grep -q "start it with draco node run --home $home4" err || fail "opt in of a node that does not run: $(cat err)"
"$draco" devnet start-node 4 --home "$net" >/dev/null
urls+=("$url")
[[ $(ask "$url" flk_get_public_keys | field node_public_key) == "$key" ]] || fail "one notation of a node's key"
[[ $(stat -c %a "$home4/data/admin-token") == 600 ]] || fail "the token's mode"
[[ $("$draco" node inspect --home "$home4" --json | field role) == follower ]] || fail "its role"
say "agrees at height $(node "$checks" same_root 30 "${urls[@]}")"

say "opting in needs the token, a stake, and the node's own home"
status=0; "$draco" opt in --home "$home4" 2>err || status=$?
[[ $status == 1 ]] && grep -q "stake first: .*draco stake add" err || fail "opt in without stake: $(cat err)"
status=0; "$draco" opt in --home "$home4" --node "${urls[0]}" 2>err || status=$?
[[ $status == 1 ]] && grep -q "is not the one in $home4" err || fail "opt in at another node: $(cat err)"
status=0; "$draco" opt in --home "$net" 2>err || status=$?
[[ $status == 1 ]] && grep -q "is a devnet" err || fail "opt in of a devnet: $(cat err)"
grep -rqi "$(cat "$home4/data/admin-token")" "$home4/logs" && fail "the log has the token"

stake=$(ask "$url" flk_get_protocol_params | field stake_min)
"$draco" stake add "$stake" --stake-node "$key" --home "$net" --node "$url" --dev-account 0 --json >staked.json 2>/dev/null ||
  fail "stake for it, through it"
[[ $("$draco" opt status --home "$home4" --json | field participation) == none ]] || fail "staked and not opted in"

say "opts in"
"$draco" opt in --home "$home4" --wait --json >in.json || fail "opt in"
say "$(cat in.json)"
[[ $(field participation <in.json) == active && $(field in_committee <in.json) == true ]] || fail "opted in: $(cat in.json)"
in_committee "$key" || fail "the committee has it"
[[ $(field role <in.json) == member ]] || fail "it signs from its first epoch on: $(cat in.json)"

say "signs: without another one its signature is needed"
ask "$url" flk_get_epoch_info >epoch.json
[[ $(field quorum <epoch.json) == 4 ]] || fail "four of five are a quorum: $(cat epoch.json)"
"$draco" devnet kill-node 3 --home "$net" >/dev/null
for _ in 1 2; do
  "$draco" account transfer $sink 0.5 --home "$net" --node "$url" --dev-account 2 --json >>load2.receipts 2>/dev/null || fail "the chain goes on"
done
"$draco" devnet start-node 3 --home "$net" >/dev/null
[[ $("$draco" node inspect --home "$home4" --json | field role) == member ]] || fail "it is still a member"

say "opts out"
"$draco" opt out --home "$home4" --wait --json >out.json || fail "opt out"
say "$(cat out.json)"
[[ $(field participation <out.json) == none && $(field in_committee <out.json) == false ]] || fail "opted out: $(cat out.json)"
! in_committee "$key" || fail "the committee is without it"
[[ $(field role <out.json) == follower ]] || fail "its role: $(cat out.json)"

touch load.stop; wait "$load" || true; load=
say "agree at height $(node "$checks" same_root 30 "${urls[@]}")"
sent=$(cat load.receipts load2.receipts | grep -c '"success":true')
((sent > 10)) || fail "a load: $sent transfers, $(tail -3 load.errors)"
# Of one node: the others have its state.
node "$checks" money "$url" "${people[@]}" "$sink" >money.end
[[ $(field sum <money.end) == "$(field supply <money.end)" ]] || fail "the sum of all that is held: $(cat money.end)"
[[ $(node -p 'const m=JSON.parse(require("fs").readFileSync("money.end"));String(BigInt(m.supply)+BigInt(m.burned))') == "$genesis_supply" ]] ||
  fail "supply and burned: $(cat money.end), at first $genesis_supply"
# By nonces: a transfer whose command gave up waiting arrives all the same.
executed=0
for i in 1 2; do
  executed=$((executed + $("$draco" account balance --home "$net" --dev-account $i --json 2>/dev/null | field nonce)))
done
got=$("$draco" account balance $sink --home "$net" --json | field flk)
((executed >= sent)) && [[ $(node -p "$executed * 0.5") == "$got" ]] || fail "$executed transfers of 0.5, $sent with receipts, made $got"
echo "a fifth node joins, signs and leaves; $executed transfers meanwhile"
