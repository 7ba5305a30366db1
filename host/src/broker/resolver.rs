//! Names to addresses, with the closed ones taken out.
//!
//! The check stands here, inside the connection's own look-up, and not before the request: a name that answers with a public
//! address when it is checked and with a private one when it is used (rebinding) gets nowhere. Addresses that stand in a URL
//! never come by here; those are granted literally or not at all, because an origin is compared with its host.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address;

/// The addresses of a name, at some later time.
pub type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Looks names up; nothing is checked here.
pub trait Resolver: Send + Sync {
    /// The addresses of a name, in the order in which they should be tried.
    fn lookup(&self, name: &str) -> Lookup;
}

/// The operating system's own resolver.
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn lookup(&self, name: &str) -> Lookup {
        let name = name.to_owned();
        Box::pin(
            async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.map(|address| address.ip()).collect()) },
        )
    }
}

/// A name whose every address is closed to plugins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {address}, {why}")]
pub(super) struct ClosedAddress {
    pub(super) name: String,
    pub(super) address: IpAddr,
    why: &'static str,
}

/// The resolver that connections are made with.
pub(super) struct GuardedResolver {
    pub(super) inner: Arc<dyn Resolver>,
    /// The configured proxy's name, which may well be inside: the person named it, and no request is for it.
    pub(super) proxy: Option<String>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let is_proxy = self.proxy.as_ref().is_some_and(|proxy| proxy.eq_ignore_ascii_case(&name));
        let lookup = self.inner.lookup(&name);
        Box::pin(async move {
            let found = lookup.await?;
            let open = if is_proxy { found } else { open(&name, found)? };
            // Port 0 is replaced by the URL's.
            Ok(Box::new(open.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// The resolver for what the host itself reaches, under names that no plugin chose: nothing is taken out.
pub(super) struct OpenResolver(pub(super) Arc<dyn Resolver>);

impl Resolve for OpenResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = self.0.lookup(name.as_str());
        Box::pin(
            async move { Ok(Box::new(lookup.await?.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs) },
        )
    }
}

/// The addresses that a plugin may reach under this name; an error if there are some, but none of them is open.
fn open(name: &str, found: Vec<IpAddr>) -> Result<Vec<IpAddr>, ClosedAddress> {
    let refusal = |address: &IpAddr| {
        if name.eq_ignore_ascii_case("localhost") {
            // Granted literally, which says this machine and nothing else.
            (!address.is_loopback()).then_some("not an address of this machine")
        } else {
            address::refusal(*address)
        }
    };
    let (closed, open): (Vec<_>, Vec<_>) = found.into_iter().partition(|address| refusal(address).is_some());
    match closed.first().and_then(|address| Some((address, refusal(address)?))) {
        Some((address, why)) if open.is_empty() => Err(ClosedAddress { name: name.to_owned(), address: *address, why }),
        _ => Ok(open),
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
mod tests {
    use super::*;

    fn ask(name: &str, addresses: &[&str]) -> Result<Vec<String>, String> {
        let found = addresses.iter().map(|address| address.parse().unwrap()).collect();
        open(name, found).map(|open| open.iter().map(IpAddr::to_string).collect()).map_err(|closed| closed.to_string())
    }

    #[test]
    fn closed_addresses_are_taken_out_and_a_name_with_no_other_is_refused() {
        assert_eq!(ask("a.example", &["10.0.0.1", "1.1.1.1", "::1"]).unwrap(), ["1.1.1.1"]);
        assert_eq!(ask("a.example", &["10.0.0.1"]).unwrap_err(), "a.example is 10.0.0.1, a private address");
        assert_eq!(
            ask("metadata.google.internal", &["169.254.169.254"]).unwrap_err(),
            "metadata.google.internal is 169.254.169.254, a metadata address of a cloud"
        );
    }

    #[test]
    fn localhost_is_this_machine_and_nothing_else() {
        assert_eq!(ask("localhost", &["::1", "127.0.0.1"]).unwrap(), ["::1", "127.0.0.1"]);
        assert_eq!(ask("localhost", &["1.1.1.1"]).unwrap_err(), "localhost is 1.1.1.1, not an address of this machine");
        assert_eq!(
            ask("sub.localhost", &["127.0.0.1"]).unwrap_err(),
            "sub.localhost is 127.0.0.1, an address of this machine"
        );
    }
}
