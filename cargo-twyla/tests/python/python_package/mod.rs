//! The package under Python: its types, its validation, its manifest, and its service beside one in Rust.

mod bus;
mod suite;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::{alternatives, shop, twyla, write};

/// Python with the libraries of the package.
fn python(folder: &Path) -> Command {
    let python = std::env::var("TWYLA_TEST_PYTHON_PACKAGE");
    let mut command = Command::new(python.expect("TWYLA_TEST_PYTHON_PACKAGE is not set: run `cargo xtask test`"));
    command.current_dir(folder).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap() + &String::from_utf8(output.stderr.clone()).unwrap()
}

const GREETER: &str = r#"from __future__ import annotations

from shop_contracts import Context, Meta, Service
from shop_contracts.models import ShopAny, ShopOrder

service = Service("greeter", "1.4.0", emits=[ShopOrder])


@service.listener(ShopAny, group="greeter")
async def answer(content: ShopAny, context: Context, meta: Meta) -> None:
    await service.emit(ShopOrder(id="x", from_="me", lines=[]), context, meta.session_id)
"#;

/// A package and a service that uses it.
fn greeter(folder: &Path) {
    shop(folder);
    let (said, code) = twyla(folder, &["python", "shop_contracts"]);
    assert_eq!(code, 0, "{said}");
    write(folder, "greeter.py", GREETER);
}

#[test]
#[ignore = "needs Python's libraries: cargo xtask test installs them"]
fn mypy_accepts_the_package_and_a_service_strictly() {
    let folder = tempfile::tempdir().unwrap();
    greeter(folder.path());
    let mypy =
        |path: &str| python(folder.path()).args(["-m", "mypy", "--strict", "shop_contracts", path]).output().unwrap();
    let output = mypy("greeter.py");
    assert!(output.status.success(), "{}", text(&output));
    // and it finds what is wrong
    write(
        folder.path(),
        "wrong.py",
        &GREETER.replace("id=\"x\"", "id=7").replace("content: ShopAny", "content: ShopOrder"),
    );
    let found = text(&mypy("wrong.py"));
    assert!(found.contains("Argument \"id\" to \"ShopOrder\"") && found.contains("Found 2 errors"), "{found}");
}

/// What mypy accepts only if each alternative has its type.
const MOVER: &str = r#"from __future__ import annotations

import json

from shop_contracts import CONTRACTS, ContractError
from shop_contracts.models import Method, MethodCard, ShopMoved, ShopMovedShip, ShopMovedTruckVan, ShopPaid


def number(method: Method) -> str:
    return method.number if isinstance(method, MethodCard) else str(method.given)


def port(moved: ShopMoved) -> str | None:
    # each alternative has the members that are declared beside it
    return moved.root.port if isinstance(moved.root, ShopMovedShip) else moved.root.id


def decoded(name: str, value: object) -> object:
    model = CONTRACTS[name].decode(value)
    assert CONTRACTS[name].encode(model) == value, (value, model)
    return model


VALUES: list[dict[str, object]] = [
    {"id": "a", "method": {"kind-of": "card", "number": "1"}},
    {"id": "a", "method": {"kind-of": "cash", "given": 5}, "refund": "whole", "price": {"cents": 7}},
    {"id": "a", "method": {"kind-of": "cash"}, "refund": 3, "payer": {"name": "Ada", "iban": "x"}},
    {"id": "a", "method": {"kind-of": "cash"}, "refund": None, "note": "xylophone"},
    {"id": "a", "method": {"kind-of": "cash"}, "sum": {"left": {"value": 1.5}, "right": {"left": {"value": 1}, "right": {"value": 2}}}},
]
paid = [decoded("shop.paid", value) for value in VALUES]
assert isinstance(paid[0], ShopPaid) and number(paid[0].method) == "1"
last = paid[-1]
assert isinstance(last, ShopPaid) and last.payer is None and last.sum is not None
print(type(last.sum).__name__)
ship = decoded("shop.moved", {"id": "a", "by": "ship", "port": "Oslo"})
van = decoded("shop.moved", {"id": "a", "by": "van", "plate": "x", "fragile": True})
assert isinstance(ship, ShopMoved) and port(ship) == "Oslo"
assert isinstance(van, ShopMoved) and isinstance(van.root, ShopMovedTruckVan) and port(van) == "a"
made = ShopMoved(ShopMovedShip(id="a", by="ship", port="Oslo"))
print(json.dumps(CONTRACTS["shop.moved"].encode(made)))
for name, value in [("shop.moved", {"id": "a", "by": "sled"}), ("shop.paid", {"id": "a", "method": {"kind-of": "card"}})]:
    try:
        CONTRACTS[name].decode(value)
        raise SystemExit("accepted")
    except ContractError:
        pass
