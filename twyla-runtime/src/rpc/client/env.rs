//! The environment variables with the addresses of services: `<PREFIX>_NAVITAIRE_API_URL`.

use std::collections::HashMap;
use std::ffi::OsString;

use crate::bus::config;

/// A variable with addresses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    /// The service as the variable names it: `NAVITAIRE_API`.
    pub(crate) service: String,
    pub(crate) value: String,
}

/// `<PREFIX>_LOG_URL` names the destination of logs, not a service.
const LOG: &str = "LOG";

/// The variables whose values are not addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UnsetVariables {
    prefix: String,
    /// The values, by the service's name in the variable; `None` for a value that must stay hidden or isn't Unicode.
    others: HashMap<String, Option<String>>,
}

/// Splits the variables `<PREFIX>_<SERVICE>_URL` into those with addresses and the others, for example the URLs of databases.
pub(crate) fn variables(
    prefix: &str,
    all: impl IntoIterator<Item = (OsString, OsString)>,
) -> (Vec<Variable>, UnsetVariables) {
    let prefix = plain(prefix);
    let mut unset = UnsetVariables { prefix: prefix.to_owned(), others: HashMap::new() };
    let mut found = Vec::new();
    for (name, value) in all {
        let Some((name, service)) = named(prefix, name) else { continue };
        match value.into_string() {
            Ok(value) if has_address(&value) => {
                found.push(Variable { name, service, value });
            }
            // the value is hidden: it may have a password before the `@`
            Ok(value) => drop(unset.others.insert(service, (!value.contains('@')).then_some(value))),
            Err(_) => drop(unset.others.insert(service, None)),
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    (found, unset)
}

/// Returns whether a value has an address, or starts like one.
fn has_address(value: &str) -> bool {
    let begins = |url: &str, with: &str| url.trim_start().to_ascii_lowercase().starts_with(with);
    begins(value, "http") || value.split(',').any(|url| begins(url, "http://") || begins(url, "https://"))
}

/// Returns a variable's name and the service in it; `None` if the name isn't of the form `<PREFIX>_<SERVICE>_URL`.
fn named(prefix: &str, name: OsString) -> Option<(String, String)> {
    let name = name.into_string().ok()?;
    let rest = if prefix.is_empty() { &*name } else { name.strip_prefix(prefix)?.strip_prefix('_')? };
    let service = rest.strip_suffix("_URL").filter(|service| !service.is_empty() && *service != LOG)?.to_owned();
    Some((name, service))
}

impl UnsetVariables {
    /// Returns why a service has no address.
    pub(crate) fn missing(&self, service: &str) -> String {
        let variable = variable(&self.prefix, service);
        let is = match self.others.get(&key(service)) {
            Some(Some(value)) => format!("is {value:?}, which doesn't begin with http:// or https://"),
            Some(None) => "is not an http or https URL".to_owned(),
            None => "is not set".to_owned(),
        };
        format!("{variable} {is}: set it to the URL of `{service}`, for example http://booking:8080")
    }
}

/// Returns the prefix without its trailing underscore.
pub(crate) fn plain(prefix: &str) -> &str {
    prefix.strip_suffix('_').unwrap_or(prefix)
}

/// Returns a service's name in the form of variables: `NAVITAIRE_API`.
pub(crate) fn key(service: &str) -> String {
    let mut key = service.replace('-', "_");
    key.make_ascii_uppercase();
    key
}

/// Returns the variable with a service's addresses: `PLATFORM_NAVITAIRE_API_URL`.
fn variable(prefix: &str, service: &str) -> String {
    config::variable(prefix, &format!("{}_URL", key(service)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_names_a_service() {
        assert_eq!(variable("PLATFORM", "navitaire-api"), "PLATFORM_NAVITAIRE_API_URL");
        assert_eq!(variable("PLATFORM_", "booking"), "PLATFORM_BOOKING_URL");
        assert_eq!(variable("", "booking"), "BOOKING_URL");
    }

    #[test]
    fn only_addresses_count() {
        let set = [
            ("P_NAVITAIRE_API_URL", "http://a:1,https://b"),
            ("P_DATABASE_URL", "postgres://u@h"),
            ("OTHER_URL", "http://c"),
            ("P_URL", "http://d"),
            ("P_LOG_URL", "https://logs"),
            ("PX_URL", "http://e"),
        ];
        let set = || set.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let (found, _) = variables("P_", set());
        let services: Vec<_> = found.iter().map(|variable| variable.service.as_str()).collect();
        assert_eq!(services, ["NAVITAIRE_API"]);
        let (of_all, _) = variables("", set());
        assert_eq!(of_all.len(), 5);
        // an address without its scheme is refused and not skipped
        for (value, count) in
            [("a:1,http://b", 1), ("http://b,a:1", 1), (" HTTPS://b", 1), ("http:", 1), ("a,http-b:1", 0)]
        {
            assert_eq!(variables("P", [("P_X_URL".into(), value.into())]).0.len(), count, "{value}");
        }
    }

    #[test]
    fn distinguishes_an_invalid_address_from_a_missing_one() {
        let set = [("P_STOCK_URL", "127.0.0.1:8080"), ("P_DB_URL", "postgres://u:hunter2@h"), ("P_LOG_URL", "x")];
        let (_, unset) = variables("P", set.map(|(name, value)| (name.into(), value.into())));
        assert_eq!(
            unset.missing("stock"),
            "P_STOCK_URL is \"127.0.0.1:8080\", which doesn't begin with http:// or https://: set it to the URL of `stock`, \
             for example http://booking:8080"
        );
        assert!(unset.missing("db").starts_with("P_DB_URL is not an http or https URL: set it"));
        assert!(unset.missing("log").starts_with("P_LOG_URL is not set: set it to the URL of `log`"));
    }
}
