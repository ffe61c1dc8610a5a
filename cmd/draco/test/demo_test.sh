#!/usr/bin/env bash
# Proves that a devnet with a demo publishes the folder, that every URL it prints serves it, that the lines of its epochs add
# up to the unit and agree with what accounts have, that it ends on SIGINT while its reader reads, and goes on from there.
# usage: demo_test.sh DRACO SCRATCH_DIR
draco=$1 scratch=$2
# shellcheck source=devnet_fixture.sh
source "$(dirname "$0")/devnet_fixture.sh"
export DRACO_HOME=$net
usd_units() { "$draco" account balance --dev-account "$1" --json 2>/dev/null | field usd_units; }
settled_lines() { grep -c "^  epoch .* settled" "$1" || true; }
has_settled() { [[ $(settled_lines "$1") -ge $2 ]]; }
is_told() { grep -q "and pays$" "$1"; }
begin() { "$draco" devnet up --demo site --timeout 120 "${@:2}" >"$1.out" 2>"$1.err" & up=$!; }
end() { # FILE
  kill -INT $up
  wait $up || fail "up ends with 0 on SIGINT: $(cat "$1.out" "$1.err")"
  [[ $(status | field running.0) != true && $(status | grep -c '"running":true') == 0 ]] || fail "a node outlives the demo: $(status)"
}

mkdir -p site/below
head -c 3000000 /dev/urandom >site/below/film.bin
echo '<p>hello</p>' >site/index.html
begin first --nodes 4 --epoch 5 --port-base 0
wait_until "the demo says where its site is" 130 is_told first.out
mapfile -t urls < <(grep -oE 'http://[0-9.]+:[0-9]+/b3/[0-9a-f]{64}/' first.out)
[[ ${#urls[@]} == 4 ]] || fail "a URL on each node: $(cat first.out)"
for url in "${urls[@]}"; do
  curl -sf --max-time 20 "$url" | cmp - site/index.html || fail "$url serves the index"
  curl -sf --max-time 20 "${url}below/film.bin" | cmp - site/below/film.bin || fail "$url serves the film"
done
"$draco" ls >ls.txt
grep -qE "^site +directory .* pinned +$(basename "${urls[0]}")$" ls.txt || fail "ls knows the folder by its name: $(cat ls.txt)"
wait_until "four epochs with deliveries end" 90 has_settled first.out 4
end first
grep -q "the reader at node" first.err && fail "the reader failed: $(cat first.err)"

# Goes on: what is settled is told again, and the same chain has all of it.
begin second
wait_until "a second start settles too" 200 has_settled second.out 2
last=$(sed -nE 's/^epoch ([0-9]+) .*/\1/p' first.out | tail -n1)
(($(sed -nE 's/^epoch ([0-9]+) .*/\1/p' second.out | head -n1) >= last)) || fail "the chain began anew: $(cat second.out)"
told_money() {
  node -e '
    const fs = require("fs"), units = (text) => Math.round(Number(text) * 1e6);
    let failed = null, sum = 0;
    // The second start tells the last epoch again.
    const lines = new Set((fs.readFileSync("first.out", "utf8") + fs.readFileSync("second.out", "utf8")).split("\n"));
    for (const line of lines) {
      if (!/^  epoch .* settled/.test(line)) continue;
      const found = /settled ([0-9.]+) ([kM]?)B for ([0-9.]+) USD: nodes ([0-9.]+)(?: \(([^)]*)\))?, builders ([0-9.]+), protocol ([0-9.]+)$/.exec(line);
      if (!found) { failed = line; break; }
      const [, size, unit, revenue, nodes, each, builders, protocol] = found;
      const parts = (each ? each.split(", ") : []).reduce((all, part) => all + units(part.split(" ")[2]), 0);
      if (parts !== units(nodes) || units(nodes) + units(builders) + units(protocol) !== units(revenue)) failed = line;
      // 0.02 USD per GiB; the size is shown with three digits, and each lane rounds down.
      const price = Number(size) * {"": 1, k: 1e3, M: 1e6}[unit] * 20000 / 2 ** 30;
      if (Math.abs(units(revenue) - price) > price / 100 + 8) failed = line;
      sum += units(nodes);
    }
    if (failed) { console.log(failed); process.exit(1); }
    console.log(sum);'
}
told=$(told_money) || fail "a line does not add up: $told"
# The owners of the nodes have what the lines say, and what nobody told of: epochs that ended between the two starts, and
# the one that ends now. All of it is at most their share of what the reader has paid.
earned=0
for i in 0 1 2 3; do earned=$((earned + $(usd_units $i) - 1000000000000)); done
paid=$("$draco" lane show --dev-account 7 --json 2>/dev/null |
  node -e 'const l=JSON.parse(require("fs").readFileSync(0));console.log(l.reduce((sum,lane)=>sum+Number(lane.paid_units),0))')
((told > 0 && earned >= told && earned <= paid * 7 / 10)) || fail "the owners earned $earned of $paid, the lines say $told"
[[ $(status | field supply.usd) == 10000000 ]] || fail "the supply of stablecoin: $(status | field supply)"
end second
no_fork
echo passed
