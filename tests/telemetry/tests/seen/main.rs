//! Telemetry of a service in a process of its own: at a real OTLP receiver, on standard error, and in Prometheus'
//! format.
#![allow(clippy::unwrap_used, reason = "a test")]

mod python_peer;
mod types;

use std::collections::{BTreeMap, HashSet};
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use twyla_telemetry_tests::receiver::{Receiver, Seen};
use twyla_tests::within;

/// A service as a process, with these variables.
fn service(role: &str, variables: &[(&str, &str)]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twyla-telemetry-tests"));
    for name in ["OTEL_TRACES_SAMPLER", "OTEL_EXPORTER_OTLP_ENDPOINT", "RUST_LOG", "SEEN_LOG", "SEEN_LOG_FORMAT"] {
        command.env_remove(name);
    }
    command.arg(role).envs(variables.iter().copied()).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The output of a service: metrics, and the lines of its log.
async fn ended(child: Child) -> (String, Vec<String>) {
    let output = child.wait_with_output().await.unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{err}");
    (out, err.lines().map(str::to_owned).collect())
}

fn json(lines: &[String]) -> Vec<Value> {
    lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

/// The session of everything here.
fn session() -> String {
    twyla_runtime::session_id("a session").to_string()
}

/// The only span with this name.
fn one<'a>(seen: &'a [Seen], name: &str) -> &'a Seen {
    let all: Vec<_> = seen.iter().filter(|span| span.name == name).collect();
    assert_eq!(all.len(), 1, "{name} in {:?}", seen.iter().map(|span| &span.name).collect::<Vec<_>>());
    all[0]
}

/// The single trace of an event, its handlers and everything that follows.
fn is_one_trace(seen: &[Seen], system: &str) {
    let publish = one(seen, "publish api:user_input");
    assert!(publish.parent.is_empty());
    assert!(seen.iter().all(|span| span.trace == publish.trace), "{seen:#?}");
    let process = one(seen, "process api:user_input:api.user_input.bot");
    let think = one(seen, "think");
    let reply = one(seen, "publish bot:reply");
    let show = one(seen, "process bot:reply:bot.reply.screen");
    for (span, below) in [(process, publish), (think, process), (reply, process), (show, reply)] {
        assert_eq!(span.parent, below.id, "{} below {}", span.name, below.name);
    }
    let kinds = [publish, process, think, reply, show].map(|span| span.kind);
    assert_eq!(kinds, ["producer", "consumer", "internal", "producer", "consumer"]);

    // `stumble`: an attempt, a retry, another attempt, the dead queue
    let stumbles = seen.iter().filter(|span| span.name == "process api:user_input:api.user_input.clumsy");
    let mut stumbles: Vec<_> = stumbles.collect();
    stumbles.sort_by_key(|span| span.attributes["twyla.attempt"].as_i64());
    assert_eq!(stumbles.len(), 2);
    let retry = one(seen, "retry api.user_input.clumsy.retry.2s");
    let park = one(seen, "park api.user_input.clumsy.dead");
    assert_eq!(stumbles[0].parent, publish.id);
    assert_eq!(stumbles[1].parent, retry.id);
    for stumble in stumbles {
        assert_eq!(stumble.error.as_deref(), Some("stumbled over it"));
        assert_eq!(stumble.attributes["error.type"], "handler");
    }
    assert_eq!(park.attributes["twyla.reason"], "handler");

    let expected = [
        ("messaging.system", system),
        ("messaging.operation.name", "process"),
        ("messaging.operation.type", "process"),
        ("messaging.destination.name", "api:user_input:api.user_input.bot"),
        ("messaging.rabbitmq.destination.routing_key", "user_input"),
        ("messaging.consumer.group.name", "bot"),
        ("messaging.message.conversation_id", &session()),
    ];
    for (name, value) in expected {
        assert_eq!(process.attributes[name], value, "{name}");
    }
    assert_eq!(process.attributes["twyla.attempt"], 1);
    for name in ["messaging.message.id", "messaging.message.body.size"] {
        assert_eq!(process.attributes[name], publish.attributes[name], "{name}");
    }
    let all = format!("{seen:?}");
    assert!(!all.contains("business"), "the output has a content: {all}");
}

