//! The model as compact text: one line per fact, fields separated by tabs. The build script writes it next to the generated
//! code and the macros read it: reading is the exact inverse of writing.

use std::fmt::{self, Write};

use crate::{Context, Contracts, Event, EventName, Kind, Location, Property, Rpc, RpcBody, RpcName};

/// The index's file name in `OUT_DIR`.
pub const FILE_NAME: &str = "twyla.index";

/// The first line. A text of another version is refused.
const HEADER: &str = "twyla-index 1";

/// Formats the model as text.
#[must_use]
pub fn write(contracts: &Contracts) -> String {
    let mut out = format!("{HEADER}\n");
    line(&mut out, "root", &[&contracts.root]);
    let Context { place, rust_path } = &contracts.context;
    line(&mut out, "context", &[&place.file, &place.line.to_string(), &place.column.to_string(), rust_path]);
    for event in &contracts.events {
        let Event { name, place, rust_path, properties, open } = event;
        let (row, column) = (place.line.to_string(), place.column.to_string());
        line(&mut out, "event", &[name.as_str(), &place.file, &row, &column, rust_path, flag(*open)]);
        for property in properties {
            let Property { wire, field, required, kind, rust_type, place } = property;
            let (row, column) = (place.line.to_string(), place.column.to_string());
            let mut words = Vec::new();
            kind_words(kind, &mut words);
            let mut fields: Vec<&str> = vec![wire, field, flag(*required), rust_type, &place.file, &row, &column];
            fields.extend(words.iter().map(String::as_str));
            line(&mut out, "property", &fields);
        }
    }
    for rpc in &contracts.rpcs {
        let Rpc { name, rust_path, idempotent, request, response, error } = rpc;
        line(&mut out, "rpc", &[name.as_str(), rust_path, flag(*idempotent)]);
        let bodies = [("request", Some(request)), ("response", Some(response)), ("error", error.as_ref())];
        for (word, body) in bodies {
            let Some(RpcBody { place, rust_path }) = body else { continue };
            line(&mut out, word, &[&place.file, &place.line.to_string(), &place.column.to_string(), rust_path]);
        }
    }
    for name in &contracts.left_out {
        line(&mut out, "left-out", &[name]);
    }
    out
}

/// Parses the model.
///
/// # Errors
/// [`ReadError`] with the first line that [`write()`] wouldn't write: another version, or a truncated file.
pub fn read(text: &str) -> Result<Contracts, ReadError> {
    let mut lines = text.lines().enumerate().map(|(i, line)| (i + 1, line));
    match lines.next() {
        Some((_, HEADER)) => {}
        _ => return Err(ReadError { line: 1, what: "is not an index of this version" }),
    }
    let (mut root, mut context, mut events, mut rpcs) = (None, None, Vec::<Event>::new(), Vec::<PartialRpc>::new());
    let mut left_out = Vec::new();
    for (number, text) in lines {
        let mut fields = Fields { line: number, rest: text.split('\t') };
        match fields.raw()? {
            "root" => root = Some(fields.text()?),
            "context" => context = Some(Context { place: fields.place()?, rust_path: fields.text()? }),
            "left-out" => left_out.push(fields.text()?),
            "event" => {
                let name = EventName::parse(&fields.text()?).map_err(|_| fields.wrong("has a bad event name"))?;
                let (place, rust_path, open) = (fields.place()?, fields.text()?, fields.flag()?);
                events.push(Event { name, place, rust_path, properties: Vec::new(), open });
            }
            "property" => {
                let event = events.last_mut().ok_or_else(|| fields.wrong("has a property before any event"))?;
                let (wire, field, required, rust_type) =
                    (fields.text()?, fields.text()?, fields.flag()?, fields.text()?);
                let (place, kind) = (fields.place()?, fields.kind()?);
                event.properties.push(Property { wire, field, required, kind, rust_type, place });
            }
            "rpc" => {
                let name = RpcName::parse(&fields.text()?).map_err(|_| fields.wrong("has a bad RPC name"))?;
                let (rust_path, idempotent) = (fields.text()?, fields.flag()?);
                rpcs.push(PartialRpc {
                    line: number,
                    name,
                    rust_path,
                    idempotent,
                    request: None,
                    response: None,
                    error: None,
                });
            }
            word @ ("request" | "response" | "error") => {
                let rpc =
                    rpcs.last_mut().ok_or_else(|| fields.wrong("has a part of an RPC without an RPC before it"))?;
                let place = match word {
                    "request" => &mut rpc.request,
                    "response" => &mut rpc.response,
                    _ => &mut rpc.error,
                };
                *place = Some(RpcBody { place: fields.place()?, rust_path: fields.text()? });
            }
            _ => return Err(fields.wrong("begins with an unknown word")),
        }
    }
    let missing = |what| ReadError { line: text.lines().count(), what };
    Ok(Contracts {
        root: root.ok_or_else(|| missing("is the last line, and the root is missing"))?,
        context: context.ok_or_else(|| missing("is the last line, and the context is missing"))?,
        events,
        rpcs: rpcs.into_iter().map(PartialRpc::close).collect::<Result<_, _>>()?,
        left_out,
    })
}

