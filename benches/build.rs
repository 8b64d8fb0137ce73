//! Generates the types of each contract: Twyla's, and typify's from the same schema.

use std::path::Path;

/// The file, and the module with typify's code.
const CONTRACTS: [(&str, &str); 4] = [
    ("../schemas/events/api/user_input.json", "chat"),
    ("schemas/events/shop/order_placed.json", "order"),
    ("schemas/events/cloud/event.json", "cloud_event"),
    ("schemas/events/github/pull_request_opened.json", "pull_request"),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = std::env::var("OUT_DIR")?;
    let out = Path::new(&out);
    for (folder, file) in [("../schemas", "demo.rs"), ("schemas", "events.rs")] {
        println!("cargo::rerun-if-changed={folder}");
        let generated = twyla_build::Builder::new(folder).generate().map_err(|problems| format!("{problems:#?}"))?;
        std::fs::write(out.join(file), generated.code)?;
    }
    let mut typified = String::new();
    for (file, module) in CONTRACTS {
        let code = typify(&std::fs::read_to_string(file)?).map_err(|error| format!("{file}: {error}"))?;
        typified.push_str(&format!("pub mod {module} {{\n{code}}}\n"));
    }
    std::fs::write(out.join("typify.rs"), typified)?;
    Ok(())
}

/// typify's code for a schema.
fn typify(schema: &str) -> Result<String, Box<dyn std::error::Error>> {
    // typify knows `definitions` only
    let schema = schema.replace("$defs", "definitions");
    let mut space = typify::TypeSpace::new(&typify::TypeSpaceSettings::default());
    space.add_root_schema(serde_json::from_str(&schema)?)?;
    Ok(prettyplease::unparse(&syn::parse2(space.to_stream())?))
}
