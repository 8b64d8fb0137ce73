-- The call that `wrk` makes again and again.
wrk.method = "POST"
wrk.body = '{"pnr":"A1324B"}'
wrk.headers["content-type"] = "application/json"
