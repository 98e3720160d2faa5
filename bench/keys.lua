-- SPDX-License-Identifier: Apache-2.0
-- Load for wrk: POST /v1/keys/bench-N/sign with one EIP-1559 transaction after another, N at random among the
-- first KEYS (environment; 1: always the same key).
local keys = tonumber(os.getenv("KEYS") or "1")
local n = 0
local head = '{"transaction":{"type":2,"chainId":31337,"to":"0x000000000000000000000000000000000000dead","value":"1000000000000000",' ..
  '"gas":21000,"maxFeePerGas":"20000000000","maxPriorityFeePerGas":"1000000000","nonce":'
wrk.headers["Content-Type"] = "application/json"

function init()
  math.randomseed(tonumber(os.getenv("SEED") or "1"))
end

function request()
  n = n + 1
  return wrk.format("POST", "/v1/keys/bench-" .. math.random(0, keys - 1) .. "/sign", nil, head .. n .. "}}")
end

function done(summary, latency)
  io.write(string.format(
    'RESULT {"answers":%d,"bad":%d,"socket_errors":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d}\n',
    summary.requests, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    summary.duration, latency:percentile(50), latency:percentile(99)))
end
