#!/usr/bin/env bash
# Prints how many cores four idle nodes use over 30 s. A figure, no test.
# usage: idle.sh DRACO SCRATCH_DIR [EPOCH_S]
draco=$1 scratch=$2
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/devnet_fixture.sh"

up "${3:-30}"
cpu() { status | node -e 'console.log(JSON.parse(require("fs").readFileSync(0)).nodes.reduce((a,n)=>a+n.cpu_s,0))'; }
sleep 3
before=$(cpu)
sleep 30
echo "cores used by four idle nodes: $(node -p "(($(cpu))-($before))/30")"
