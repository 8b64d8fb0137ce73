-- The call that `wrk` repeats.
wrk.method = "POST"
wrk.body = '{"pnr":"A1324B"}'
wrk.headers["content-type"] = "application/json"
