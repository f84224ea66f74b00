-- What wrk sends: points of one metric, steps 1, 2, 3, ... (MODE=metric), or new runs named r1, r2, ... (MODE=run).
local mode, target, path = os.getenv("MODE"), os.getenv("TARGET"), os.getenv("PATH_OF_CALL")
local headers = { ["Content-Type"] = "application/json" }
local threads = {}
sent = -1 -- wrk calls request() once before it begins, only to look at it: that is number 0

function setup(thread) table.insert(threads, thread) end

function request()
  sent = sent + 1
  local body
  if mode == "metric" then
    body = string.format('{"run_id":"%s","key":"loss","value":%d.25,"timestamp":%d,"step":%d}',
      target, sent, 1700000000000 + sent, sent)
  else
    body = string.format('{"experiment_id":"%s","start_time":%d,"run_name":"r%d"}', target, 1700000000000 + sent, sent)
  end
  return wrk.format("POST", path, headers, body)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"answered":%d,"sent":%d,"refused":%d,"broken":%d,"seconds":%.6f,"median_ms":%.4f}\n',
    summary.requests, threads[1]:get("sent"), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, summary.duration / 1e6, latency:percentile(50) / 1e3))
end