#[tokio::test]
async fn a_session_that_is_a_text_is_shown_with_its_uuid() {
    within(async {
        let receiver = Receiver::start().await;
        for format in ["json", "pretty"] {
            let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint.as_str()), ("SEEN_LOG_FORMAT", format)];
            let (_, lines) = ended(service("old", &variables)).await;
            let line = lines.iter().find(|line| line.contains("thinking")).unwrap();
            assert!(line.contains(&session()), "{line}");
            match format {
                "json" => assert_eq!(json(std::slice::from_ref(line))[0]["session_text"], "a session"),
                _ => assert!(line.contains("session_text=\"a session\""), "{line}"),
            }
        }
        let seen = receiver.spans();
        let process = seen.iter().find(|span| span.name == "process api:user_input:api.user_input.bot").unwrap();
        assert_eq!(process.attributes["messaging.message.conversation_id"], session());
        assert_eq!(process.attributes["twyla.session_text"], "a session");
        // events that follow belong to the same session, as a UUID
        let reply = seen.iter().find(|span| span.name == "publish bot:reply").unwrap();
        assert_eq!(reply.attributes["messaging.message.conversation_id"], session());
    })
    .await;
}

/// Traces, metrics and log lines share one deadline of 5 s, here with receivers that accept and never read. The bound
/// is loose; one after another they would take 15 s.
#[tokio::test]
async fn blocked_receivers_delay_shutdown_by_one_deadline() {
    within(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let silent = tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.push(stream);
            }
        });
        let variables =
            [("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()), ("SEEN_LOG_URL", url.as_str()), ("SEEN_LOG_FORMAT", "off")];
        let mut child = service("all", &variables);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // the metrics are printed when only the shutdown is left
        while lines.next_line().await.unwrap().is_some_and(|line| !line.starts_with("twyla_handled_total")) {}
        let status = tokio::time::timeout(std::time::Duration::from_secs(9), child.wait()).await;
        assert!(status.expect("it takes longer than its deadline").unwrap().success());
        silent.abort();
    })
    .await;
}

#[tokio::test]
async fn an_event_and_its_consequences_are_one_trace() {
    within(async {
        let receiver = Receiver::start().await;
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint.as_str()),
            ("OTEL_SERVICE_NAME", "talk"),
            ("SEEN_LOG_FORMAT", "json"),
        ];
        let (figures, lines) = ended(service("all", &variables)).await;
        let seen = receiver.spans();
        is_one_trace(&seen, "twyla_memory");
        assert!(seen.iter().all(|span| span.service == "talk"));

        // a handler's log line has its trace and session
        let process = one(&seen, "process api:user_input:api.user_input.bot");
        let lines = json(&lines);
        let line = lines.iter().find(|line| line["message"] == "thinking").unwrap();
        for (name, value) in
            [("event", "api.user_input"), ("group", "bot"), ("session_id", &session()), ("level", "INFO")]
        {
            assert_eq!(line[name], value, "{name} in {line}");
        }
        assert_eq!((&line["letters"], &line["attempt"]), (&24.into(), &1.into()));
        assert_eq!(line["fields.level"], 3, "a field of the line's own has a name of its own");
        assert_eq!((line["trace_id"].as_str(), line["span_id"].as_str()), (Some(&*process.trace), Some(&*process.id)));
        assert!(!lines.iter().any(|line| line.to_string().contains("business")), "a content is logged");
        let memory = "SEEN_AMQP_HOST is not set: the bus is in memory, and its events stay in this process";
        assert_eq!(lines.iter().filter(|line| line["message"] == memory).count(), 1);

        // and both kinds of metrics agree
        for figure in [
            "twyla_emitted_total{event=\"api.user_input\"} 1",
            "twyla_confirmed_total{event=\"bot.reply\"} 1",
            "twyla_handled_total{event=\"api.user_input\",group=\"bot\"} 1",
            "twyla_failed_total{event=\"api.user_input\",group=\"clumsy\"} 2",
            "twyla_retried_total{event=\"api.user_input\",group=\"clumsy\"} 1",
            "twyla_parked_total{event=\"api.user_input\",group=\"clumsy\"} 1",
            "twyla_handling{event=\"api.user_input\",group=\"bot\"} 0",
            "twyla_handler_seconds_count{event=\"api.user_input\",group=\"bot\"} 1",
        ] {
            assert!(figures.contains(figure), "{figure} in {figures}");
        }
        let received = receiver.figures();
        let labels = BTreeMap::from([
            ("event".to_owned(), "api.user_input".to_owned()),
            ("group".to_owned(), "clumsy".to_owned()),
        ]);
        assert_eq!(received[&("twyla_failed_total".to_owned(), labels)], 2.0);
    })
    .await;
}

