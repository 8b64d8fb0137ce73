//! `cargo twyla new --contracts-crate` and `--contracts`: services that share a crate of contracts.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::{text, twyla, walk, workspace};

/// A listener of the contracts that a new contracts crate has.
const ANSWER: &str = r#"#[twyla_runtime::listener("example.asked")]
async fn answer(asked: contracts::example::Asked, context: contracts::Context, bus: Bus) -> Result<(), Error> {
    bus.emit(contracts::example::Answered::new(asked.question), context).await
}

#[tokio::main]"#;

/// Makes a contracts crate.
fn contracts_crate(folder: &Path) -> PathBuf {
    let sources = workspace();
    let args = ["new", "platform-contracts", "--contracts-crate", "--twyla", sources.to_str().unwrap()];
    let made = twyla(folder, &args);
    assert_eq!(
        text(&made.stdout),
        "made the contracts crate platform-contracts in platform-contracts\n\
         next: cd platform-contracts && cargo check && cargo twyla accept\n",
        "{}",
        text(&made.stderr)
    );
    folder.join("platform-contracts")
}

/// Makes a service on a contracts crate.
fn service_on(folder: &Path, name: &str, source: &str) -> PathBuf {
    let sources = workspace();
    let contracts = format!("platform-contracts={source}");
    let made = twyla(folder, &["new", name, "--contracts", &contracts, "--twyla", sources.to_str().unwrap()]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let service = folder.join(name);
    assert!(!service.join("build.rs").exists() && !service.join("schemas").exists());
    pin(&service);
    service
}

/// Gives a package the versions of the workspace, so that nothing is asked of a registry.
fn pin(package: &Path) {
    std::fs::copy(workspace().join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
}

/// Lets a service listen to an event of the contracts crate, and emit another one.
fn listen(service: &Path) {
    let program = service.join("src/main.rs");
    let main = std::fs::read_to_string(&program).unwrap();
    let main = main.replace("#[tokio::main]", ANSWER).replace("listeners![]", "listeners![answer]");
    std::fs::write(&program, main).unwrap();
}

fn edit(file: &Path, from: &str, to: &str) {
    let before = std::fs::read_to_string(file).unwrap();
    assert!(before.contains(from), "{before}");
    std::fs::write(file, before.replace(from, to)).unwrap();
}

fn append(file: &Path, text: &str) {
    let before = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, before + text).unwrap();
}

fn cargo(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new("cargo");
    command.args(args).current_dir(folder).env("CARGO_NET_OFFLINE", "true");
    command.env("CARGO_TARGET_DIR", workspace().join("target/tests/new")).output().unwrap()
}

fn passes(service: &Path) {
    let tested = cargo(service, &["test"]);
    assert!(tested.status.success(), "{}", text(&tested.stderr));
    assert!(text(&tested.stdout).contains("test result: ok. 1 passed; 0 failed"), "{}", text(&tested.stdout));
    assert!(!text(&tested.stderr).contains("warning"), "{}", text(&tested.stderr));
}

#[test]
fn a_service_on_a_contracts_crate_compiles_and_finds_its_contracts() {
    let folder = tempfile::tempdir().unwrap();
    let contracts = contracts_crate(folder.path());
    let service = service_on(folder.path(), "by-path", "platform-contracts");
    let manifest = std::fs::read_to_string(service.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("platform-contracts = { path = \"../platform-contracts\" }\n"), "{manifest}");
    // cargo warns of a profile for a package that isn't there
    let profile = "[profile.dev.package.platform-contracts]\ndebug = false\n";
    assert!(manifest.contains(profile), "{manifest}");
    passes(&service);
    listen(&service);
    passes(&service);

    let explained = twyla(&service, &["explain", "example.asked", "--contracts", "platform-contracts"]);
    assert!(text(&explained.stdout).contains("question"), "{}", text(&explained.stderr));
    let unknown = text(&twyla(&service, &["explain", "--contracts", "platform-contract"]).stderr);
    assert!(unknown.contains("there is no package platform-contract here or among the dependencies"), "{unknown}");
    assert!(unknown.contains("did you mean platform-contracts?"), "{unknown}");

    // the card of another service beside it
    std::fs::write(
        service.join("service.toml"),
        "name = \"other\"\nversion = \"1.0.0\"\nemits = [\"example.asked\"]\n",
    )
    .unwrap();
    let args = ["manifest", "--card", "service.toml", "--contracts", "platform-contracts", "--out", "-"];
    let card = twyla(&service, &args);
    assert!(text(&card.stdout).contains("\"event\": \"example.asked\""), "{}", text(&card.stderr));

    // the lock of the crate is held in the service's build
    assert!(twyla(&contracts, &["accept"]).status.success());
    let asked = contracts.join("schemas/events/example/asked.json");
    edit(&asked, "\"question\"", "\"text\"");
    let refused = text(&cargo(&service, &["check", "--quiet"]).stderr);
    assert!(
        refused.contains("schemas/events/example/asked.json") && refused.contains("`example.asked` can't change"),
        "{refused}"
    );
    edit(&asked, "\"text\"", "\"question\"");

    // without the feature of its domain, an event is not compiled
    edit(&service.join("Cargo.toml"), "{ path = \"../platform", "{ default-features = false, path = \"../platform");
    let left_out = text(&cargo(&service, &["check", "--quiet"]).stderr);
    assert!(
        left_out.contains("the event `example.asked` of `schemas` is not compiled: `build.rs` leaves it out"),
        "{left_out}"
    );
}

/// Fetches the git dependencies of a package, and nothing for other platforms.
fn fetch(package: &Path) {
    let rustc = text(&Command::new("rustc").arg("-vV").output().unwrap().stdout);
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let args = ["fetch", "--quiet", "--target", host];
    let fetched = Command::new("cargo").args(args).current_dir(package).output().unwrap();
    assert!(fetched.status.success(), "{}", text(&fetched.stderr));
}

/// Runs git in a repository.
fn git(repository: &Path, args: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]);
    // the same commit in each run, and at the same place, so that cargo keeps one checkout
    command.env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z").env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z");
    let output = command.args(args).current_dir(repository).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
}

