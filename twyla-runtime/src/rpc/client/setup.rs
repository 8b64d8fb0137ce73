//! Constructors of [`Rpc`]: from the environment or a configuration.

use std::ffi::OsString;

use super::call::Rpc;
#[cfg(feature = "rpc-client")]
use super::config::Config;
use super::env::{UnsetVariables, Variable, variables};
#[cfg(feature = "rpc-client")]
use super::http::Http;
use super::retry::RetryPolicy;
use super::route::Link;
use crate::bus::config::ConfigError;

impl Rpc {
    /// Creates a client of services over HTTP.
    ///
    /// # Errors
    /// [`ConfigError`] names the invalid address or TLS file. Nothing is connected yet.
    #[cfg(feature = "rpc-client")]
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        if let Some(wrong) = config.wrong {
            return Err(wrong);
        }
        let retry_policy = config.retry_policy;
        Ok(Self::over(Link::Http(Http::new(config)?), retry_policy))
    }

    /// Creates a client over HTTP if a variable `<PREFIX>_<SERVICE>_URL` has an `http` or `https` URL, otherwise one within
    /// this process. Variables with other values are ignored, since databases have such variables too; the error of a call
    /// to that service mentions them.
    ///
    /// `PLATFORM_NAVITAIRE_API_URL` has the URL of the service `navitaire-api` for the prefix `PLATFORM`, which may end with
    /// an underscore; several URLs are separated by commas.
    ///
    /// # Errors
    /// [`ConfigError`] names a variable whose value starts like an `http` or `https` URL but isn't valid.
    pub fn from_env(prefix: &str) -> Result<Self, ConfigError> {
        Self::from_variables(prefix, std::env::vars_os())
    }

    fn from_variables(prefix: &str, all: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, ConfigError> {
        let (found, unset) = variables(prefix, all);
        if found.is_empty() {
            return Ok(Self::over(Link::in_memory(Some(unset)), RetryPolicy::default()));
        }
        Self::addressed(found, unset)
    }

    #[cfg(feature = "rpc-client")]
    fn addressed(found: Vec<Variable>, unset: UnsetVariables) -> Result<Self, ConfigError> {
        Self::new(Config::addressed(found, unset)?)
    }

    #[cfg(not(feature = "rpc-client"))]
    fn addressed(found: Vec<Variable>, _: UnsetVariables) -> Result<Self, ConfigError> {
        let variable = found.into_iter().next().map(|variable| variable.name).unwrap_or_default();
        let problem = "is set, but twyla-runtime was built without its feature `rpc-client`".to_owned();
        Err(ConfigError { variable, problem })
    }
}
