//! Manifests written for tests: services in few words, with schemas that are compiled as any others.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use serde_json::{Map, Value, json};
use twyla_build::Builder;
use twyla_build::compare::{Bundle, ContractKind};

pub(crate) const CONTEXT: &str = r#"{ "type": "object", "properties": { "channel": { "type": "string", "minLength": 1 } }, "required": ["channel"] }"#;

/// The contract of a folder with that file.
fn bundle(path: &str, text: &str, kind: ContractKind, name: &str) -> Bundle {
    type Known = BTreeMap<(String, String), Bundle>;
    static KNOWN: Mutex<Known> = Mutex::new(BTreeMap::new());
    let key = (path.to_owned(), text.to_owned());
    let mut known = KNOWN.lock().unwrap();
    let made = || {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("context.json", CONTEXT);
        write("events/other/one.json", r#"{ "type": "object" }"#);
        if let Some(rpc) = path.strip_prefix("rpc/").and_then(|path| path.rsplit_once('/')) {
            write(&format!("rpc/{}/request.json", rpc.0), r#"{ "type": "object" }"#);
            write(&format!("rpc/{}/response.json", rpc.0), r#"{ "type": "object" }"#);
        }
        write(path, text);
        let sources = Builder::new(folder.path()).contracts().unwrap_or_else(|problems| panic!("{path}: {problems}"));
        sources.contract(kind, name).unwrap().bundle.clone()
    };
    known.entry(key).or_insert_with(made).clone()
}

/// A version of a service, in few words.
#[derive(Clone)]
pub(crate) struct Service {
    manifest: Map<String, Value>,
    schemas: Map<String, Value>,
    context: String,
}

impl Service {
    pub(crate) fn new(name: &str, version: &str) -> Self {
        let manifest = json!({ "format": "twyla-contracts 1", "service": name, "version": version });
        let Value::Object(manifest) = manifest else { unreachable!() };
        Self { manifest, schemas: Map::new(), context: CONTEXT.to_owned() }
    }

    fn carries(&mut self, bundle: &Bundle) -> String {
        self.schemas.insert(bundle.digest(), serde_json::from_str(&bundle.to_string()).unwrap());
        bundle.digest()
    }

    fn of_context(&mut self) -> String {
        let bundle = bundle("context.json", &self.context.clone(), ContractKind::Context, "context");
        self.carries(&bundle)
    }

    fn event(&mut self, name: &str, text: &str) -> (String, String) {
        let path = format!("events/{}.json", name.replacen('.', "/", 1));
        let bundle = bundle(&path, text, ContractKind::Event, name);
        (self.carries(&bundle), self.of_context())
    }

    fn list(&mut self, verb: &str, entry: Value) {
        self.manifest.entry(verb).or_insert_with(|| json!([])).as_array_mut().unwrap().push(entry);
    }

    /// From here on with another context.
    pub(crate) fn context(mut self, text: &str) -> Self {
        self.context = text.to_owned();
        self
    }

    pub(crate) fn emits(mut self, event: &str, text: &str) -> Self {
        let (content, context) = self.event(event, text);
        self.list("emits", json!({ "event": event, "content": content, "context": context }));
        self
    }

    pub(crate) fn listens(mut self, event: &str, group: &str, text: &str) -> Self {
        let (content, context) = self.event(event, text);
        let handler = format!("{group}::handle");
        let entry =
            json!({ "event": event, "group": group, "content": content, "context": context, "handler": handler });
        self.list("listens", entry);
        self
    }

    fn rpc(mut self, verb: &str, method: &str, request: &str, response: &str) -> Self {
        let path = method.replacen('.', "/", 1);
        let asked = bundle(&format!("rpc/{path}/request.json"), request, ContractKind::Request, method);
        let answered = bundle(&format!("rpc/{path}/response.json"), response, ContractKind::Response, method);
        let (request, response) = (self.carries(&asked), self.carries(&answered));
        let context = self.of_context();
        let entry = json!({ "method": method, "request": request, "response": response, "context": context });
        self.list(verb, entry);
        self
    }

    pub(crate) fn serves(self, method: &str, request: &str, response: &str) -> Self {
        self.rpc("serves", method, request, response)
    }

    pub(crate) fn calls(self, method: &str, request: &str, response: &str) -> Self {
        self.rpc("calls", method, request, response)
    }

    pub(crate) fn in_the_field(mut self) -> Self {
        self.manifest.insert("in_the_field".to_owned(), true.into());
        self
    }

    pub(crate) fn environment(mut self, name: &str) -> Self {
        self.manifest.insert("environment".to_owned(), name.into());
        self
    }

    /// With the version before it folded in.
    pub(crate) fn after(mut self, before: Self) -> Self {
        let kept = ["version", "emits", "listens", "serves", "calls"];
        let old: Map<String, Value> =
            before.manifest.into_iter().filter(|(name, _)| kept.contains(&name.as_str())).collect();
        self.list("previous", old.into());
        self.schemas.extend(before.schemas);
        self
    }

    pub(crate) fn json(&self) -> Value {
        let mut manifest = self.manifest.clone();
        manifest.insert("schemas".to_owned(), self.schemas.clone().into());
        manifest.into()
    }

    pub(crate) fn write(&self, folder: &Path) -> std::path::PathBuf {
        self.write_as(folder, self.manifest["service"].as_str().unwrap())
    }

    /// Into a file of another name.
    pub(crate) fn write_as(&self, folder: &Path, name: &str) -> std::path::PathBuf {
        fs::create_dir_all(folder).unwrap();
        let path = folder.join(format!("{name}.contracts.json"));
        fs::write(&path, self.json().to_string()).unwrap();
        path
    }
}