/// Each status once, except 415: for its content type, and for its content coding.
#[tokio::test]
async fn a_call_that_is_refused_before_it_begins_is_counted_by_its_status() {
    within(async {
        let (figures, _) = ended(service("refuse", &[])).await;
        let served = figures.lines().filter(|line| line.starts_with("twyla_served_total{"));
        let mut served: Vec<_> = served.collect();
        served.sort_unstable();
        let own = |status, count| {
            format!("twyla_served_total{{method=\"navitaire-api.get_booking\",status=\"{status}\"}} {count}")
        };
        let unknown = "twyla_served_total{method=\"unknown\",status=\"404\"} 1".to_owned();
        assert_eq!(served, [own(400, 1), own(405, 1), own(408, 1), own(413, 1), own(415, 2), unknown], "{figures}");
    })
    .await;
}

#[tokio::test]
async fn calls_have_spans_lines_and_metrics_on_both_sides() {
    within(async {
        let receiver = Receiver::start().await;
        let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint.as_str()), ("SEEN_LOG_FORMAT", "json")];
        let (figures, lines) = ended(service("call", &variables)).await;
        let seen = receiver.spans();
        let of = |kind: &str, status: u16| -> Vec<&Seen> {
            let is = |name: &str, wanted: &str, span: &Seen| span.attributes.get(name).is_some_and(|is| is == wanted);
            seen.iter()
                .filter(|span| span.kind == kind)
                .filter(|span| span.attributes.get("http.response.status_code").is_some_and(|is| *is == status))
                .inspect(|span| assert_eq!(span.name, "POST /rpc/get_booking"))
                .inspect(|span| {
                    let named =
                        [("rpc.service", "navitaire-api"), ("rpc.method", "get_booking"), ("session.id", &session())];
                    named.iter().for_each(|(name, wanted)| assert!(is(name, wanted, span), "{name} of {span:?}"));
                })
                .collect()
        };
        // each call is a trace: the caller's span, and below it the service's
        for (status, error) in [(200, None), (409, None), (500, Some("500"))] {
            let ([sent], [served]) = (&of("client", status)[..], &of("server", status)[..]) else {
                panic!("{status}: {seen:#?}");
            };
            assert_eq!((&served.trace, &served.parent, &*sent.parent), (&sent.trace, &sent.id, ""));
            for span in [sent, served] {
                assert_eq!(span.attributes.get("error.type").and_then(Value::as_str), error, "{span:?}");
            }
        }
        // a refused call has only the caller's span
        assert_eq!((of("client", 503).len(), of("server", 503).len()), (1, 0), "{seen:#?}");

        // log lines of the handler and about the call name the call
        let lines = json(&lines);
        let broken = of("server", 500)[0];
        for message in ["looking", "the handler failed"] {
            let mut lines = lines.iter().filter(|line| line["message"] == message);
            let line = lines.find(|line| line["trace_id"].as_str() == Some(&*broken.trace)).unwrap();
            assert_eq!((&line["session_id"], &line["attempt"]), (&session().into(), &1.into()), "{line}");
            assert_eq!(line["method"], "navitaire-api.get_booking", "{line}");
        }

        for figure in [
            "twyla_calls_total{method=\"navitaire-api.get_booking\",outcome=\"answered\"} 1",
            "twyla_calls_total{method=\"navitaire-api.get_booking\",outcome=\"domain\"} 1",
            "twyla_calls_total{method=\"navitaire-api.get_booking\",outcome=\"fault\"} 2",
            "twyla_served_total{method=\"navitaire-api.get_booking\",status=\"200\"} 1",
            "twyla_served_total{method=\"navitaire-api.get_booking\",status=\"409\"} 1",
            "twyla_served_total{method=\"navitaire-api.get_booking\",status=\"500\"} 1",
            "twyla_turned_away_total{method=\"navitaire-api.get_booking\"} 1",
            "twyla_serving{method=\"navitaire-api.get_booking\"} 0",
            "twyla_call_seconds_count{method=\"navitaire-api.get_booking\"} 4",
            "twyla_serve_seconds_count{method=\"navitaire-api.get_booking\"} 3",
        ] {
            assert!(figures.contains(figure), "{figure} in {figures}");
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "needs RabbitMQ: cargo xtask test starts one"]
async fn a_trace_goes_from_one_service_to_another_over_rabbitmq() {
    within(async {
        for (domain, queues) in
            [("api", ["user_input.bot", "user_input.clumsy"]), ("bot", ["reply.screen", "reply.none"])]
        {
            forget(domain, &queues).await;
        }
        let receiver = Receiver::start().await;
        let var = |part: &str| std::env::var(format!("TWYLA_TEST_AMQP_{part}")).unwrap();
        let (host, port, user, pass) = (var("HOST"), var("PORT"), var("USER"), var("PASS"));
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint.as_str()),
            ("SEEN_LOG_FORMAT", "json"),
            ("SEEN_AMQP_HOST", &*host),
            ("SEEN_AMQP_PORT", &*port),
            ("SEEN_AMQP_USER", &*user),
            ("SEEN_AMQP_PASS", &*pass),
        ];
        let mut answering = service("answer", &variables);
        ready(&mut answering).await;
        ended(service("emit", &variables)).await;
        let (figures, _) = ended(answering).await;
        is_one_trace(&receiver.spans(), "rabbitmq");
        for figure in
            ["twyla_connected{link=\"consume\"} 0", "twyla_handled_total{event=\"bot.reply\",group=\"screen\"} 1"]
        {
            assert!(figures.contains(figure), "{figure} in {figures}");
        }
    })
    .await;
}