try:
    CONTRACTS["shop.paid"].decode(["secret"])
    raise SystemExit("accepted")
except ContractError as error:
    assert str(error) == "shop.paid: (root): expected an object, found an array", error
"#;

#[test]
#[ignore = "needs Python's libraries: cargo xtask test installs them"]
fn alternatives_are_typed_and_distinguished() {
    let folder = tempfile::tempdir().unwrap();
    alternatives(folder.path());
    let (said, code) = twyla(folder.path(), &["python", "shop_contracts"]);
    assert_eq!(code, 0, "{said}");
    write(folder.path(), "mover.py", MOVER);
    let mypy =
        |path: &str| python(folder.path()).args(["-m", "mypy", "--strict", "shop_contracts", path]).output().unwrap();
    let output = mypy("mover.py");
    assert!(output.status.success(), "{}", text(&output));
    let output = python(folder.path()).arg("mover.py").output().unwrap();
    let expected = "SumLeft\n{\"by\": \"ship\", \"id\": \"a\", \"port\": \"Oslo\"}\n";
    assert_eq!(text(&output), expected);
    // the type checker knows which alternative has which member
    let wrong =
        MOVER.replace("method.number if", "method.given if").replace("ShopMovedShip(id=\"a\", ", "ShopMovedShip(");
    write(folder.path(), "wrong.py", &wrong);
    let found = text(&mypy("wrong.py"));
    assert!(found.contains("\"MethodCard\" has no attribute \"given\""), "{found}");
    assert!(found.contains("Missing named argument \"id\" for \"ShopMovedShip\""), "{found}");
}

#[test]
#[ignore = "needs Python's libraries: cargo xtask test installs them"]
fn the_manifest_is_that_of_a_card() {
    let folder = tempfile::tempdir().unwrap();
    greeter(folder.path());
    let output = python(folder.path()).args(["-m", "shop_contracts", "manifest", "greeter"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let output = python(folder.path()).args(["-m", "shop_contracts", "manifest", "greter"]).output().unwrap();
    assert_eq!((text(&output).as_str(), output.status.code()), ("error: there is no module greter here\n", Some(1)));
    let read = |path: &str| serde_json::from_slice::<Value>(&fs::read(folder.path().join(path)).unwrap()).unwrap();
    let card = "name = \"greeter\"\nversion = \"1.4.0\"\nemits = [\"shop.order\"]\n\
                listens = [{ event = \"shop.any\", group = \"greeter\", handler = \"greeter:answer\" }]\n";
    write(folder.path(), "service.toml", card);
    let (said, code) =
        twyla(folder.path(), &["manifest", "--card", "service.toml", "--schemas", "schemas", "-o", "card.json"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(read("greeter.contracts.json"), read("card.json"));
    let (said, code) = twyla(folder.path(), &["fleet", "greeter.contracts.json"]);
    assert_eq!(code, 0, "{said}");
}

/// The listing of the book, on the contracts of the demo platform.
#[test]
#[ignore = "needs Python's libraries: cargo xtask test installs them"]
fn the_listing_of_the_book_is_typed_and_has_a_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(workspace.join("docs/book/src/python.md")).unwrap();
    let listing = page.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    write(folder.path(), "greeter.py", listing);
    let schemas = workspace.join("schemas");
    let (said, code) = twyla(folder.path(), &["python", "platform_contracts", "--schemas", schemas.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
    let output =
        python(folder.path()).args(["-m", "mypy", "--strict", "platform_contracts", "greeter.py"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let manifest = ["-m", "platform_contracts", "manifest", "greeter", "-o", "fleet/greeter.contracts.json"];
    let output = python(folder.path()).args(manifest).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let (said, code) = twyla(folder.path(), &["fleet", "fleet"]);
    assert!(code == 0 && said.contains("no service emits api.user_input, which greeter 1.4.0 listens to"), "{said}");
}