/// Publishes a contracts crate in a registry: an index in git, and files beside it. Returns the address of the index.
fn publish(contracts: &Path) -> String {
    let packaged = cargo(contracts, &["package", "--quiet", "--no-verify", "--exclude-lockfile"]);
    assert!(packaged.status.success(), "{}", text(&packaged.stderr));
    let archive = workspace().join("target/tests/new/package/platform-contracts-0.1.0.crate");
    let archive = std::fs::read(archive).unwrap();
    let checksum: String = hmac_sha256::Hash::hash(&archive).iter().map(|byte| format!("{byte:02x}")).collect();
    // cargo keeps what it has downloaded from an address
    let registry = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("registry-{checksum}"));
    let _ = std::fs::remove_dir_all(&registry);
    let write = |path: &str, bytes: &[u8]| {
        let path = registry.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    write("crates/platform-contracts/0.1.0/download", &archive);
    // Twyla comes from cargo's default registry
    let lock = std::fs::read_to_string(workspace().join("Cargo.lock")).unwrap();
    let of_cargo = lock.lines().find_map(|line| line.strip_prefix("source = \"registry+")?.strip_suffix('"'));
    let dependency = |name: &str, kind: &str| {
        serde_json::json!({
            "name": name, "req": "^0.1.0", "features": [], "optional": false, "default_features": true, "target": null,
            "kind": kind, "registry": of_cargo.unwrap()
        })
    };
    let entry = serde_json::json!({
        "name": "platform-contracts", "vers": "0.1.0", "cksum": checksum, "yanked": false,
        "deps": [dependency("twyla-codec", "normal"), dependency("twyla-build", "build")],
        "features": { "default": ["example"], "example": [] }
    });
    write("index/pl/at/platform-contracts", format!("{entry}\n").as_bytes());
    let config = serde_json::json!({ "dl": format!("file://{}/crates", registry.display()) });
    write("index/config.json", config.to_string().as_bytes());
    let index = registry.join("index");
    git(&index, &["init", "--quiet"]);
    git(&index, &["add", "."]);
    git(&index, &["commit", "--quiet", "--message", "Index"]);
    format!("file://{}", index.display())
}

