//! The services by their manifests: who emits, listens, serves and calls, and whether they fit together.

use std::collections::BTreeMap;
use std::path::PathBuf;

use twyla_build::compare::{ContractKind, Sources};

use crate::commands::fleet::judge::Comparison;
use crate::commands::fleet::load::{self, Inputs};
use crate::commands::fleet::model::{Subject, Unmatched};
use crate::commands::fleet::report::{Outlook, Report};
use crate::commands::fleet::svg;
use crate::commands::manifest::model::Version;
use crate::support::verb::Verb;

/// The services of all environments.
pub(super) struct Services {
    pub(super) all: Vec<Service>,
    /// The services that use each event and method. A key is whether the name is a method's, and the name.
    pub(super) of: BTreeMap<(bool, String), Vec<Does>>,
    pub(super) edges: Vec<Edge>,
    /// A line about each event, method and queue with only one end.
    pub(super) loose: Vec<String>,
    /// The picture of the fleets, as SVG.
    pub(super) svg: String,
}

/// A service that is deployed somewhere.
pub(super) struct Service {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) environment: Option<String>,
    pub(super) does: Vec<(Verb, String)>,
}

/// The use that a service makes of an event or a method.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Does {
    pub(super) verb: Verb,
    pub(super) service: String,
    pub(super) version: String,
    pub(super) environment: Option<String>,
    pub(super) group: Option<String>,
    pub(super) handler: Option<String>,
    /// Whether the service was built with the current version of the contract.
    pub(super) is_current: bool,
}

/// An edge of the fleet: what one service sends another.
pub(super) struct Edge {
    pub(super) environment: Option<String>,
    pub(super) producer: String,
    pub(super) consumer: String,
    pub(super) subject: String,
    pub(super) is_method: bool,
    pub(super) group: Option<String>,
    pub(super) outlook: Outlook,
}

/// Reads manifests; `None` if none are given.
pub(super) fn services(paths: &[PathBuf], sources: &Sources) -> Result<Option<Services>, load::Error> {
    if paths.is_empty() {
        return Ok(None);
    }
    let loaded = load::load(&Inputs { paths, ..Inputs::default() })?;
    let mut judge = Comparison::new(&loaded.schemas);
    let reports: Vec<Report> = loaded.fleets.into_iter().map(|fleet| Report::new(fleet, &mut judge)).collect();
    let digest = |kind, name: &str| sources.contract(kind, name).map(|it| it.bundle.digest());
    let mut services = Services {
        all: Vec::new(),
        of: BTreeMap::new(),
        edges: Vec::new(),
        loose: Vec::new(),
        svg: svg::svg(&reports),
    };
    for report in &reports {
        let environment = &report.fleet.environment;
        for member in &report.fleet.members {
            let Some(version) = &member.now else { continue };
            let own = |verb, group: Option<&str>, handler: Option<&str>, is_current| Does {
                verb,
                service: member.name.clone(),
                version: version.name.clone(),
                environment: environment.clone(),
                group: group.map(str::to_owned),
                handler: handler.map(str::to_owned),
                is_current,
            };
            let Version { emits, listens, serves, calls, .. } = version;
            let mut does: Vec<(String, Does)> = Vec::new();
            for it in emits {
                let current = digest(ContractKind::Event, &it.event).as_ref() == Some(&it.content);
                does.push((it.event.clone(), own(Verb::Emits, None, None, current)));
            }
            for it in listens {
                let current = digest(ContractKind::Event, &it.event).as_ref() == Some(&it.content);
                does.push((it.event.clone(), own(Verb::Listens, Some(&it.group), Some(&it.handler), current)));
            }
            for (verb, it) in serves.iter().map(|it| (Verb::Serves, it)).chain(calls.iter().map(|it| (Verb::Calls, it)))
            {
                let current = digest(ContractKind::Request, &it.method).as_ref() == Some(&it.request)
                    && digest(ContractKind::Response, &it.method).as_ref() == Some(&it.response)
                    && digest(ContractKind::Error, &it.method) == it.error;
                does.push((it.method.clone(), own(verb, None, None, current)));
            }
            services.all.push(Service {
                name: member.name.clone(),
                version: version.name.clone(),
                environment: environment.clone(),
                does: does.iter().map(|(name, it)| (it.verb, name.clone())).collect(),
            });
            for (name, it) in does {
                services.of.entry((it.verb.is_of_rpc(), name)).or_default().push(it);
            }
        }
        let name = |id: usize| report.fleet.members.get(id).map(|it| it.name.clone()).unwrap_or_default();
        for edge in &report.edges {
            let (subject, group) = match &edge.subject {
                Subject::Event { event, group } => (event.clone(), Some(group.clone())),
                Subject::Method(method) => (method.clone(), None),
            };
            services.edges.push(Edge {
                environment: environment.clone(),
                producer: name(edge.producer),
                consumer: name(edge.consumer),
                subject,
                is_method: group.is_none(),
                group,
                outlook: report.standing(edge),
            });
        }
        services.loose.extend(report.loose.iter().map(|it| match it {
            Unmatched::Unheard { event, service } => {
                format!("`{event}`, which {} emits, has no listener", name(*service))
            }
            Unmatched::Unsaid { event, group, service } => {
                format!("`{event}`, which {} listens to as {group}, is not emitted by any service", name(*service))
            }
            Unmatched::Unserved { method, service } => {
                format!("`{method}`, which {} calls, is not served by any service", name(*service))
            }
            Unmatched::Uncalled { method, service } => {
                format!("`{method}`, which {} serves, is not called by any service", name(*service))
            }
            Unmatched::Left { event, group, service } => {
                let queue = format!("{event}.{group}");
                format!(
                    "{} no longer listens to `{event}`: its queue `{queue}` stays, and fills until it is deleted",
                    name(*service)
                )
            }
        }));
    }
    services.of.values_mut().for_each(|it| it.sort());
    Ok(Some(services))
}
