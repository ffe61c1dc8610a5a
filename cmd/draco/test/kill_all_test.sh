#!/usr/bin/env bash
# Proves that nothing committed is lost when all nodes are killed under load and started again.
# usage: kill_all_test.sh DRACO SCRATCH_DIR
draco=$1 scratch=$2
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/devnet_fixture.sh"

up
begin_load --transfers 3000 --rate 400
wait_until "the chain moves" 60 is_above 0 20
call() { # NODE METHOD PARAMETERS
  node -e '
    const http = require("http"), [url, method, params] = process.argv.slice(1);
    const r = http.request(url, { method: "POST", headers: { "content-type": "application/json" } }, (a) => {
      let t = ""; a.on("data", (d) => (t += d)); a.on("end", () => console.log(JSON.stringify(JSON.parse(t).result)));
    });
    r.end(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: JSON.parse(params) }));' "$(of_node "$1" rpc)" "$2" "$3"
}
call 0 flk_get_block '["latest"]' >block.json
at=$(field height <block.json)
for i in 0 1 2 3; do kill -KILL "$(of_node $i pid)"; done
wait_until "all are dead" 20 eval '[[ $(status | field nodes.0.running) == false && $(status | field nodes.3.running) == false ]]'
"$draco" devnet up --home "$net" --detach >/dev/null
end_load
wait_until "all are equal" 60 are_equal
for i in 0 1 2 3; do
  [[ $(call $i flk_get_block "[$at]" | field digest) == "$(field digest <block.json)" ]] || fail "block $at is another one on node $i"
done
no_fork
echo "all died, nothing was lost"
