// Checks of a running chain, for scripts. usage: node chain_checks.js CHECK ARGUMENT...
//   call URL METHOD [PARAMS]     the result as JSON
//   same_root SECONDS URL...     waits for a height that all nodes were seen at; their state roots there, and wherever
//                                else two were seen at one height, are equal
//   money URL ADDRESS...         {sum, supply, burned}: what the addresses and all nodes hold, and what the chain says
"use strict";

// The results of [method, params] in their order.
async function batch(url, calls) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(calls.map(([method, params = []], id) => ({ jsonrpc: "2.0", id, method, params }))),
  });
  const answers = await response.json();
  return answers.map(({ id, error, result }) => {
    if (error) throw new Error(`${url} ${calls[id][0]}: ${error.message}`);
    return result;
  });
}

async function call(url, method, params) {
  return (await batch(url, [[method, params]]))[0];
}

const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));
const probe = "0x1111111111111111111111111111111111111111";

async function sameRoot(seconds, ...urls) {
  const seen = new Map(); // height -> url -> root
  const look = async (url) => {
    const at = await call(url, "flk_get_state_proof", [probe]);
    if (!seen.has(at.height)) seen.set(at.height, new Map());
    const roots = seen.get(at.height);
    roots.set(url, at.state_root);
    if (new Set(roots.values()).size > 1)
      throw new Error(`the state roots differ at height ${at.height}: ${JSON.stringify([...roots])}`);
    return roots.size === urls.length ? at.height : 0;
  };
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(20)) {
    const common = (await Promise.all(urls.map(look))).find((height) => height > 0);
    if (common) return common;
  }
  const last = [...seen].slice(-5).map(([height, roots]) => `${height}: ${roots.size}`);
  throw new Error(`no height that all ${urls.length} nodes were seen at; the last: ${last.join(", ")}`);
}

// Between two blocks, so that all figures are of one state.
async function money(url, ...addresses) {
  for (let attempt = 0; attempt < 50; attempt++) {
    const before = await call(url, "flk_get_state_proof", [probe]);
    const [supply, registry, ...accounts] = await batch(url, [
      ["flk_get_supply"],
      ["flk_get_node_registry"],
      ...addresses.map((address) => ["flk_get_account_info", [address]]),
    ]);
    const after = await call(url, "flk_get_state_proof", [probe]);
    if (before.height !== after.height) continue;
    let sum = 0n;
    for (const account of accounts) sum += BigInt(account.flk_units);
    for (const node of registry.nodes)
      sum += BigInt(node.stake_units) + BigInt(node.unbonding ? node.unbonding.amount_units : 0);
    return { sum: String(sum), supply: supply.flk_units, burned: supply.flk_burned_units };
  }
  throw new Error(`${url} makes blocks too fast to be looked at`);
}

async function main() {
  const [check, ...rest] = process.argv.slice(2);
  if (check === "call") return JSON.stringify(await call(rest[0], rest[1], JSON.parse(rest[2] ?? "[]")));
  if (check === "same_root") return sameRoot(Number(rest[0]), ...rest.slice(1));
  if (check === "money") return JSON.stringify(await money(...rest));
  throw new Error(`there is no check '${check}'`);
}

main().then(
  (text) => console.log(text),
  (error) => {
    console.error(error.message);
    process.exit(1);
  },
);
