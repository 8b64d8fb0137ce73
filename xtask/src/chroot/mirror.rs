//! The Debian mirror that apt uses, and the proxy through which apt reaches it.

use std::process::Command;

use crate::machine;

/// A source of Debian packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mirror {
    pub(super) uri: String,
    /// The environment variable that makes wget use apt's proxy, as `name=value`; `None` if apt has no proxy.
    pub(super) proxy: Option<String>,
}

/// The format in which apt prints each source; apt itself reads both formats of its source files.
const FORMAT: &str = "$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)";

impl Mirror {
    /// Returns apt's mirror; fetches apt's lists first if apt can't name its sources without them.
    pub(super) fn of_apt() -> Result<Self, String> {
        let sources = || output("apt-get", &["indextargets", "--format", FORMAT, "Created-By: Packages"]);
        let uri = match choose(&sources()?) {
            Ok(uri) => uri,
            Err(_) => {
                machine::update()?;
                choose(&sources()?)?
            }
        };
        let config = output("apt-config", &["dump", "--format", "%f %v%n", "Acquire"])?;
        let proxy = proxy(&config, &uri);
        Ok(Self { uri, proxy })
    }
}

fn output(program: &str, args: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(args).output();
    let output = output.map_err(|_| format!("this machine is not Debian: it has no {program}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Returns the first source that is a mirror of Debian itself and that debootstrap can read.
fn choose(sources: &str) -> Result<String, String> {
    let uris = || {
        sources.lines().filter_map(|line| match line.split('|').collect::<Vec<_>>()[..] {
            ["Debian", "Debian", "main", uri] => Some(uri),
            _ => None,
        })
    };
    let read = |uri: &&str| ["http://", "https://", "file:"].iter().any(|scheme| uri.starts_with(scheme));
    match (uris().find(read), uris().next()) {
        (Some(uri), _) => Ok(uri.to_owned()),
        (None, Some(uri)) => {
            Err(format!("apt's mirror of Debian is {uri}, and debootstrap reads only http, https and file"))
        }
        (None, None) => Err("none of apt's sources is a mirror of Debian".into()),
    }
}

/// Returns the variable that gives wget the proxy of apt's configuration: the host's own proxy, or the one for all hosts.
fn proxy(config: &str, uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once("://")?;
    let host = rest.split(['/', ':']).next()?;
    let value = |key: String| {
        let values = config.lines().filter_map(|line| line.split_once(' '));
        values
            .filter(|(name, value)| name.eq_ignore_ascii_case(&key) && !value.is_empty())
            .map(|(_, value)| value)
            .next_back()
    };
    // apt uses the proxies of http for https, too, if https has none
    let schemes: &[&str] = if scheme == "https" { &["https", "http"] } else { &["http"] };
    let found = schemes.iter().find_map(|scheme| {
        value(format!("Acquire::{scheme}::Proxy::{host}")).or_else(|| value(format!("Acquire::{scheme}::Proxy")))
    })?;
    Some(format!("{scheme}_proxy={}", if found == "DIRECT" { "" } else { found }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_whole_debian_is_chosen_and_no_other_source() {
        let sources = "Google|Google|main|https://packages.example/apt/\n\
                       Debian|Debian-Security|main|http://mirror.example/debian-security/\n\
                       Debian|Debian|contrib|http://contrib.example/debian/\n\
                       Debian|Debian|main|mirror+file:/etc/apt/mirrors.txt\n\
                       Debian|Debian|main|http://mirror.example/debian/\n\
                       Debian|Debian|main|http://second.example/debian/\n";
        assert_eq!(choose(sources).unwrap(), "http://mirror.example/debian/");
    }

    #[test]
    fn a_machine_without_a_mirror_of_debian_is_reported() {
        let ubuntu = "Ubuntu|Ubuntu|main|http://mirror.example/ubuntu/\n";
        assert_eq!(choose(ubuntu).unwrap_err(), "none of apt's sources is a mirror of Debian");
        let list = "Debian|Debian|main|mirror+file:/etc/apt/mirrors.txt/\n";
        assert!(choose(list).unwrap_err().contains("mirror+file:/etc/apt/mirrors.txt"));
        // lists that were never fetched
        assert!(choose("$(ORIGIN)|$(LABEL)|main|http://mirror.example/debian/\n").is_err());
    }

    #[test]
    fn the_proxy_of_the_host_comes_before_that_of_all_hosts() {
        let all = "Acquire::http::Proxy http://proxy.example:3128\n";
        let uri = "http://mirror.example:8080/debian/";
        assert_eq!(proxy(all, uri).unwrap(), "http_proxy=http://proxy.example:3128");
        assert_eq!(proxy(all, "https://mirror.example/debian").unwrap(), "https_proxy=http://proxy.example:3128");
        let direct = format!("{all}acquire::HTTP::proxy::mirror.example DIRECT\n");
        assert_eq!(proxy(&direct, uri).unwrap(), "http_proxy=");
        assert_eq!(proxy("Acquire::http::Proxy \n", uri), None);
        assert_eq!(proxy(all, "file:/srv/debian"), None);
    }
}