#[test]
fn the_manifest_is_the_same_with_schemas_of_its_own_by_path_from_git_and_from_a_registry() {
    let folder = tempfile::tempdir().unwrap();
    let contracts = contracts_crate(folder.path());
    assert!(twyla(&contracts, &["accept"]).status.success());
    // a path in a package from git is a package of its own: this one has Twyla by its version
    let [codec, runtime, build] = ["twyla-codec", "twyla-runtime", "twyla-build"].map(|name| workspace().join(name));
    for path in [&codec, &build] {
        edit(&contracts.join("Cargo.toml"), &format!(", path = {path:?}"), "");
    }
    let patch = format!(
        "\n[patch.crates-io]\ntwyla-codec = {{ path = {codec:?} }}\ntwyla-runtime = {{ path = {runtime:?} }}\ntwyla-build = {{ path = {build:?} }}\n"
    );
    git(&contracts, &["init", "--quiet"]);
    git(&contracts, &["add", "."]);
    git(&contracts, &["commit", "--quiet", "--message", "Contracts"]);
    let repository = Path::new(env!("CARGO_TARGET_TMPDIR")).join("platform-contracts.git");
    let _ = std::fs::remove_dir_all(&repository);
    git(&contracts, &["clone", "--quiet", "--bare", ".", repository.to_str().unwrap()]);
    let manifest = |service: &Path| {
        let made = twyla(service, &["manifest", "--out", "-"]);
        assert!(made.status.success(), "{}", text(&made.stderr));
        text(&made.stdout)
    };
    let made_in = |parent: &str, source: &str| {
        let parent = folder.path().join(parent);
        std::fs::create_dir(&parent).unwrap();
        let service = service_on(&parent, "answerer", source);
        listen(&service);
        append(&service.join("Cargo.toml"), &patch);
        service
    };
    let by_path = manifest(&made_in("by-path", "../platform-contracts"));
    let from_git = made_in("from-git", &format!("file://{}", repository.display()));
    fetch(&from_git);
    let lock = std::fs::read_to_string(from_git.join("Cargo.lock")).unwrap();
    assert!(lock.contains("source = \"git+file://"), "{lock}");
    assert!(by_path.contains("example.asked") && by_path.contains("example.answered"), "{by_path}");
    assert_eq!(manifest(&from_git), by_path);

    // from a registry, in which the commands find the schemas too
    let published = made_in("from-registry", "../platform-contracts");
    edit(
        &published.join("Cargo.toml"),
        "{ path = \"../../platform-contracts\" }",
        "{ version = \"0.1\", registry = \"company\" }",
    );
    std::fs::create_dir(published.join(".cargo")).unwrap();
    let config = format!("[registries.company]\nindex = {:?}\n", publish(&contracts));
    std::fs::write(published.join(".cargo/config.toml"), config).unwrap();
    fetch(&published);
    let lock = std::fs::read_to_string(published.join("Cargo.lock")).unwrap();
    assert!(lock.contains("source = \"registry+file://"), "{lock}");
    assert_eq!(manifest(&published), by_path);
    let explained = twyla(&published, &["explain", "example.asked", "--contracts", "platform-contracts"]);
    assert!(text(&explained.stdout).contains("question"), "{}", text(&explained.stderr));

    // the same program, with the same schemas in its own folder
    let own = made_in("own", "../platform-contracts");
    edit(&own.join("Cargo.toml"), "platform-contracts = { path = \"../../platform-contracts\" }\n", "");
    append(&own.join("Cargo.toml"), "\n[build-dependencies]\ntwyla-build = \"0.1\"\n");
    std::fs::write(own.join("build.rs"), "fn main() {\n    twyla_build::compile(\"schemas\")\n}\n").unwrap();
    edit(
        &own.join("src/main.rs"),
        "use platform_contracts as contracts;",
        "mod contracts {\n    twyla_runtime::include_contracts!();\n}",
    );
    for file in walk(&contracts.join("schemas")) {
        let copy = own.join(file.strip_prefix(&contracts).unwrap());
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(file, copy).unwrap();
    }
    assert_eq!(manifest(&own), by_path);
}

