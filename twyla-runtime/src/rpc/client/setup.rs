//! Makes an [`Rpc`]: from the environment, or of a configuration.

use std::ffi::OsString;

use super::call::Rpc;
#[cfg(feature = "rpc-client")]
use super::config::Config;
use super::env::{Unset, Variable, variables};
#[cfg(feature = "rpc-client")]
use super::http::Http;
use super::retry::Patience;
use super::route::Link;
use crate::bus::config::ConfigError;

impl Rpc {
    /// Calls services over HTTP.
    ///
    /// # Errors
    /// [`ConfigError`] says which address or which TLS file is wrong. Nothing is connected yet.
    #[cfg(feature = "rpc-client")]
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        if let Some(wrong) = config.wrong {
            return Err(wrong);
        }
        let patience = config.patience;
        Ok(Self::over(Link::Http(Http::new(config)?), patience))
    }

    /// Over HTTP where a variable `<PREFIX>_<SERVICE>_URL` has an `http` or `https` URL, else within this process. Any other
    /// value counts as none, as databases have such variables too; a call of that service says so.
    ///
    /// `PLATFORM_NAVITAIRE_API_URL` is where the service `navitaire-api` is for the prefix `PLATFORM`, with or without its
    /// trailing underscore; several URLs have commas between.
    ///
    /// # Errors
    /// [`ConfigError`] names a variable that begins as such a URL and isn't one.
    pub fn from_env(prefix: &str) -> Result<Self, ConfigError> {
        Self::from_variables(prefix, std::env::vars_os())
    }

    fn from_variables(prefix: &str, all: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, ConfigError> {
        let (found, unset) = variables(prefix, all);
        if found.is_empty() {
            return Ok(Self::over(Link::in_memory(Some(unset)), Patience::default()));
        }
        Self::addressed(found, unset)
    }

    #[cfg(feature = "rpc-client")]
    fn addressed(found: Vec<Variable>, unset: Unset) -> Result<Self, ConfigError> {
        Self::new(Config::addressed(found, unset)?)
    }

    #[cfg(not(feature = "rpc-client"))]
    fn addressed(found: Vec<Variable>, _: Unset) -> Result<Self, ConfigError> {
        let variable = found.into_iter().next().map(|variable| variable.name).unwrap_or_default();
        let problem = "is set, but twyla-runtime was built without its feature `rpc-client`".to_owned();
        Err(ConfigError { variable, problem })
    }
}
