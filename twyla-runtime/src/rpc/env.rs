//! The environment variables that say where services are: `<PREFIX>_NAVITAIRE_API_URL`.

use std::ffi::OsString;

use super::call::Rpc;
use super::route::Link;
use crate::config::ConfigError;

/// A variable with addresses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    /// The service as the variable names it: `NAVITAIRE_API`.
    pub(crate) service: String,
    pub(crate) value: String,
}

/// What `<PREFIX>_LOG_URL` would name, which is where logs go.
const LOG: &str = "LOG";

/// The variables with addresses. Databases and the like have URLs too, so only those count that begin with `http`.
pub(crate) fn variables(prefix: &str, all: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<Variable> {
    let prefix = plain(prefix);
    let found = all.into_iter().filter_map(|(name, value)| {
        let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
        let rest = if prefix.is_empty() { &*name } else { name.strip_prefix(prefix)?.strip_prefix('_')? };
        let service = rest.strip_suffix("_URL").filter(|service| !service.is_empty() && *service != LOG)?.to_owned();
        let http = value.trim_start().to_ascii_lowercase().starts_with("http");
        http.then_some(Variable { name, service, value })
    });
    let mut found: Vec<_> = found.collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// The prefix without its trailing underscore.
pub(crate) fn plain(prefix: &str) -> &str {
    prefix.strip_suffix('_').unwrap_or(prefix)
}

/// A service as variables name it: `NAVITAIRE_API`.
pub(crate) fn key(service: &str) -> String {
    service.replace('-', "_").to_ascii_uppercase()
}

/// The variable with a service's addresses: `PLATFORM_NAVITAIRE_API_URL`.
pub(crate) fn variable(prefix: &str, service: &str) -> String {
    let (prefix, service) = (plain(prefix), key(service));
    if prefix.is_empty() { format!("{service}_URL") } else { format!("{prefix}_{service}_URL") }
}

impl Rpc {
    /// Over HTTP where a variable `<PREFIX>_<SERVICE>_URL` has an `http` or `https` URL, else within this process.
    ///
    /// `PLATFORM_NAVITAIRE_API_URL` is where the service `navitaire-api` is for the prefix `PLATFORM`, with or without its
    /// trailing underscore; several URLs have commas between.
    ///
    /// # Errors
    /// [`ConfigError`] names a variable that begins as such a URL and isn't one.
    pub fn from_env(prefix: &str) -> Result<Self, ConfigError> {
        Self::from_variables(prefix, std::env::vars_os())
    }

    #[cfg(feature = "rpc-client")]
    fn from_variables(prefix: &str, all: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, ConfigError> {
        match super::Config::from_variables(prefix, all)? {
            Some(config) => Self::new(config),
            None => Ok(Self::within(prefix)),
        }
    }

    #[cfg(not(feature = "rpc-client"))]
    fn from_variables(prefix: &str, all: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, ConfigError> {
        match variables(prefix, all).into_iter().next() {
            Some(Variable { name, .. }) => Err(ConfigError {
                variable: name,
                problem: "is set, but twyla-runtime was built without its feature `rpc-client`".to_owned(),
            }),
            None => Ok(Self::within(prefix)),
        }
    }

    /// In memory, because no variable says otherwise.
    fn within(prefix: &str) -> Self {
        Self::over(Link::in_memory(Some(plain(prefix).to_owned())), super::retry::Patience::default())
    }
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
        let found = variables("P_", set());
        let services: Vec<_> = found.iter().map(|variable| variable.service.as_str()).collect();
        assert_eq!(services, ["NAVITAIRE_API"]);
        let of_all = variables("", set());
        assert_eq!(of_all.len(), 5);
    }
}