/// An RPC whose parts are not all read yet.
struct PartialRpc {
    line: usize,
    name: RpcName,
    rust_path: String,
    idempotent: bool,
    request: Option<RpcBody>,
    response: Option<RpcBody>,
    error: Option<RpcBody>,
}

impl PartialRpc {
    fn close(self) -> Result<Rpc, ReadError> {
        let Self { line, name, rust_path, idempotent, request, response, error } = self;
        match (request, response) {
            (Some(request), Some(response)) => Ok(Rpc { name, rust_path, idempotent, request, response, error }),
            _ => Err(ReadError { line, what: "has an RPC without a request or a response" }),
        }
    }
}

/// The error of a text that [`write()`] didn't write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The line, from 1.
    pub line: usize,
    what: &'static str,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the contracts' index {}", self.line, self.what)
    }
}

impl std::error::Error for ReadError {}

fn flag(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

fn line(out: &mut String, word: &str, fields: &[&str]) {
    out.push_str(word);
    for field in fields {
        out.push('\t');
        for c in field.chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                '\t' => out.push_str("\\t"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                c => out.push(c),
            }
        }
    }
    out.push('\n');
}

/// Appends a kind in prefix notation, one field per word, so that nesting needs no brackets.
fn kind_words(kind: &Kind, out: &mut Vec<String>) {
    let bound = |bound: &Option<i128>| bound.map_or_else(|| "-".to_owned(), |bound| bound.to_string());
    match kind {
        Kind::Any => out.push("any".into()),
        Kind::Null => out.push("null".into()),
        Kind::Boolean => out.push("boolean".into()),
        Kind::Integer { minimum, maximum } => out.extend(["integer".into(), bound(minimum), bound(maximum)]),
        Kind::Number => out.push("number".into()),
        Kind::String => out.push("string".into()),
        Kind::Format(format) => out.extend(["format".into(), format.clone()]),
        Kind::Enum(values) => {
            let mut word = String::from("enum");
            let _ = write!(word, "{}", values.len());
            out.push(word);
            out.extend(values.iter().cloned());
        }
        Kind::Array(item) => nested("array", item, out),
        Kind::Map(value) => nested("map", value, out),
        Kind::Nullable(kind) => nested("nullable", kind, out),
        Kind::Object { rust_path } => out.extend(["object".into(), rust_path.clone()]),
        Kind::Other { rust_path } => out.extend(["other".into(), rust_path.clone()]),
    }
}

fn nested(word: &str, kind: &Kind, out: &mut Vec<String>) {
    out.push(word.into());
    kind_words(kind, out);
}

struct Fields<'a> {
    line: usize,
    rest: std::str::Split<'a, char>,
}

impl<'a> Fields<'a> {
    fn wrong(&self, what: &'static str) -> ReadError {
        ReadError { line: self.line, what }
    }

