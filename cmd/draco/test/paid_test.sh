#!/usr/bin/env bash
# Proves that what is delivered is paid: a client reads from one node on a lane; after two epochs the lane has paid exactly
# the price of the bytes that were read, the owners of the node and of the peer it had them from have earned their share, and no money has appeared or vanished.
# A node that is killed while it has acknowledgements settles them when it is back.
# usage: paid_test.sh DRACO SCRATCH_DIR
draco=$1 scratch=$2
# shellcheck source=devnet_fixture.sh
source "$(dirname "$0")/devnet_fixture.sh"
export DRACO_HOME=$net
epoch() { "$draco" epoch --json | field epoch; }
usd_units() { "$draco" account balance "$1" --json | field usd_units; }
lane() { "$draco" lane show --dev-account 5 --json 2>/dev/null | field "0.$1"; }
address() { "$draco" account balance --dev-account "$1" --json 2>/dev/null | field address; }
is_settled() { [[ $(lane settled) == "$1" ]]; }
is_epoch() { [[ $(epoch) -ge $1 ]]; }
up 5

mkdir site
head -c 3000000 /dev/urandom >site/a.bin
head -c 262145 /dev/urandom >site/b.bin
: >site/empty
hash=$("$draco" put site --json | field hash)
payer=$(address 5)
# What the owners of all nodes have, and that of node 2.
owners() { local sum=0; for i in 0 1 2 3; do sum=$((sum + $(usd_units "$(address $i)"))); done; echo $sum; }
owner() { usd_units "$(address 2)"; }
before=$(usd_units "$payer") owners_before=$(owners) owner_before=$(owner)
"$draco" get "$hash" -o free 2>/dev/null || fail "a free session"
diff -r site free || fail "what a free session got"
"$draco" get "$hash" -o copy --pay --reserve 2 --dev-account 5 --node "$(of_node 2 rpc)" 2>err || fail "a paid session: $(cat err)"
diff -r site copy || fail "what was paid for"
grep -q "opened lane 0 to .*, 2 USD held" err && grep -q "acknowledged 3.26 MB = 0.00006[0-9]* USD (settled within the epoch)" err || fail "get says what it paid: $(cat err)"
"$draco" lane show --dev-account 5 2>/dev/null | grep -q "^ *acknowledged  *3262145" || fail "lane show knows what is acknowledged"
status=0; "$draco" get "$hash" -o none --pay --reserve 2 --dev-account 5 --node "$(of_node 2 rpc)" 2>err || status=$?
[[ $status == 1 && ! -e none ]] && grep -q "is open already, with .* --reserve would do nothing.*lane topup" err || fail "--reserve of an open lane: $(cat err)"
status=0; "$draco" get "$hash" -o none --pay --home "$scratch/nobody" --node "$(of_node 2 rpc)" 2>err || status=$?
[[ $status == 1 ]] && grep -q "has no account called default" err || fail "no account: $(cat err)"
"$draco" lane show --dev-account 6 2>/dev/null | grep -q "has no open lane" || fail "lane show of nobody"
"$draco" prices | grep -q "USD per GiB" || fail "prices: $(draco prices)"
"$draco" acks --node "$(of_node 2 rpc)" >acks.txt || fail "acks"
grep -qE "MB|0 lanes" acks.txt || fail "acks: $(cat acks.txt)"
# Two commands on one lane would count past each other: the second one is refused while the first one has the lane.
locks=("$net"/lanes/*.lock)
[[ ${#locks[@]} == 1 && -f ${locks[0]} ]] || fail "the lock of the lane: ${locks[*]}"
refused=$(flock "${locks[0]}" "$draco" get "$hash/b.bin" -o second --pay --dev-account 5 --node "$(of_node 2 rpc)" 2>&1) &&
  fail "two commands read on one lane"
[[ $refused == *"another command reads on this lane"* ]] || fail "what the second command says: $refused"
[[ ! -e second ]] || fail "the second command has read on the lane of the first"
bytes=$((3000000 + 262145))
wait_until "the lane settles what was read" 20 is_settled $bytes
"$draco" get "$hash/a.bin" -o again --pay --dev-account 5 --node "$(of_node 2 rpc)" 2>/dev/null || fail "once more"
bytes=$((bytes + 3000000))
"$draco" devnet kill-node 2 >/dev/null
"$draco" devnet start-node 2 >/dev/null
wait_until "the lane settles what was acknowledged before the node was killed" 30 is_settled $bytes
now=$(epoch)
wait_until "two epochs end" 40 is_epoch $((now + 2))

price=$("$draco" prices --json)
node -e '
  const [price, lane, before, now, all, one, bytes] = process.argv.slice(1);
  const p = JSON.parse(price).prices[0], l = JSON.parse(lane)[0];
  const cost = BigInt(p.usd_units) * BigInt(bytes) / BigInt(p.units);
  const reserve = 2000000n;
  const check = (ok, what) => { if (!ok) { console.log("FAILED: " + what); process.exit(1); } };
  check(cost > 0n, "the price of what was read");
  check(BigInt(l.paid_units) === cost, `the lane has paid ${l.paid_units}, the price is ${cost}`);
  check(BigInt(l.reserve_units) === reserve - cost, `the reserve is ${l.reserve_units}`);
  check(BigInt(before) - BigInt(now) === reserve, "the payer paid the reserve and nothing else");
  const nodes = cost * 7n / 10n;  // rounded down in each epoch and for each peer
  check(BigInt(all) <= nodes && BigInt(all) >= nodes - 6n, `all owners earned ${all} of ${cost}`);
  check(BigInt(one) * 10n >= nodes * 8n - 60n, `the owner earned ${one} of ${cost}: at most a fifth is for peers`);
' "$price" "$("$draco" lane show --dev-account 5 --json 2>/dev/null)" "$before" "$(usd_units "$payer")" \
  "$(($(owners) - owners_before))" "$(($(owner) - owner_before))" $bytes || exit 1
# A reserve that ends keeps what it has paid for: after a topup the same command goes on, and pays only for the rest.
head -c 20000000 /dev/urandom >big
big=$("$draco" put big --json | field hash)
status=0; "$draco" get "$big" -o got_big --pay --reserve 0.0002 --dev-account 6 --node "$(of_node 1 rpc)" 2>err || status=$?
[[ $status == 1 && -s got_big.part && ! -e got_big ]] || fail "a reserve that ends: $(cat err)"
grep -q "^draco get: the reserve of lane 0 to .* is used up; .* are kept in got_big.part" err || fail "what a reserve that ends says: $(cat err)"
topup=$(grep -oE 'draco lane topup .*' err)
first=$(grep -oE "acknowledged [0-9.]+ MB" err | grep -oE "[0-9.]+")
"$draco" ${topup#draco } >/dev/null 2>&1 || fail "the command that is shown: $topup"
"$draco" get "$big" -o got_big --pay --dev-account 6 --node "$(of_node 1 rpc)" --json 2>/dev/null >got.json || fail "going on"
cmp big got_big || fail "what went on is another file"
node -e 'const g=JSON.parse(process.argv[1]); process.exit(g.bytes===20000000 && g.bytes_kept>2000000 && g.acknowledged===g.bytes-g.bytes_kept && !g.lane.opened ? 0 : 1)' \
  "$(cat got.json)" || fail "going on paid for more than the rest: $(cat got.json), first $first MB"
# lane open without a session key opens what get --pay uses.
"$draco" lane open "$(status | field nodes.3.key)" 1 --dev-account 7 >/dev/null 2>&1 || fail "lane open without --session-key"
"$draco" get "$hash/b.bin" -o b --pay --dev-account 7 --node "$(of_node 3 rpc)" 2>err || fail "get on a lane that was opened: $(cat err)"
[[ $(status | field supply.usd) == 10000000 ]] || fail "the supply of stablecoin: $(status | field supply)"
status_json=$(status)
[[ $(field supply.flk <<<"$status_json") != null ]] || fail "the supply: $status_json"
no_fork
echo passed