/// Waits until a service listens; returns the address of its health check.
async fn ready(child: &mut Child) -> String {
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).await.unwrap();
    child.stdout = Some(out.into_inner());
    line.strip_prefix("ready ").unwrap_or_else(|| panic!("{line}")).trim_end().to_owned()
}

/// Status and body.
async fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let ask = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test]
async fn health_and_metrics_are_served_over_http() {
    within(async {
        let mut child = service("stay", &[("SEEN_LOG_FORMAT", "off")]);
        let address = ready(&mut child).await;
        assert_eq!(get(&address, "/health/live").await, (200, r#"{"status":"live"}"#.to_owned()));
        assert_eq!(get(&address, "/health/ready").await, (200, r#"{"reasons":[],"status":"ready"}"#.to_owned()));
        let lines = [
            "# TYPE twyla_handled_total counter",
            "twyla_handled_total{event=\"bot.reply\",group=\"screen\"} 1",
            "# HELP twyla_handler_seconds how long an attempt took",
        ];
        // the events are still in transit
        loop {
            let (status, figures) = get(&address, "/metrics").await;
            assert_eq!(status, 200);
            let served: HashSet<_> = figures.lines().collect();
            if figures.contains("twyla_parked_total") && lines.iter().all(|line| served.contains(line)) {
                break;
            }
        }
        assert_eq!(get(&address, "/else").await.0, 404);
        drop(child.stdin.take());
        ended(child).await;
        assert!(TcpStream::connect(&address).await.is_err(), "it still answers after the service has ended");
    })
    .await;
}

async fn forget(domain: &str, queues: &[&str]) {
    let (_connection, channel) = twyla_tests::broker::lapin().await;
    for queue in queues {
        for end in ["", ".dead", ".retry.2s"] {
            let queue = format!("{domain}.{queue}{end}");
            channel.queue_delete(queue.into(), lapin::options::QueueDeleteOptions::default()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_unsampled_trace_has_no_spans_but_is_propagated() {
    within(async {
        let receiver = Receiver::start().await;
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint.as_str()),
            ("OTEL_TRACES_SAMPLER", "parentbased_always_off"),
            ("SEEN_LOG_FORMAT", "json"),
        ];
        let (_, lines) = ended(service("all", &variables)).await;
        assert_eq!(receiver.spans(), []);
        let lines = json(&lines);
        let traces: Vec<_> = lines.iter().filter_map(|line| line["trace_id"].as_str()).collect();
        assert!(traces.len() >= 2 && traces.iter().all(|trace| trace == &traces[0]), "{traces:?}");
    })
    .await;
}

#[tokio::test]
async fn the_platform_format_uses_its_field_names() {
    within(async {
        let variables = [("SEEN_LOG_FORMAT", "platform"), ("SEEN_LOG", "warn,twyla_telemetry_tests=info")];
        let (_, lines) = ended(service("all", &variables)).await;
        let lines = json(&lines);
        let line = lines.iter().find(|line| line["message"] == "thinking").unwrap();
        let names: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = vec![
            "loggerName",
            "timestamp",
            "fileName",
            "logRecordCreationTime",
            "functionName",
            "levelNo",
            "lineNo",
            "time",
            "levelName",
            "message",
            "extra",
        ];
        expected.sort_unstable();
        assert_eq!(names, expected);
        assert_eq!((&line["levelNo"], &line["levelName"]), (&20.into(), &"INFO".into()));
        assert_eq!((&line["fileName"], &line["extra"]["session_id"]), (&"main.rs".into(), &session().into()));
        let at = line["timestamp"].as_str().unwrap();
        let shape: String = at.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00 00:00:00,000");
        let millis = line["time"].as_f64().unwrap();
        assert_eq!(at[20..].parse::<f64>().unwrap(), millis);
        let created = line["logRecordCreationTime"].as_f64().unwrap();
        // seconds as a double are exact to the microsecond after rounding
        assert_eq!(((created * 1e6).round() % 1e6 / 1e3).floor(), millis);
        // a handler's failure is logged as Python's `WARNING`
        let failure = lines.iter().find(|line| line["message"] == "the attempt failed, retrying").unwrap();
        assert_eq!((&failure["levelNo"], &failure["levelName"]), (&30.into(), &"WARNING".into()));
    })
    .await;
}

#[tokio::test]
async fn lines_are_sent_again_until_the_collector_accepts_them() {
    within(async {
        let receiver = Receiver::start().await;
        let url = format!("{}/lines", receiver.endpoint);
        let variables = [("SEEN_LOG_FORMAT", "json"), ("SEEN_LOG_URL", &*url), ("SEEN_LOG_TOKEN", "sesame")];
        let mut child = service("stay", &variables);
        ready(&mut child).await;
        while !receiver.lines().iter().any(|line| line.contains("the attempt failed, retrying")) {
            tokio::task::yield_now().await;
        }
        drop(child.stdin.take());
        let (_, here) = ended(child).await;
        let there = receiver.lines();
        assert!(there.len() > 3 && there.iter().any(|line| line.contains("stopped listening")), "{there:?}");
        // each is written twice, a moment apart
        let timeless = |lines: &[String]| -> Vec<Value> {
            let mut lines = json(lines);
            lines.iter_mut().for_each(|line| line["timestamp"] = Value::Null);
            lines
        };
        // the consumers stop at once, so that the order of these lines may differ
        let stopped = |line: &Value| line["message"] == "stopped listening";
        let (stops_there, there): (Vec<_>, Vec<_>) = timeless(&there).into_iter().partition(stopped);
        let (stops_here, here): (Vec<_>, Vec<_>) = timeless(&here).into_iter().partition(stopped);
        assert_eq!(there, here[..there.len()]);
        assert!(stops_there.iter().all(|line| stops_here.contains(line)), "{stops_there:?}");
    })
    .await;
}

#[tokio::test]
async fn lines_that_no_collector_accepts_are_counted() {
    within(async {
        let receiver = Receiver::start().await;
        let url = format!("{}/never", receiver.endpoint);
        let (figures, lines) = ended(service("all", &[("SEEN_LOG_FORMAT", "json"), ("SEEN_LOG_URL", &url)])).await;
        let line = figures.lines().find(|line| line.starts_with("twyla_log_lines_dropped_total "));
        assert!(line.is_some_and(|line| !line.ends_with(" 0")), "{figures}");
        assert!(lines.iter().any(|line| line.contains("log lines were dropped")), "{lines:?}");
    })
    .await;
}

#[tokio::test]
async fn a_bad_variable_is_named() {
    for (name, value, expected) in [
        ("SEEN_LOG_FORMAT", "xml", "SEEN_LOG_FORMAT is \"xml\": it should be pretty, json, platform or off"),
        ("SEEN_LOG", "a=b=c", "SEEN_LOG is \"a=b=c\": it should be a tracing filter"),
        (
            "SEEN_LOG_URL",
            "http://logs.example.com",
            "SEEN_LOG_URL is \"http://logs.example.com\": it should be an https://",
        ),
        ("OTEL_TRACES_EXPORTER", "zipkin", "OTEL_TRACES_EXPORTER is \"zipkin\": it should be otlp or none"),
    ] {
        let output = service("all", &[(name, value)]).wait_with_output().await.unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && err.contains(&expected.replace('"', "\\\"")), "{err}");
    }
}