    fn raw(&mut self) -> Result<&'a str, ReadError> {
        let line = self.line;
        self.rest.next().ok_or(ReadError { line, what: "is cut short" })
    }

    fn text(&mut self) -> Result<String, ReadError> {
        let raw = self.raw()?;
        let mut out = String::with_capacity(raw.len());
        let mut chars = raw.chars();
        while let Some(c) = chars.next() {
            out.push(match c {
                '\\' => match chars.next() {
                    Some('\\') => '\\',
                    Some('t') => '\t',
                    Some('n') => '\n',
                    Some('r') => '\r',
                    _ => return Err(self.wrong("has an unknown escape")),
                },
                c => c,
            });
        }
        Ok(out)
    }

    fn number<T: std::str::FromStr>(&mut self) -> Result<T, ReadError> {
        let raw = self.raw()?;
        raw.parse().map_err(|_| self.wrong("has no number where a number is expected"))
    }

    fn flag(&mut self) -> Result<bool, ReadError> {
        match self.raw()? {
            "yes" => Ok(true),
            "no" => Ok(false),
            _ => Err(self.wrong("has neither yes nor no")),
        }
    }

    fn place(&mut self) -> Result<Location, ReadError> {
        Ok(Location { file: self.text()?, line: self.number()?, column: self.number()? })
    }

    fn bound(&mut self) -> Result<Option<i128>, ReadError> {
        match self.raw()? {
            "-" => Ok(None),
            raw => raw.parse().map(Some).map_err(|_| self.wrong("has no number where a number is expected")),
        }
    }

    fn kind(&mut self) -> Result<Kind, ReadError> {
        let boxed = |fields: &mut Self| fields.kind().map(Box::new);
        Ok(match self.raw()? {
            "any" => Kind::Any,
            "null" => Kind::Null,
            "boolean" => Kind::Boolean,
            "integer" => Kind::Integer { minimum: self.bound()?, maximum: self.bound()? },
            "number" => Kind::Number,
            "string" => Kind::String,
            "format" => Kind::Format(self.text()?),
            "array" => Kind::Array(boxed(self)?),
            "map" => Kind::Map(boxed(self)?),
            "nullable" => Kind::Nullable(boxed(self)?),
            "object" => Kind::Object { rust_path: self.text()? },
            "other" => Kind::Other { rust_path: self.text()? },
            word => {
                let count = word.strip_prefix("enum").and_then(|count| count.parse::<usize>().ok());
                let count = count.ok_or_else(|| self.wrong("has an unknown kind"))?;
                Kind::Enum((0..count).map(|_| self.text()).collect::<Result<_, _>>()?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: u32) -> Location {
        Location { file: "schemas/events/api/x.json".into(), line, column: 7 }
    }

    fn sample() -> Contracts {
        let kinds = [
            Kind::Any,
            Kind::Integer { minimum: Some(-3), maximum: None },
            Kind::Nullable(Box::new(Kind::Array(Box::new(Kind::Map(Box::new(Kind::String)))))),
            Kind::Enum(vec!["a\tb".into(), "\\n".into(), String::new()]),
            Kind::Format("date-time".into()),
            Kind::Enum(vec![]),
            Kind::Object { rust_path: "api::XItem".into() },
        ];
        let properties = kinds.into_iter().enumerate().map(|(i, kind)| Property {
            wire: format!("p\r\n{i}"),
            field: format!("p_{i}"),
            required: i % 2 == 0,
            kind,
            rust_type: "Vec<String>".into(),
            place: place(3),
        });
        Contracts {
            root: "schemas".into(),
            context: Context { place: place(1), rust_path: "Context".into() },
            events: vec![Event {
                name: EventName::parse("api.x").unwrap(),
                place: place(2),
                rust_path: "api::X".into(),
                properties: properties.collect(),
                open: true,
            }],
            rpcs: [true, false].into_iter().map(rpc).collect(),
            left_out: vec!["bot.reply".into()],
        }
    }

    fn rpc(idempotent: bool) -> Rpc {
        let body = |line| RpcBody { place: place(line), rust_path: "rpc::a::GetRequest".into() };
        let name = RpcName::parse(if idempotent { "a.get" } else { "a.put" }).unwrap();
        let error = idempotent.then(|| body(3));
        let rust_path = "rpc::a::Get".into();
        Rpc { name, rust_path, idempotent, request: body(1), response: body(2), error }
    }

    #[test]
    fn reads_what_it_writes() {
        let contracts = sample();
        assert_eq!(read(&write(&contracts)), Ok(contracts));
    }

    #[test]
    fn refuses_what_it_does_not_write() {
        let good = write(&sample());
        assert_eq!(read("").unwrap_err().line, 1);
        assert_eq!(read("twyla-index 2\n").unwrap_err().line, 1);
        assert!(read(&good.replace("\tyes", "\tmaybe")).is_err());
        assert!(read(&good.replace("nullable", "nulable")).is_err());
        assert!(read(&good.replace("\nresponse", "\nrequest")).is_err());
        // no truncation may panic, and one inside a line is detected
        for end in 0..good.len() {
            if good.is_char_boundary(end) {
                let _ = read(&good[..end]);
            }
        }
    }
}