#[test]
fn a_contracts_crate_of_two_services_in_a_workspace_is_compiled_once() {
    let folder = tempfile::tempdir().unwrap();
    let contracts = contracts_crate(folder.path());
    for name in ["asker", "answerer"] {
        let service = service_on(folder.path(), name, "platform-contracts");
        listen(&service);
    }
    let members = "[workspace]\nmembers = [\"platform-contracts\", \"asker\", \"answerer\"]\nresolver = \"3\"\n";
    std::fs::write(folder.path().join("Cargo.toml"), members).unwrap();
    pin(folder.path());
    let built = cargo(folder.path(), &["check", "--workspace", "--quiet", "--message-format=json"]);
    assert!(built.status.success(), "{}", text(&built.stderr));
    let messages: Vec<serde_json::Value> =
        text(&built.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let url = format!("path+file://{}", contracts.canonicalize().unwrap().display());
    let of = |reason: &str, kind: &str| {
        let is_it = |message: &&serde_json::Value| {
            message["reason"] == reason
                && message["package_id"].as_str().unwrap_or_default().starts_with(&url)
                && message["fresh"] != true
                && (kind.is_empty() || message["target"]["kind"][0] == kind)
        };
        messages.iter().filter(is_it).count()
    };
    let services =
        |name: &str| messages.iter().any(|message| message["target"]["name"] == name && message["fresh"] == false);
    assert!(services("asker") && services("answerer"));
    assert_eq!(of("build-script-executed", ""), 1);
    assert_eq!(of("compiler-artifact", "lib"), 1);
}

#[test]
fn check_reports_features_that_lag_behind_the_folders() {
    let folder = tempfile::tempdir().unwrap();
    let contracts = contracts_crate(folder.path());
    assert!(twyla(&contracts, &["accept"]).status.success());
    let check = |args: &[&str]| {
        let checked = twyla(&contracts, &[&["check"], args].concat());
        assert!(checked.status.success(), "{}", text(&checked.stderr));
        text(&checked.stdout)
    };
    assert_eq!(check(&[]), "in order: 3 contracts, all as accepted\n");

    let (schemas, manifest) = (contracts.join("schemas"), contracts.join("Cargo.toml"));
    let web_shop = schemas.join("events/web-shop");
    std::fs::create_dir(&web_shop).unwrap();
    std::fs::copy(schemas.join("events/example/asked.json"), web_shop.join("asked.json")).unwrap();
    assert!(twyla(&contracts, &["accept"]).status.success());
    // a group of features and one that the sources ask for are no domain's
    edit(&manifest, "example = []\n", "example = []\nbilling = []\nall = [\"example\"]\ntracing = []\n");
    edit(
        &contracts.join("src/lib.rs"),
        "twyla_codec",
        "#[cfg(feature = \"tracing\")]\npub mod tracing {}\n\ntwyla_codec",
    );
    let checked = check(&[]);
    assert_eq!(
        checked,
        "warning: Cargo.toml:8:2: `web-shop` has no feature, so no build compiles its contracts\n\
         \x20 options  - add `web-shop = []` to `[features]`, and `web-shop` to `default` if services have it by default\n\n\
         warning: Cargo.toml:11:1: the feature `billing` compiles nothing: no domain or service has this name\n\
         \x20 options  - remove `billing` from `[features]`, or give its domain the name\n\n\
         in order: 4 contracts, all as accepted\n"
    );
    let json: serde_json::Value = serde_json::from_str(&check(&["--format", "json"])).unwrap();
    assert_eq!(json["features"][0]["name"], "web-shop");
    assert_eq!(json["features"][1]["is"], "no folder");
    let annotated = check(&["--format", "github"]);
    assert!(annotated.contains("::warning file=Cargo.toml,line=11,"), "{annotated}");
    assert!(annotated.contains("%0A  options  - remove `billing` from `[features]`"), "{annotated}");
    let commented = check(&["--format", "markdown"]);
    assert!(commented.contains("has no feature, so no build compiles its contracts"), "{commented}");

    edit(&contracts.join("build.rs"), "fn main() {\n", "fn main() {\n    let _ = cfg!(feature = \"billing\");\n");
    assert!(!check(&[]).contains("billing"));
    edit(&manifest, "billing = []\n", "web_shop = []\n");
    assert_eq!(check(&[]), "in order: 4 contracts, all as accepted\n");
    // a crate that compiles everything needs no features
    edit(&manifest, "web_shop = []\n", "");
    edit(&contracts.join("build.rs"), ".by_features()", "");
    assert_eq!(check(&[]), "in order: 4 contracts, all as accepted\n");
}

#[test]
fn a_contracts_crate_that_is_not_there_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    contracts_crate(folder.path());
    let refused = |args: &[&str]| {
        let output = twyla(folder.path(), args);
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr)
    };
    let other = refused(&["new", "a", "--contracts", "platform=platform-contracts"]);
    assert_eq!(
        other,
        "error: the package in platform-contracts is platform-contracts, not platform: \
         write `--contracts platform-contracts=platform-contracts`\n"
    );
    let nowhere = refused(&["new", "a", "--contracts", "platform=nowhere"]);
    assert!(nowhere.starts_with("error: there is no contracts crate in nowhere: Cargo.toml: "), "{nowhere}");
    assert!(
        refused(&["new", "a", "--contracts", "a=platform-contracts"]).contains("its contracts crate has this name")
    );
    for package in ["tokio", "twyla-runtime", "type"] {
        let source = format!("{package}=https://example.com/contracts");
        let named = refused(&["new", "a", "--contracts", &source]);
        assert!(named.contains(&format!("a contracts crate can't be named {package}")), "{named}");
    }
    assert!(refused(&["new", "a", "--contracts", "platform"]).contains("expected PACKAGE=PATH or PACKAGE=GIT"));
    assert!(
        refused(&["new", "2fast", "--contracts-crate"]).starts_with("error: a contracts crate can't be named 2fast")
    );
    // the short form of SSH, as git prints it
    assert!(
        twyla(folder.path(), &["new", "a", "--contracts", "p=git@example.com:platform/contracts.git"]).status.success()
    );
    let manifest = std::fs::read_to_string(folder.path().join("a/Cargo.toml")).unwrap();
    assert!(manifest.contains("p = { git = \"ssh://git@example.com/platform/contracts.git\" }"), "{manifest}");
}
